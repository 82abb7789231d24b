"""Wrong connected messages on a live node, each over a connection of its own; and what one socket may not do with the
connections of another."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from tests.malformed import connected_cases, enip_cases
from tests.malformed.case import Case
from tests.malformed.connected_cases import CONNECTION, ORIGINATOR, READ, VALUE, unit
from tests.malformed.enip_cases import MANAGER, ROUTER, SCADA, SESSION, error, message, rr
from tests.malformed.live import connect, enip_frame, register
from tests.malformed.nodes import ENIP
from tests.malformed.opening_cases import LARGE, Opening

pytestmark = pytest.mark.net

SERIALS = count(1)


class Client:
    """A session with a connection open."""

    def __init__(self, link: socket.socket, opening: Opening = LARGE) -> None:
        self.link = link
        self.session = register(link)
        (t_o,) = struct.unpack("<I", ORIGINATOR)
        self.opening = replace(opening, serial=next(SERIALS), t_o=t_o)
        reply = self.ask(rr(self.opening.request()))
        assert reply[40:44] == bytes((self.opening.service | 0x80, 0, 0, 0)), reply.hex()
        self.ident = reply[44:48]

    def dressed(self, data: bytes) -> bytes:
        """A case with this session and connection in it."""
        return data.replace(SESSION, self.session).replace(CONNECTION, self.ident)

    def ask(self, frame: bytes) -> bytes:
        """What a frame is answered."""
        self.link.sendall(frame.replace(SESSION, self.session))
        return enip_frame(self.link)

    def close(self) -> bytes:
        """Forward Close; its CIP reply."""
        opening = self.opening
        data = struct.pack("<BBHHI", 10, 14, opening.serial, opening.vendor, opening.originator)
        return self.ask(rr(message(0x4E, MANAGER, data + b"\2\0" + ROUTER)))[40:]


@pytest.fixture
def client(good_client: list[str]) -> Iterator[Client]:
    """One, while the good client reads."""
    with connect(ENIP) as link:
        yield Client(link)
    assert good_client == []


@pytest.fixture
def stranger(good_client: list[str]) -> Iterator[Client]:
    """Another on a socket of its own."""
    with connect(ENIP) as link:
        yield Client(link)


@pytest.mark.parametrize("case", connected_cases.CASES, ids=lambda case: case.name)
def test_connected(client: Client, case: Case) -> None:
    assert isinstance(case.expect, bytes)
    client.link.sendall(client.dressed(case.send))
    assert enip_frame(client.link).hex() == client.dressed(case.expect).hex()
    good = connected_cases.GOOD
    assert isinstance(good.expect, bytes)
    client.link.sendall(client.dressed(good.send))
    assert enip_frame(client.link).hex() == client.dressed(good.expect).hex()


def test_a_connection_of_another_socket(client: Client, stranger: Client) -> None:
    lost = client.ask(unit(READ, stranger.ident))
    assert lost.hex() == unit(error(0x4C, 0x07), stranger.ident).replace(SESSION, client.session).hex()
    assert stranger.ask(stranger.dressed(unit(READ))).hex() == stranger.dressed(unit(VALUE, ORIGINATOR)).hex()


def test_a_session_and_a_connection_of_another_socket(client: Client, stranger: Client) -> None:
    refused = client.ask(unit(READ, stranger.ident).replace(SESSION, stranger.session))
    assert refused[8:12] == b"\x64\0\0\0"


def test_a_strangers_message_does_not_move_the_sequence(client: Client, stranger: Client) -> None:
    client.ask(unit(READ, stranger.ident, sequence=9))
    first = stranger.ask(stranger.dressed(unit(READ, sequence=9)))
    assert first.hex() == stranger.dressed(unit(VALUE, ORIGINATOR, sequence=9)).hex()


def test_a_repeated_sequence_is_answered_and_not_run(client: Client) -> None:
    element = SCADA + b"\x28\x09"
    write, read = message(0x4D, element, b"\xc4\0\1\0\1\0\0\0"), message(0x4C, element, b"\1\0")
    zero = message(0x4D, element, b"\xc4\0\1\0\0\0\0\0")
    written = client.dressed(unit(b"\xcd\0\0\0", ORIGINATOR, sequence=7))
    assert client.ask(client.dressed(unit(write, sequence=7))) == written
    assert client.ask(client.dressed(unit(zero, sequence=7))) == written
    held = client.dressed(unit(b"\xcc\0\0\0\xc4\0\1\0\0\0", ORIGINATOR, sequence=8))
    assert client.ask(client.dressed(unit(read, sequence=8))) == held
    assert client.ask(client.dressed(unit(zero, sequence=9)))[46:48] == b"\xcd\0"


@pytest.mark.parametrize("sequences", [(0, 0xFFFF, 0), (5, 4, 3), (1, 0x8001, 1)])
def test_a_sequence_that_goes_anywhere_is_another(client: Client, sequences: tuple[int, ...]) -> None:
    for sequence in sequences:
        reply = client.ask(client.dressed(unit(READ, sequence=sequence)))
        assert reply.hex() == client.dressed(unit(VALUE, ORIGINATOR, sequence=sequence)).hex()


def test_a_connection_that_was_closed(client: Client) -> None:
    assert client.close()[:4].hex() == "ce000000"
    gone = client.ask(client.dressed(unit(READ)))
    assert gone.hex() == client.dressed(unit(error(0x4C, 0x07))).hex()
    assert client.close()[:6].hex() == "ce0001010701"


def test_a_connection_opened_twice(client: Client) -> None:
    again = client.ask(rr(client.opening.request()))[40:]
    assert again.hex() == client.opening.refusal(0x0100).hex()
    reply = client.ask(client.dressed(unit(READ)))
    assert reply.hex() == client.dressed(unit(VALUE, ORIGINATOR)).hex()


def test_the_smallest_connection_there_is(good_client: list[str]) -> None:
    with connect(ENIP) as link:
        client = Client(link, Opening(sizes=(500, 8)))
        reply = client.ask(client.dressed(unit(READ)))
        assert reply.hex() == client.dressed(unit(error(0x4C, 0x11), ORIGINATOR)).hex()
        for service, data in ((0x4C, b"\x0a\0"), (0x52, b"\x0a\0\0\0\0\0")):
            reply = client.ask(client.dressed(unit(message(service, SCADA, data), sequence=service)))
            assert reply[46:50].hex() == error(service, 0x11).hex()
        assert len(client.ask(enip_cases.GOOD.send)) == 50
    assert good_client == []
