"""Requests and replies, both directions: vectors of the specification, every form error, and properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.functions import ModbusError, encode_exception
from node.modbus.identification import IdentificationReply, IdentificationRequest
from node.modbus.pdu import (
    DataReply,
    ExceptionReply,
    MaskWrite,
    Read,
    ReadWrite,
    Reply,
    Request,
    WriteMultiple,
    WriteSingle,
    WrittenReply,
    check_reply,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)

WORD = st.integers(0, 0xFFFF)

READS = st.one_of(
    st.builds(Read, st.sampled_from([1, 2]), WORD, st.integers(1, 2000)),
    st.builds(Read, st.sampled_from([3, 4]), WORD, st.integers(1, 125)),
)
SINGLES = st.one_of(
    st.builds(WriteSingle, st.just(5), WORD, st.sampled_from([0, 0xFF00])),
    st.builds(WriteSingle, st.just(6), WORD, WORD),
)
COILS = st.integers(1, 1968).flatmap(
    lambda count: st.builds(
        WriteMultiple,
        st.just(15),
        WORD,
        st.just(count),
        st.binary(min_size=(count + 7) // 8, max_size=(count + 7) // 8),
    )
)
REGISTERS = st.integers(1, 123).flatmap(
    lambda count: st.builds(
        WriteMultiple, st.just(16), WORD, st.just(count), st.binary(min_size=2 * count, max_size=2 * count)
    )
)
MASKS = st.builds(MaskWrite, WORD, WORD, WORD)
READ_WRITES = st.integers(1, 121).flatmap(
    lambda count: st.builds(
        ReadWrite, WORD, st.integers(1, 125), WORD, st.binary(min_size=2 * count, max_size=2 * count)
    )
)
IDENTIFICATIONS = st.builds(IdentificationRequest, st.integers(1, 4), st.integers(0, 255))
REQUESTS = st.one_of(READS, SINGLES, COILS, REGISTERS, MASKS, READ_WRITES, IDENTIFICATIONS)

OBJECTS = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=10).map(tuple)
REPLIES = st.one_of(
    st.builds(DataReply, st.sampled_from([1, 2, 3, 4, 23]), st.binary(max_size=250)),
    SINGLES,
    st.builds(WrittenReply, st.sampled_from([15, 16]), WORD, WORD),
    MASKS,
    st.builds(ExceptionReply, st.integers(0, 127), st.integers(0, 255)),
    st.builds(
        IdentificationReply, st.integers(0, 255), st.integers(0, 255), st.booleans(), st.integers(0, 255), OBJECTS
    ),
)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("01 0013 0013", Read(1, 0x13, 19)),
        ("02 00C4 0016", Read(2, 0xC4, 22)),
        ("03 006B 0003", Read(3, 107, 3)),
        ("04 0008 0001", Read(4, 8, 1)),
        ("05 00AC FF00", WriteSingle(5, 172, 0xFF00)),
        ("06 0001 0003", WriteSingle(6, 1, 3)),
        ("0F 0013 000A 02 CD01", WriteMultiple(15, 0x13, 10, b"\xcd\x01")),
        ("10 0001 0002 04 000A 0102", WriteMultiple(16, 1, 2, b"\x00\x0a\x01\x02")),
        ("16 0004 00F2 0025", MaskWrite(4, 0xF2, 0x25)),
        ("17 0003 0006 000E 0003 06 00FF 00FF 00FF", ReadWrite(3, 6, 14, b"\x00\xff" * 3)),
        ("2B 0E 01 00", IdentificationRequest(1, 0)),
    ],
)
def test_requests_of_the_specification(text: str, request_: Request) -> None:
    assert decode_request(bytes.fromhex(text)) == request_
    assert encode_request(request_) == bytes.fromhex(text)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("01 03 CD6B05", DataReply(1, b"\xcd\x6b\x05")),
        ("03 06 022B 0000 0064", DataReply(3, b"\x02\x2b\x00\x00\x00\x64")),
        ("05 00AC FF00", WriteSingle(5, 172, 0xFF00)),
        ("0F 0013 000A", WrittenReply(15, 0x13, 10)),
        ("16 0004 00F2 0025", MaskWrite(4, 0xF2, 0x25)),
        ("83 02", ExceptionReply(3, 2)),
        ("2B 0E 01 81 00 00 01 00 02 4142", IdentificationReply(1, 0x81, False, 0, ((0, b"AB"),))),
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


@given(st.binary(max_size=260))
def test_any_bytes_are_a_request_or_an_exception_of_form(pdu: bytes) -> None:
    try:
        request_ = decode_request(pdu)
    except ModbusError as exc:
        assert exc.code in (1, 3) or (exc.code == 2 and pdu[0] in (20, 21))
        return
    assert encode_request(request_) == pdu


@given(st.sampled_from([1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43]), st.binary(max_size=260))
def test_any_bytes_after_a_known_function(function: int, rest: bytes) -> None:
    pdu = bytes((function,)) + rest
    try:
        assert encode_request(decode_request(pdu)) == pdu
    except ModbusError as exc:
        assert exc.code == 3 or (function == 43 and exc.code == 1)


@given(st.binary(max_size=260))
def test_any_bytes_are_a_reply_or_a_protocol_error(pdu: bytes) -> None:
    try:
        reply = decode_reply(pdu)
    except RemoteProtocolError:
        return
    if not isinstance(reply, IdentificationReply):  # any value but 0 is "more follows"
        assert encode_reply(reply) == pdu


@given(st.sampled_from([1, 3, 5, 6, 15, 16, 22, 23, 43, 0x83]), st.binary(max_size=260))
def test_any_bytes_after_a_known_function_of_a_reply(function: int, rest: bytes) -> None:
    try:
        decode_reply(bytes((function,)) + rest)
    except RemoteProtocolError as exc:
        assert str(exc)


FORM = [
    ("09", 1),
    ("19 0000", 1),
    ("5A 00", 1),
    ("", 1),
    ("2B 0D 00", 1),
    ("2B", 3),
    ("2B 0E 00 00", 3),
    ("2B 0E 05 00", 3),
    ("2B 0E 01", 3),
    ("03 0000 0000", 3),
    ("03 0000 007E", 3),
    ("04 0000 007E", 3),
    ("01 0000 07D1", 3),
    ("02 0000 0000", 3),
    ("03 0000 00", 3),
    ("03 0000 0001 00", 3),
    ("05 0000 0001", 3),
    ("05 0000 FFFF", 3),
    ("06 0000", 3),
    ("0F 0000 0000 00", 3),
    ("0F 0000 0009 01 00", 3),
    ("0F 0000 07B1 F7" + "00" * 247, 3),
    ("10 0000 0001 02 00", 3),
    ("10 0000 0001 01 00", 3),
    ("10 0000 007C F8" + "00" * 248, 3),
    ("16 0000 0000", 3),
    ("17 0000 0001 0000 0001 02 00", 3),
    ("17 0000 007E 0000 0001 02 0000", 3),
    ("17 0000 0001 0000 007A F4" + "00" * 244, 3),
]


@pytest.mark.parametrize(("text", "code"), FORM, ids=[text[:20] for text, _ in FORM])
def test_what_is_wrong_in_form(text: str, code: int) -> None:
    with pytest.raises(ModbusError) as caught:
        decode_request(bytes.fromhex(text))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (Read(3, 0, 2), DataReply(4, bytes(4))),
        (Read(3, 0, 2), DataReply(3, bytes(2))),
        (Read(1, 0, 9), DataReply(1, bytes(1))),
        (Read(1, 0, 9), WriteSingle(5, 0, 0)),
        (WriteSingle(6, 1, 2), WriteSingle(6, 1, 3)),
        (WriteMultiple(16, 1, 2, bytes(4)), WrittenReply(16, 1, 1)),
        (WriteMultiple(16, 1, 2, bytes(4)), WrittenReply(15, 1, 2)),
        (MaskWrite(1, 2, 3), MaskWrite(1, 2, 4)),
        (ReadWrite(0, 1, 0, bytes(2)), DataReply(3, bytes(2))),
        (IdentificationRequest(1, 0), DataReply(3, bytes(2))),
        (Read(3, 0, 2), ExceptionReply(4, 2)),
    ],
)
def test_a_reply_to_something_else_is_found_out(request_: Request, reply: Reply) -> None:
    with pytest.raises(RemoteProtocolError):
        check_reply(request_, reply)


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (Read(3, 0, 2), DataReply(3, bytes(4))),
        (Read(2, 0, 9), DataReply(2, bytes(2))),
        (WriteSingle(5, 1, 0), WriteSingle(5, 1, 0)),
        (WriteMultiple(16, 1, 2, bytes(4)), WrittenReply(16, 1, 2)),
        (MaskWrite(1, 2, 3), MaskWrite(1, 2, 3)),
        (ReadWrite(0, 1, 0, bytes(2)), DataReply(23, bytes(2))),
        (IdentificationRequest(1, 0), IdentificationReply(1, 0x81, False, 0, ())),
    ],
)
def test_the_reply_that_fits(request_: Request, reply: Reply) -> None:
    check_reply(request_, reply)
    with pytest.raises(ModbusError, match="illegal data address"):
        check_reply(request_, decode_reply(encode_exception(encode_request(request_)[0], 2)))


def test_a_reply_that_no_byte_can_count() -> None:
    with pytest.raises(LocalProtocolError):
        encode_reply(DataReply(3, bytes(252)))
