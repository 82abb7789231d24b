"""A connection on a node's loop: what a protocol sees of it, and its other end."""

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable

import pytest

from node.server.loop import NodeLoop, new_loop
from node.server.stream import HIGH, Stream
from tests.waiting import eventually

pytestmark = [
    pytest.mark.net,
    pytest.mark.skipif(sys.platform != "linux", reason="streams stand on epoll"),
]

MUCH = 8 * 1024 * 1024
"""Bytes that no socket takes at once."""


class Told(asyncio.Protocol):
    """Notes what it is told, and does `answer` with what comes."""

    def __init__(self, answer: Callable[["Told", bytes], object] = lambda told, data: None, *, half: bool = False):
        self.words: list[str] = []
        self.failure: Exception | None = None
        self._answer = answer
        self._half = half

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Stream)
        self.stream = transport

    def data_received(self, data: bytes) -> None:
        self._answer(self, data)

    def eof_received(self) -> bool:
        self.words.append("eof")
        return self._half

    def pause_writing(self) -> None:
        self.words.append("pause")

    def resume_writing(self) -> None:
        self.words.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.words.append("lost")
        self.failure = exc


def run(told: Told, scene: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]) -> None:
    """Has `told` at the one end, and `scene` at the other, in one loop."""

    async def both() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, NodeLoop)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        Stream(loop, ours, told)
        reader, writer = await asyncio.open_connection(sock=theirs)
        async with asyncio.timeout(30):
            await scene(reader, writer)
        writer.close()
        told.stream.abort()
        await lost(told)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(both())


async def lost(told: Told) -> None:
    """Returns when it is over."""
    await eventually(lambda: told.words[-1:] == ["lost"])


def test_bytes_come_and_go() -> None:
    async def scene(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for word in (b"one", b"two"):
            writer.write(word)
            assert await reader.readexactly(3) == word
        writer.close()
        await lost(told)

    told = Told(lambda told, data: told.stream.write(data))
    run(told, scene)
    assert (told.words, told.failure) == (["eof", "lost"], None)


def test_what_the_system_does_not_take_is_sent_later_and_the_end_waits_for_it() -> None:
    def answer(told: Told, data: bytes) -> None:
        told.stream.write(bytes(MUCH))
        told.stream.write(b"the last")
        assert told.stream.get_write_buffer_size() > HIGH
        told.stream.close()

    async def scene(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"go")
        assert await reader.read(MUCH // 2) != b""
        assert (await reader.read(-1))[-8:] == b"the last"
        await lost(told)

    told = Told(answer)
    run(told, scene)
    assert (told.words, told.failure) == (["pause", "resume", "lost"], None)


def test_an_abort_sends_nothing_more_and_is_told_later() -> None:
    def answer(told: Told, data: bytes) -> None:
        told.stream.write(bytes(MUCH))
        told.stream.abort()
        told.stream.write(b"too late")
        assert told.stream.is_closing()
        assert "lost" not in told.words

    async def scene(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"go")
        await lost(told)
        assert len(await reader.read(-1)) < MUCH

    told = Told(answer)
    run(told, scene)
    assert told.words == ["pause", "lost"]


def test_an_end_that_is_half_an_end() -> None:
    async def scene(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()
        await eventually(lambda: told.words)
        told.stream.write(b"still here")
        assert await reader.readexactly(10) == b"still here"
        told.stream.close()
        assert await reader.read(1) == b""

    told = Told(half=True)
    run(told, scene)
    assert told.words == ["eof", "lost"]


def test_a_bug_ends_its_own_connection_and_is_reported() -> None:
    def answer(told: Told, data: bytes) -> None:
        raise KeyError("a bug")

    async def scene(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context["exception"]))
        writer.write(b"go")
        await lost(told)
        assert [type(each) for each in reported] == [KeyError]
        assert await reader.read(1) == b""

    told = Told(answer)
    run(told, scene)
    assert isinstance(told.failure, KeyError)


def test_a_reset_is_a_failure_and_no_bug() -> None:
    async def scene(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def fail(loop: object, context: object) -> None:
            pytest.fail(str(context))

        asyncio.get_running_loop().set_exception_handler(fail)
        told.stream.write(b"unread, so that it ends with a reset")
        writer.transport.abort()
        await lost(told)

    told = Told()
    run(told, scene)
    assert isinstance(told.failure, ConnectionResetError)


def test_what_is_paused_is_not_read_until_it_goes_on() -> None:
    came: list[bytes] = []

    def answer(told: Told, data: bytes) -> None:
        came.append(data)
        told.stream.pause_reading()

    async def scene(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"one")
        await eventually(lambda: came)
        writer.write(b"two")
        await asyncio.sleep(0.05)
        assert came == [b"one"]
        assert not told.stream.is_reading()
        told.stream.resume_reading()
        await eventually(lambda: len(came) == 2)

    told = Told(answer)
    run(told, scene)
    assert came == [b"one", b"two"]


def test_what_is_called_soon_and_later_by_a_protocol_is_called_then() -> None:
    """The loop waits within `select` when bytes come, and must not go on to wait."""
    ran: list[tuple[str, float]] = []

    def answer(told: Told, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: ran.append(("soon", time.monotonic())))
        loop.call_later(0.05, lambda: (ran.append(("later", time.monotonic())), told.stream.write(b"done")))

    async def scene(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun = time.monotonic()
        writer.write(b"go")
        assert await reader.readexactly(4) == b"done"
        assert [word for word, _ in ran] == ["soon", "later"]
        assert ran[0][1] - begun < 0.05 <= ran[1][1] - begun < 2.0

    run(Told(answer), scene)


def test_a_timer_is_on_time_while_streams_have_no_rest() -> None:
    """Bytes that go to and fro for ever keep the loop within `select`."""
    echoed = [0]

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, NodeLoop)
        one, other = socket.socketpair()
        ends = []
        for sock in (one, other):
            sock.setblocking(False)
            ends.append(Told(lambda told, data: (echoed.__setitem__(0, echoed[0] + 1), told.stream.write(data))))
            Stream(loop, sock, ends[-1])
        ends[0].stream.write(b"ball")
        begun = time.monotonic()
        await asyncio.sleep(0.1)
        assert 0.1 <= time.monotonic() - begun < 1.0
        for end in ends:
            end.stream.abort()
        await lost(ends[0])
        await lost(ends[1])

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(scene())
    assert echoed[0] > 100
