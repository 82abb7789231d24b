"""The ports of a controller: all of them or none."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from node.server.listener import Listener, ListenError
from node.server.peer import Peer
from node.server.ports import Ports

pytestmark = pytest.mark.net

HOST = "127.64.8.20"


class Deaf(Peer):
    """A protocol that answers nothing."""

    def data_received(self, data: bytes) -> None:
        """Ignored."""


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else serves."""
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        yield other.getsockname()[1]


def free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def test_what_cannot_be_opened_whole_is_closed_again(taken: int) -> None:
    async def scenario() -> None:
        first = Listener(HOST, 0, Deaf)
        ports = Ports({"enip": first, "modbus": Listener(HOST, taken, Deaf)})
        with pytest.raises(ListenError, match=f"{HOST}:{taken}: address in use"):
            await ports.open()
        assert not first.listening
        assert free(first.port)

    asyncio.run(scenario())


def test_switching_off_and_on_serves_the_same_ports() -> None:
    async def scenario() -> None:
        ports = Ports({"enip": Listener(HOST, 0, Deaf), "modbus": Listener(HOST, 0, Deaf)})
        await ports.open()
        numbers = dict(ports.numbers)
        assert 0 not in numbers.values()
        ports.switch(False)
        ports.switch(True)
        ports.switch(False)
        assert ports.switching
        await ports.settled()
        assert not ports.listening
        assert all(free(port) for port in numbers.values())
        ports.switch(True)
        await ports.settled()
        assert ports.listening
        assert ports.numbers == numbers
        await ports.close()

    asyncio.run(scenario())


def test_a_switch_that_fails_says_why() -> None:
    async def scenario() -> None:
        ports = Ports({"enip": Listener(HOST, 0, Deaf)})
        await ports.open()
        ports.switch(False)
        await ports.settled()
        with socket.socket() as other:
            other.bind((HOST, ports.numbers["enip"]))
            other.listen()
            ports.switch(True)
            await ports.settled()
        assert not ports.listening
        assert "address in use" in str(ports.error)
        await ports.close()

    asyncio.run(scenario())


def test_closing_waits_for_a_switch() -> None:
    async def scenario() -> None:
        ports = Ports({"enip": Listener(HOST, 0, Deaf)})
        ports.switch(True)
        await ports.close()
        assert not ports.listening
        assert list(ports.connections()) == []

    asyncio.run(scenario())
