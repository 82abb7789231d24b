"""Attributes that lie within another one's bytes: a member of a structure, an element, a bit.

A part has no memory, rights, source or gate of its own: it is a view on those of its `root`, the attribute that a tag
is. A client that writes `Pump.Speed` and one that reads `Pump` meet in the same bytes, under the same gate. A source
given to a part moves that part alone (`node.memory.part_sources`).

Places are in bits from the root's first byte, because a BOOL member is no more than that.
"""

from collections.abc import Callable, Sequence
from weakref import WeakSet

from node.cip.template import Kind
from node.memory.attribute import Attribute, Gate, Source, Value
from node.memory.part_sources import Entry, PartSources
from node.memory.tag_gate import TagGate


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
        self.wire_bools, self.aside = root.wire_bools, root.aside
        self._source = None if root._source is None else _RootSource(self)
        self._gate = None if root._gate is None else _RootGate(self)

    def _put_source(self, source: Source | None) -> None:
        attach(self, 0, self.length, source)

    def _put_gate(self, gate: Gate | None) -> None:
        self.root.gate = gate

    @property
    def hooked(self) -> bool:
        """As its root is."""
        return self.root.hooked

    def enter(self, writing: bool) -> None:
        """As of its root, of which a write of a part is a read too."""
        self.root.enter(False)
        if writing:
            self.root.enter(True)

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

    def extract(self, data: bytes | bytearray, base: int, start: int, stop: int) -> bytes:
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
        return self.extract(root.encode(root.held(first, last)), first * root.size, start, stop)

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
        whole = bytearray(root.encode(root.held(first, last)))
        self.insert(whole, first * root.size, start, data)
        root._put(first, root.decode(bytes(whole)))

    def view(self, start: int, stop: int) -> memoryview | None:
        """As `Attribute.view`; None too when the root's elements are not what its bytes say."""
        return super().view(start, stop) if self.root._direct else None


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
        part = self._part
        gate = part.root.gate
        if isinstance(gate, TagGate):
            gate.admit_bits(now, *part.span(start, stop), writing)
        elif gate is not None:
            gate.admit(part.root, now, *part.elements(start, stop), writing)

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        part, root = self._part, self._part.root
        stop = start + len(values)
        first, last = part.elements(start, stop)
        gate = root.gate
        if gate is None:
            return values
        if isinstance(gate, TagGate):
            data = root._take(first, last) if root._direct else root.encode(root.held(first, last))
            seen = gate.shown_bytes(now, first, data, *part.span(start, stop))
            return part.decode(part.extract(seen, first * root.size, start, stop))
        held = root.held(first, last)
        shown = list(gate.shown(root, now, first, held))
        if shown == held:
            return values
        return part.decode(part.extract(root.encode(shown), first * root.size, start, stop))


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


def place_of(attribute: Attribute, start: int) -> tuple[Attribute, int]:
    """The root of an attribute, and the bit of it that element `start` begins with."""
    if isinstance(attribute, Part):
        return attribute.root, attribute.begin + start * attribute.each
    return attribute, 8 * attribute.size * start
