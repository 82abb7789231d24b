"""What can be between a tag and its clients: an error, a force, a value that stands still, is off, or is none.

    Refused      every access gets a status
    Frozen       reads show what was held at one moment
    Biased       numbers are off by so much
    Spiked       so are those of some reads, as chance decides
    Bad          a value that says that it is none: see `NOT_A_VALUE`
    Forced       reads show what was forced, whatever else there is but a refusal

Writes go on underneath and are seen when what hides them has gone. A number that is off stays within its type; BOOLs,
texts and the characters of strings are no numbers, and are left alone.
"""

import math
from array import array
from collections.abc import Callable, Sequence
from random import Random
from typing import cast

from node.cip.status import DEVICE_STATE_CONFLICT
from node.cip.template import Kind, Template
from node.cip.types import BOOL, LREAL, REAL, Type
from node.errors import NodeError
from node.memory.attribute import Attribute, Value
from node.memory.hooks import without_waiting
from node.memory.part import Part, place_of
from node.memory.structured import StructuredAttribute
from node.memory.tag_gate import Effect, TagGate, unit_of

FROZEN, OFF, BAD, FORCED, REFUSED = range(5)
"""Ranks: what stands still is off all the same, and who forces has the last word over all but a refusal."""

NO_VALUE_STATUS = (DEVICE_STATE_CONFLICT,)
"""How an access is refused to what has no value that says that it is none."""

Number = int | float


class Effected:
    """Elements [`first`, `stop`) of `attribute`, a part or not."""

    rank = OFF
    status: tuple[int, ...] = ()

    def __init__(self, attribute: Attribute, first: int, stop: int) -> None:
        self.attribute = attribute
        self.first = first
        self.stop = stop
        self.root, self.begin = place_of(attribute, first)
        self.each = attribute.each if isinstance(attribute, Part) else unit_of(attribute)
        if not attribute.size:
            self.begin = first
        self.end = self.begin + (stop - first) * self.each

    def meets(self, other: "Effected") -> bool:
        """Whether they touch the same bits."""
        return self.root is other.root and self.begin < other.end and other.begin < self.end

    def take(self, data: bytearray, base: int, start: int, stop: int) -> bytes:
        """Elements [start, stop) out of the root's bytes from byte `base` on."""
        attribute = self.attribute
        if isinstance(attribute, Part):
            return attribute.extract(data, base, start, stop)
        size = attribute.size
        return bytes(data[start * size - base : stop * size - base])

    def lay(self, data: bytearray, base: int, start: int, raw: bytes) -> None:
        """Puts elements back."""
        attribute = self.attribute
        if isinstance(attribute, Part):
            attribute.insert(data, base, start, raw)
        else:
            at = start * attribute.size - base
            data[at : at + len(raw)] = raw

    def changed(self, raw: bytes, index: int, onlooker: bool) -> bytes:
        """Nothing changes."""
        return raw

    def changed_texts(self, texts: Sequence[Value], index: int) -> Sequence[Value]:
        """Nothing changes."""
        return texts


class Refused(Effected):
    """`status` is what every access gets: general, extended."""

    rank = REFUSED

    def __init__(self, attribute: Attribute, first: int, stop: int, status: tuple[int, ...]) -> None:
        super().__init__(attribute, first, stop)
        self.status = status


