"""The reply that is waited for, out of noise: vectors of the specification, bytes one by one, and what is not ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.client.rtu_replies import RtuReplies
from node.modbus.rtu import crc16, encode_rtu


def framed(text: str) -> bytes:
    data = bytes.fromhex(text)
    return encode_rtu(data[0], data[1:])


REPLIES = {
    "registers": (0x11, 3, framed("11 03 06 022B 0000 0064")),
    "coils": (1, 1, framed("01 01 01 05")),
    "one register": (1, 6, framed("01 06 000A 0001")),
    "registers written": (1, 16, framed("01 10 0001 0002")),
    "mask": (1, 22, framed("01 16 0004 00F2 0025")),
    "queue": (1, 24, framed("01 18 0006 0002 01B8 1284")),
    "identification": (1, 43, framed("01 2B 0E 01 01 00 00 02 00 03 414243 01 02 4445")),
    "exception": (1, 3, bytes.fromhex("01 83 02 C0F1")),
}
"""What was asked of whom, and its answer."""


@pytest.mark.parametrize("name", REPLIES)
def test_whole_in_pieces_and_with_a_tail(name: str) -> None:
    unit, function, frame = REPLIES[name]
    assert RtuReplies(unit, function).feed(frame) == frame
    assert RtuReplies(unit, function).feed(frame + b"\x01\x03\x02") == frame
    replies = RtuReplies(unit, function)
    assert [replies.feed(bytes((byte,))) for byte in frame] == [b""] * (len(frame) - 1) + [frame]


def test_what_is_not_ours() -> None:
    replies = RtuReplies(1, 3)
    assert replies.feed(REPLIES["registers"][2]) == b""  # of another unit
    assert replies.feed(REPLIES["coils"][2]) == b""  # of another function
    assert replies.feed(REPLIES["exception"][2]) == REPLIES["exception"][2]


def test_half_a_reply_does_not_hide_the_whole_one_behind_it() -> None:
    whole = framed("01 03 04 0001 0002")
    replies = RtuReplies(1, 3)
    assert replies.feed(b"\x01\x03\xc8\x00") == b""
    assert replies.feed(whole[:4]) == b""
    assert replies.feed(whole[4:]) == whole


def test_a_spoilt_reply_is_none() -> None:
    whole = framed("01 03 04 0001 0002")
    for at in range(len(whole)):
        spoilt = bytearray(whole)
        spoilt[at] ^= 0x10
        assert RtuReplies(1, 3).feed(bytes(spoilt)) == b""


@given(st.binary(max_size=300), st.lists(st.integers(0, 65535), min_size=1, max_size=125), st.integers(1, 9))
def test_noise_before_costs_no_reply(noise: bytes, values: list[int], size: int) -> None:
    whole = encode_rtu(5, bytes((3, 2 * len(values))) + b"".join(value.to_bytes(2, "big") for value in values))
    stream = noise + whole
    found = [RtuReplies(5, 3).feed(stream)]
    replies = RtuReplies(5, 3)
    found += [replies.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
    kept = [frame for frame in found if frame]
    assert kept
    assert all(crc16(frame) == 0 and frame[0] == 5 and frame[1] in (3, 0x83) for frame in kept)
    if b"\x05\x03" not in noise and b"\x05\x83" not in noise and not noise.endswith(b"\x05"):
        assert set(kept) == {whole}


@given(st.binary(max_size=600), st.integers(1, 50))
def test_any_bytes_are_borne(data: bytes, size: int) -> None:
    replies = RtuReplies(1, 43)
    for at in range(0, len(data), size):
        replies.feed(data[at : at + size])
    assert len(replies._buffer) <= 256 + size
