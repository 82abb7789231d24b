"""RTU frames out of what a line carries: whole, byte by byte, behind noise, among others' frames, after silences."""

import random
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.rtu import RtuFramer, crc16, decode_rtu, encode_rtu

VECTORS = [
    "01 03 00 00 00 01 84 0A",
    "01 03 00 0A 00 02 E4 09",
    "11 03 00 6B 00 03 76 87",
    "01 06 00 0A 00 01 68 08",
]
"""Requests with checks that two other implementations computed."""
STATIONS = frozenset((1, 17))
READ = bytes.fromhex(VECTORS[1])

PDUS = {
    "read": "03 00 00 00 7D",
    "write coil": "05 00 AC FF 00",
    "exception status": "07",
    "diagnostics": "08 00 0B 00 00",
    "long echo": "08 00 00 A1 B2 C3 D4 E5",
    "event log": "0C",
    "write coils": "0F 00 13 00 0A 02 CD 01",
    "write registers": "10 00 01 00 02 04 00 0A 01 02",
    "server id": "11",
    "read file": "14 07 06 00 04 00 01 00 02",
    "write file": "15 0D 06 00 04 00 07 00 03 06 AF 04 BE 10 0D",
    "mask": "16 00 04 00 F2 00 25",
    "read and write": "17 00 03 00 06 00 0E 00 03 06 00 FF 00 FF 00 FF",
    "queue": "18 04 DE",
    "identification": "2B 0E 01 00",
    "CANopen": "2B 0D 01 02 03",
    "a function of a vendor": "5A 01 02 03",
}
REPLIES = {
    "read": "03 06 02 2B 00 00 00 64",
    "exception status": "07 6D",
    "event counter": "0B FF FF 01 08",
    "event log": "0C 08 00 00 01 08 01 21 20 00",
    "queue": "18 00 06 00 02 01 B8 12 84",
    "identification": "2B 0E 01 01 00 00 02 00 03 41 42 43 01 02 44 45",
    "exception": "83 02",
}


def given_by(framer: RtuFramer, *chunks: bytes) -> list[bytes]:
    """What it gives of chunks that come one right behind the other, and of the silence behind them."""
    frames = [frame for number, chunk in enumerate(chunks) for frame in framer.feed(chunk, number * 0.001)]
    return frames + framer.quiet()


def bytewise(data: bytes) -> list[bytes]:
    return [bytes((byte,)) for byte in data]


def test_the_check_of_the_specification() -> None:
    assert crc16(b"123456789") == 0x4B37
    assert encode_rtu(1, b"\x83\x02").hex() == "018302c0f1"


@pytest.mark.parametrize("vector", VECTORS)
def test_a_vector_whole_byte_by_byte_and_with_a_tail(vector: str) -> None:
    frame = bytes.fromhex(vector)
    assert encode_rtu(*decode_rtu(frame)) == frame
    assert RtuFramer(STATIONS).feed(frame, 0.0) == [frame]
    framer = RtuFramer(STATIONS)
    assert given_by(framer, *bytewise(frame)) == [frame]
    assert (framer.spoilt, framer.pending) == (0, 0)
    assert given_by(framer, frame + b"\x01\x03\x00") == [frame]
    assert (framer.spoilt, framer.pending) == (1, 0)


@pytest.mark.parametrize("name", PDUS)
def test_requests_of_every_function_come_out_whole(name: str) -> None:
    frame = encode_rtu(1, bytes.fromhex(PDUS[name]))
    assert given_by(RtuFramer(STATIONS), frame) == [frame]
    framer = RtuFramer(STATIONS)
    assert given_by(framer, *bytewise(frame)) == [frame]
    assert framer.spoilt == 0


