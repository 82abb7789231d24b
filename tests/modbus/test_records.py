"""File records and queues on the wire, both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.functions import ModbusError
from node.modbus.pdu import Reply, Request, check_reply, decode_reply, decode_request, encode_reply, encode_request
from node.modbus.records import FifoData, FifoRead, FileData, FileRead, FileWrite

FILE = st.integers(1, 0xFFFF)
RECORD = st.integers(0, 9000)
ASKED = st.tuples(FILE, RECORD, st.integers(1, 20))
REGISTERS = st.integers(1, 20).flatmap(lambda count: st.binary(min_size=2 * count, max_size=2 * count))
GIVEN = st.tuples(FILE, RECORD, REGISTERS)
REQUESTS = st.one_of(
    st.builds(FileRead, st.lists(ASKED, min_size=1, max_size=5).map(tuple)),
    st.builds(FileWrite, st.lists(GIVEN, min_size=1, max_size=5).map(tuple)),
    st.builds(FifoRead, st.integers(0, 0xFFFF)),
)
REPLIES = st.one_of(
    st.builds(FileData, st.lists(REGISTERS, min_size=1, max_size=5).map(tuple)),
    st.builds(FileWrite, st.lists(GIVEN, min_size=1, max_size=5).map(tuple)),
    st.builds(FifoData, st.integers(0, 31).flatmap(lambda count: st.binary(min_size=2 * count, max_size=2 * count))),
)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("14 0E 06 0004 0001 0002 06 0003 0009 0002", FileRead(((4, 1, 2), (3, 9, 2)))),
        ("15 0D 06 0004 0007 0003 06AF 04BE 100D", FileWrite(((4, 7, b"\x06\xaf\x04\xbe\x10\x0d"),))),
        ("18 04DE", FifoRead(0x4DE)),
    ],
)
def test_requests_of_the_specification(text: str, request_: Request) -> None:
    assert decode_request(bytes.fromhex(text)) == request_
    assert encode_request(request_) == bytes.fromhex(text)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("14 0C 05 06 0DFE 0020 05 06 33CD 0040", FileData((b"\x0d\xfe\x00\x20", b"\x33\xcd\x00\x40"))),
        ("15 0D 06 0004 0007 0003 06AF 04BE 100D", FileWrite(((4, 7, b"\x06\xaf\x04\xbe\x10\x0d"),))),
        ("18 0006 0002 01B8 1284", FifoData(b"\x01\xb8\x12\x84")),
    ],
)
def test_replies_of_the_specification(text: str, reply: Reply) -> None:
    assert decode_reply(bytes.fromhex(text)) == reply
    assert encode_reply(reply) == bytes.fromhex(text)


@given(REQUESTS)
def test_a_request_decodes_to_what_was_encoded(request_: Request) -> None:
    assert decode_request(encode_request(request_)) == request_


@given(REPLIES)
def test_a_reply_decodes_to_what_was_encoded(reply: Reply) -> None:
    assert decode_reply(encode_reply(reply)) == reply


@given(st.sampled_from([20, 21, 24]), st.binary(max_size=260))
def test_any_bytes_after_the_function(function: int, rest: bytes) -> None:
    pdu = bytes((function,)) + rest
    try:
        assert encode_request(decode_request(pdu)) == pdu
    except ModbusError as exc:
        assert exc.code in (2, 3)
    try:
        assert encode_reply(decode_reply(pdu)) == pdu
    except (RemoteProtocolError, LocalProtocolError) as exc:
        assert str(exc)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("14", 3),
        ("14 06 06 0004 0001 00", 3),
        ("14 07 06 0004 0001 00", 3),
        ("14 08 06 0004 0001 0001 06", 3),
        ("14 07 06 0004 0001 0000", 3),
        ("14 07 06 0004 0000 007A", 3),
        ("14 07 05 0004 0001 0001", 2),
        ("14 07 06 0000 0001 0001", 2),
        ("14 07 06 0004 2710 0001", 2),
        ("15 08 06 0004 0001 0001 00", 3),
        ("15 09 06 0004 0001 0002 0000", 3),
        ("15 0A 06 0004 0001 0001 0000 06", 3),
        ("15 09 07 0004 0001 0001 0000", 2),
        ("15 09 06 0004 270F 0001 0000" + "00", 3),
        ("18 00", 3),
    ],
)
def test_what_is_wrong_in_form(text: str, code: int) -> None:
    with pytest.raises(ModbusError) as caught:
        decode_request(bytes.fromhex(text))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "text",
    ["14 00 00", "14 02 00 06", "14 04 05 06 0000", "14 03 02 05 00", "15 07 06 0004", "18 0002", "18 0004 0002 0000"],
)
def test_replies_whose_lengths_lie(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_reply(bytes.fromhex(text))


def test_what_no_byte_can_count() -> None:
    with pytest.raises(LocalProtocolError):
        encode_reply(FifoData(bytes(64)))
    with pytest.raises(LocalProtocolError):
        encode_request(FileWrite(((1, 0, bytes(260)),)))


@pytest.mark.parametrize(
    ("request_", "good", "bad"),
    [
        (FileRead(((4, 0, 2), (5, 0, 1))), FileData((bytes(4), bytes(2))), FileData((bytes(4),))),
        (FileWrite(((4, 0, bytes(2)),)), FileWrite(((4, 0, bytes(2)),)), FileWrite(((4, 1, bytes(2)),))),
        (FifoRead(3), FifoData(bytes(4)), FileData((bytes(4),))),
    ],
)
def test_the_reply_must_fit(request_: Request, good: Reply, bad: Reply) -> None:
    check_reply(request_, good)
    with pytest.raises(RemoteProtocolError):
        check_reply(request_, bad)
