"""Frames: their checksums are right, their sequence numbers go on, and a payload comes out as it went in."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.capture.packets import TCP, UDP, Connection, End, checksum, datagram

CLIENT, SERVER = End.of("127.0.0.1", 40000), End.of("127.64.1.1", 44818)


def taken_apart(frame: bytes, protocol: int) -> tuple[bytes, bytes]:
    """Header and payload of what an IPv4 or IPv6 frame carries, whose lengths and checksums are right."""
    if frame[12:14] == b"\x08\x00":
        assert checksum(frame[14:34]) == 0
        assert struct.unpack_from("!H", frame, 16)[0] == len(frame) - 14
        assert frame[23] == protocol
        addresses, body = frame[26:34], frame[34:]
        pseudo = addresses + struct.pack("!BBH", 0, protocol, len(body))
    else:
        assert struct.unpack_from("!H", frame, 18)[0] == len(frame) - 54
        assert frame[20] == protocol
        addresses, body = frame[22:54], frame[54:]
        pseudo = addresses + struct.pack("!II", len(body), protocol)
    assert checksum(pseudo + body) == 0
    header = 8 if protocol == UDP else (body[12] >> 4) * 4
    return body[:header], body[header:]


def test_the_checksum_of_the_rfc() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF
    assert checksum(b"\x01") == 0xFEFF


def test_a_connection_begins_and_ends() -> None:
    connection = Connection(CLIENT, SERVER)
    opened = [taken_apart(frame, TCP)[0] for frame in connection.open()]
    assert [header[13] for header in opened] == [0x02, 0x12, 0x10]
    assert opened[0][20:] == bytes.fromhex("020405b4 01030307")
    (sent,) = connection.send(0, b"question")
    assert sent[:12] == bytes.fromhex("02fa7f400101 02fa7f000001")
    header, payload = taken_apart(sent, TCP)
    assert (payload, struct.unpack_from("!HHII", header)) == (b"question", (40000, 44818, 1, 1))
    header, payload = taken_apart(connection.send(1, b"answer")[0], TCP)
    assert (payload, struct.unpack_from("!HHII", header)) == (b"answer", (44818, 40000, 1, 9))
    closed = [taken_apart(frame, TCP)[0] for frame in connection.close(1)]
    assert [(header[13], *struct.unpack_from("!II", header, 4)) for header in closed] == [
        (0x11, 7, 9), (0x11, 9, 8), (0x10, 8, 10),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 1), st.binary(min_size=1, max_size=5000)), max_size=5), st.booleans())
def test_payloads_come_out_as_they_went_in(payloads: list[tuple[int, bytes]], six: bool) -> None:
    ends = (End.of("fd00::1", 4), End.of("fd00::2", 502)) if six else (CLIENT, SERVER)
    connection = Connection(*ends)
    next_byte = [1, 1]
    connection.open()
    for sender, payload in payloads:
        got = b""
        for frame in connection.send(sender, payload):
            assert len(frame) <= 1514
            header, piece = taken_apart(frame, TCP)
            assert struct.unpack_from("!II", header, 4) == (next_byte[sender], next_byte[1 - sender])
            next_byte[sender] += len(piece)
            got += piece
        assert got == payload


@given(st.binary(max_size=3000))
def test_datagrams(payload: bytes) -> None:
    header, found = taken_apart(datagram(CLIENT, SERVER, payload), UDP)
    assert found == payload
    assert struct.unpack_from("!HHH", header) == (40000, 44818, 8 + len(payload))
    six = datagram(End.of("fd00::1", 1), End.of("fd00::2", 2), payload)
    assert taken_apart(six, UDP)[1] == payload


def test_addresses() -> None:
    assert End.of("::ffff:10.0.0.7", 1) == End.of("10.0.0.7", 1)
    with pytest.raises(ValueError):
        End.of("somewhere", 1)
