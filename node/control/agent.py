"""The shard's end of the control stream: dials the farm, or a relay that leads to it, reports, and answers commands.

A farm may go away and come back as another process while the nodes serve on. So the agent dials for ever, 0.1 s to 2 s
apart, and says everything that is so after each `hello` instead of keeping what it could not say. Nothing is stored for
a farm that does not read: telemetry waits, and is skipped, while the socket is full, and a stream whose unread answers
pass `LIMIT` bytes is dropped. Messages: `node.control.messages`.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Iterator
from typing import Any, Protocol

from node.beat import Beat
from node.control.keepalive import keep_alive
from node.control.messages import ANSWER, COMMAND, HELLO, LIMIT, PACE, TELEMETRY, Message, Pace, decode, encode
from node.errors import ConfigError, NodeError, RemoteProtocolError

log = logging.getLogger(__name__)

FIRST_WAIT = 0.1
LAST_WAIT = 2.0
STEADY = 5.0
"""Seconds a stream must have lasted before the next wait starts small again: a farm that hangs up is not hammered."""
TELEMETRY_EVERY = 1.0
"""Seconds, until the farm says how often it wants to hear."""
TOGETHER = 250
"""Nodes in one message of telemetry: with all their peers they stay well below `LIMIT`."""
TCP = "tcp://"
DIALLING = 5.0
"""Seconds for a connection: the machine that it is for may be gone."""


class Reporter(Protocol):
    """What the agent asks of the shard it speaks for."""

    def hello(self) -> Message:
        """The fields of `hello`."""

    def states(self) -> list[Message]:
        """`ready` or `failed` of every node that is not on its way up."""

    def telemetry(self, whole: bool) -> dict[str, Message | None]:
        """Counters by node name; None for a node of which there is nothing new, unless they are to be `whole`."""

    async def command(self, node: str, path: str, value: Any) -> Any:
        """What `path` answers, as JSON. Raises `NodeError` with the line that the farm is to see."""


class ControlStream(asyncio.Protocol):
    """One connection to the farm, from `hello` to its end."""

    def __init__(self, reporter: Reporter, connected: "asyncio.Future[ControlStream]", beat: Beat) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reporter = reporter
        self._connected = connected
        self._beat = beat
        self._transport: asyncio.Transport | None = None
        self._pending = bytearray()
        self._full = False
        self._whole = True
        self._every = TELEMETRY_EVERY
        self._unsaid: Iterator[tuple[str, Message | None]] = iter(())
        """What is left of a report that the socket did not take at once."""
        self._timer: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        keep_alive(transport)
        self.send({"type": HELLO, **self._reporter.hello()})
        for state in self._reporter.states():
            self.send(state)
        self._tick()
        if not self._connected.done():
            self._connected.set_result(self)

    def data_received(self, data: bytes) -> None:
        self._pending += data
        lines: list[bytearray] = []
        if b"\n" in data:
            *lines, self._pending = self._pending.split(b"\n")
        try:
            for line in lines:
                self._take(decode(bytes(line)))
            if len(self._pending) > LIMIT:
                raise RemoteProtocolError(f"a control line of over {LIMIT} bytes")
        except RemoteProtocolError as exc:
            log.warning("control stream dropped: %s", exc)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._go_on()

    def send(self, message: Message) -> None:
        """Queue a message; a farm that left `LIMIT` bytes unread loses the stream."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(encode(message))
        if transport.get_write_buffer_size() > LIMIT:
            log.warning("control stream dropped: the farm left %d bytes unread", LIMIT)
            transport.abort()

    def close(self) -> None:
        """Hang up after what is queued was sent."""
        if self._transport is not None:
            self._transport.close()

    def _tick(self) -> None:
        self._timer = self._beat.call(self._every, self._tick)
        if not self._full:
            self._report()

    def _report(self) -> None:
        nodes = self._reporter.telemetry(self._whole)
        self._whole = False
        if len(nodes) <= TOGETHER:
            self.send({"type": TELEMETRY, "nodes": nodes})
            return
        self._unsaid = iter(nodes.items())
        self._go_on()

    def _go_on(self) -> None:
        """Says what is left of a report as far as the socket takes it: of thousands of busy nodes it fills `LIMIT`."""
        while not self._full and (part := dict(itertools.islice(self._unsaid, TOGETHER))):
            self.send({"type": TELEMETRY, "nodes": part})

    def _keep(self, pace: Pace) -> None:
        """Reports so from now on."""
        self._every = pace.every
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._beat.call(pace.first, self._tick)

    def _take(self, message: Message) -> None:
        if message["type"] == PACE:
            self._keep(Pace.decode(message))
        if message["type"] != COMMAND:
            return  # a newer farm may know more messages than this node
        task = asyncio.get_running_loop().create_task(self._answer(message))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self, message: Message) -> None:
        answer: Message = {"type": ANSWER, "id": message.get("id")}
        try:
            node, path = str(message.get("node", "")), str(message.get("path", ""))
            answer["value"] = await self._reporter.command(node, path, message.get("value"))
            self.send(answer)
        except NodeError as exc:
            self.send({**answer, "error": str(exc)})
        except Exception as exc:
            log.exception("a bug in the command %r", message)
            answer.pop("value", None)
            self.send({**answer, "error": f"a bug in this node, see its log: {exc!r}"})


class Agent:
    """Keeps one `ControlStream` to the socket at `path`, or the relay at `tcp://HOST:PORT`, for as long as `run` runs.
    Made on the loop it is to use. Raises `ConfigError` for a relay that is none."""

    def __init__(self, path: str, reporter: Reporter) -> None:
        self._path = path
        self._relay = relay_address(path)
        self._reporter = reporter
        self._stream: ControlStream | None = None
        self._connected: asyncio.Future[ControlStream] = asyncio.get_running_loop().create_future()
        self._beat = Beat()

    def report(self, message: Message) -> None:
        """Tell the farm if it is there. If not, the next `hello` is followed by how things are then."""
        if self._stream is not None:
            self._stream.send(message)

    async def run(self) -> None:
        """Dial, serve the stream, dial again; until cancelled."""
        wait = FIRST_WAIT
        while True:
            began = time.monotonic()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(DIALLING):
                    stream = await self._dial()
                await stream.closed
            await asyncio.sleep(wait)
            wait = FIRST_WAIT if time.monotonic() - began > STEADY else min(wait * 2, LAST_WAIT)

    async def last_words(self) -> None:
        """Wait until what the shard has to say was handed to a farm, and hang up."""
        stream = await self._connected
        stream.close()
        await asyncio.wait([stream.closed])

    async def _dial(self) -> ControlStream:
        loop = asyncio.get_running_loop()
        if self._relay is None:
            _, stream = await loop.create_unix_connection(self._new_stream, self._path)
        else:
            _, stream = await loop.create_connection(self._new_stream, *self._relay)
        return stream

    def _new_stream(self) -> ControlStream:
        self._stream = ControlStream(self._reporter, self._connected, self._beat)
        return self._stream


def relay_address(path: str) -> tuple[str, int] | None:
    """Host and port of `tcp://HOST:PORT`, None for the path of a socket. Raises `ConfigError`."""
    if not path.startswith(TCP):
        return None
    host, colon, port = path.removeprefix(TCP).rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ConfigError(path, 0, "wanted the path of a socket, or tcp://HOST:PORT with a port of 1 to 65535")
    return host, int(port)
