"""Read Device Identification: categories, streams that take several replies, single objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.identification import (
    TEXT_LIMIT,
    Identification,
    IdentificationReply,
    IdentificationRequest,
    decode_identification_reply,
    encode_identification_reply,
)
from node.modbus.pdu import encode_reply

BASIC = {0: "Maker", 1: "Code", 2: "1.0"}


def stream(device: Identification, code: int, first: int = 0) -> tuple[list[int], list[int]]:
    """All object ids of a stream, and the bytes of each reply."""
    ids: list[int] = []
    sizes = []
    while True:
        reply = device.answer(IdentificationRequest(code, first))
        assert reply is not None
        sizes.append(len(encode_reply(reply)))
        ids += [number for number, _ in reply.objects]
        if not reply.more:
            assert reply.next_object == 0
            return ids, sizes
        assert reply.next_object > first
        first = reply.next_object


def test_the_three_that_must_be_there_always_are() -> None:
    ids, _ = stream(Identification({}), 1)
    assert ids == [0, 1, 2]


@pytest.mark.parametrize(
    ("objects", "conformity"),
    [(BASIC, 0x81), ({**BASIC, 4: "Name"}, 0x82), ({**BASIC, 0x80: "private"}, 0x83)],
)
def test_conformity_says_the_category_and_single_access(objects: dict[int, str], conformity: int) -> None:
    reply = Identification(objects).answer(IdentificationRequest(1, 0))
    assert reply is not None
    assert reply.conformity == conformity


def test_a_stream_stops_at_its_category() -> None:
    device = Identification({**BASIC, 3: "url", 6: "app", 0x80: "private"})
    assert stream(device, 1)[0] == [0, 1, 2]
    assert stream(device, 2)[0] == [0, 1, 2, 3, 6]
    assert stream(device, 3)[0] == [0, 1, 2, 3, 6, 0x80]


def test_a_device_gives_what_it_has() -> None:
    assert stream(Identification(BASIC), 3)[0] == [0, 1, 2]


def test_a_stream_from_an_object_that_is_not_there_begins_again() -> None:
    device = Identification({**BASIC, 4: "Name"})
    assert stream(device, 2, 2)[0] == [2, 4]
    assert stream(device, 2, 3)[0] == [0, 1, 2, 4]


def test_long_objects_take_several_replies_and_are_never_split() -> None:
    device = Identification({number: chr(65 + number) * 100 for number in range(7)})
    ids, sizes = stream(device, 2)
    assert ids == list(range(7))
    assert len(sizes) == 4
    assert all(size <= 253 for size in sizes)


def test_the_longest_object_fills_a_reply() -> None:
    device = Identification({**BASIC, 3: "x" * TEXT_LIMIT})
    _, sizes = stream(device, 2)
    assert max(sizes) == 253
    with pytest.raises(LocalProtocolError, match="object 3"):
        Identification({3: "x" * (TEXT_LIMIT + 1)})
    with pytest.raises(LocalProtocolError, match="object 256"):
        Identification({256: "x"})


def test_one_object() -> None:
    device = Identification(BASIC)
    reply = device.answer(IdentificationRequest(4, 1))
    assert reply == IdentificationReply(4, 0x81, False, 0, ((1, b"Code"),))
    assert device.answer(IdentificationRequest(4, 3)) is None


@given(st.dictionaries(st.integers(0, 255), st.text(max_size=244), max_size=40), st.integers(1, 3))
def test_every_stream_ends_and_carries_each_object_once(objects: dict[int, str], code: int) -> None:
    device = Identification(objects)
    ids, sizes = stream(device, code)
    last = {1: 2, 2: 0x7F, 3: 0xFF}[code]
    assert ids == [number for number in device.objects if number <= last]
    assert max(sizes) <= 253


@given(st.binary(max_size=260))
def test_any_bytes_are_a_reply_or_a_protocol_error(data: bytes) -> None:
    try:
        reply = decode_identification_reply(data)
    except RemoteProtocolError:
        return
    again = encode_identification_reply(reply)
    assert again[:2] + again[3:] == data[:2] + data[3:]


@pytest.mark.parametrize("text", ["01 81 00 00", "01 81 00 00 01", "01 81 00 00 01 00 03 41", "01 81 00 00 00 41"])
def test_a_count_or_length_that_lies(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_identification_reply(bytes.fromhex(text))


def test_objects_that_do_not_fit_a_reply() -> None:
    with pytest.raises(LocalProtocolError):
        encode_identification_reply(IdentificationReply(1, 0x81, False, 0, ((0, bytes(200)), (1, bytes(100)))))
