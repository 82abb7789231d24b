"""When descriptors run out, who is connected is served, who comes waits, and it is said once."""

import asyncio
import errno
import logging
import os
import socket
import time
from contextlib import suppress

import pytest

from node.server import acceptor
from node.server.acceptor import Acceptor
from tests.server.serving import HOST, REGISTER, serving
from tests.waiting import eventually

pytestmark = pytest.mark.net


class Short(socket.socket):
    """A listening socket that finds no descriptor while `left` is 0."""

    left = 0
    tries = 0

    def accept(self) -> tuple[socket.socket, object]:
        Short.tries += 1
        if Short.left <= 0:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        found = super().accept()
        Short.left -= 1
        return found


class Echo(asyncio.Protocol):
    """Sends back what comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[attr-defined]


def listening() -> Short:
    sock = Short(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind((HOST, 0))
    sock.listen(100)
    sock.setblocking(False)
    return sock


@pytest.mark.quiet
def test_it_waits_for_descriptors_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(acceptor, "PAUSE", 0.05)
    caplog.set_level(logging.INFO)

    async def scene() -> None:
        Short.left, Short.tries = 1, 0
        sock = listening()
        port = sock.getsockname()[1]
        made = Acceptor(sock, Echo)
        first = await asyncio.open_connection(HOST, port)
        others = [await asyncio.open_connection(HOST, port) for _ in range(3)]
        for _, writer in others:
            writer.write(b"b")
        began = time.process_time()
        for _ in range(20):
            first[1].write(b"a")
            assert await first[0].readexactly(1) == b"a"
            await asyncio.sleep(0.02)
        assert 4 <= Short.tries <= 15
        assert time.process_time() - began < 0.2
        assert [record.levelname for record in caplog.records if "node.server" in record.name] == ["WARNING"]
        assert f"{HOST}:{port}: no new connections until others end: Too many open files" in caplog.text
        Short.left = 10
        for reader, writer in others:
            async with asyncio.timeout(5):
                assert await reader.readexactly(1) == b"b"
            writer.close()
        assert caplog.text.count("new connections are taken again") == 1
        first[1].close()
        await made.close()

    asyncio.run(scene())


def test_it_may_be_closed_while_it_waits(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        Short.left, Short.tries = 0, 0
        sock = listening()
        made = Acceptor(sock, Echo)
        _, writer = await asyncio.open_connection(HOST, sock.getsockname()[1])
        await eventually(lambda: Short.tries > 0)
        await made.close()
        assert sock.fileno() == -1
        writer.close()

    asyncio.run(scene())


def test_another_fault_of_accepting_is_not_hidden() -> None:
    class Broken(Short):
        def accept(self) -> tuple[socket.socket, object]:
            raise OSError(errno.EINVAL, "broken")

    async def scene() -> None:
        told: list[dict[str, object]] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: told.append(context))
        sock = Broken(socket.AF_INET, socket.SOCK_STREAM)
        sock.bind((HOST, 0))
        sock.listen()
        sock.setblocking(False)
        made = Acceptor(sock, Echo)
        _, writer = await asyncio.open_connection(HOST, sock.getsockname()[1])
        await eventually(lambda: bool(told))
        await made.close()
        writer.close()
        assert isinstance(told[0]["exception"], OSError)

    asyncio.run(scene())


def test_a_connection_that_comes_while_the_port_closes_is_ended() -> None:
    async def scene() -> None:
        async with serving() as node:
            with socket.create_connection((HOST, node.port)) as sock:
                sock.sendall(REGISTER)
                await node.listener.close()
                sock.settimeout(5)
                with suppress(ConnectionError):
                    assert sock.recv(100) == b""

    asyncio.run(scene())