@pytest.mark.parametrize("name", REPLIES)
@pytest.mark.parametrize("asked", [True, False])
def test_replies_of_others_are_heard_and_not_given(name: str, asked: bool) -> None:
    reply = encode_rtu(5, bytes.fromhex(REPLIES[name]))
    asking = encode_rtu(5, bytes((reply[1] & 0x7F,)) + bytes(4)) if asked else b""
    for chunks in ([asking, reply + READ], bytewise(asking) + bytewise(reply + READ)):
        framer = RtuFramer(STATIONS)
        assert [frame for frame in given_by(framer, *chunks) if frame[0] in STATIONS] == [READ]
        assert framer.spoilt == 0 or (asked and asking[1] not in (1, 2, 3, 4, 5, 6, 8))


@pytest.mark.parametrize("chunked", [lambda data: [data], bytewise])
def test_a_request_to_us_in_the_data_of_another_is_none(chunked: object) -> None:
    """A reply of 3 begins as a request does, and may hold one with its right check."""
    inside = encode_rtu(1, bytes.fromhex("06 00 0A 00 01"))
    asking = encode_rtu(5, bytes.fromhex("03 00 00 00 06"))
    reply = encode_rtu(5, b"\x03\x0c\0\0" + inside + b"\0\0")
    writing = encode_rtu(5, b"\x10\0\0\0\x04\x08" + inside)
    framer = RtuFramer(STATIONS)
    chunks = [part for data in (asking, reply, writing, READ) for part in chunked(data)]  # type: ignore[operator]
    assert given_by(framer, *chunks) == [asking, writing, READ]
    assert framer.spoilt == 0


def test_a_reply_whose_beginning_has_the_check_of_a_request_is_one_reply() -> None:
    asking = encode_rtu(5, bytes.fromhex("03 00 00 00 03"))
    head = bytes.fromhex("05 03 06 00 6B 00")
    reply = encode_rtu(5, head[1:] + crc16(head).to_bytes(2, "little") + b"\x01")
    assert len(reply) == 11
    for chunks in ([asking, reply, READ], bytewise(asking + reply + READ)):
        framer = RtuFramer(STATIONS)
        assert given_by(framer, *chunks) == [asking, READ]
        assert framer.spoilt == 0


def test_a_write_and_its_echo_are_a_request_and_a_reply() -> None:
    write = encode_rtu(5, bytes.fromhex("06 00 0A 00 01"))
    assert given_by(RtuFramer(STATIONS), *[write] * 4) == [write] * 2
    ours = encode_rtu(1, bytes.fromhex("06 00 0A 00 01"))
    assert given_by(RtuFramer(STATIONS), *[ours] * 4) == [ours] * 4
    everybody = encode_rtu(0, bytes.fromhex("06 00 0A 00 01"))
    assert given_by(RtuFramer(STATIONS), *[everybody] * 2) == [everybody] * 2


def test_half_a_frame_is_given_up_after_silence() -> None:
    framer = RtuFramer(STATIONS, 0.02)
    for number in range(20):
        assert framer.feed(READ[: 1 + number % 7], number) == []
        assert framer.feed(READ, number + 0.03) == [READ]
    assert framer.spoilt == 20


@pytest.mark.parametrize("half", ["01 03 00", "01 10 00 00 00 7B F6 00", "01 5A", "05 03 FB"])
def test_half_a_frame_without_a_silence_costs_the_next_one_a_silence_at_most(half: str) -> None:
    framer = RtuFramer(STATIONS)
    assert given_by(framer, bytes.fromhex(half) + READ) == [READ]
    assert framer.spoilt == 1


@given(st.binary(min_size=1, max_size=253), st.integers(0, 255))
def test_a_frame_decodes_to_what_was_encoded(pdu: bytes, station: int) -> None:
    assert decode_rtu(encode_rtu(station, pdu)) == (station, pdu)


@pytest.mark.parametrize("size", [0, 254])
def test_a_pdu_of_no_size_that_fits(size: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"PDU of {size} bytes"):
        encode_rtu(1, bytes(size))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_a_protocol_error(data: bytes) -> None:
    try:
        station, pdu = decode_rtu(data)
    except RemoteProtocolError:
        return
    assert encode_rtu(station, pdu) == data


