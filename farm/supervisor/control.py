"""The farm's end of the control streams: one connection a shard, which it dials (`node.control.messages`).

Whoever does not begin with a `hello` and the token of the shard it says it is is hung up on: the socket lies where the
nodes' own user can reach it. What a shard said before its process was known here is kept with its session.
"""

import asyncio
import hmac
import itertools
import logging
import socket
import struct
from pathlib import Path
from typing import Any, Protocol

from farm.errors import FarmError
from farm.supervisor.gathering import RECEIVE, Gathering
from farm.supervisor.last_connections import close
from node.beat import GOLDEN
from node.control.messages import (
    ANSWER,
    COMMAND,
    FAILED,
    HELLO,
    LIMIT,
    NO_PID,
    READY,
    TELEMETRY,
    Message,
    Pace,
    decode,
    encode,
    shard_token,
)
from node.errors import RemoteProtocolError

log = logging.getLogger(__name__)

HELLO_SECONDS = 5.0
COMMAND_SECONDS = 5.0
BACKLOG = 1024
FEW = 8
"""Nodes of a shard whose stream is laid aside when it has reported. One of more has so much to say that it may wake us,
and of those there are never many."""


class Listener(Protocol):
    """Who is told what shards say."""

    def shard_said_hello(self, session: "Session") -> None:
        """A shard is there."""

    def node_spoke(self, session: "Session", node: str) -> None:
        """A node listens on `session.ready[node]`, or does not, for the reason `session.failed[node]`."""

    def nodes_reported(self, nodes: dict[str, Any]) -> None:
        """Counters by node name."""


