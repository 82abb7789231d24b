"""Which reads a poll needs: addresses merged into as few as a device allows, and what was learned of it where it did
not.

A device answers exception 02 to a read when one of its addresses is not there, and does not say which. So a read that
was refused is split, at its widest hole or in its middle, until what is there is told from what is not. Then either an
address is known as missing, and no read includes it, or a hole cannot be read across, and a wall stands there.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from itertools import pairwise

from node.modbus.functions import ILLEGAL_DATA_ADDRESS, ILLEGAL_DATA_VALUE, ModbusError
from node.record import dataclass

REFUSED = (ILLEGAL_DATA_ADDRESS, ILLEGAL_DATA_VALUE)
"""Exceptions that a smaller read may not get: 03 is what a device says that reads fewer at once than it might."""


@dataclass(frozen=True, slots=True)
class Span:
    """A read of `count` addresses from `start` on."""

    start: int
    count: int

    @property
    def stop(self) -> int:
        """The address behind it."""
        return self.start + self.count


Values = dict[int, int]
"""What was read, by address."""

ReadSpan = Callable[[Span], Sequence[int]]
"""Does it: gives one value an address. Raises `ModbusError`, and what else may go wrong."""


def merge(
    addresses: Iterable[int], limit: int, hole: int, missing: Set[int] = frozenset(), walls: Set[int] = frozenset()
) -> list[Span]:
    """The fewest reads for all `addresses` but the `missing`, in order.

    None has more than `limit` addresses, runs over more than `hole` addresses that are not wanted or over one that is
    missing, or over a wall: what is from one of `walls` on is not read together with what is before it.
    """
    spans: list[Span] = []
    for address in sorted(set(addresses) - missing):
        if spans and _joins(spans[-1], address, limit, hole, missing, walls):
            spans[-1] = Span(spans[-1].start, address + 1 - spans[-1].start)
        else:
            spans.append(Span(address, 1))
    return spans


def _joins(span: Span, address: int, limit: int, hole: int, missing: Set[int], walls: Set[int]) -> bool:
    if address - span.stop > hole or address + 1 - span.start > limit:
        return False
    between = range(span.stop, address + 1)
    return missing.isdisjoint(between) and walls.isdisjoint(between)


def split(span: Span, wanted: Collection[int]) -> tuple[Span, Span]:
    """Two smaller reads for the addresses of `span` that are `wanted`, its first and last among them."""
    inside = sorted(address for address in wanted if span.start <= address < span.stop)
    middle = len(inside) / 2
    before, after = max(
        pairwise(inside), key=lambda pair: (pair[1] - pair[0], -abs(bisect_left(inside, pair[1]) - middle))
    )
    return Span(span.start, before + 1 - span.start), Span(after, span.stop - after)


def pick(span: Span, wanted: Iterable[int], values: Sequence[int]) -> Values:
    """The values of the addresses that were wanted, out of all of a read."""
    start = span.start
    return {address: values[address - start] for address in wanted}


class TableReads:
    """What is polled of one table of a device, and what its refusals taught: `limit` and `hole` as for `merge`."""

    def __init__(self, limit: int, hole: int) -> None:
        self.missing: Set[int] = frozenset()
        self._wanted: set[int] = set()
        self._walls: set[int] = set()
        self._limit = limit
        self._hole = hole
        self._reads: dict[Span, list[int]] | None = None

    def want(self, addresses: Iterable[int]) -> None:
        """Has them read from now on."""
        self._wanted.update(addresses)
        self._reads = None

    def forget_missing(self) -> None:
        """Has them read again, which were not there."""
        self.missing = frozenset()
        self._reads = None

    def plan(self) -> Mapping[Span, Sequence[int]]:
        """The reads of a poll, each with the addresses that are wanted of it: the same from poll to poll, until
        something is learned."""
        if self._reads is None:
            wanted = sorted(self._wanted)
            spans = merge(wanted, self._limit, self._hole, self.missing, self._walls)
            self._reads = {
                span: wanted[bisect_left(wanted, span.start) : bisect_left(wanted, span.stop)] for span in spans
            }
        return self._reads

    def explore(self, span: Span, read: ReadSpan) -> Values:
        """The values of a read that was refused as a whole, as far as they are there; learns why. Raises what `read`
        raises, but for refusals."""
        self._reads = None
        if span.count == 1:
            self.missing |= {span.start}
            return {}
        values: Values = {}
        explained = False
        parts = split(span, self._wanted)
        for part in parts:
            try:
                wanted = [address for address in range(part.start, part.stop) if address in self._wanted]
                values |= pick(part, wanted, read(part))
            except ModbusError as exc:
                if exc.code not in REFUSED:
                    raise
                values |= self.explore(part, read)
                explained = True
        if not explained:
            self._walls.add(parts[1].start)
        return values
