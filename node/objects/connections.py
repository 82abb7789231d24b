"""Live connections of class 3: ids, the last sequence and its reply, time-outs (CIP Vol 1, 3-4 and 3-6).

A connection belongs to the TCP connection it was opened on: it is freed when that closes, when its originator is silent
for RPI times multiplier, or by Forward Close. Its ids are random, so that a stale client does not talk into a new one.

Clients that open and never close must keep nobody out: one TCP connection gets a share of the places only, and when all
are taken, the oldest one that never carried a message makes room. None of this looks at all connections for a frame.
"""

import os
from collections.abc import Callable, Iterator
from typing import ClassVar, TypeVar

from node.cip.forward import ForwardOpen, Triplet
from node.cip.status import (
    CONNECTION_FAILURE,
    CONNECTION_IN_USE,
    OUT_OF_CONNECTIONS,
    TARGET_OUT_OF_CONNECTIONS,
    CipError,
)
from node.memory.attribute import Instant
from node.objects.object import Requester

FIRST_TIMEOUT = 10.0
"""Seconds that a new connection has for its first message at least."""

SHARE = 4
"""One TCP connection may hold this part of all connections, and `LEAST_SHARE` in any case."""

LEAST_SHARE = 8


class Connection:
    """`limit` is the bytes a reply may take, `seen` the instant of the last message, `sequence` its count (None before
    the first) and `reply` what it was answered, for a retransmission. `here` is whether it ends at this device."""

    __slots__ = ("limit", "o_t_id", "opening", "origin", "reply", "seen", "sequence", "t_o_id", "timeout")

    here: ClassVar[bool] = True

    def __init__(self, o_t_id: int, opening: ForwardOpen, origin: Requester | None, now: float) -> None:
        self.o_t_id = o_t_id
        self.t_o_id = opening.t_o_id
        self.opening = opening
        self.limit = opening.t_o.size - 2
        self.timeout = opening.timeout
        self.origin = origin
        self.seen = now
        self.sequence: int | None = None
        self.reply = b""

    def expired(self, now: float) -> bool:
        """Whether the originator was silent for too long."""
        patience = self.timeout if self.sequence is not None else max(self.timeout, FIRST_TIMEOUT)
        return now - self.seen > patience

    def onward(self, message: bytes) -> Exception:
        """What to raise for a message on a connection that does not end here (`node.objects.onward.Relay`)."""
        raise TypeError(f"connection 0x{self.o_t_id:08X} ends here")

    def end(self) -> None:
        """Called once it is no more."""


AnyConnection = TypeVar("AnyConnection", bound=Connection)


class Connections:
    """At most `limit` connections. `timeouts` counts those that ended by silence."""

    def __init__(self, instant: Instant, limit: int = 64) -> None:
        self.limit = limit
        self.share = min(limit, max(limit // SHARE, LEAST_SHARE))
        self.timeouts = 0
        self._instant = instant
        self._by_id: dict[int, Connection] = {}
        self._relays: dict[int, Connection] = {}
        self._by_triplet: dict[Triplet, Connection] = {}
        self._by_origin: dict[Requester | None, dict[Connection, None]] = {}
        self._unused: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._by_triplet)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._by_triplet.values()))

    def get(self, o_t_id: int) -> Connection | None:
        """The connection that ends here and whose messages carry `o_t_id`."""
        return self._by_id.get(o_t_id)

    def relay(self, o_t_id: int) -> Connection | None:
        """The connection that goes on from here and whose messages carry `o_t_id`."""
        return self._relays.get(o_t_id)

    def find(self, triplet: Triplet) -> Connection | None:
        """The connection `triplet` names."""
        return self._by_triplet.get(triplet)

    def open(self, opening: ForwardOpen, origin: Requester | None) -> Connection:
        """A new connection that ends here.

        Raises `CipError` 0x01: 0x0100 when the triplet is in use, 0x0113 when there are too many in all, 0x011A when
        `origin` has its share.
        """
        return self.open_as(Connection, opening, origin)

    def open_as(
        self, kind: Callable[..., AnyConnection], opening: ForwardOpen, origin: Requester | None
    ) -> AnyConnection:
        """The same of a kind that is called as `Connection` is."""
        self._make_room(opening.triplet, origin)
        connection = kind(self.new_id(), opening, origin, self._instant.now)
        self._held(connection)[connection.o_t_id] = connection
        self._by_triplet[opening.triplet] = connection
        self._by_origin.setdefault(origin, {})[connection] = None
        self._unused[connection] = None
        return connection

    def close(self, triplet: Triplet) -> bool:
        """Ends the connection `triplet` names; False when there is none."""
        connection = self._by_triplet.get(triplet)
        if connection is None:
            return False
        self.drop(connection)
        return True

    def drop(self, connection: Connection) -> bool:
        """Ends `connection`; False when it has ended before."""
        if self._by_triplet.get(connection.opening.triplet) is not connection:
            return False
        del self._by_triplet[connection.opening.triplet]
        self._unused.pop(connection, None)
        mine = self._by_origin[connection.origin]
        del mine[connection]
        if not mine:
            del self._by_origin[connection.origin]
        del self._held(connection)[connection.o_t_id]
        connection.end()
        return True

    def leave(self, origin: Requester) -> None:
        """Ends all connections of a TCP connection that is gone."""
        for connection in tuple(self._by_origin.get(origin, ())):
            self.drop(connection)

    def poll(self, now: float) -> bool:
        """Ends what timed out. True while there are connections to watch."""
        for connection in self:
            if connection.expired(now):
                self.timeouts += 1
                self.drop(connection)
        return bool(self._by_triplet)

    def new_id(self) -> int:
        """An id that no connection has."""
        while True:
            ident = int.from_bytes(os.urandom(4), "little")
            if ident and ident not in self._by_id and ident not in self._relays:
                return ident

    def _make_room(self, triplet: Triplet, origin: Requester | None) -> None:
        if triplet in self._by_triplet:
            raise CipError(CONNECTION_FAILURE, (CONNECTION_IN_USE,))
        has_share = len(self._by_origin.get(origin, ())) >= self.share
        if len(self) >= self.limit and (has_share or not self._evict()):
            raise CipError(CONNECTION_FAILURE, (OUT_OF_CONNECTIONS,))
        if has_share:
            raise CipError(CONNECTION_FAILURE, (TARGET_OUT_OF_CONNECTIONS,))

    def _evict(self) -> bool:
        """Ends the oldest connection that waits for its first message for too long already. What has carried one since
        it was opened is struck off here, once, so that this costs no search."""
        while self._unused:
            oldest = next(iter(self._unused))
            if oldest.sequence is not None:
                del self._unused[oldest]
            elif self._instant.now - oldest.seen > FIRST_TIMEOUT:
                self.timeouts += 1
                self.drop(oldest)
                return True
            else:
                return False
        return False

    def _held(self, connection: Connection) -> dict[int, Connection]:
        return self._by_id if connection.here else self._relays