@given(st.lists(st.binary(max_size=80), max_size=20), st.integers(0, 2**32))
def test_it_keeps_less_than_a_frame_and_gives_what_has_its_check(chunks: list[bytes], seed: int) -> None:
    chance = random.Random(seed)
    framer = RtuFramer(STATIONS)
    for instant, chunk in zip(accumulate(chance.choice((0.001, 0.03)) for _ in chunks), chunks, strict=True):
        for frame in framer.feed(chunk, instant):
            decode_rtu(frame)
        assert framer.pending < 256
    framer.quiet()
    assert framer.pending == 0


@pytest.mark.parametrize(("station", "text"), [(3, "04 0083 0003"), (4, "03 0200 0074"), (4, "03 0203 0074")])
def test_a_request_that_begins_like_a_reply_is_waited_for(station: int, text: str) -> None:
    """Whose first bytes have the length of a reply and a check that is right: of any whose own check ends in 00, all
    but the last have."""
    request = encode_rtu(station, bytes.fromhex(text))
    assert any(crc16(request[:size]) == 0 for size in (5, 7))
    for cut in range(1, len(request)):
        assert RtuFramer((station,)).feed(request, 1.0) == [request]
        assert given_by(RtuFramer((station,)), request[:cut], request[cut:]) == [request]
    assert given_by(RtuFramer((station,)), *(bytes((byte,)) for byte in request)) == [request]


@pytest.mark.parametrize("head", [b"\x01\x03\xfb", b"\x01\x10\x10", b"\x17\x17\x17", b"\x01\x5a", b"\x05\x18\x00\xf9"])
def test_what_would_be_long_is_bounded(head: bytes) -> None:
    framer = RtuFramer(STATIONS)
    for _ in range(40):
        framer.feed(head * 20, 0.0)
        assert framer.pending < 256


REQUESTS = st.sampled_from(sorted(PDUS.values())).map(bytes.fromhex)


@settings(max_examples=300)
@given(st.binary(min_size=1, max_size=5), REQUESTS, st.sampled_from(sorted(STATIONS)), st.booleans())
def test_noise_before_a_request_loses_nothing(noise: bytes, pdu: bytes, station: int, singly: bool) -> None:
    frame = encode_rtu(station, pdu)
    framer = RtuFramer(STATIONS)
    chunks = bytewise(noise + frame) if singly else [noise + frame]
    assert frame in given_by(framer, *chunks) or crc_collides(noise + frame)
    assert framer.spoilt <= 1


def crc_collides(data: bytes) -> bool:
    """Whether some other part of `data` has a right check by chance."""
    parts = ((at, end) for at in range(len(data)) for end in range(at + 4, len(data) + 1))
    return sum(crc16(data[at:end]) == 0 for at, end in parts) > 1


@settings(max_examples=300)
@given(REQUESTS, st.data())
def test_a_spoilt_frame_is_never_taken_for_another(pdu: bytes, data: st.DataObject) -> None:
    """The check finds any one or two wrong bits next to each other, and any byte that is another."""
    frame = encode_rtu(1, pdu)
    at = data.draw(st.integers(0, len(frame) - 1))
    spoilt = frame[:at] + bytes((frame[at] ^ data.draw(st.integers(1, 255)),)) + frame[at + 1 :]
    framer = RtuFramer(STATIONS)
    for found in given_by(framer, spoilt):
        assert found != spoilt
        assert crc_collides(spoilt)
    assert given_by(framer, READ) == [READ]


def test_a_thousand_requests_with_one_byte_in_a_hundred_wrong() -> None:
    chance = random.Random(7)
    framer = RtuFramer(STATIONS)
    right = 0
    for number in range(1000):
        request = encode_rtu(chance.choice((1, 17)), bytes((3, 0, chance.randrange(100), 0, 2)))
        wire = bytes(byte ^ (chance.randrange(1, 256) if chance.random() < 0.01 else 0) for byte in request)
        found = framer.feed(wire, number * 0.1) + framer.quiet()
        assert found == ([request] if wire == request else [])
        right += wire == request
    assert 0 < framer.spoilt == 1000 - right
