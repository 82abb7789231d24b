"""A typed vector: what a controller remembers under one name, and the one place where a value gets its meaning.

Every protocol, the signals, the commands and the players reach a value through an `Attribute`, so a subclass that
overrides `__getitem__`/`__setitem__` is seen by all of them: `node.memory.hooks` says how. Elements live in an
`array.array` (BOOL as one byte, 0 or 1), which on a little-endian host is wire order already: reading a hundred INTs is
a slice and no conversion. Hosts that are big-endian are refused at import, for every reply of theirs would be wrong.

A read is: rights (`readable`), `source.fill`, then `gate.admit`, then the elements, then `gate.shown`. A write is:
rights (`readable`, `writable`, `source.refuses`), then `gate.admit`, then all elements or none, then `source.wrote`.

What lies within an attribute's bytes (a member, a bit) is an attribute too: see `node.memory.part`.
"""

import sys
from array import array
from collections.abc import Callable, Sequence
from functools import cache
from types import MappingProxyType
from typing import ClassVar, Protocol, overload
from weakref import WeakSet

from node.cip.status import (
    ATTRIBUTE_NOT_SETTABLE,
    GENERAL_ERROR,
    INDEX_PAST_END,
    INVALID_ATTRIBUTE_VALUE,
    NO_ACCESS,
    NOT_ENOUGH_DATA,
    CipError,
)
from node.cip.structure_values import StructureValue
from node.cip.template import Kind
from node.cip.text import TextType
from node.cip.types import BOOL, BOOL_TRUE, Type
from node.errors import NodeError
from node.memory.hooks import Aside, fetch, put

if sys.byteorder != "little":
    raise ImportError("node.memory keeps values in wire order and needs a little-endian host; this one is big-endian")

Value = StructureValue

_BOOLS = bytes([0]) + bytes([1]) * 255


class Instant:
    """The moment a controller is serving: `now`, in seconds on its monotonic clock, set once for all the frames that
    came together, so that one frame never sees two times."""

    __slots__ = ("now",)

    def __init__(self, now: float = 0.0) -> None:
        self.now = now


class Source(Protocol):
    """Who writes an attribute before it is read: a signal, a player. `start` and `stop` are elements."""

    @property
    def refuses(self) -> bool:
        """True when a client's write is an error."""

    def fill(self, attribute: "Attribute", now: float, start: int, stop: int) -> None:
        """Puts the values of the moment into `attribute.array[start:stop]`."""

    def wrote(self, attribute: "Attribute", now: float, start: int, stop: int) -> None:
        """Told after a client wrote those elements."""


class Gate(Protocol):
    """What stands between an attribute and its clients: a tag in error, a frozen, forced or biased value."""

    def admit(self, attribute: "Attribute", now: float, start: int, stop: int, writing: bool) -> None:
        """Raises `CipError` when the access is to fail."""

    def shown(self, attribute: "Attribute", now: float, start: int, values: "Sequence[Value]") -> "Sequence[Value]":
        """What a client sees in place of `values`, which begin at element `start`; as many as were given."""


class Tags(Protocol):
    """Tags by name (`node.memory.tags.TagTable`)."""

    def __getitem__(self, name: str) -> "Attribute":
        """The tag called `name` in any case. Raises `KeyError`."""


