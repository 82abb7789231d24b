"""What passes through a node, kept for whoever captures it: the outermost of the interceptors, so that it sees what the
wire saw, delays and dropped replies included.

What is kept is bounded, and frames are made of it only when it is fetched: a request pays for two entries of a heap. A
node that has no tap pays for nothing. A connection shows from its first request on; its end shows where the node ends
it, and a reply that is delayed when it is sent.
"""

import heapq
from collections import OrderedDict
from collections.abc import Callable

from node.capture.packets import Connection, End, datagram
from node.exchange.exchange import ENDS, RESET, SENT, Exchange
from node.record import dataclass

KEPT = 4 << 20
"""Bytes that are kept until they are fetched; what comes then is counted as lost."""
OVERHEAD = 64
"""Bytes that a payload costs beside its own."""
CONNECTIONS = 1024
"""Connections whose sequence numbers are known at a time; one more makes the one longest silent begin anew."""
FORGOTTEN = 30.0
"""Seconds after which a tap that nobody reads is taken off."""

CLIENT, SERVER = 0, 1

Frame = tuple[float, bytes]
"""Instant on the node's clock, Ethernet frame."""


@dataclass(slots=True)
class Seen:
    """A payload that passed at the instant `time`; `number` keeps the order of those of one instant. `peer` is
    "address:port", `port` the node's; `sender` is CLIENT or SERVER; `end` says how the
    connection ends behind it, when it does."""

    time: float
    number: int
    port: int
    peer: str
    sender: int
    payload: bytes
    datagram: bool = False
    end: str = ""

    def __lt__(self, other: "Seen") -> bool:
        return (self.time, self.number) < (other.time, other.number)


class Capture:
    """One capture of the node at `address`. `clock` gives the instant, `forget` is called when nobody has read for
    `FORGOTTEN` seconds; `kept` as `KEPT`."""

    def __init__(self, address: str, clock: Callable[[], float], forget: Callable[[], None], kept: int = KEPT) -> None:
        self.lost = 0
        """Payloads that there was no room for."""
        self._address = address or "0.0.0.0"
        self._clock = clock
        self._forget = forget
        self._room = kept
        self._seen: list[Seen] = []
        self._number = 0
        self._read = clock()
        self._due: OrderedDict[tuple[int, str], float] = OrderedDict()
        self._connections: OrderedDict[tuple[int, str], Connection] = OrderedDict()

    def tap(self, port: int) -> "Tap":
        """The interceptor for what passes through one port of the node."""
        return Tap(self, port)

    def arrived(self, port: int, exchange: Exchange) -> None:
        """A request came."""
        if exchange.now - self._read > FORGOTTEN:
            self._forget()
        else:
            self._note(exchange.now, port, exchange, CLIENT, exchange.request)

    def answered(self, port: int, exchange: Exchange) -> None:
        """Its reply leaves when its delay is over, and never before an earlier one of the connection."""
        action = exchange.action
        reply = exchange.reply if action in SENT else None
        end = action if action in ENDS else ""
        if reply is None and not end:
            return
        due = max(exchange.now, self._clock()) + exchange.delay
        if not exchange.datagram:
            key = (port, exchange.peer)
            due = max(due, self._due.pop(key, 0.0))
            self._due[key] = due
            if len(self._due) > CONNECTIONS:
                self._due.popitem(last=False)
        self._note(due, port, exchange, SERVER, reply or b"", end)

    def fetch(self, most: int) -> tuple[list[Frame], bool]:
        """The frames of what has passed by now, of about `most` bytes, and whether there is more."""
        self._read = now = self._clock()
        frames: list[Frame] = []
        size = 0
        while self._seen and self._seen[0].time <= now:
            if size >= most:
                return frames, True
            seen = heapq.heappop(self._seen)
            self._room += len(seen.payload) + OVERHEAD
            made = self._frames(seen)
            size += sum(map(len, made))
            frames += [(seen.time, frame) for frame in made]
        return frames, False

    def _note(self, time: float, port: int, exchange: Exchange, sender: int, payload: bytes, end: str = "") -> None:
        cost = len(payload) + OVERHEAD
        if cost > self._room:
            self.lost += 1
            return
        self._room -= cost
        self._number += 1
        seen = Seen(time, self._number, port, exchange.peer, sender, payload, exchange.datagram, end)
        heapq.heappush(self._seen, seen)

    def _frames(self, seen: Seen) -> list[bytes]:
        host, _, port = seen.peer.rpartition(":")
        if seen.peer.startswith("/"):  # on a serial line nobody has an address
            host, port = "0.0.0.0", "0"
        try:
            client, server = End.of(host, int(port)), End.of(self._address, seen.port)
        except ValueError:
            return []
        if len(client.address) != len(server.address):
            server = End(bytes(len(client.address)), seen.port)
        if seen.datagram:
            ends = (client, server) if seen.sender == CLIENT else (server, client)
            return [datagram(*ends, seen.payload)]
        key = (seen.port, seen.peer)
        connection = self._connections.pop(key, None)
        frames: list[bytes] = []
        if connection is None:
            connection = Connection(client, server)
            frames += connection.open()
        frames += connection.send(seen.sender, seen.payload)
        if seen.end:
            return frames + (connection.reset if seen.end == RESET else connection.close)(seen.sender)
        self._connections[key] = connection
        if len(self._connections) > CONNECTIONS:
            self._connections.popitem(last=False)
        return frames


class Tap:
    """An `Interceptor` that shows a capture what passes through one port."""

    def __init__(self, capture: Capture, port: int) -> None:
        self._capture = capture
        self._port = port

    def before(self, exchange: Exchange) -> None:
        """The request as it came."""
        self._capture.arrived(self._port, exchange)

    def after(self, exchange: Exchange) -> None:
        """What becomes of it, after everybody else had a say."""
        self._capture.answered(self._port, exchange)
