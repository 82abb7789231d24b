"""What stands between a tag and its clients: refusals and changes of parts of it, a member, an element, a flag.

Nothing is put into the tag's memory: what clients read is made of what is held, each time, so whoever goes leaves
nothing behind. Places are counted in bits from the root's first byte (in elements where those vary in length), as in
`node.memory.part_sources`, so that a read pays for, and takes chances with, what it touches and nothing else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from node.cip.status import CipError
from node.memory.attribute import Attribute, Gate, Value


class Effect(Protocol):
    """What befalls bits [`begin`, `end`) of a root: elements of `attribute`, of `each` bits, from its element `first`
    on."""

    first: int
    begin: int
    end: int
    each: int
    rank: int
    """Those of a lower rank come first, and a later one has the last word."""
    status: tuple[int, ...]
    """The general and extended status that accesses are refused with; none for what only changes values."""

    def take(self, data: bytearray, base: int, start: int, stop: int) -> bytes:
        """Elements [start, stop) of `attribute` out of `data`, the root's bytes from byte `base` on."""

    def lay(self, data: bytearray, base: int, start: int, raw: bytes) -> None:
        """Puts elements back."""

    def changed(self, raw: bytes, index: int, onlooker: bool) -> bytes:
        """What clients see in place of `raw`, whole elements of `attribute` from `index` on. An `onlooker` sees what
        was seen last, and nothing is decided for him."""

    def changed_texts(self, texts: Sequence[Value], index: int) -> Sequence[Value]:
        """The same for texts that vary in length."""


class TagGate:
    """A `memory.attribute.Gate` of effects on `root`; `inner`, when there is one, stands behind it."""

    def __init__(self, root: Attribute, inner: Gate | None = None) -> None:
        self.root = root
        self.inner = inner
        self.effects: tuple[Effect, ...] = ()
        self.onlooker = False
        self._unit = unit_of(root)

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        """Raises `CipError` for elements that an access to is refused."""
        if self.inner is not None:
            self.inner.admit(attribute, now, start, stop, writing)
        self._admit_bits(start * self._unit, stop * self._unit)

    def admit_bits(self, now: float, begin: int, end: int, writing: bool) -> None:
        """The same for bits [`begin`, `end`)."""
        if self.inner is not None:
            self.inner.admit(self.root, now, begin // self._unit, -(-end // self._unit), writing)
        self._admit_bits(begin, end)

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        """What a client sees in place of `values`."""
        root = self.root
        if self.inner is not None:
            values = self.inner.shown(attribute, now, start, values)
        begin, end = start * self._unit, (start + len(values)) * self._unit
        if not root.size:
            texts = list(values)
            for effect in self.touched(begin, end):
                low, high = max(begin, effect.begin), min(end, effect.end)
                texts[low - start : high - start] = effect.changed_texts(texts[low - start : high - start], low)
            return texts
        data = self._change(root.encode(values), start * root.size, begin, end)
        return root.decode(data)

    def shown_bytes(self, now: float, start: int, data: bytes, begin: int, end: int) -> bytes:
        """What clients see in place of `data`, the root's elements from `start` on, when they read bits [`begin`,
        `end`) of the root; beside those it may be anything."""
        root = self.root
        if self.inner is not None:
            data = root.encode(list(self.inner.shown(root, now, start, root.decode(data))))
        return self._change(data, start * root.size, begin, end)

    def refusal(self, begin: int, end: int) -> tuple[int, ...]:
        """The status that accesses to bits [`begin`, `end`) are refused with, none where they are not: that of the last
        effect that has one, unless a later one covers all that the two have in common."""
        shown: list[Effect] = []
        for effect in reversed(self.touched(begin, end)):
            low, high = max(begin, effect.begin), min(end, effect.end)
            if not effect.status:
                shown.append(effect)
            elif not any(later.begin <= low and high <= later.end for later in shown):
                return effect.status
        return ()

    def _admit_bits(self, begin: int, end: int) -> None:
        status = () if self.onlooker else self.refusal(begin, end)
        if status:
            raise CipError(status[0], status[1:])

    def _change(self, data: bytes, base: int, begin: int, end: int) -> bytes:
        changed = bytearray(data)
        for effect in self.touched(begin, end):
            low, high = max(begin, effect.begin) - effect.begin, min(end, effect.end) - effect.begin
            start, stop = effect.first + low // effect.each, effect.first - (-high // effect.each)
            raw = effect.take(changed, base, start, stop)
            effect.lay(changed, base, start, effect.changed(raw, start, self.onlooker))
        return bytes(changed)

    def touched(self, begin: int, end: int) -> list[Effect]:
        """The effects on some of those bits."""
        return [each for each in self.effects if each.begin < end and begin < each.end]


def unit_of(attribute: Attribute) -> int:
    """What one element counts, in bits; 1 where elements vary in length."""
    return 8 * attribute.size or 1


@contextmanager
def as_held(root: Attribute) -> Iterator[None]:
    """While it lasts, who reads `root` sees what it holds, whatever its effects are."""
    gate = root.gate
    if not isinstance(gate, TagGate):
        yield
        return
    effects, gate.effects = gate.effects, ()
    try:
        yield
    finally:
        gate.effects = effects


@contextmanager
def onlooking(root: Attribute) -> Iterator[None]:
    """While it lasts, who reads `root` is refused nothing by its effects, sees the values that clients saw, and leaves
    no trace in what chance decides."""
    gate = root.gate
    if not isinstance(gate, TagGate):
        yield
        return
    gate.onlooker = True
    try:
        yield
    finally:
        gate.onlooker = False
