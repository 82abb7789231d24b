"""Streams in one pipe: each is as fast as who reads it, and what goes wrong with one ends it alone."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from node.errors import RemoteProtocolError
from node.relay.frames import CHUNK, CLOSE, COUNT, DATA, GRANT, OPEN, WINDOW, Frame, FrameReader, text_frame
from node.relay.link import End, Link

pytestmark = pytest.mark.net

PATIENCE = 10.0
MUCH = 256 * WINDOW
"""More than sockets hold of a connection."""


class Both:
    """Two links, each of which has in `sent` what it sent and the other did not take yet. Connections that come in at
    `port` are joined to the near one; the far one connects each of its streams to `farm`."""

    def __init__(self) -> None:
        self.sent: dict[str, bytearray] = {"near": bytearray(), "far": bytearray()}
        self.most = 0
        self.near = Link(self._writer("near"))
        self.far = Link(self._writer("far"), self._connect)
        self._readers = {"near": FrameReader(), "far": FrameReader()}
        self.frames: list[Frame] = []
        self.accepted: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: End(self.near), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.farm = socket.create_server(("127.0.0.1", 0))
        self.farm.setblocking(False)
        self._pumping = loop.create_task(self._pump())

    async def close(self) -> None:
        self._pumping.cancel()
        self.near.close()
        self.far.close()
        self._server.close()
        for sock in (self.farm, *self.accepted):
            sock.close()
        await asyncio.sleep(0)

    async def dial(self) -> tuple[socket.socket, socket.socket]:
        """A shard's socket, and the farm's of its stream."""
        loop = asyncio.get_running_loop()
        shard = socket.socket()
        shard.setblocking(False)
        await loop.sock_connect(shard, ("127.0.0.1", self.port))
        farm, _ = await asyncio.wait_for(loop.sock_accept(self.farm), PATIENCE)
        self.accepted += [shard, farm]
        return shard, farm

    def _writer(self, name: str) -> Callable[[bytes], None]:
        def write(data: bytes) -> None:
            self.sent[name] += data

        return write

    def _connect(self, end: End) -> None:
        async def connect() -> None:
            await asyncio.get_running_loop().create_connection(lambda: end, *self.farm.getsockname())

        self._tasks.append(asyncio.get_running_loop().create_task(connect()))

    async def _pump(self) -> None:
        while True:
            for name, other in (("near", self.far), ("far", self.near)):
                data, self.sent[name] = bytes(self.sent[name]), bytearray()
                self.most = max(self.most, len(data))
                for frame in self._readers[name].decode(data):
                    self.frames.append(frame)
                    other.take(frame)
            await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def both() -> AsyncIterator[Both]:
    found = Both()
    await found.open()
    try:
        yield found
    finally:
        await found.close()


def run(test: Callable[[Both], Awaitable[None]]) -> None:
    async def main() -> None:
        async with both() as found:
            await asyncio.wait_for(test(found), PATIENCE * 2)

    asyncio.run(main())


async def exactly(sock: socket.socket, size: int) -> bytes:
    loop, data = asyncio.get_running_loop(), bytearray()
    while len(data) < size:
        part = await asyncio.wait_for(loop.sock_recv(sock, size - len(data)), PATIENCE)
        assert part, f"it ended after {len(data)} of {size} bytes"
        data += part
    return bytes(data)


def test_bytes_go_both_ways_and_the_end_does_too() -> None:
    async def test(links: Both) -> None:
        loop = asyncio.get_running_loop()
        (one, farm_one), (two, farm_two) = await links.dial(), await links.dial()
        await loop.sock_sendall(one, b"hello one\n")
        await loop.sock_sendall(two, b"hello two\n")
        assert await exactly(farm_one, 10) == b"hello one\n"
        assert await exactly(farm_two, 10) == b"hello two\n"
        await loop.sock_sendall(farm_two, b"command")
        farm_two.close()
        assert await exactly(two, 7) == b"command"
        assert await loop.sock_recv(two, 1) == b""
        assert links.frames[0].body.startswith(b"127.0.0.1:")
        await loop.sock_sendall(one, b"last words")
        one.close()
        assert await exactly(farm_one, 10) == b"last words"
        assert await loop.sock_recv(farm_one, 1) == b""
        for _ in range(200):
            await asyncio.sleep(0.01 if len(links.near) or len(links.far) else 0)
        assert (len(links.near), len(links.far)) == (0, 0)

    run(test)


def test_much_comes_whole_and_in_order_both_ways_at_once() -> None:
    async def test(links: Both) -> None:
        loop = asyncio.get_running_loop()
        shard, farm = await links.dial()
        much = bytes(range(256)) * (8 * WINDOW // 256) + b"end"
        said, heard, *_ = await asyncio.gather(
            exactly(farm, len(much)),
            exactly(shard, len(much)),
            loop.sock_sendall(shard, much),
            loop.sock_sendall(farm, much),
        )
        assert (said == much, heard == much) == (True, True)

    run(test)


def test_one_that_is_not_read_holds_a_window_and_stops_nobody() -> None:
    async def test(links: Both) -> None:
        loop = asyncio.get_running_loop()
        (dead, farm_dead), (live, farm_live) = await links.dial(), await links.dial()
        sending = loop.create_task(loop.sock_sendall(dead, bytes(MUCH)))
        for _ in range(20):
            await asyncio.sleep(0.005)
        for number in range(20):
            await loop.sock_sendall(live, b"%07d\n" % number)
            assert await exactly(farm_live, 8) == b"%07d\n" % number
        assert not sending.done()
        carried = sum(len(frame.body) for frame in links.frames if (frame.kind, frame.stream) == (DATA, 1))
        granted = sum(COUNT.unpack(frame.body)[0] for frame in links.frames if (frame.kind, frame.stream) == (GRANT, 1))
        assert carried - granted <= WINDOW
        assert links.most <= 4 * WINDOW
        assert len(await exactly(farm_dead, MUCH)) == MUCH  # nothing was lost
        await sending

    run(test)


def test_while_the_pipe_takes_nothing_nothing_piles_up() -> None:
    async def test(links: Both) -> None:
        loop = asyncio.get_running_loop()
        pairs = [await links.dial() for _ in range(5)]
        links.near.pause()
        before = len(links.frames)
        sending = [loop.create_task(loop.sock_sendall(shard, bytes(16 * WINDOW))) for shard, _ in pairs]
        await asyncio.sleep(0.1)
        assert [frame for frame in links.frames[before:] if frame.kind == DATA] == []
        links.near.resume()
        for _, farm in pairs:
            await exactly(farm, 16 * WINDOW)
        await asyncio.gather(*sending)

    run(test)


@pytest.mark.parametrize(("count", "said"), [(1, "a grant of 1 bytes, where 0 were sent"), (0, "a grant of 0 bytes")])
def test_a_stream_that_keeps_no_rules_ends_alone(count: int, said: str) -> None:
    async def test(links: Both) -> None:
        loop = asyncio.get_running_loop()
        (one, _), (two, farm_two) = await links.dial(), await links.dial()
        links.sent["far"] += Frame(GRANT, 1, COUNT.pack(count)).encode()
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(loop.sock_recv(one, 1), PATIENCE) == b""
        await loop.sock_sendall(two, b"on")
        assert await exactly(farm_two, 2) == b"on"
        closed = [frame.body.decode() for frame in links.frames if (frame.kind, frame.stream) == (CLOSE, 1)]
        assert said in closed[0]

    run(test)


def test_more_than_a_window_is_not_kept() -> None:
    """For a connection that is still being made."""
    written: list[bytes] = []
    farm = Link(written.append, lambda end: None)
    farm.take(Frame(OPEN, 1))
    farm.take(Frame(OPEN, 2))
    for _ in range(WINDOW // CHUNK):
        farm.take(Frame(DATA, 1, bytes(CHUNK)))
    assert written == []
    farm.take(Frame(DATA, 1, b"x"))
    assert FrameReader().decode(b"".join(written)) == [Frame(CLOSE, 1, b"65537 bytes where 65536 were granted")]
    assert len(farm) == 1


def test_frames_of_a_stream_that_was_closed_are_passed_over() -> None:
    async def test(links: Both) -> None:
        links.near.take(Frame(DATA, 99, b"late"))
        links.near.take(text_frame(CLOSE, 99, ""))
        shard, farm = await links.dial()
        await asyncio.get_running_loop().sock_sendall(shard, b"x")
        assert await exactly(farm, 1) == b"x"

    run(test)


def test_what_is_said_and_ended_before_there_is_a_connection_is_heard() -> None:
    """As a shard does that has failed: its last words come with its end, while the farm is still being dialled."""

    async def main() -> None:
        opened: list[End] = []
        link = Link(lambda data: None, opened.append)
        for number in (1, 2):
            link.take(Frame(OPEN, number))
            link.take(Frame(DATA, number, b"last words"))
        link.take(text_frame(CLOSE, 1, ""))
        link.close()
        loop = asyncio.get_running_loop()
        for end, heard in zip(opened, (b"last words", b""), strict=True):
            farm, ours = socket.socketpair()
            with farm:
                farm.setblocking(False)
                await loop.connect_accepted_socket(lambda end=end: end, ours)
                found = b""
                while part := await asyncio.wait_for(loop.sock_recv(farm, 100), PATIENCE):
                    found += part
                assert found == heard
        await asyncio.sleep(0.01)

    asyncio.run(main())


def test_an_end_that_may_open_nothing_is_told_so() -> None:
    written: list[Any] = []
    link = Link(written.append)
    with pytest.raises(RemoteProtocolError):
        link.take(Frame(OPEN, 1))
    opened: list[End] = []
    farm = Link(written.append, opened.append)
    farm.take(Frame(OPEN, 1))
    with pytest.raises(RemoteProtocolError, match="a stream 1 that is not to be opened"):
        farm.take(Frame(OPEN, 1))
    assert len(opened) == 1


def test_a_farm_that_does_not_listen_is_a_stream_that_ends() -> None:
    written: list[bytes] = []
    farm = Link(written.append, lambda end: end.failed("the farm does not listen"))
    farm.take(Frame(OPEN, 5))
    assert FrameReader().decode(written[0]) == [Frame(CLOSE, 5, b"the farm does not listen")]
    assert len(farm) == 0