class Session(asyncio.Protocol):
    """One connection. `shard` is "" until its `hello` was accepted."""

    def __init__(self, streams: "ControlStreams") -> None:
        self.shard = ""
        self.pid = 0
        self.ready: dict[str, dict[str, int]] = {}
        self.failed: dict[str, str] = {}
        self._streams = streams
        self._transport: asyncio.Transport | None = None
        self._pending = bytearray()
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if hasattr(transport, "max_size"):
            transport.max_size = RECEIVE  # not the loop's 256 KiB: memory that is mapped anew for each small message
        self._streams.opened(self)
        self._patience = asyncio.get_running_loop().call_later(HELLO_SECONDS, self.close)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._streams.gathering.lost(self._transport)
        self._transport = None
        if self._patience is not None:
            self._patience.cancel()
        for future in self._asked.values():
            if not future.done():
                future.set_exception(FarmError("its process ended before it answered"))
        self._streams.closed(self)

    def data_received(self, data: bytes) -> None:
        self._pending += data
        if b"\n" not in data and len(self._pending) <= LIMIT:
            return
        *lines, rest = self._pending.split(b"\n")
        self._pending = rest
        try:
            for line in lines:
                self._take(decode(bytes(line)))
            if len(rest) > LIMIT:
                raise RemoteProtocolError(f"a control line of over {LIMIT} bytes")
        except (RemoteProtocolError, AttributeError, KeyError, OverflowError, TypeError, ValueError) as exc:
            log.warning("control stream of %s dropped: %r", self.shard or "somebody", exc)
            self.close()

    def is_of(self, pid: int) -> bool:
        """Whether it is the session of that process. One that could not know its pid is told by its token."""
        return self.pid in (0, pid)

    @property
    def open(self) -> bool:
        """Whether commands can be sent."""
        return self._transport is not None

    def close(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.close()

    def tell(self, message: Message) -> None:
        """Says something that is not answered."""
        if self._transport is not None:
            self._transport.write(encode(message))

    async def command(self, node: str, path: str, value: Any = None, seconds: float = COMMAND_SECONDS) -> Any:
        """What the node answers to a command. Raises `FarmError` with its line, or when `seconds` have passed."""
        if self._transport is None:
            raise FarmError(f"{node}: its shard hung up")
        number = next(self._numbers)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        self._streams.gathering.take_up(self._transport)
        message = {"type": COMMAND, "id": number, "node": node, "path": path, "value": value}
        self._transport.write(encode(message))
        try:
            return await asyncio.wait_for(future, seconds)
        except TimeoutError as exc:
            raise FarmError(f"{node}: no answer to {path} within {seconds:g} s") from exc
        except FarmError as exc:
            raise FarmError(f"{node}: {exc}") from exc
        finally:
            del self._asked[number]

    def _take(self, message: Message) -> None:
        kind = message["type"]
        if not self.shard:
            self._greet(message)
        elif kind == READY:
            node = str(message["node"])
            self.failed.pop(node, None)
            self.ready[node] = {str(name): int(port) for name, port in message["ports"].items()}
            self._streams.listener.node_spoke(self, node)
        elif kind == FAILED:
            node = str(message["node"])
            self.ready.pop(node, None)
            self.failed[node] = str(message["error"])
            self._streams.listener.node_spoke(self, node)
        elif kind == TELEMETRY:
            nodes = dict(message["nodes"])
            self._streams.listener.nodes_reported(nodes)
            if self._transport is not None and not self._asked and len(nodes) <= FEW:
                self._streams.gathering.lay_aside(self._transport)
        elif kind == ANSWER:
            self._answer(message)

    def _greet(self, message: Message) -> None:
        shard = str(message.get("shard", ""))
        token = str(message.get("token", ""))
        if message["type"] != HELLO or not hmac.compare_digest(token, shard_token(self._streams.secret, shard)):
            raise RemoteProtocolError(f"not a hello with the token of shard {shard!r}")
        pid = int(message["pid"])
        self.shard, self.pid = shard, 0 if pid == NO_PID else pid or self._pid_of_peer()
        if self._patience is not None:
            self._patience.cancel()
        self._streams.greeted(self)

    def _pid_of_peer(self) -> int:
        """The pid, in our namespace, of a shard in a container, which does not know it; 0 where nobody does."""
        assert self._transport is not None
        sock = self._transport.get_extra_info("socket")
        if sock is None or sock.family != socket.AF_UNIX or not hasattr(socket, "SO_PEERCRED"):
            return 0
        pid: int = struct.unpack("=iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        return pid

    def _answer(self, message: Message) -> None:
        future = self._asked.get(int(message["id"]))
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(FarmError(str(message["error"])))
        else:
            future.set_result(message.get("value"))


class ControlStreams:
    """The socket, and the sessions of all shards. `secret` is what their tokens are made from."""

    def __init__(self, path: Path, secret: str, listener: Listener) -> None:
        self.secret = secret
        self.listener = listener
        self.gathering = Gathering()
        self._path = path
        self._server: asyncio.Server | None = None
        self._open: set[Session] = set()
        self._by_shard: dict[str, Session] = {}
        self._every = 1
        self._paced = 0

    async def start(self) -> None:
        """Listens."""
        self._path.parent.mkdir(mode=0o711, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self.gathering.open()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Session(self), str(self._path), backlog=BACKLOG)
        self._path.parent.chmod(0o711)
        self._path.chmod(0o666)  # nodes run as users of their own: the token is what counts

    async def stop(self) -> None:
        """Hangs up on all, and listens no more."""
        if self._server is not None:
            await close(self._server)
        for session in list(self._open):
            session.close()
        self.gathering.close()

    def pace(self, every: int) -> None:
        """Has shards report every so many seconds, those that are there and those that come."""
        if every != self._every:
            self._every = every
            for session in self._by_shard.values():
                self._tell_pace(session)

    def _tell_pace(self, session: Session) -> None:
        self._paced += 1  # each shard's reports so far from those of the one that was told before it
        session.tell(Pace(self._every, round(self._paced * GOLDEN % 1 * self._every, 3)).encode())

    def session(self, shard: str, pid: int) -> Session | None:
        """The session of that very process, if it has or had one: what a dead process said last says why."""
        found = self._by_shard.get(shard)
        return found if found is not None and found.is_of(pid) else None

    def opened(self, session: Session) -> None:
        """A connection is there; nobody knows whose."""
        self._open.add(session)

    def greeted(self, session: Session) -> None:
        """It is a shard's. Its last connection counts: an older one is dead and does not know yet."""
        older = self._by_shard.get(session.shard)
        self._by_shard[session.shard] = session
        if older is not None:
            older.close()
        if self._every > 1:  # once a second it reports by itself
            self._tell_pace(session)
        self.listener.shard_said_hello(session)

    def closed(self, session: Session) -> None:
        """It is gone, but not what it said."""
        self._open.discard(session)

    def forget(self, shard: str) -> None:
        """The shard is no longer wanted."""
        self._by_shard.pop(shard, None)
