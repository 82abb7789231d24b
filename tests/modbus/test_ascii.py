"""ASCII frames: the check, frames out of a stream, what spoils them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.ascii import LONGEST, AsciiFramer, decode_ascii, encode_ascii, lrc

READ = b":010300000001FB\r\n"
PDU = bytes.fromhex("03 00 00 00 01")


def framer() -> AsciiFramer:
    return AsciiFramer((1, 17))


def test_the_check() -> None:
    assert lrc(bytes.fromhex("01 03 00 00 00 01")) == 0xFB
    assert encode_ascii(1, PDU) == READ
    assert decode_ascii(READ) == (1, PDU)
    assert decode_ascii(READ.lower()) == (1, PDU)


def test_a_frame_whole_byte_by_byte_and_with_a_tail() -> None:
    assert framer().feed(READ, 0.0) == [READ]
    slow = framer()
    assert [frame for at in range(len(READ)) for frame in slow.feed(READ[at : at + 1], 0.9 * at)] == [READ]
    tailed = framer()
    assert tailed.feed(READ + b"..:0103", 0.0) == [READ]
    assert (tailed.pending, tailed.spoilt) == (5, 0)
    assert tailed.quiet() == []
    assert (tailed.pending, tailed.spoilt) == (0, 1)


@pytest.mark.parametrize(
    "spoilt",
    [
        b":010300000001FA\r\n",
        b":0103000",
        b":0103000g0001FB\r\n",
        b":010300000001FB\n",
        b":010300000001FB\rX",
        b":010300000001FB\rA",
        b":01030000000FB\r\n",
        b":\r\n",
        b":01FF\r\n",
        b":" + b"0" * 600,
    ],
)
def test_what_spoils_a_frame_is_counted_and_the_next_one_is_whole(spoilt: bytes) -> None:
    found = framer()
    assert found.feed(b"\0noise" + spoilt + READ, 0.0) == [READ]
    assert found.spoilt == 1


def test_a_second_between_characters_ends_a_frame() -> None:
    found = framer()
    assert found.feed(READ[:5], 0.0) == []
    assert found.feed(READ[5:], 1.1) == []
    assert found.spoilt == 1
    assert found.feed(READ, 1.2) == [READ]


def test_the_last_character_can_be_another() -> None:
    found = framer()
    found.delimiter = 0x24
    assert found.encode(1, PDU) == READ[:-1] + b"$"
    assert found.feed(READ + READ[:-1] + b"$", 0.0) == [READ[:-1] + b"$"]
    assert found.spoilt == 1


def test_a_reply_of_another_is_not_given() -> None:
    asking, reply = encode_ascii(5, PDU), encode_ascii(5, b"\x03\x02\0\x07")
    assert framer().feed(asking + reply + READ, 0.0) == [asking, READ]
    write = encode_ascii(5, bytes.fromhex("06 00 0A 00 01"))
    assert framer().feed(write * 3, 0.0) == [write, write]
    assert framer().feed(reply + reply + encode_ascii(1, b"\x83\x02"), 0.0) == []


def test_a_check_that_is_of_something_else() -> None:
    meant = bytes.fromhex("03 02 00 07")
    with pytest.raises(RemoteProtocolError, match="check"):
        decode_ascii(framer().encode(1, bytes.fromhex("03 02 00 08"), meant))


@given(st.binary(min_size=1, max_size=253), st.integers(0, 255))
def test_a_frame_decodes_to_what_was_encoded(pdu: bytes, station: int) -> None:
    frame = encode_ascii(station, pdu)
    assert decode_ascii(frame) == (station, pdu)
    assert len(frame) <= LONGEST


@pytest.mark.parametrize("size", [0, 254])
def test_a_pdu_of_no_size_that_fits(size: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"PDU of {size} bytes"):
        encode_ascii(1, bytes(size))


@given(st.binary(max_size=40) | st.text("0123456789ABCDEF:\r\n", max_size=600).map(str.encode))
def test_any_bytes_are_a_frame_or_a_protocol_error(data: bytes) -> None:
    try:
        station, pdu = decode_ascii(data)
    except RemoteProtocolError:
        return
    assert encode_ascii(station, pdu, data[-1]) == data.upper()[:-1] + data[-1:]


@given(st.lists(st.binary(max_size=60) | st.sampled_from([READ, READ[:7], b":"]), max_size=20))
def test_it_is_bounded(chunks: list[bytes]) -> None:
    found = framer()
    for chunk in chunks:
        for frame in found.feed(chunk, 0.0):
            decode_ascii(frame)
        assert found.pending < LONGEST
    assert found.feed(b":" + READ, 0.0) == [READ]
