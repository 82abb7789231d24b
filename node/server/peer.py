"""A live TCP peer, and all of a listener's: counters, the right to be there, and an outbox that keeps its order.

What goes wrong without this file: a peer that never finishes a frame holds its place for ever, one that never reads
its replies makes them pile up in memory, and a delayed reply is overtaken by the next one.
"""

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import cast

from node.config.model import Json
from node.exchange.exchange import CLOSE, ENDS, RESET, SENT, Exchange
from node.exchange.metrics import Metrics
from node.server.acceptor import RESETTING
from node.server.parked import Parked

RECEIVE = 64 * 1024
"""Bytes asked of the socket at a time; asyncio's own 256 KiB buffer costs some 40 % of the request rate.

What comes is copied (`b"%b" % data` is the quickest way) before anything keeps it: a read's bytes are the beginning of
this buffer, on the C heap. Kept by the ring of last frames, each had the next buffer begin behind it, and in some 700
requests a node wrote to as many pages as a buffer has, which it had shared with its nursery until then."""

IDLE_BEFORE_EVICTION = 30.0
"""Seconds without a byte after which a peer may have to make room for a new one."""

UNREAD_LIMIT = 30.0
"""Seconds that a peer may leave its replies unread."""

OUTBOX_LIMIT = 1024
"""Delayed replies that wait for one peer before it is read no further; it is again when half of them are sent."""

log = logging.getLogger(__name__)


