"""Diagnostics and their kin on the wire, both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.diagnostics import (
    SUBS,
    Bare,
    DiagnosticReply,
    Diagnostics,
    EventCounter,
    EventLog,
    ExceptionStatus,
    ServerId,
)
from node.modbus.functions import ModbusError
from node.modbus.pdu import Reply, Request, check_reply, decode_reply, decode_request, encode_reply, encode_request

WORD = st.integers(0, 0xFFFF)
REQUESTS = st.one_of(
    st.builds(Bare, st.sampled_from([7, 11, 12, 17])),
    st.builds(Diagnostics, st.sampled_from(sorted(SUBS)), st.binary(min_size=2, max_size=2)),
    st.builds(Diagnostics, st.just(0), st.binary(min_size=2, max_size=250)),
)
REPLIES = st.one_of(
    st.builds(ExceptionStatus, st.integers(0, 255)),
    st.builds(Diagnostics, WORD, st.binary(min_size=2, max_size=250)),
    st.builds(EventCounter, WORD, WORD),
    st.builds(EventLog, WORD, WORD, WORD, st.binary(max_size=64)),
    st.builds(ServerId, st.binary(max_size=251)),
)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("07", Bare(7)),
        ("08 0000 A537", Diagnostics(0, b"\xa5\x37")),
        ("08 0001 FF00", Diagnostics(1, b"\xff\x00")),
        ("0B", Bare(11)),
        ("0C", Bare(12)),
        ("11", Bare(17)),
    ],
)
def test_requests_of_the_specification(text: str, request_: Request) -> None:
    assert decode_request(bytes.fromhex(text)) == request_
    assert encode_request(request_) == bytes.fromhex(text)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("07 6D", ExceptionStatus(0x6D)),
        ("08 0000 A537", Diagnostics(0, b"\xa5\x37")),
        ("0B FFFF 0108", EventCounter(0xFFFF, 0x108)),
        ("0C 08 0000 0108 0121 20 00", EventLog(0, 0x108, 0x121, b"\x20\x00")),
        ("11 06 01FF 53494D31", ServerId(b"\x01\xffSIM1")),
    ],
)
def test_replies_of_the_specification(text: str, reply: Reply) -> None:
    assert decode_reply(bytes.fromhex(text)) == reply
    assert encode_reply(reply) == bytes.fromhex(text)


@given(REQUESTS)
def test_a_request_decodes_to_what_was_encoded(request_: Request) -> None:
    assert decode_request(encode_request(request_)) == request_


@given(REPLIES)
def test_a_reply_decodes_to_what_was_encoded(reply: DiagnosticReply) -> None:
    assert decode_reply(encode_reply(reply)) == reply


@given(st.sampled_from([7, 8, 11, 12, 17]), st.binary(max_size=260))
def test_any_bytes_after_the_function(function: int, rest: bytes) -> None:
    pdu = bytes((function,)) + rest
    try:
        assert encode_request(decode_request(pdu)) == pdu
    except ModbusError as exc:
        unknown = pdu[0] == 8 and len(pdu) > 2 and int.from_bytes(pdu[1:3], "big") not in SUBS
        assert exc.code == (1 if unknown else 3)
    try:
        assert encode_reply(decode_reply(pdu)) == pdu
    except (RemoteProtocolError, LocalProtocolError) as exc:
        assert str(exc)


@pytest.mark.parametrize(
    "text", ["07", "07 00 00", "08 0000", "0B 0000", "0C 05 0000 0000 00", "0C 06 0000", "11 02 00"]
)
def test_replies_that_end_too_soon_or_too_late(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_reply(bytes.fromhex(text))


@pytest.mark.parametrize("reply", [EventLog(0, 0, 0, bytes(65)), ServerId(bytes(252))])
def test_what_no_reply_holds(reply: Reply) -> None:
    with pytest.raises(LocalProtocolError):
        encode_reply(reply)


@pytest.mark.parametrize(
    ("request_", "good", "bad"),
    [
        (Bare(7), ExceptionStatus(0), EventCounter(0, 0)),
        (Bare(11), EventCounter(0, 3), EventLog(0, 0, 0, b"")),
        (Bare(12), EventLog(0, 1, 2, b"\x80"), ServerId(b"")),
        (Bare(17), ServerId(b"\x01\xff"), ExceptionStatus(0)),
        (Diagnostics(0, b"\x12\x34"), Diagnostics(0, b"\x12\x34"), Diagnostics(0, b"\x12\x35")),
        (Diagnostics(11, b"\0\0"), Diagnostics(11, b"\0\x09"), Diagnostics(12, b"\0\0")),
        (Diagnostics(10, b"\0\0"), Diagnostics(10, b"\0\0"), Diagnostics(10, b"\0\1")),
    ],
)
def test_the_reply_must_fit(request_: Request, good: Reply, bad: Reply) -> None:
    check_reply(request_, good)
    with pytest.raises(RemoteProtocolError):
        check_reply(request_, bad)
