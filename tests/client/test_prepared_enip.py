"""Requests that are encoded once for EtherNet/IP, what is wrong with their answers, and how a session begins."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.forward import decode_forward_open
from node.cip.message import Reply, decode_request, encode_reply
from node.cip.multiple import decode_multiple, encode_multiple
from node.cip.services import FORWARD_OPEN, MULTIPLE_SERVICE_PACKET, READ_TAG, UNCONNECTED_SEND, WRITE_TAG
from node.client.enip_exchange import EnipExchange
from node.client.prepared import Fault, Refused
from node.client.prepared_enip import (
    REPLY_HEAD,
    EnipRequest,
    TagItem,
    encoded_route,
    fault_of,
    packed_parts,
    parse_tag,
    prepare_reads,
    prepare_write,
    shape_of,
)
from node.enip.commands import decode_connected, decode_unconnected, encode_connected, encode_unconnected
from node.enip.framing import FrameBuffer
from node.enip.header import HEADER, REGISTER_SESSION, SEND_RR_DATA, SEND_UNIT_DATA, decode_header, pack_header
from node.errors import LocalProtocolError

REAL = b"\xca\x00\x00\x00\x20\x40"
REALS = [TagItem(f"T{number}", f"T{number}", 1, 4) for number in range(20)]


def packet(*replies: Reply, status: int = 0) -> bytes:
    """The reply to a Multiple Service Packet."""
    return encode_reply(Reply(MULTIPLE_SERVICE_PACKET, status, (), encode_multiple([*map(encode_reply, replies)])))


def read_two() -> EnipRequest:
    (request,) = prepare_reads([TagItem("A", "A", 1, 4), TagItem("B", "B", 1, 4)], multiple=True)
    return request


def test_twenty_tags_are_one_request() -> None:
    (request,) = prepare_reads(REALS, multiple=True)
    assert (request.kind, request.names) == ("read", tuple(item.name for item in REALS))
    whole = decode_request(request.message)
    assert whole.service == MULTIPLE_SERVICE_PACKET
    assert [decode_request(part).service for part in decode_multiple(whole.data)] == [READ_TAG] * 20
    assert decode_unconnected(request.body) == request.message


def test_or_one_each() -> None:
    requests = prepare_reads(REALS, multiple=False)
    assert [request.names for request in requests] == [(item.name,) for item in REALS]
    assert {decode_request(request.message).service for request in requests} == {READ_TAG}


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(450, 4000))
def test_packets_and_their_replies_have_room(sizes: list[int], limit: int) -> None:
    items = [TagItem(f"Tag_{at}", f"Tag_{at}", 1, size) for at, size in enumerate(sizes)]
    requests = prepare_reads(items, multiple=True, limit=limit)
    assert [name for request in requests for name in request.names] == [item.name for item in items]
    by_name = {item.name: item.size for item in items}
    for request in requests:
        assert len(request.message) <= limit
        answered = [
            encode_reply(Reply(READ_TAG, 0, (), b"\xa0\x02\0\0" + bytes(by_name[name]))) for name in request.names
        ]
        if request.packed:
            assert len(encode_reply(Reply(MULTIPLE_SERVICE_PACKET, 0, (), encode_multiple(answered)))) <= limit


def test_a_route_goes_around_the_message_and_takes_room() -> None:
    route = encoded_route("1/0")
    items = [TagItem(f"Tag_{at}", f"Tag_{at}", 1, 4) for at in range(60)]
    for request in prepare_reads(items, multiple=True, route=route):
        sent = decode_request(decode_unconnected(request.body))
        assert sent.service == UNCONNECTED_SEND
        assert request.message in sent.data
        assert len(decode_unconnected(request.body)) <= 504


def test_a_write_carries_what_a_read_had() -> None:
    request = prepare_write(parse_tag("Level[2-3]"), 0xCA, None, bytes(8))
    whole = decode_request(request.message)
    assert (request.kind, whole.service, whole.data) == ("write", WRITE_TAG, b"\xca\0\x02\0" + bytes(8))
    assert fault_of(request, encode_reply(Reply(WRITE_TAG))) is None
    with pytest.raises(LocalProtocolError, match="Big: a write of"):
        prepare_write(TagItem("Big", "Big", 200), 0xCA, None, bytes(800))


def test_tags_as_people_write_them() -> None:
    assert parse_tag("SCADA[3-7]") == TagItem("SCADA[3-7]", "SCADA[3]", 5)
    assert parse_tag("Tank1.Level") == TagItem("Tank1.Level", "Tank1.Level", 1)
    for wrong in ("A[7-3]", "A[", "", "9A"):
        with pytest.raises(LocalProtocolError):
            parse_tag(wrong)


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (packet(Reply(READ_TAG, 0, (), REAL), Reply(READ_TAG, 0, (), REAL)), None),
        (packet(Reply(READ_TAG, 0, (), REAL), Reply(READ_TAG, 6, (), REAL), status=0x1E), None),
        (
            packet(Reply(READ_TAG, 0, (), REAL), Reply(READ_TAG, 5), status=0x1E),
            Fault("CIP path destination unknown (0x05)", "B"),
        ),
        (
            packet(Reply(READ_TAG, 0xFF, (0x2105,)), Reply(READ_TAG, 5)),
            Fault("CIP general error (0xFF), count or index past the end of the tag (0x2105)", "A"),
        ),
        (
            encode_reply(Reply(MULTIPLE_SERVICE_PACKET, 0x08)),
            Fault("CIP service not supported (0x08)"),
        ),
        (packet(Reply(READ_TAG, 0, (), REAL)), Fault("malformed answer", "1 replies to 2 requests in one packet")),
        (
            encode_reply(Reply(READ_TAG, 0, (), REAL)),
            Fault("malformed answer", "cc000000ca000000 to a Multiple Service Packet"),
        ),
        (
            packet(Reply(READ_TAG, 0, (), REAL), Reply(WRITE_TAG)),
            Fault("malformed answer", "B: cd000000 to service 0x4C"),
        ),
        (
            packet(Reply(READ_TAG, 0, (), b"\xca\0"), Reply(READ_TAG, 0, (), REAL)),
            Fault("malformed answer", "A: a read reply of 6 bytes without a value"),
        ),
        (b"\x8a\0", Fault("malformed answer", "8a00 to a Multiple Service Packet")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_packets_answer(reply: bytes, fault: Fault | None) -> None:
    assert fault_of(read_two(), reply) == fault


@given(st.binary(max_size=60))
def test_any_bytes_are_a_fault_or_an_answer(data: bytes) -> None:
    fault = fault_of(read_two(), data)
    assert fault is None or fault.kind


@given(st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4), st.integers(0, 200))
def test_an_answer_of_a_known_shape_is_right_and_no_other(first: bytes, second: bytes, bit: int) -> None:
    request = read_two()
    good = packet(Reply(READ_TAG, 0, (), b"\xca\0" + first), Reply(READ_TAG, 0, (), b"\xca\0" + second))
    parts, fault = packed_parts(request, good)
    assert fault is None
    shape = shape_of(good, parts)
    assert shape.fits(packet(Reply(READ_TAG, 0, (), REAL), Reply(READ_TAG, 0, (), REAL)))
    assert not shape.fits(good + b"\0")
    spoilt = bytearray(good)
    spoilt[bit // 8 % len(good)] ^= 1 << bit % 8
    heads = REPLY_HEAD + 2 + 4 + REPLY_HEAD
    if bit // 8 % len(good) < heads:
        assert not shape.fits(bytes(spoilt))
    if shape.fits(bytes(spoilt)):
        assert fault_of(request, bytes(spoilt)) is None


def framed(command: int, body: bytes, context: bytes, status: int = 0, session: int = 7) -> bytes:
    return pack_header(command, len(body), session, status, context) + body


def begun(exchange: EnipExchange, status: int = 0) -> None:
    """Answers its RegisterSession."""
    header = decode_header(exchange.begin())
    assert header.command == REGISTER_SESSION
    assert not exchange.ready
    assert exchange.receive(framed(REGISTER_SESSION, b"\1\0\0\0", header.context, status)) == ()


def test_a_session_begins_and_answers_are_told_apart() -> None:
    exchange = EnipExchange()
    begun(exchange)
    assert exchange.ready and exchange.outgoing() == b""
    (request,) = prepare_reads([TagItem("A", "A")], multiple=True)
    (one, first), (two, second) = exchange.frame(request), exchange.frame(request)
    assert decode_header(first).session == 7
    exchange.forget(one)
    reply = encode_unconnected(encode_reply(Reply(READ_TAG, 0, (), REAL)))
    late, good = (framed(SEND_RR_DATA, reply, HEADER.unpack_from(frame)[4]) for frame in (first, second))
    (answer,) = exchange.receive(late + good)
    assert answer.token == two
    assert exchange.fault(request, answer) is None
    token, frame = exchange.frame(request)
    (refused,) = exchange.receive(framed(SEND_RR_DATA, b"", HEADER.unpack_from(frame)[4], status=0x64))
    assert exchange.fault(request, refused) == Fault("encapsulation: invalid session handle (0x0064)")
    assert token == refused.token


def test_a_session_that_is_refused() -> None:
    with pytest.raises(Refused, match=r"session: insufficient memory \(0x0002\)"):
        begun(EnipExchange(), status=2)


def opened(exchange: EnipExchange, status: int = 0) -> bytes:
    """Answers its Forward Open; the request's path."""
    (frame,) = FrameBuffer().feed(exchange.outgoing())
    request = decode_request(decode_unconnected(frame[24:]))
    assert request.service == FORWARD_OPEN
    asked = decode_forward_open(request.data, large=False)
    data = struct.pack("<IIHHIIIBx", 0xABCD, asked.t_o_id, *asked.triplet, 0, 0, 0) if not status else bytes(10)
    extended = (0x0113,) if status else ()
    reply = encode_unconnected(encode_reply(Reply(FORWARD_OPEN, status, extended, data)))
    exchange.receive(framed(SEND_RR_DATA, reply, HEADER.unpack_from(frame)[4]))
    return asked.path


