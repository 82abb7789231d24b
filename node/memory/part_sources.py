"""Several sources of one attribute: each moves a part of it, a member, an element, a flag.

A read fills what it touches and nothing else, so a structure of a hundred moving members costs what was asked of it.
Places are counted in bits from the attribute's first byte, because a BOOL member is no more than that.
"""

from bisect import bisect_left, bisect_right

from node.errors import NodeError
from node.memory.attribute import Attribute, Source
from node.record import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """Elements of `part` from `first` on, of `each` bits, that lie at bits [`begin`, `end`) and that `source` moves."""

    part: Attribute
    first: int
    begin: int
    end: int
    each: int
    source: Source

    def elements(self, begin: int, end: int) -> tuple[int, int]:
        """The elements of `part` that bits [begin, end) touch."""
        low, high = max(begin, self.begin) - self.begin, min(end, self.end) - self.begin
        return self.first + low // self.each, self.first - (-high // self.each)


class PartSources:
    """A `memory.attribute.Source` over the sources of the parts of `root`; `whole`, when there is one, comes first."""

    def __init__(self, root: Attribute, whole: Source | None = None) -> None:
        self._bits = 8 * root.size
        self._root = root
        self._whole = whole
        self._entries: list[Entry] = []
        self._begins: list[int] = []
        self._ends: list[int] = []

    @property
    def refuses(self) -> bool:
        """True when one of them refuses: the whole cannot be written then."""
        return (self._whole is not None and self._whole.refuses) or any(entry.source.refuses for entry in self._entries)

    def add(self, entry: Entry) -> None:
        """Raises `NodeError` when another source moves some of it already."""
        at = bisect_left(self._begins, entry.begin)
        if self._touched(entry.begin, entry.end):
            raise NodeError(f"{entry.part.name}: another signal moves it already, or a part of it")
        self._entries.insert(at, entry)
        self._begins.insert(at, entry.begin)
        self._ends.insert(at, entry.end)

    def remove(self, begin: int, end: int) -> None:
        """Takes away the sources that move nothing but bits of [begin, end)."""
        kept = [entry for entry in self._entries if not (begin <= entry.begin and entry.end <= end)]
        self._entries = kept
        self._begins = [entry.begin for entry in kept]
        self._ends = [entry.end for entry in kept]

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        """Fills elements [start, stop) of the root."""
        self.fill_bits(now, start * self._bits, stop * self._bits)

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        """Tells the sources of what was written."""
        self.wrote_bits(now, start * self._bits, stop * self._bits)

    def fill_bits(self, now: float, begin: int, end: int) -> None:
        """Fills what lies at bits [begin, end)."""
        if self._whole is not None:
            self._whole.fill(self._root, now, begin // self._bits, -(-end // self._bits))
        for entry in self._touched(begin, end):
            entry.source.fill(entry.part, now, *entry.elements(begin, end))

    def wrote_bits(self, now: float, begin: int, end: int) -> None:
        """Tells the sources of those bits that a client wrote them."""
        if self._whole is not None:
            self._whole.wrote(self._root, now, begin // self._bits, -(-end // self._bits))
        for entry in self._touched(begin, end):
            entry.source.wrote(entry.part, now, *entry.elements(begin, end))

    def refuses_bits(self, begin: int, end: int) -> bool:
        """Whether a write to those bits is an error."""
        whole = self._whole is not None and self._whole.refuses
        return whole or any(entry.source.refuses for entry in self._touched(begin, end))

    def _touched(self, begin: int, end: int) -> list[Entry]:
        return self._entries[bisect_right(self._ends, begin) : bisect_left(self._begins, end)]
