"""What befalls frames: they are late, lost, refused, cut short, spoilt or misnamed, or their connection ends.

Each is an interceptor of one port, so the n-th frame of a port meets the same fate with the same seed, whatever passes
through another. What they want of the protocol is the length of its header alone; the words of a refusal are put
together by whoever serves the port.
"""

from collections.abc import Callable
from random import Random

from node.exchange.exchange import DROP, LAST, RESET, SEND, Exchange

COUNTED = 4096
"""Connections whose requests are counted at once; beyond, the one that was silent longest counts anew."""


class Picked:
    """Which requests meet a fault: each `every`-th, or where that is 0 `percent` of them, drawn from `random`."""

    def __init__(self, percent: float = 100.0, every: int = 0, seed: int = 0) -> None:
        self.random = Random(seed)
        self._share = percent / 100
        self._every = every
        self._count = 0

    def hit(self) -> bool:
        """Whether the next one does. To be asked once of each, whatever becomes of it, so that fates do not move."""
        if not self._every:
            return self.random.random() < self._share
        self._count = (self._count + 1) % self._every
        return not self._count


class Late:
    """Each reply, or each `every`-th, comes later by what `draw` says, in seconds; less than 0 is 0, and `most` the
    longest."""

    def __init__(
        self, draw: Callable[[Random], float], seed: int = 0, most: float | None = None, every: int = 1
    ) -> None:
        self._picked = Picked(every=max(1, every))
        self._draw = draw
        self._random = Random(seed)
        self._most = most

    def before(self, exchange: Exchange) -> None:
        """The request itself is not held up."""

    def after(self, exchange: Exchange) -> None:
        """Adds the delay."""
        late = max(0.0, self._draw(self._random))
        if not self._picked.hit():
            return
        exchange.delay += late if self._most is None else min(late, self._most)


class Lost:
    """Those of the requests that `picked` says are not run and not answered."""

    def __init__(self, picked: Picked) -> None:
        self._picked = picked

    def before(self, exchange: Exchange) -> None:
        """Loses it, or not."""
        if self._picked.hit() and exchange.wanted:
            exchange.action = DROP

    def after(self, exchange: Exchange) -> None:
        """Nothing more."""


class Reset:
    """A connection is reset, or ends as `action` says, at the request after `after` others, counted from when this
    came. Datagrams have none."""

    def __init__(self, after: int, action: str = RESET) -> None:
        self._after = after
        self._action = action
        self._counts: dict[tuple[str, float], int] = {}
        """By a connection's other end and the instant it came: an end that comes again is another connection."""

    def before(self, exchange: Exchange) -> None:
        """Counts it, or resets."""
        if exchange.datagram or not exchange.wanted:
            return
        connection = exchange.peer, exchange.since
        count = self._counts.pop(connection, 0)
        if count >= self._after:
            exchange.action = self._action
            return
        self._counts[connection] = count + 1
        if len(self._counts) > COUNTED:
            del self._counts[next(iter(self._counts))]

    def after(self, exchange: Exchange) -> None:
        """Nothing more."""


class Refused:
    """Every request, or those that `picked` says, is refused with `status`: general, extended; or of Modbus 0 and the
    exception."""

    def __init__(self, status: tuple[int, ...], picked: Picked | None = None) -> None:
        self._status = status
        self._picked = picked

    def before(self, exchange: Exchange) -> None:
        """Says so to who serves it."""
        if self._picked is None or self._picked.hit():
            exchange.status = self._status

    def after(self, exchange: Exchange) -> None:
        """Nothing more."""


class Cut:
    """The replies that `picked` says end after `keep` bytes, half of them with 0, and their header says what it said.

    The connection ends there, for TCP delivers what was sent as long as it stands: a reply that is not whole is one
    whose sender died."""

    def __init__(self, picked: Picked, keep: int = 0) -> None:
        self._picked = picked
        self._keep = keep

    def before(self, exchange: Exchange) -> None:
        """Nothing yet."""

    def after(self, exchange: Exchange) -> None:
        """Cuts the reply, or not."""
        reply = exchange.reply
        hit = self._picked.hit()
        if not hit or reply is None or exchange.action != SEND:
            return
        kept = self._keep or len(reply) // 2
        if kept < len(reply):
            exchange.reply = reply[:kept]
            if not exchange.datagram:
                exchange.action = LAST


class Spoilt:
    """In the replies that `picked` says one byte behind the first `header` ones is another than it was."""

    def __init__(self, picked: Picked, header: int) -> None:
        self._picked = picked
        self._header = header

    def before(self, exchange: Exchange) -> None:
        """Nothing yet."""

    def after(self, exchange: Exchange) -> None:
        """Spoils the reply, or not."""
        reply = exchange.reply
        random = self._picked.random
        hit, where, other = self._picked.hit(), random.random(), random.random()  # as many for each, hit or not
        if not hit or reply is None or exchange.action != SEND:
            return
        room = len(reply) - self._header
        if room > 0:
            at, by = self._header + int(where * room), 1 + int(other * 255)
            exchange.reply = b"%b%c%b" % (reply[:at], reply[at] ^ by, reply[at + 1 :])


class Misnamed:
    """In the replies that `picked` says the byte at `at` is what `name` makes of it: they name another request, or
    another unit, than they answer."""

    def __init__(self, picked: Picked, at: int, name: Callable[[int], int]) -> None:
        self._picked = picked
        self._at = at
        self._name = name

    def before(self, exchange: Exchange) -> None:
        """Nothing yet."""

    def after(self, exchange: Exchange) -> None:
        """Names it wrongly, or not."""
        reply, at = exchange.reply, self._at
        hit = self._picked.hit()
        if hit and reply is not None and exchange.action == SEND and at < len(reply):
            exchange.reply = b"%b%c%b" % (reply[:at], self._name(reply[at]), reply[at + 1 :])


def far_off(byte: int) -> int:
    """The highest byte of a number that is counted up, made that of one which is not under way."""
    return byte ^ 0x80


def next_unit(unit: int) -> int:
    """Another unit that there may be: 1 to 247, and 1 after 247."""
    return unit % 247 + 1