def test_a_connection_is_opened_and_closed_behind_its_route() -> None:
    exchange = EnipExchange(500, encoded_route("1/0"), serial=5, originator=0x12345678)
    begun(exchange)
    assert not exchange.ready
    assert opened(exchange) == b"\x01\x00\x20\x02\x24\x01"
    assert exchange.ready
    (request,) = prepare_reads([TagItem("A", "A")], multiple=True)
    token, frame = exchange.frame(request)
    header = decode_header(frame)
    assert (header.command, decode_connected(frame[24:])) == (SEND_UNIT_DATA, (0xABCD, 1, request.message))
    body = encode_connected(0x12340005, 1, encode_reply(Reply(READ_TAG, 0, (), REAL)))
    (answer,) = exchange.receive(framed(SEND_UNIT_DATA, body, bytes(8)))
    assert (answer.token, exchange.fault(request, answer)) == (token, None)
    closing, ending = FrameBuffer().feed(exchange.end())
    assert decode_request(decode_unconnected(closing[24:])).service == 0x4E
    assert decode_header(ending).command == 0x66


def test_a_connection_that_is_refused_says_why() -> None:
    exchange = EnipExchange(500)
    begun(exchange)
    with pytest.raises(Refused, match=r"Forward Open: connection failure \(0x01\), .*0x0113"):
        opened(exchange, status=1)
