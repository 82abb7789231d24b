"""The client's end of a session, fed by hand."""

import pytest

from node.cip.message import decode_request
from node.cip.unconnected import decode_unconnected_send
from node.enip.commands import decode_connected, decode_unconnected, encode_connected, encode_unconnected
from node.enip.header import (
    HEADER_SIZE,
    LIST_IDENTITY,
    REGISTER_SESSION,
    SEND_RR_DATA,
    SEND_UNIT_DATA,
    UNREGISTER_SESSION,
    Header,
    decode_header,
    encode_header,
)
from node.enip.originator import Answer, OriginatorSession
from node.errors import LocalProtocolError, RemoteProtocolError

READ = bytes.fromhex("4c04 9105534341444100 0100")
READ_REPLY = bytes.fromhex("cc000000 c4002a000000")


def reply(frame: bytes, body: bytes, **changes: int) -> bytes:
    """What a target answers to `frame`: its header with another length, and `changes`."""
    header = decode_header(frame)
    header.length = len(body)
    for name, value in changes.items():
        setattr(header, name, value)
    return encode_header(header) + body


def registered() -> OriginatorSession:
    """A session with handle 7."""
    session = OriginatorSession()
    token, frame = session.register()
    answers = session.receive(reply(frame, frame[HEADER_SIZE:], session=7))
    assert answers == [Answer(token, REGISTER_SESSION, 0, b"\1\0\0\0")]
    return session


def test_a_session_begins_with_its_handle_and_ends_with_it() -> None:
    session = registered()
    assert session.session == 7
    assert decode_header(session.unregister()) == Header(UNREGISTER_SESSION, session=7)


def test_a_refused_session_has_no_handle() -> None:
    session = OriginatorSession()
    token, frame = session.register()
    answers = session.receive(reply(frame, frame[HEADER_SIZE:], session=7, status=0x69))
    assert answers == [Answer(token, REGISTER_SESSION, 0x69, b"\1\0\0\0")]
    assert session.session == 0


def test_answers_are_matched_by_context_in_any_order() -> None:
    session = registered()
    first, first_frame = session.unconnected(READ)
    second, second_frame = session.command(LIST_IDENTITY)
    assert decode_unconnected(first_frame[HEADER_SIZE:]) == READ
    stream = reply(second_frame, b"\0\0") + reply(first_frame, encode_unconnected(READ_REPLY))
    assert session.receive(stream[:30]) == [Answer(second, LIST_IDENTITY, 0, b"\0\0")]
    assert session.receive(stream[30:]) == [Answer(first, SEND_RR_DATA, 0, READ_REPLY)]
    assert session.waiting == 0


def test_a_late_or_foreign_answer_is_dropped() -> None:
    session = registered()
    token, frame = session.unconnected(READ)
    session.forget(token)
    late = reply(frame, encode_unconnected(READ_REPLY))
    assert session.receive(late) == []
    _, frame = session.unconnected(READ)
    assert session.receive(reply(frame, b"", command=LIST_IDENTITY)) == []
    assert session.waiting == 1


def test_a_refused_message_comes_with_its_status() -> None:
    session = registered()
    token, frame = session.unconnected(READ)
    assert session.receive(reply(frame, b"", status=0x64)) == [Answer(token, SEND_RR_DATA, 0x64, b"")]


@pytest.mark.parametrize("route", [b"", b"\1\0"], ids=["empty", "backplane"])
def test_a_route_wraps_the_message(route: bytes) -> None:
    _, frame = registered().unconnected(READ, route)
    request = decode_request(decode_unconnected(frame[HEADER_SIZE:]))
    assert (request.service, request.path.hex()) == (0x52, "20062401")
    send = decode_unconnected_send(request.data)
    assert (send.message, send.route) == (READ, route)


def test_connected_answers_are_matched_by_connection_and_sequence() -> None:
    session = registered()
    connection = session.connect(target_id=0x100, own_id=0x200)
    first, frame = session.connected(connection, READ)
    assert decode_header(frame).command == SEND_UNIT_DATA
    assert decode_connected(frame[HEADER_SIZE:]) == (0x100, 1, READ)
    second, _ = session.connected(connection, READ)
    other = Header(SEND_UNIT_DATA, session=7)

    def unit(own_id: int, sequence: int) -> list[Answer]:
        return session.receive(reply(encode_header(other), encode_connected(own_id, sequence, READ_REPLY)))

    assert unit(0x200, 2) == [Answer(second, SEND_UNIT_DATA, 0, READ_REPLY)]
    assert unit(0x201, 1) == []
    assert unit(0x200, 1) == [Answer(first, SEND_UNIT_DATA, 0, READ_REPLY)]
    assert unit(0x200, 1) == []
    session.connected(connection, READ)
    session.disconnect(connection)
    assert unit(0x200, 3) == []


def test_an_answer_under_the_target_s_own_id_is_taken_too() -> None:
    session = registered()
    connection = session.connect(target_id=0x100, own_id=0x200)
    token, frame = session.connected(connection, READ)
    lost = bytes.fromhex("cc000700")
    assert session.receive(reply(frame, encode_connected(0x100, 2, lost))) == []
    assert session.receive(reply(frame, encode_connected(0x100, 1, lost))) == [Answer(token, SEND_UNIT_DATA, 0, lost)]
    assert session.waiting == 0


def test_sequence_counts_go_round() -> None:
    session = registered()
    connection = session.connect(1, 2)
    connection.sequence = 0xFFFF
    _, frame = session.connected(connection, READ)
    assert decode_connected(frame[HEADER_SIZE:])[1] == 0


def test_an_answer_that_makes_no_sense_is_the_peer_s_fault() -> None:
    session = registered()
    _, frame = session.unconnected(READ)
    with pytest.raises(RemoteProtocolError):
        session.receive(reply(frame, b"\0\0"))


def test_a_request_longer_than_a_frame_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="a frame carries 65535"):
        registered().command(LIST_IDENTITY, bytes(65536))