class Attribute:
    """`type` a CIP type, `dimensions` none to three lengths (flattened row-major here), `initial` one value for all
    elements, or one each. `array` is never replaced or resized: replies are prepared with views on it.

    `size` is the bytes of one element (0 where it varies), `type_bytes` the type as tag services send it, `typecode`
    the array's, `bits` the BOOLs that are packed in DWORDs here (0 for anything else), `wire_bools` a table of the byte
    that each byte of a BOOL is sent as.

    A subclass that overrides `__getitem__` or `__setitem__` says by `blocking` whether these may take their time, and
    by `timeout` for how many seconds clients wait for one call. `aside` is where they take it, None for in line.

    Raises `NodeError` for dimensions or initial values that do not fit.
    """

    blocking: ClassVar[bool] = True
    timeout: ClassVar[float] = 10.0

    _direct: bool = True
    _direct_set: bool = True

    bits: int = 0
    tags: Tags = MappingProxyType({})
    """All tags of the controller, where there are hooks."""
    passed: tuple[int, int, list[Value]] | None = None
    """Elements [start, stop) that passed a hook last."""
    recalled: tuple[int, int, list[Value]] | None = None
    faults: frozenset[tuple[str, str, int]] = frozenset()
    """Of its hooks, that were logged."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._direct = cls.__getitem__ is Attribute.__getitem__
        cls._direct_set = cls.__setitem__ is Attribute.__setitem__

    def __init__(
        self,
        type: Kind,
        dimensions: Sequence[int] = (),
        initial: Value | Sequence[Value] | None = None,
        name: str = "",
        writable: bool = True,
    ) -> None:
        self.type = type
        self.size = type.size
        self.type_bytes = bytes((type.code, 0)) if isinstance(type, Type) else type.type_bytes
        self.typecode = type.typecode if isinstance(type, Type) else "B"
        self.dimensions = tuple(dimensions)
        self.name = name
        self.length = _length(name, self.dimensions)
        self._writable = writable
        self._readable = True
        self._bool_true = BOOL_TRUE
        self.wire_bools = _wire_bools(BOOL_TRUE)
        self._source: Source | None = None
        self._gate: Gate | None = None
        self.aside: Aside | None = None
        self._watchers: list[Callable[[], None]] = []
        self._parts: WeakSet[Attribute] | None = None
        self.array: array[int] | array[float] = self._allocate()
        if initial is not None:
            self._start_with(initial)

    def _allocate(self) -> "array[int] | array[float]":
        return array(self.typecode, bytes(self.length * self.size))

    def _start_with(self, initial: Value | Sequence[Value]) -> None:
        if isinstance(initial, Sequence) and not isinstance(initial, str):
            values = list(initial)
        else:
            values = [initial] * self.length
        if len(values) != self.length:
            raise NodeError(f"{self.name or 'attribute'}: {len(values)} initial values for {self.length} elements")
        try:
            self._store(0, self.encode(values))
        except CipError as exc:
            raise NodeError(f"{self.name or 'attribute'}: {initial!r} does not fit type {self.type.name}") from exc

    # What is attached

    @property
    def source(self) -> Source | None:
        """Who writes the elements before they are read; None for plain memory."""
        return self._source

    @source.setter
    def source(self, source: Source | None) -> None:
        self._put_source(source)

    def swap_source(self, source: Source | None) -> Source | None:
        """Has `source` alone move the elements, and gives what did until now, its parts' sources among it: for who
        takes a tag over for a while, and swaps back."""
        before, self._source = self._source, source
        self._changed()
        return before

    @property
    def gate(self) -> Gate | None:
        """What may refuse an access or change what is seen; None lets all pass."""
        return self._gate

    @gate.setter
    def gate(self, gate: Gate | None) -> None:
        self._put_gate(gate)

    def _put_source(self, source: Source | None) -> None:
        self._source = source
        self._changed()

    def _put_gate(self, gate: Gate | None) -> None:
        self._gate = gate
        self._changed()

    def watch(self, changed: Callable[[], None]) -> None:
        """Has `changed` called whenever a source or a gate comes or goes: prepared replies are void then."""
        self._watchers.append(changed)

    def _changed(self) -> None:
        for part in self._parts or ():
            part._follow_root()
        for changed in self._watchers:
            changed()

    def _follow_root(self) -> None:
        """Takes over what is attached to the attribute that this one is a part of."""

    # Rights

    @property
    def readable(self) -> bool:
        """Whether clients may read it. What they may not read they may not write either."""
        return self._readable

    @readable.setter
    def readable(self, readable: bool) -> None:
        self._readable = readable
        self._changed()

    @property
    def writable(self) -> bool:
        """Whether clients have the right to write it."""
        return self._writable

    @writable.setter
    def writable(self, writable: bool) -> None:
        self._writable = writable
        self._changed()

    @property
    def settable(self) -> bool:
        """Whether a client's write may succeed."""
        return self._writable and self._readable and (self._source is None or not self._source.refuses)

    # How BOOLs are shown

    @property
    def bool_true(self) -> int:
        """The byte that a true BOOL reads as."""
        return self._bool_true

    @bool_true.setter
    def bool_true(self, byte: int) -> None:
        self._bool_true = byte
        self.wire_bools = _wire_bools(byte)
        self._changed()

    @property
    def unpacked(self) -> "Attribute":
        """For BOOLs that are packed in DWORDs the BOOLs themselves, as people count them; else just this."""
        return self

    # Python values, without rights, source and gate

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, key: int) -> Value: ...
    @overload
    def __getitem__(self, key: slice) -> "list[Value]": ...
    def __getitem__(self, key: int | slice) -> "Value | list[Value]":
        if isinstance(key, slice):
            return self._items(*_span(key, self.length))
        return self.item(key)

    @overload
    def __setitem__(self, key: int, value: Value) -> None: ...
    @overload
    def __setitem__(self, key: slice, value: Sequence[Value]) -> None: ...
    def __setitem__(self, key: int | slice, value: Value | Sequence[Value]) -> None:
        """Raises `CipError` 0x09 for values that do not fit the type, `IndexError` outside the elements."""
        start, stop = _span(key, self.length)
        values: Sequence[Value] = value if isinstance(key, slice) else [value]  # type: ignore[assignment,list-item]
        if len(values) != stop - start:
            raise CipError(INVALID_ATTRIBUTE_VALUE)
        self._store(start, self.encode(values))

    def item(self, index: int) -> Value:
        """One element's value. Raises `IndexError`."""
        value = self.array[index]
        return bool(value) if self.type is BOOL else value

    def encode(self, values: Sequence[Value]) -> bytes:
        """Values to memory bytes (BOOL 0 or 1). Raises `CipError` 0x09 when one does not fit the type."""
        try:
            if self.type is BOOL:
                return bytes([1 if value else 0 for value in values])
            cells = array(self.typecode, values)  # type: ignore[type-var]
            return cells.tobytes()
        except (TypeError, OverflowError, ValueError) as exc:
            raise CipError(INVALID_ATTRIBUTE_VALUE) from exc

    def decode(self, data: bytes) -> "list[Value]":
        """Memory or wire bytes to values."""
        if self.type is BOOL:
            return [byte != 0 for byte in data]
        cells: array[int] | array[float] = array(self.typecode, data)
        return [*cells]

    def bounds(self, key: int | slice) -> tuple[int, int]:
        """The elements [start, stop) that `key` means. Raises `IndexError` for those that are not there."""
        return _span(key, self.length)

    def cast(self, value: object) -> Value:
        """`value` as this type has it: a bool, a whole number, a float or a text; a structure's as it is. Raises
        `ValueError` or `TypeError` for what is none."""
        kind = self.type
        if isinstance(kind, TextType):
            return str(value)
        if not isinstance(kind, Type):
            return value  # type: ignore[return-value]
        if kind is BOOL:
            return bool(value)
        return round(value) if isinstance(kind.low, int) else float(value)  # type: ignore[call-overload,arg-type]

    # Hooks: what subclasses override

    @property
    def hooked(self) -> bool:
        """Whether reading or writing it calls code of a subclass's own."""
        return not (self._direct and self._direct_set)

    def put_aside(self, aside: Aside | None) -> None:
        """Has its hooks called there from now on, if they may block."""
        self.aside = aside if self.hooked and self.blocking else None
        self._changed()

    def enter(self, writing: bool) -> None:
        """Raises `HookWaits` where an access would come to a hook that may block, and nothing may wait."""
        if self.aside is not None and not (self._direct_set if writing else self._direct):
            self.aside.enter(self.timeout)

    def held(self, start: int, stop: int) -> "list[Value]":
        """Elements [start, stop) without rights, source and gate, by `__getitem__` where a subclass has its own. Raises
        `CipError` for what goes wrong there."""
        return self._items(start, stop) if self._direct else fetch(self, start, stop)

    def _put(self, start: int, values: Sequence[Value]) -> None:
        if self._direct_set:
            self._store(start, self.encode(values))
        else:
            put(self, start, values)

    # What clients do: with rights, source and gate

    def read(self, start: int, stop: int, now: float = 0.0) -> "list[Value]":
        """Elements [start, stop) as a client sees them. Raises `CipError`."""
        self._before(start, stop, now, False)
        values = self.held(start, stop)
        return values if self._gate is None else list(self._gate.shown(self, now, start, values))

    def dump(self, start: int, stop: int, now: float = 0.0) -> bytes:
        """The same as bytes, little-endian, BOOL one byte of 0 or 1. Raises `CipError`."""
        if not self._direct or self._gate is not None:
            return self.encode(self.read(start, stop, now))
        self._before(start, stop, now, False)
        return self._take(start, stop)

    def write(self, start: int, values: Sequence[Value], now: float = 0.0) -> None:
        """Sets elements from `start` on, all or none. Raises `CipError`: 0x0E without the right, 0x09 for a value
        that does not fit, 0xFF/0x2105 past the end."""
        stop = start + len(values)
        self._before(start, stop, now, True)
        if self._direct_set:
            self._store(start, self.encode(values))
        else:
            self.encode(values)
            put(self, start, values)
        if self._source is not None:
            self._source.wrote(self, now, start, stop)

    def load(self, start: int, data: bytes, now: float = 0.0) -> None:
        """The same from bytes; any BOOL byte that is not 0 is true. The data must be whole elements."""
        if not self._direct_set:
            self.write(start, self.decode(self._whole(data)), now)
            return
        stop = start + len(self._whole(data)) // self.size
        self._before(start, stop, now, True)
        self._store(start, data.translate(_BOOLS) if self.type is BOOL else data)
        if self._source is not None:
            self._source.wrote(self, now, start, stop)

    def modify(self, index: int, or_mask: bytes, and_mask: bytes, now: float = 0.0) -> bytes:
        """Sets an integer element to (old or OR mask) and AND mask and gives its new bytes: of what is held, not what
        a gate shows. Masks shorter than the element are for its low bytes. Raises `CipError`."""
        self._before(index, index + 1, now, False)
        size = len(or_mask)
        old = self._take(index, index + 1) if self._direct else self.encode(self.held(index, index + 1))
        ones, kept = int.from_bytes(or_mask, "little"), int.from_bytes(and_mask, "little")
        new = ((int.from_bytes(old[:size], "little") | ones) & kept).to_bytes(size, "little") + old[size:]
        self._before(index, index + 1, now, True)
        if self._direct_set:
            self._store(index, new)
        else:
            put(self, index, self.decode(new))
        if self._source is not None:
            self._modified(index, ones | ~kept & (1 << 8 * size) - 1, now)
        return new

    def _modified(self, index: int, touched: int, now: float) -> None:
        """Tells the source of a write to the bits `touched` of one element."""
        if self._source is not None:
            self._source.wrote(self, now, index, index + 1)

    def view(self, start: int, stop: int) -> memoryview | None:
        """A live view of the bytes of elements [start, stop), for replies prepared ahead; None when reading them is
        more than that (an override, a gate). BOOLs are 0 or 1 in it, and sent through `wire_bools`."""
        if not self._direct or self._gate is not None or not self._readable:
            return None
        return memoryview(self.array).cast("B")[start * self.size : stop * self.size]

    def _whole(self, data: bytes) -> bytes:
        if len(data) % self.size:
            raise CipError(NOT_ENOUGH_DATA)
        return data

    def _before(self, start: int, stop: int, now: float, writing: bool) -> None:
        if self.aside is not None:
            self.enter(writing)
        if start < 0 or start > stop or stop > self.length:
            raise CipError(GENERAL_ERROR, (INDEX_PAST_END,))
        if writing:
            if not self.settable:
                raise CipError(ATTRIBUTE_NOT_SETTABLE)
        elif not self._readable:
            raise CipError(GENERAL_ERROR, (NO_ACCESS,))
        elif self._source is not None:
            self._source.fill(self, now, start, stop)
        if self._gate is not None:
            self._gate.admit(self, now, start, stop, writing)

    def _items(self, start: int, stop: int) -> "list[Value]":
        return self.decode(self._take(start, stop))

    def _take(self, start: int, stop: int) -> bytes:
        return self.array[start:stop].tobytes()

    def _store(self, start: int, data: bytes) -> None:
        size = self.size
        memoryview(self.array).cast("B")[start * size : start * size + len(data)] = data


@cache
def _wire_bools(byte: int) -> bytes:
    return bytes([0]) + bytes([byte]) * 255


def _length(name: str, dimensions: tuple[int, ...]) -> int:
    length = 1
    for dimension in dimensions:
        length *= dimension
    if len(dimensions) > 3 or any(dimension < 1 for dimension in dimensions):
        raise NodeError(f"{name or 'attribute'}: dimensions {dimensions}: none to three, each 1 or more, are wanted")
    return length


def _span(key: int | slice, length: int) -> tuple[int, int]:
    if isinstance(key, int):
        index = key + length if key < 0 else key
        if not 0 <= index < length:
            raise IndexError(f"element {key} of {length}")
        return index, index + 1
    start, stop, step = key.indices(length)
    if step != 1:
        raise IndexError(f"elements one after another are wanted, not every {step}th")
    return start, max(start, stop)
