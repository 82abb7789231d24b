"""Live connections of class 3: ids, the last sequence and its reply, time-outs (CIP Vol 1, 3-4 and 3-6).

A connection belongs to the TCP connection it was opened on: it is freed when that closes, when its originator is silent
for RPI times multiplier, or by Forward Close. Its ids are random, so that a stale client does not talk into a new one.
"""

import os
from collections.abc import Iterator

from node.cip.forward import ForwardOpen, Triplet
from node.cip.status import CONNECTION_FAILURE, CONNECTION_IN_USE, OUT_OF_CONNECTIONS, CipError
from node.memory.attribute import Instant
from node.objects.object import Requester

FIRST_TIMEOUT = 10.0
"""Seconds that a new connection has for its first message at least."""


class Connection:
    """`limit` is the bytes a reply may take, `seen` the instant of the last message, `sequence` its count (None before
    the first) and `reply` what it was answered, for a retransmission."""

    __slots__ = ("limit", "o_t_id", "origin", "reply", "seen", "sequence", "t_o_id", "timeout", "triplet")

    def __init__(self, o_t_id: int, opening: ForwardOpen, origin: Requester | None, now: float) -> None:
        self.o_t_id = o_t_id
        self.t_o_id = opening.t_o_id
        self.triplet = opening.triplet
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


class Connections:
    """At most `limit` connections. `timeouts` counts those that ended by silence."""

    def __init__(self, instant: Instant, limit: int = 64) -> None:
        self.limit = limit
        self.timeouts = 0
        self._instant = instant
        self._by_id: dict[int, Connection] = {}
        self._by_triplet: dict[Triplet, Connection] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._by_id.values()))

    def get(self, o_t_id: int) -> Connection | None:
        """The connection whose messages carry `o_t_id`."""
        return self._by_id.get(o_t_id)

    def open(self, opening: ForwardOpen, origin: Requester | None) -> Connection:
        """Raises `CipError`: 0x0100 when the triplet is in use, 0x0113 when there are too many."""
        if opening.triplet in self._by_triplet:
            raise CipError(CONNECTION_FAILURE, (CONNECTION_IN_USE,))
        if len(self._by_id) >= self.limit:
            raise CipError(CONNECTION_FAILURE, (OUT_OF_CONNECTIONS,))
        connection = Connection(self._new_id(), opening, origin, self._instant.now)
        self._by_id[connection.o_t_id] = connection
        self._by_triplet[connection.triplet] = connection
        return connection

    def close(self, triplet: Triplet) -> bool:
        """Ends the connection `triplet` names; False when there is none."""
        connection = self._by_triplet.get(triplet)
        if connection is None:
            return False
        self._drop(connection)
        return True

    def leave(self, origin: Requester) -> None:
        """Ends all connections of a TCP connection that is gone."""
        for connection in self:
            if connection.origin is origin:
                self._drop(connection)

    def poll(self, now: float) -> bool:
        """Ends what timed out. True while there are connections to watch."""
        for connection in self:
            if connection.expired(now):
                self.timeouts += 1
                self._drop(connection)
        return bool(self._by_id)

    def _drop(self, connection: Connection) -> None:
        del self._by_id[connection.o_t_id]
        del self._by_triplet[connection.triplet]

    def _new_id(self) -> int:
        while True:
            ident = int.from_bytes(os.urandom(4), "little")
            if ident and ident not in self._by_id:
                return ident
