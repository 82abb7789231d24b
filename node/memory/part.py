"""Attributes that lie within another one's bytes: a member of a structure, an element, a bit.

A part has no memory, rights, source or gate of its own: it is a view on those of its `root`, the attribute that a tag
is. A client that writes `Pump.Speed` and one that reads `Pump` meet in the same bytes, under the same gate. A source
given to a part moves that part alone (`node.memory.part_sources`).

Places are in bits from the root's first byte, because a BOOL member is no more than that.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import cast
from weakref import WeakSet

from node.cip.template import Kind, Member, Template
from node.cip.types import BOOL, SINT
from node.memory.attribute import Attribute, Gate, Source, Value
from node.memory.part_sources import Entry, PartSources
from node.memory.structured import StructuredAttribute

_FROM_DIGITS = bytes.maketrans(b"01", b"\0\1")
_TO_DIGITS = b"01" + b"1" * 254


class Part(Attribute):
    """Elements of `each` bits from bit `begin` of `root` on."""

    def __init__(
        self, root: Attribute, begin: int, each: int, type: Kind, dimensions: Sequence[int], name: str
    ) -> None:
        self.root = root
        self.begin = begin
        self.each = each
        self._memory = memoryview(root.array).cast("B")
        super().__init__(type, dimensions, None, name)
        if root._parts is None:
            root._parts = WeakSet()
        root._parts.add(self)
        self._follow_root()

    def _follow_root(self) -> None:
        root = self.root
        self._writable, self._readable, self._bool_true = root._writable, root._readable, root._bool_true
        self.wire_bools = root.wire_bools
        self._source = None if root._source is None else _RootSource(self)
        self._gate = None if root._gate is None else _RootGate(self)

    def _put_source(self, source: Source | None) -> None:
        attach(self, 0, self.length, source)

    def _put_gate(self, gate: Gate | None) -> None:
        self.root.gate = gate

    def watch(self, changed: Callable[[], None]) -> None:
        """Has `changed` called when something comes or goes at the root."""
        self.root.watch(changed)

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """The bits of the root that elements [start, stop) are."""
        return self.begin + start * self.each, self.begin + stop * self.each

    def elements(self, start: int, stop: int) -> tuple[int, int]:
        """The root's elements that elements [start, stop) touch."""
        begin, end = self.span(start, stop)
        bits = 8 * self.root.size
        return begin // bits, -(-end // bits)

    def item(self, index: int) -> Value:
        """One element's value. Raises `IndexError`."""
        start = index + self.length if index < 0 else index
        if not 0 <= start < self.length:
            raise IndexError(f"element {index} of {self.length}")
        return self.decode(self._take(start, start + 1))[0]

    def extract(self, data: bytes, base: int, start: int, stop: int) -> bytes:
        """Elements [start, stop) out of `data`, the root's bytes from byte `base` on."""
        begin, end = self.span(start, stop)
        return bytes(data[begin // 8 - base : end // 8 - base])

    def insert(self, data: bytearray, base: int, start: int, values: bytes) -> None:
        """Puts elements into `data`, the root's bytes from byte `base` on."""
        at = self.span(start, start)[0] // 8 - base
        data[at : at + len(values)] = values

    def _take(self, start: int, stop: int) -> bytes:
        root = self.root
        if root._direct:
            begin, end = self.span(start, stop)
            return self.extract(bytes(self._memory[begin // 8 : -(-end // 8)]), begin // 8, start, stop)
        first, last = self.elements(start, stop)
        return self.extract(root.encode(root[first:last]), first * root.size, start, stop)

    def _store(self, start: int, data: bytes) -> None:
        root = self.root
        stop = start + len(data) // self.size
        if root._direct_set:
            begin, end = self.span(start, stop)
            held = bytearray(self._memory[begin // 8 : -(-end // 8)])
            self.insert(held, begin // 8, start, data)
            self._memory[begin // 8 : -(-end // 8)] = held
            return
        first, last = self.elements(start, stop)
        whole = bytearray(root.encode(root[first:last]))
        self.insert(whole, first * root.size, start, data)
        root[first:last] = root.decode(bytes(whole))

    def view(self, start: int, stop: int) -> memoryview | None:
        """As `Attribute.view`; None too when the root's elements are not what its bytes say."""
        return super().view(start, stop) if self.root._direct else None


class MemberAttribute(Part):
    """Whole elements of a type of their own: a member, or an element. `bits` as a `Member`'s."""

    def __init__(
        self, root: Attribute, begin: int, type: Kind, dimensions: Sequence[int], name: str, bits: int = 0
    ) -> None:
        self.bits = bits
        super().__init__(root, begin, 8 * type.size, type, dimensions, name)

    def _allocate(self) -> "array[int] | array[float]":
        start = self.begin // 8
        cells = self._memory[start : start + self.length * self.size].cast(self.typecode)  # type: ignore[call-overload]
        return cast("array[int]", cells)

    @property
    def unpacked(self) -> Attribute:
        """The BOOLs of an array of them."""
        return BitAttribute(self.root, self.begin, (self.bits,), self.name) if self.bits else self

    def _modified(self, index: int, touched: int, now: float) -> None:
        tell_flags(self, index, touched, now)


class MemberStructure(MemberAttribute, StructuredAttribute):
    """A member that is a structure, or an array of them."""


class BitAttribute(Part):
    """BOOLs that are one bit each: a member, bits of an integer, the elements of a packed array. `array` is what a
    source writes them through."""

    def __init__(self, root: Attribute, begin: int, dimensions: Sequence[int], name: str) -> None:
        super().__init__(root, begin, 1, BOOL, dimensions, name)

    def _allocate(self) -> "array[int] | array[float]":
        return cast("array[int]", _BitCells(self))

    def view(self, start: int, stop: int) -> memoryview | None:
        """None: there are no bytes that are BOOLs. For one bit see `live`."""
        return None

    def live(self) -> tuple[memoryview, int] | None:
        """A live view of the byte of the first bit, and the mask of the bit in it; None as for `view`."""
        byte = self.begin // 8
        seen = MemberAttribute(self.root, 8 * byte, SINT, (), self.name).view(0, 1)
        return None if seen is None else (seen, 1 << self.begin % 8)

    def extract(self, data: bytes, base: int, start: int, stop: int) -> bytes:
        """A byte of 0 or 1 each."""
        begin, end = self.span(start, stop)
        count = stop - start
        if not count:
            return b""
        low = begin // 8 - base
        number = int.from_bytes(data[low : -(-end // 8) - base], "little") >> begin % 8
        if count == 1:
            return b"\1" if number & 1 else b"\0"
        return f"{number & (1 << count) - 1:0{count}b}".encode()[::-1].translate(_FROM_DIGITS)

    def insert(self, data: bytearray, base: int, start: int, values: bytes) -> None:
        """Any byte but 0 is true; bits beside them stay."""
        if not values:
            return
        begin, end = self.span(start, start + len(values))
        low, high = begin // 8 - base, -(-end // 8) - base
        shift = begin % 8
        mask = (1 << len(values)) - 1 << shift
        bits = int(values[::-1].translate(_TO_DIGITS), 2) << shift
        held = int.from_bytes(data[low:high], "little")
        data[low:high] = (held & ~mask | bits).to_bytes(high - low, "little")


class _BitCells:
    """What looks like an array of bytes of 0 and 1 and is bits."""

    __slots__ = ("_bits",)

    typecode = "B"

    def __init__(self, bits: BitAttribute) -> None:
        self._bits = bits

    def __len__(self) -> int:
        return self._bits.length

    def __getitem__(self, key: int | slice) -> "int | array[int]":
        if isinstance(key, int):
            return self._bits._take(key, key + 1)[0]
        start, stop, _ = key.indices(self._bits.length)
        return array("B", self._bits._take(start, stop))

    def __setitem__(self, key: int | slice, value: "int | array[int]") -> None:
        start = key if isinstance(key, int) else key.indices(self._bits.length)[0]
        self._bits._store(start, bytes((value,)) if isinstance(value, int) else value.tobytes())


class _RootSource:
    """The root's source, as a part of it sees it."""

    __slots__ = ("_part",)

    def __init__(self, part: Part) -> None:
        self._part = part

    @property
    def refuses(self) -> bool:
        source = self._part.root.source
        if isinstance(source, PartSources):
            return source.refuses_bits(*self._part.span(0, self._part.length))
        return source is not None and source.refuses

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        part = self._part
        source = part.root.source
        if isinstance(source, PartSources):
            source.fill_bits(now, *part.span(start, stop))
        elif source is not None:
            source.fill(part.root, now, *part.elements(start, stop))

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        part = self._part
        source = part.root.source
        if isinstance(source, PartSources):
            source.wrote_bits(now, *part.span(start, stop))
        elif source is not None:
            source.wrote(part.root, now, *part.elements(start, stop))


class _RootGate:
    """The root's gate, as a part of it meets it."""

    __slots__ = ("_part",)

    def __init__(self, part: Part) -> None:
        self._part = part

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        gate = self._part.root.gate
        if gate is not None:
            gate.admit(self._part.root, now, *self._part.elements(start, stop), writing)

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        part, root = self._part, self._part.root
        stop = start + len(values)
        first, last = part.elements(start, stop)
        gate = root.gate
        if gate is None:
            return values
        held = root[first:last]
        seen = list(gate.shown(root, now, first, held))
        return values if seen == held else part.decode(part.extract(root.encode(seen), first * root.size, start, stop))


def member_of(attribute: Attribute, start: int, member: Member, name: str) -> Part:
    """The member of element `start` of a structured attribute."""
    root, begin = _place(attribute, start)
    if member.bit is not None:
        return BitAttribute(root, begin + 8 * member.offset + member.bit, (), name)
    made = MemberStructure if isinstance(member.type, Template) else MemberAttribute
    dimensions = (member.length,) if member.length else ()
    return made(root, begin + 8 * member.offset, member.type, dimensions, name, member.bits)


def bit_of(attribute: Attribute, start: int, bit: int, name: str) -> BitAttribute:
    """Bit `bit` of element `start` of an integer attribute, 0 the lowest."""
    root, begin = _place(attribute, start)
    return BitAttribute(root, begin + bit, (), name)


def element_of(attribute: Attribute, start: int, name: str) -> Part:
    """Element `start` alone, as if it were a tag of no dimensions. The attribute's elements have a fixed size."""
    root, begin = _place(attribute, start)
    if isinstance(attribute, BitAttribute):
        return BitAttribute(root, begin, (), name)
    made = MemberStructure if isinstance(attribute.type, Template) else MemberAttribute
    return made(root, begin, attribute.type, (), name, min(32, attribute.bits - 32 * start) if attribute.bits else 0)


def attach(attribute: Attribute, start: int, stop: int, source: Source | None) -> None:
    """Has `source` move elements [start, stop) of `attribute`, a part or not, and no others; None takes away what
    moves them. Raises `NodeError` when another source moves some of them."""
    root = attribute.root if isinstance(attribute, Part) else attribute
    sources = root._source if isinstance(root._source, PartSources) else PartSources(root, root._source)
    begin, each = (attribute.begin, attribute.each) if isinstance(attribute, Part) else (0, 8 * attribute.size)
    entry_span = begin + start * each, begin + stop * each
    if source is None:
        sources.remove(*entry_span)
    else:
        sources.add(Entry(attribute, start, *entry_span, each, source))
    root._source = sources
    root._changed()


def tell_flags(attribute: Attribute, index: int, touched: int, now: float) -> None:
    """Tells the source of `attribute` which bits of element `index` were written: of packed BOOLs those alone."""
    source = attribute._source
    unpacked = attribute.unpacked
    if source is None:
        return
    if unpacked is attribute or unpacked._source is None:
        source.wrote(attribute, now, index, index + 1)
        return
    for flag in range(32 * index, min(32 * index + 32, attribute.bits)):
        if touched >> flag % 32 & 1:
            unpacked._source.wrote(unpacked, now, flag, flag + 1)


def _place(attribute: Attribute, start: int) -> tuple[Attribute, int]:
    if isinstance(attribute, Part):
        return attribute.root, attribute.begin + start * attribute.each
    return attribute, 8 * attribute.size * start
