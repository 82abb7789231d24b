"""A tag of a Modbus device, by what its manual says of it: table, address, type, word order.

A Modbus reply is bits and 16-bit numbers; which of them are a REAL, and which word comes first, stands in no reply.
`TagRegisters` holds that, so that `farm read METER Voltage` and `40001` are the same thing.
"""

import math
from collections.abc import Sequence

from node.cip.template import Template
from node.cip.text import TextType
from node.cip.types import BOOL, Type, Value, parse_value
from node.client.modbus_aio import AsyncModbus
from node.client.tag_values import TagType, named_type
from node.errors import LocalProtocolError
from node.modbus.ranges import BIT_TABLES, WRITABLE_TABLES, register_text
from node.modbus.values import registers_of
from node.record import dataclass

Item = bool | int | float | str


@dataclass(frozen=True, slots=True)
class TagRegisters:
    """`count` registers (or coils) of `table` from wire address `start` on show a tag of `length` elements of the CIP
    type named `type_name`, in word order `order`. A text takes an equal share of the registers. Registers may be of
    another type, `shown_as` ("" for the tag's): a value is the register times `scale`, and `offset`."""

    unit: int
    table: str
    start: int
    count: int
    type_name: str
    length: int
    order: str = "ABCD"
    shown_as: str = ""
    scale: float = 1.0
    offset: float = 0.0

    @property
    def kind(self) -> TagType:
        """The type of the registers. Raises `LocalProtocolError` for a name that is none."""
        return named_type(self.shown_as or self.type_name)

    @property
    def scaled(self) -> bool:
        """Whether the tag's values are not those of the registers."""
        return bool(self.shown_as) or (self.scale, self.offset) != (1.0, 0.0)

    @property
    def each(self) -> int:
        """Registers, or bits, of one element."""
        kind = self.kind
        if isinstance(kind, TextType | Template):
            return max(1, self.count // self.length)
        if self.table in BIT_TABLES:
            return 1 if kind is BOOL else 8 * kind.size
        return registers_of(kind)

    @property
    def elements(self) -> int:
        """Whole elements that the registers show."""
        return self.count // self.each

    @property
    def numbers(self) -> str:
        """The register numbers as people write them: `40001-40002`."""
        return register_text(self.table, self.start, self.count)


async def read_tag(device: AsyncModbus, tag: TagRegisters, first: int, count: int) -> list[Item]:
    """`count` elements from `first` on. Raises what `AsyncModbus` raises."""
    address = tag.start + first * tag.each
    kind = tag.kind
    if isinstance(kind, TextType | Template):
        each = tag.each
        return [await device.read_text(tag.table, address + at * each, each, tag.order) for at in range(count)]
    if tag.table in BIT_TABLES:
        return _from_bits(kind, await device.read_bits(tag.table, address, count * tag.each))
    values = await device.read_values(tag.table, address, kind, count, tag.order)
    return [_value(tag, register) for register in values] if tag.scaled else list(values)


async def write_tag(device: AsyncModbus, tag: TagRegisters, first: int, values: Sequence[str]) -> None:
    """Writes `values`, as a person types them, from element `first` on.

    Raises `LocalProtocolError` for a table that cannot be written or a value that the type cannot hold.
    """
    if tag.table not in WRITABLE_TABLES:
        raise LocalProtocolError(f"{tag.numbers} are {tag.table} registers, which Modbus cannot write")
    address = tag.start + first * tag.each
    kind = tag.kind
    if isinstance(kind, TextType | Template):
        for at, text in enumerate(values):
            await device.write_text(address + at * tag.each, text, tag.each, tag.order)
        return
    numbers = [_register(tag, kind, value) if tag.scaled else parse_value(kind, value) for value in values]
    if tag.table in BIT_TABLES:
        await device.write_bits(address, _to_bits(kind, numbers))
    else:
        await device.write_values(address, kind, numbers, tag.order)


def _value(tag: TagRegisters, register: Value) -> Value:
    """The tag's value for that of a register: whole for a whole type."""
    value = register * tag.scale + tag.offset
    held = named_type(tag.type_name)
    return round(value) if isinstance(held, Type) and isinstance(held.low, int) and math.isfinite(value) else value


def _register(tag: TagRegisters, kind: Type, text: str) -> Value:
    """The register for a value as a person types it. Raises `LocalProtocolError` for one that no register holds."""
    held = named_type(tag.type_name)
    value = (parse_value(held, text) if isinstance(held, Type) else 0) - tag.offset
    register: Value = value / tag.scale
    if isinstance(kind.low, int):
        register = round(register) if math.isfinite(register) else math.inf
        if not kind.low <= register <= kind.high:
            least, most = sorted((kind.low * tag.scale + tag.offset, kind.high * tag.scale + tag.offset))
            raise LocalProtocolError(f"{text} does not fit registers of {kind.name} ({least:g} to {most:g})")
    return register


def _from_bits(kind: Type, bits: Sequence[bool]) -> list[Item]:
    """One bit a BOOL, else 8 to 64 an element, the lowest first."""
    if kind is BOOL:
        return list(bits)
    size = 8 * kind.size
    unsigned = [sum(bit << at for at, bit in enumerate(bits[k : k + size])) for k in range(0, len(bits), size)]
    return [value - (1 << size) if value > kind.high else value for value in unsigned]


def _to_bits(kind: Type, values: Sequence[Value]) -> list[bool]:
    if kind is BOOL:
        return [bool(value) for value in values]
    for value in values:
        if not isinstance(value, int) or not kind.low <= value <= kind.high:
            raise LocalProtocolError(f"{value!r} does not fit {kind.name} ({kind.low} to {kind.high})")
    return [bool(int(value) >> at & 1) for value in values for at in range(8 * kind.size)]
