"""A tag's values in registers of another type, with a scale: 12.3 V as 123, tenths of a volt, as most devices have it.

    value of the tag = register * scale + offset

What a register cannot hold is shown as the nearest that it can, and NaN as 0. A write must lie within `least` and
`most`, and be something that the tag's type and that of the registers hold; else it is refused (0x09). With a scale of
1 and an offset of 0 nothing is reckoned: a float has 53 bits, and a LINT has more.
"""

import math

from node.cip.status import INVALID_ATTRIBUTE_VALUE, CipError
from node.cip.template import Template
from node.cip.text import TextType
from node.cip.types import BOOL, Type, Value, decode_values, encode_values
from node.errors import RemoteProtocolError
from node.memory.attribute import Attribute
from node.memory.view import BlockError, Commit, Reader, Span, admit_write, block_attribute, stored
from node.memory.word_order import ORDERS
from node.modbus.values import decode_registers, encode_registers, registers_of
from node.record import dataclass


@dataclass(frozen=True, slots=True)
class Scaling:
    """`kind` is the type of the registers, `scale` not 0; writes outside `least` to `most` are refused."""

    kind: Type
    scale: float = 1.0
    offset: float = 0.0
    least: float = -math.inf
    most: float = math.inf

    @property
    def plain(self) -> bool:
        """Whether a register holds the very value."""
        return self.scale == 1.0 and self.offset == 0.0


class ScaledView:
    """`count` registers that show `attribute` from its first element on, in word order `order`. Raises `BlockError`
    for a tag that is no number, or has fewer registers."""

    __slots__ = ("_attribute", "_each", "_order", "_scaling", "_type", "count")

    def __init__(self, attribute: Attribute, count: int, scaling: Scaling, order: str = "ABCD") -> None:
        held, kind = attribute.type, scaling.kind
        if isinstance(held, Template | TextType) or BOOL in (held, kind) or order not in ORDERS or not scaling.scale:
            raise BlockError(f"tag {attribute.name!r} of {held.name} cannot be {kind.name} in registers, scaled")
        self._each = registers_of(kind)
        self._attribute = block_attribute(attribute, count, self._each * len(attribute), "registers")
        self._type = held
        self._scaling = scaling
        self._order = order
        self.count = count

    def span(self, start: int, stop: int) -> Span:
        return self._attribute, start // self._each, -(-stop // self._each)

    def read(self, start: int, stop: int, now: float) -> bytes:
        attribute, first, last = self.span(start, stop)
        data = self._shown(attribute.dump(first, last, now))
        skip = start - first * self._each
        return data[2 * skip : 2 * (skip + stop - start)]

    def reader(self, start: int, stop: int) -> Reader:
        return lambda now: self.read(start, stop, now)

    def stage(self, start: int, data: bytes, now: float) -> Commit:
        attribute, first, last = self.span(start, start + len(data) // 2)
        admit_write(attribute, first, last, now)
        if len(data) != 2 * self._each * (last - first):
            whole = bytearray(self._shown(stored(attribute, first, last, now)))
            skip = 2 * (start - first * self._each)
            whole[skip : skip + len(data)] = data
            data = bytes(whole)
        try:
            registers = decode_registers(self._scaling.kind, data, self._order)
        except RemoteProtocolError as exc:  # more than the one byte that a register shows
            raise CipError(INVALID_ATTRIBUTE_VALUE) from exc
        raw = encode_values(self._type, [self._meant(value) for value in registers])
        return lambda: attribute.load(first, raw, now)

    def _shown(self, data: bytes) -> bytes:
        """Elements as they are held to registers."""
        scaling, kind = self._scaling, self._scaling.kind
        values = decode_values(self._type, data)
        if not scaling.plain:
            values = [(value - scaling.offset) / scaling.scale for value in values]
        if isinstance(kind.low, int):
            values = [_nearest_whole(kind, value) for value in values]
        else:
            values = [_nearest(kind, value) for value in values]
        return encode_registers(kind, values, self._order)

    def _meant(self, register: Value) -> Value:
        """The tag's value for that of a register. Raises `CipError`."""
        scaling = self._scaling
        value = register if scaling.plain else register * scaling.scale + scaling.offset
        if not scaling.least <= value <= scaling.most:
            raise CipError(INVALID_ATTRIBUTE_VALUE)
        held = self._type
        if isinstance(held.low, int):
            if math.isinf(value):
                raise CipError(INVALID_ATTRIBUTE_VALUE)
            value = round(value)
        if not held.low <= value <= held.high and not math.isinf(value):
            raise CipError(INVALID_ATTRIBUTE_VALUE)
        return value


def _nearest(kind: Type, value: Value) -> Value:
    """`value` as a type of floats can have it: what is finite stays so."""
    return min(max(value, kind.low), kind.high) if math.isfinite(value) else value


def _nearest_whole(kind: Type, value: Value) -> Value:
    """`value` as a type of whole numbers can have it."""
    if math.isnan(value):
        return 0
    within = min(max(value, kind.low), kind.high)
    return within if isinstance(within, int) else min(max(round(within), int(kind.low)), int(kind.high))