class Forced(Effected):
    """`values` are seen, one for each element; a structure's may name some of its members."""

    rank = FORCED

    def __init__(self, attribute: Attribute, first: int, stop: int, values: Sequence[Value]) -> None:
        """Raises `CipError` for values that do not fit."""
        super().__init__(attribute, first, stop)
        self.values = [*values]
        self.changed(bytes(attribute.size * (stop - first)), first, True)
        if not attribute.size:
            attribute.encode(self.values)

    def changed(self, raw: bytes, index: int, onlooker: bool) -> bytes:
        """What is forced."""
        attribute = self.attribute
        if not attribute.size:
            return raw
        at = index - self.first
        values = self.values[at : at + len(raw) // attribute.size]
        if isinstance(attribute, StructuredAttribute):
            return attribute.overlay(raw, values)
        return attribute.encode(values)

    def changed_texts(self, texts: Sequence[Value], index: int) -> Sequence[Value]:
        """What is forced."""
        return self.values[index - self.first :][: len(texts)]


class Frozen(Effected):
    """What is held at `now` is seen from then on."""

    rank = FROZEN

    def __init__(self, attribute: Attribute, first: int, stop: int, now: float) -> None:
        super().__init__(attribute, first, stop)
        if attribute.source is not None:
            attribute.source.fill(attribute, now, first, stop)
        root, _ = place_of(attribute, first)
        values = without_waiting(root, lambda: attribute.held(first, stop))
        self._texts = [] if attribute.size else values
        self._raw = attribute.encode(values) if attribute.size else b""

    def changed(self, raw: bytes, index: int, onlooker: bool) -> bytes:
        """What was held."""
        at = (index - self.first) * self.attribute.size
        return self._raw[at : at + len(raw)]

    def changed_texts(self, texts: Sequence[Value], index: int) -> Sequence[Value]:
        """What was held."""
        return self._texts[index - self.first :][: len(texts)]


class Biased(Effected):
    """Numbers are more by `by`. Raises `NodeError` where there is none."""

    def __init__(self, attribute: Attribute, first: int, stop: int, by: float) -> None:
        super().__init__(attribute, first, stop)
        if not has_numbers(attribute.type):
            raise NodeError(f"{attribute.name} is a {attribute.type.name} and no number")
        self._by = by

    def changed(self, raw: bytes, index: int, onlooker: bool) -> bytes:
        """The numbers, and all else as it is."""
        return _of_numbers(self.attribute, raw, self._off)

    def _off(self, kind: Type, value: Number) -> Number:
        if not math.isfinite(value):
            return value
        by = self._by
        if isinstance(kind.low, int):
            by = math.floor(by + 0.5)
        return min(max(value + by, kind.low), kind.high)


class Spiked(Biased):
    """So are they in `percent` of the reads, which `seed` decides."""

    def __init__(
        self, attribute: Attribute, first: int, stop: int, by: float, percent: float = 100.0, seed: int = 0
    ) -> None:
        super().__init__(attribute, first, stop, by)
        self._share = percent / 100
        self._random = Random(seed)
        self._hit = False

    def changed(self, raw: bytes, index: int, onlooker: bool) -> bytes:
        """The numbers, when it is so decided."""
        if not onlooker:
            self._hit = self._random.random() < self._share
        return super().changed(raw, index, onlooker) if self._hit else raw


class Bad(Effected):
    """Every number is the one that says of its type that it is none; what has no such one is refused."""

    rank = BAD

    def __init__(self, attribute: Attribute, first: int, stop: int) -> None:
        super().__init__(attribute, first, stop)
        self.status = () if has_numbers(attribute.type) else NO_VALUE_STATUS

    def changed(self, raw: bytes, index: int, onlooker: bool) -> bytes:
        """The numbers that are none."""
        return _of_numbers(self.attribute, raw, not_a_value)


def not_a_value(kind: Type, value: Number = 0) -> Number:
    """What says of a number of `kind` that it is none: NaN, the lowest of those with a sign, all ones of those without
    (SunSpec Information Model, 4.2.1)."""
    if kind in (REAL, LREAL):
        return math.nan
    return kind.low if kind.low < 0 else kind.high


def has_numbers(kind: Kind) -> bool:
    """Whether there are numbers in it: neither a BOOL nor a text is one."""
    if isinstance(kind, Template):
        return not kind.capacity and any(
            member.bit is None and not member.bits and has_numbers(member.type) for member in kind.visible
        )
    return isinstance(kind, Type) and kind is not BOOL


def put(effect: Effected) -> None:
    """Has it befall its attribute from now on."""
    root = effect.root
    gate = root.gate if isinstance(root.gate, TagGate) else TagGate(root, root.gate)
    gate.effects = tuple(sorted((*gate.effects, cast(Effect, effect)), key=lambda each: each.rank))
    root.gate = gate


def take_away(effect: Effected) -> None:
    """It does no more; nothing happens when it did not."""
    root = effect.root
    gate = root.gate
    if isinstance(gate, TagGate) and any(each is effect for each in gate.effects):
        gate.effects = tuple(each for each in gate.effects if each is not effect)
        root.gate = gate if gate.effects else gate.inner


def _of_numbers(attribute: Attribute, raw: bytes, change: Callable[[Type, Number], Number]) -> bytes:
    kind = attribute.type
    if not isinstance(kind, Template):
        return raw if not isinstance(kind, Type) or kind is BOOL or attribute.bits else _numbers(kind, raw, change)
    data = bytearray(raw)
    for base in range(0, len(raw), kind.size):
        _members(kind, data, base, change)
    return bytes(data)


def _members(template: Template, data: bytearray, base: int, change: Callable[[Type, Number], Number]) -> None:
    if template.capacity:
        return
    for member in template.visible:
        start = base + member.offset
        stop = start + member.size
        if isinstance(member.type, Template):
            for at in range(start, stop, member.type.size):
                _members(member.type, data, at, change)
        elif member.bit is None and not member.bits:
            data[start:stop] = _numbers(member.type, bytes(data[start:stop]), change)


def _numbers(kind: Type, raw: bytes, change: Callable[[Type, Number], Number]) -> bytes:
    return array(kind.typecode, [change(kind, value) for value in array(kind.typecode, raw)]).tobytes()
