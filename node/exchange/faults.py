"""What befalls frames: they are late, lost, refused, cut short or spoilt, or their connection is.

Each is an interceptor of one port, so the n-th frame of a port meets the same fate with the same seed, whatever passes
through another. What they want of the protocol is the length of its header alone; the words of a refusal are put
together by whoever serves the port.
"""

from collections.abc import Callable
from random import Random

from node.exchange.exchange import DROP, LAST, RESET, SEND, Exchange

COUNTED = 4096
"""Connections whose requests are counted at once; beyond, the one that was silent longest counts anew."""


class Late:
    """Each reply comes later by what `draw` says, in seconds; less than 0 is 0, and `most` the longest."""

    def __init__(self, draw: Callable[[Random], float], seed: int = 0, most: float | None = None) -> None:
        self._draw = draw
        self._random = Random(seed)
        self._most = most

    def before(self, exchange: Exchange) -> None:
        """The request itself is not held up."""

    def after(self, exchange: Exchange) -> None:
        """Adds the delay."""
        late = max(0.0, self._draw(self._random))
        exchange.delay += late if self._most is None else min(late, self._most)


class Lost:
    """`percent` of the requests are not run and not answered."""

    def __init__(self, percent: float, seed: int = 0) -> None:
        self._share = percent / 100
        self._random = Random(seed)

    def before(self, exchange: Exchange) -> None:
        """Loses it, or not."""
        if self._random.random() < self._share and exchange.wanted:
            exchange.action = DROP

    def after(self, exchange: Exchange) -> None:
        """Nothing more."""


class Reset:
    """A connection is reset at the request after `after` others, counted from when this came. Datagrams have none."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._counts: dict[tuple[str, float], int] = {}
        """By a connection's other end and the instant it came: an end that comes again is another connection."""

    def before(self, exchange: Exchange) -> None:
        """Counts it, or resets."""
        if exchange.datagram or not exchange.wanted:
            return
        connection = exchange.peer, exchange.since
        count = self._counts.pop(connection, 0)
        if count >= self._after:
            exchange.action = RESET
            return
        self._counts[connection] = count + 1
        if len(self._counts) > COUNTED:
            del self._counts[next(iter(self._counts))]

    def after(self, exchange: Exchange) -> None:
        """Nothing more."""


class Refused:
    """Every request is refused with `status`: general, extended."""

    def __init__(self, status: tuple[int, ...]) -> None:
        self._status = status

    def before(self, exchange: Exchange) -> None:
        """Says so to who serves it."""
        exchange.status = self._status

    def after(self, exchange: Exchange) -> None:
        """Nothing more."""


class Cut:
    """`percent` of the replies end after `keep` bytes, half of them with 0, and their header says what it said.

    The connection ends there, for TCP delivers what was sent as long as it stands: a reply that is not whole is one
    whose sender died."""

    def __init__(self, percent: float, keep: int = 0, seed: int = 0) -> None:
        self._share = percent / 100
        self._keep = keep
        self._random = Random(seed)

    def before(self, exchange: Exchange) -> None:
        """Nothing yet."""

    def after(self, exchange: Exchange) -> None:
        """Cuts the reply, or not."""
        reply = exchange.reply
        hit = self._random.random() < self._share
        if not hit or reply is None or exchange.action != SEND:
            return
        kept = self._keep or len(reply) // 2
        if kept < len(reply):
            exchange.reply = reply[:kept]
            if not exchange.datagram:
                exchange.action = LAST


class Spoilt:
    """In `percent` of the replies one byte behind the first `header` ones is another than it was."""

    def __init__(self, percent: float, header: int, seed: int = 0) -> None:
        self._share = percent / 100
        self._header = header
        self._random = Random(seed)

    def before(self, exchange: Exchange) -> None:
        """Nothing yet."""

    def after(self, exchange: Exchange) -> None:
        """Spoils the reply, or not."""
        reply = exchange.reply
        hit, where, other = [self._random.random() for _ in range(3)]  # as many for each, whatever the one before was
        if hit >= self._share or reply is None or exchange.action != SEND:
            return
        room = len(reply) - self._header
        if room > 0:
            at, by = self._header + int(where * room), 1 + int(other * 255)
            exchange.reply = b"%b%c%b" % (reply[:at], reply[at] ^ by, reply[at + 1 :])
