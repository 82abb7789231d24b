"""The four tables of one device: sparse blocks over 65,536 addresses each, every block a tag.

A request may begin in one block and end in the next, or name an address that is nowhere. Checking that by walking
all the blocks, or all the addresses, is what makes other simulators slow on large maps; here blocks lie sorted, the
first is found by bisection and only those that were asked are looked at, so a check costs what the answer costs.

Clients never write `discrete` and `input`. Blocks that touch are read and written as one run, whatever their tags.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Generic, TypeVar

from node.cip.template import Template
from node.cip.text import TextType
from node.cip.types import BOOL, LREAL, REAL
from node.memory.attribute import Attribute
from node.memory.part import Part
from node.memory.tag_gate import as_held
from node.memory.text_view import TextRegisterView
from node.memory.view import (
    BitView,
    BlockError,
    ByteRegisterView,
    Coils,
    CoilView,
    Reader,
    Registers,
    RegisterView,
    Span,
    admit_read,
)
from node.modbus.functions import ILLEGAL_DATA_ADDRESS, ModbusError
from node.modbus.guarded import GuardedCoils, GuardedRegisters
from node.modbus.ranges import BIT_TABLES, COILS, DISCRETE, HOLDING, INPUT
from node.modbus.scaled import ScaledView, Scaling

ADDRESSES = 65536

_View = TypeVar("_View", Coils, Registers)


class _Table(Generic[_View]):
    """The blocks of one table in order of address."""

    __slots__ = ("_name", "_starts", "_stops", "_views")

    def __init__(self, name: str) -> None:
        self._name = name
        self._starts: list[int] = []
        self._stops: list[int] = []
        self._views: list[_View] = []

    @property
    def stop(self) -> int:
        return self._stops[-1] if self._stops else 0

    def add(self, start: int, view: _View) -> None:
        stop = start + view.count
        if start < 0 or stop > ADDRESSES:
            raise BlockError(f"{self._name} {start} to {stop - 1}; addresses are 0 to {ADDRESSES - 1}")
        index = bisect_right(self._starts, start)
        for other in (index - 1, index):
            if 0 <= other < len(self._starts) and self._starts[other] < stop and start < self._stops[other]:
                there = f"{self._starts[other]} to {self._stops[other] - 1}"
                raise BlockError(f"{self._name} {start} to {stop - 1} and {there} overlap; an address is in one block")
        self._starts.insert(index, start)
        self._stops.insert(index, stop)
        self._views.insert(index, view)

    def find(self, start: int, count: int) -> list[tuple[_View, int, int]]:
        """The blocks that hold `count` addresses from `start` on, each with the part of it that is meant. Raises
        `ModbusError` 02 when one of the addresses is in no block."""
        stop = start + count
        index = bisect_right(self._starts, start) - 1
        spans = []
        at = start
        while 0 <= index < len(self._starts) and self._starts[index] <= at < self._stops[index]:
            begin, end = self._starts[index], min(self._stops[index], stop)
            spans.append((self._views[index], at - begin, end - begin))
            if end == stop:
                return spans
            at = end
            index += 1
        raise ModbusError(ILLEGAL_DATA_ADDRESS, f"no {self._name} at {at}")


class RegisterBank:
    """What one unit id answers for. Addresses are wire addresses, 0 to 65535."""

    def __init__(self) -> None:
        self._bits: dict[str, _Table[Coils]] = {name: _Table(name) for name in BIT_TABLES}
        self._words: dict[str, _Table[Registers]] = {name: _Table(name) for name in (INPUT, HOLDING)}
        self._attributes: list[Attribute] = []
        self._watchers: list[Callable[[], None]] = []

    def add(
        self,
        table: str,
        start: int,
        count: int,
        attribute: Attribute,
        order: str = "ABCD",
        *,
        access: str = "",
        scaling: Scaling | None = None,
    ) -> None:
        """Shows `attribute` from its first element on as `count` registers or coils from `start` on. `access` may be
        `READ_ONLY` or `WRITE_ONLY`; with `scaling` its values are shown in registers of another type.

        Raises `BlockError` when the block overlaps another, passes the end of the table, or when the tag is too
        short or of a type that cannot be shown there.
        """
        if table in self._bits:
            coils = _coils(attribute, count)
            self._bits[table].add(start, GuardedCoils(coils, access) if access else coils)
        elif table in self._words:
            shown = ScaledView(attribute, count, scaling, order) if scaling else _registers(attribute, count, order)
            self._words[table].add(start, GuardedRegisters(shown, access) if access else shown)
        else:
            raise BlockError(f"table {table!r}; there are {COILS}, {DISCRETE}, {INPUT}, {HOLDING}")
        self._attributes.append(attribute)
        for changed in self._watchers:
            attribute.watch(changed)

    @property
    def hooked(self) -> list[Attribute]:
        """The tags whose hooks may block."""
        return [attribute for attribute in self._attributes if attribute.aside is not None]

    def watch(self, changed: Callable[[], None]) -> None:
        """Has `changed` called when a `reader` may be void, for a source or gate of a tag came or went."""
        self._watchers.append(changed)
        for attribute in self._attributes:
            attribute.watch(changed)

    def reader(self, table: str, start: int, count: int) -> Reader:
        """A prepared read: called with `now` it gives the data of a reply, packed coils or big-endian registers.

        Raises `ModbusError` 02; what it gives raises `CipError` when a gate does not admit the read.
        """
        if table in self._bits:
            return _coils_reader(self._bits[table].find(start, count), (count + 7) // 8)
        readers = [view.reader(first, last) for view, first, last in self._words[table].find(start, count)]
        if len(readers) == 1:
            return readers[0]
        return lambda now: b"".join([read(now) for read in readers])

    def spans(self, table: str, start: int, count: int) -> list[Span]:
        """The tags' elements that hold `count` addresses from `start` on. Raises `ModbusError` 02."""
        if table in self._bits:
            return [view.span(first, last) for view, first, last in self._bits[table].find(start, count)]
        return [view.span(first, last) for view, first, last in self._words[table].find(start, count)]

    def admit_read(self, table: str, start: int, count: int, now: float) -> None:
        """Raises what a read of them now would: `ModbusError` 02, `CipError`. Nothing is read."""
        self.reader(table, start, count)
        for attribute, first, last in self.spans(table, start, count):
            admit_read(attribute, first, last, now)

    def held(self, address: int, now: float) -> bytes:
        """A holding register as its tag holds it, whatever clients are shown in its place. Raises `ModbusError` 02."""
        ((view, first, last),) = self._words[HOLDING].find(address, 1)
        attribute, _, _ = view.span(first, last)
        with as_held(attribute.root if isinstance(attribute, Part) else attribute):
            return view.read(first, last, now)

    def size(self, table: str) -> int:
        """The address behind the last one of a table; 0 for an empty one."""
        return (self._bits.get(table) or self._words[table]).stop

    def write_registers(self, start: int, data: bytes, now: float) -> None:
        """Holding registers from `start` on, all or none. Raises `ModbusError` 02, `CipError`."""
        for commit in self.stage_registers(start, data, now):
            commit()

    def stage_registers(self, start: int, data: bytes, now: float) -> list[Callable[[], None]]:
        """The same, but for the last step: calling what it gives writes them. Raises `ModbusError` 02, `CipError`."""
        staged: list[Callable[[], None]] = []
        at = 0
        for view, first, last in self._words[HOLDING].find(start, len(data) // 2):
            size = 2 * (last - first)
            staged.append(view.stage(first, data[at : at + size], now))
            at += size
        return staged

    def write_coils(self, start: int, count: int, bits: int, now: float) -> None:
        """Coils from `start` on, all or none; the first is the lowest bit. Raises `ModbusError` 02, `CipError`."""
        staged = []
        for view, first, last in self._bits[COILS].find(start, count):
            size = last - first
            staged.append(view.stage(first, last, bits & (1 << size) - 1, now))
            bits >>= size
        for commit in staged:
            commit()


def _coils_reader(spans: list[tuple[Coils, int, int]], size: int) -> Reader:
    def read(now: float) -> bytes:
        bits = shift = 0
        for view, first, last in spans:
            bits |= view.read(first, last, now) << shift
            shift += last - first
        return bits.to_bytes(size, "little")

    return read


def _registers(attribute: Attribute, count: int, order: str) -> Registers:
    shown = attribute.unpacked
    kind = shown.type
    if isinstance(kind, TextType) or (isinstance(kind, Template) and kind.capacity):
        return TextRegisterView(shown, kind, count, order)
    if kind.size == 1:
        return ByteRegisterView(shown, count, order)
    return RegisterView(shown, count, order)


def _coils(attribute: Attribute, count: int) -> Coils:
    shown = attribute.unpacked
    kind = shown.type
    if kind is BOOL:
        return CoilView(shown, count)
    if isinstance(kind, TextType | Template) or kind in (REAL, LREAL):
        raise BlockError(f"tag {attribute.name!r} of {kind.name} has no bits to show as coils")
    return BitView(shown, count)
