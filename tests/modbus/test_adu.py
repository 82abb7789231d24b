"""Frames out of a stream: whole, byte by byte, with a tail, and out of noise."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.adu import PDU_LIMIT, TcpFramer, decode_adu, encode_adu

READ = bytes.fromhex("00 01 00 00 00 06 11 03 00 6B 00 03")
"""Facts: FC 3, registers 107 to 109 of unit 17."""

PDUS = st.binary(min_size=1, max_size=PDU_LIMIT)
ADUS = st.builds(encode_adu, st.integers(0, 0xFFFF), st.integers(0, 0xFF), PDUS)


def test_the_header_of_the_specification() -> None:
    assert encode_adu(1, 0x11, bytes.fromhex("03 00 6B 00 03")) == READ
    assert decode_adu(READ) == (1, 0x11, bytes.fromhex("03 00 6B 00 03"))


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFF), PDUS)
def test_a_frame_decodes_to_what_was_encoded(transaction: int, unit: int, pdu: bytes) -> None:
    assert decode_adu(encode_adu(transaction, unit, pdu)) == (transaction, unit, pdu)


@pytest.mark.parametrize("size", [0, PDU_LIMIT + 1])
def test_a_pdu_of_no_size_that_fits(size: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"PDU of {size} bytes"):
        encode_adu(1, 1, bytes(size))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_a_protocol_error(data: bytes) -> None:
    try:
        transaction, unit, pdu = decode_adu(data)
    except RemoteProtocolError:
        return
    assert encode_adu(transaction, unit, pdu) == data


@given(st.lists(ADUS, max_size=20))
def test_frames_of_a_segment_come_out_whole(frames: list[bytes]) -> None:
    framer = TcpFramer()
    assert framer.feed(b"".join(frames)) == frames
    assert framer.pending == 0


@given(st.lists(ADUS, min_size=1, max_size=5))
def test_byte_by_byte_gives_the_same(frames: list[bytes]) -> None:
    framer = TcpFramer()
    found = []
    for byte in b"".join(frames):
        found += framer.feed(bytes((byte,)))
    assert found == frames
    assert framer.fault is None


@given(ADUS, st.integers(1, 7))
def test_a_tail_waits_for_the_rest(frame: bytes, size: int) -> None:
    framer = TcpFramer()
    assert framer.feed(frame + READ[:size]) == [frame]
    assert framer.pending == size
    assert framer.feed(READ[size:]) == [READ]


def test_another_protocol_is_skipped_by_its_length() -> None:
    framer = TcpFramer()
    foreign = READ[:2] + b"\x00\x01" + READ[4:]
    assert framer.feed(READ + foreign + READ) == [READ, READ]
    assert framer.fault is None


@pytest.mark.parametrize("length", [0, 1, 255, 0xFFFF])
def test_a_length_that_cannot_be_ends_the_stream(length: int) -> None:
    framer = TcpFramer()
    assert framer.feed(READ + READ[:4] + length.to_bytes(2, "big") + READ[6:] + READ) == [READ]
    assert str(length) in str(framer.fault)
    assert framer.feed(READ) == []
    assert framer.pending == 0


@given(st.binary(max_size=2000), st.lists(st.integers(0, 2000)))
def test_noise_gives_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    whole, pieces = TcpFramer(), TcpFramer()
    frames = whole.feed(data)
    found = []
    edges = [0, *sorted(cuts), len(data)]
    for start, stop in pairwise(edges):
        found += pieces.feed(data[start:stop])
    assert found == frames
    assert str(pieces.fault) == str(whole.fault)
    assert whole.pending < 260
    assert all(2 <= len(frame) - 6 <= 254 for frame in frames)