class Peer(asyncio.Protocol):
    """One connection. A protocol derives from it and defines `data_received`, where it sets `last_seen` and
    `partial_since` (the instant the first byte of an unfinished frame came, 0 for none). It counts for itself what the
    listener's metrics count for all."""

    transport: asyncio.Transport

    def __init__(self, peers: "Peers") -> None:
        self.peers = peers
        self.metrics = peers.metrics
        self.name = ""
        self.local = ("", 0)
        self.since = 0.0
        self.last_seen = 0.0
        self.partial_since = 0.0
        self.unread_since = 0.0
        self.requests = 0
        self.errors = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self._admitted = False
        self._leaving = False
        self._full = False
        self._retired = False
        self.parked: Parked | None = None
        """What stands in for it while its next reply takes time."""
        self._outbox: deque[tuple[float, bytes | None, str]] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the connection, or closes it when the listener is full."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.max_size = RECEIVE  # type: ignore[attr-defined]
        host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
        self.name = f"{host}:{port}"
        self.local = (transport.get_extra_info("sockname") or ("", 0))[:2]
        self.since = self.last_seen = self.peers.clock()
        self._admitted = self.peers.admit(self)
        log.debug("%s at %s:%s: %s", self.name, *self.local, "connected" if self._admitted else "refused, all are busy")
        if not self._admitted:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Gives the place back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._outbox = None
        log.debug("%s at %s:%s: gone%s", self.name, *self.local, f" ({exc})" if exc else "")
        if self._admitted:
            self.peers.left(self)
        if self._leaving:
            self._say_goodbye()

    def eof_received(self) -> bool:
        """A peer that will send nothing more still gets the replies that wait."""
        if self._outbox:
            self._outbox.append((0.0, None, CLOSE))
            return True
        return False

    def read_on(self) -> None:
        """Reads again, unless its unread or delayed replies have piled up, or it is to be read no more."""
        if not self.unread_since and not self._full and not self._retired:
            self.transport.resume_reading()

    def park(self, work: Coroutine[None, None, None]) -> None:
        """Has the peer wait until `work`, which ends with `unpark`, has its next reply."""
        self.partial_since = 0.0
        self.parked = Parked(self, work)

    def unpark(self, go_on: Callable[[], None]) -> None:
        """Has it `go_on`, unless it is gone, and take what came meanwhile."""
        parked, self.parked = self.parked, None
        if parked is not None:
            parked.release(go_on)

    def pause_writing(self) -> None:
        """The peer does not read its replies: nothing more is read from it."""
        self.unread_since = self.peers.clock()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It does again."""
        self.unread_since = 0.0
        self.read_on()

    @property
    def owes(self) -> bool:
        """Whether a reply waits for its time."""
        return bool(self._outbox) or self.parked is not None

    def retire(self) -> None:
        """Reads no more; replies that wait are still sent."""
        self._retired = True
        self.transport.pause_reading()

    def eof(self) -> None:
        """Ends the connection; what was written is still sent."""
        self.transport.close()

    def reset(self) -> None:
        """Ends it at once with a reset; what was written and not yet sent is lost."""
        self._close_by_reset()
        self.transport.abort()

    def leave(self) -> None:
        """Ends it at once; the other end reads what was sent, then the end. Who ends a connection first keeps its
        address in TIME_WAIT for a minute, so once the end is sent, the connection is reset: nothing is left."""
        self._close_by_reset()
        if self.transport.get_extra_info("sslcontext") is None:
            self._leaving = True  # the socket is closed right after `connection_lost`: no time to answer the end
        else:  # under TLS it is closed before the protocol is told, by what the loop does right after this
            asyncio.get_running_loop().call_soon(self._say_goodbye)
        self.transport.abort()

    def _close_by_reset(self) -> None:
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)

    def _say_goodbye(self) -> None:
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)

    @property
    def held_up(self) -> bool:
        """Whether its silence is ours: replies are held back, or it was told to end and has yet to be."""
        return bool(self._outbox) or self.parked is not None or self.transport.is_closing()

    def describe(self) -> dict[str, Json]:
        """What its protocol knows of it besides."""
        return {}

    def deliver(self, exchange: Exchange) -> None:
        """Sends an exchange's reply when it is due, never before one that was due earlier; then closes if so asked. A
        reset waits for nothing, and what has no reply holds up no other."""
        action = exchange.action
        data = exchange.reply if action in SENT else None
        if action == RESET or (not self._outbox and exchange.delay <= 0):
            self._emit(data, action)
            return
        if data is None and action not in ENDS:
            return
        if self._outbox is None:
            self._outbox = deque()
        self._outbox.append((self.peers.clock() + exchange.delay, data, action))
        if len(self._outbox) >= OUTBOX_LIMIT:
            self._full = True
            self.transport.pause_reading()
        if self._timer is None:
            self._drain()

    def _drain(self) -> None:
        self._timer = None
        now = self.peers.clock()
        while self._outbox:
            due, data, action = self._outbox[0]
            if due > now:
                self._timer = asyncio.get_running_loop().call_later(due - now, self._drain)
                return
            self._outbox.popleft()
            self._emit(data, action)
            if self._full and len(self._outbox) <= OUTBOX_LIMIT // 2:
                self._full = False
                if self.partial_since:
                    self.partial_since = now  # it could not end its frame before
                self.read_on()

    def _emit(self, data: bytes | None, action: str) -> None:
        if self.transport.is_closing():
            return
        if data is not None:
            self.metrics.bytes_out += len(data)
            self.bytes_out += len(data)
            self.transport.write(data)
        if action == RESET:
            self.reset()
        elif action in ENDS:
            self.transport.close()


class Peers:
    """The live peers of one listener. At `limit` the one longest idle makes room, if it was idle for
    `IDLE_BEFORE_EVICTION` seconds; else the new one is refused."""

    def __init__(
        self, metrics: Metrics, limit: int, clock: Callable[[], float], joined: Callable[[], None] | None = None
    ) -> None:
        self.metrics = metrics
        self.limit = limit
        self.clock = clock
        self._joined = joined
        self.told: Callable[[str, bool], None] | None = None
        """Is given the name of each peer that came, and then whether it went."""
        self._peers: dict[Peer, None] = {}

    def __len__(self) -> int:
        return len(self._peers)

    def __iter__(self) -> Iterator[Peer]:
        return iter(tuple(self._peers))

    def admit(self, peer: Peer) -> bool:
        """True when there is room for `peer`, or was made."""
        if len(self._peers) >= self.limit and not self._evict(peer.since):
            self.metrics.refused += 1
            return False
        self._peers[peer] = None
        self.metrics.connections += 1
        self.metrics.connections_total += 1
        if self._joined is not None:
            self._joined()
        if self.told is not None:
            self.told(peer.name, False)
        return True

    def left(self, peer: Peer) -> None:
        """`peer` is gone."""
        if peer in self._peers:
            del self._peers[peer]
            self.metrics.connections -= 1
            if self.told is not None:
                self.told(peer.name, True)

    def abort(self) -> None:
        """Ends all connections at once."""
        for peer in self:
            peer.leave()

    def reset(self) -> None:
        """The same, so that their other ends are told of a failure."""
        for peer in self:
            peer.reset()

    def sweep(self, now: float, frame_timeout: float, idle_timeout: float) -> bool:
        """Ends what stalls: a frame begun more than `frame_timeout` seconds ago, replies left unread, and with
        `idle_timeout` above 0 a silent peer. True while there is anyone to watch."""
        for peer in self:
            stalled = peer.partial_since and not peer._full and now - peer.partial_since > frame_timeout
            unread = peer.unread_since and now - peer.unread_since > UNREAD_LIMIT
            if stalled or unread:
                self.metrics.timeouts += 1
                peer.transport.abort()
            elif idle_timeout and now - peer.last_seen > idle_timeout and not peer.held_up:
                self.metrics.timeouts += 1
                peer.eof()
        return bool(self._peers)

    def _evict(self, now: float) -> bool:
        oldest = min(self._peers, key=_last_seen)
        if now - oldest.last_seen < IDLE_BEFORE_EVICTION:
            return False
        self.metrics.evicted += 1
        self.left(oldest)
        oldest.transport.abort()
        return True


def _last_seen(peer: Peer) -> float:
    return peer.last_seen
