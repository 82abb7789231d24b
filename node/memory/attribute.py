"""A typed vector: what a controller remembers under one name, and the one place where a value gets its meaning.

Every protocol, the signals, the commands and the players reach a value through an `Attribute`, so a subclass that
overrides `__getitem__`/`__setitem__` is seen by all of them. Elements live in an `array.array` (BOOL as one byte, 0 or
1), which on a little-endian host is wire order already: reading a hundred INTs is a slice and no conversion. Hosts that
are big-endian are refused at import, for every reply of theirs would be wrong.

A read is: `source.fill`, then `gate.admit`, then the elements, then `gate.shown`. A write is: rights (`writable`,
`source.refuses`), then `gate.admit`, then all elements or none, then `source.wrote`.
"""

import sys
from array import array
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol, overload

from node.cip.status import (
    ATTRIBUTE_NOT_SETTABLE,
    GENERAL_ERROR,
    INDEX_PAST_END,
    INVALID_ATTRIBUTE_VALUE,
    NOT_ENOUGH_DATA,
    CipError,
)
from node.cip.text import TextType
from node.cip.types import BOOL, Type
from node.errors import NodeError

if sys.byteorder != "little":
    raise ImportError("node.memory keeps values in wire order and needs a little-endian host; this one is big-endian")

Value = bool | int | float | str

_BOOLS = bytes([0]) + bytes([1]) * 255


class Instant:
    """The moment a controller is serving: `now`, in seconds on its monotonic clock, set once for all the frames that
    came together, so that one frame never sees two times."""

    __slots__ = ("now",)

    def __init__(self, now: float = 0.0) -> None:
        self.now = now


class Source(Protocol):
    """Who writes an attribute before it is read: a signal, a player. `start` and `stop` are elements."""

    refuses: bool
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


class Attribute:
    """`type` a CIP type, `dimensions` none to three lengths (flattened row-major here), `initial` one value for all
    elements, or one each. `array` is never replaced or resized: replies are prepared with views on it.

    `size` is the bytes of one element (0 where it varies), `type_bytes` the type as tag services send it.

    Raises `NodeError` for dimensions or initial values that do not fit.
    """

    _direct: ClassVar[bool] = True
    _direct_set: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._direct = cls._direct and "__getitem__" not in cls.__dict__
        cls._direct_set = cls._direct_set and "__setitem__" not in cls.__dict__

    def __init__(
        self,
        type: Type | TextType,
        dimensions: Sequence[int] = (),
        initial: Value | Sequence[Value] | None = None,
        name: str = "",
        writable: bool = True,
    ) -> None:
        self.type = type
        self.size = type.size
        self.type_bytes = type.type_bytes if isinstance(type, TextType) else bytes((type.code, 0))
        self.dimensions = tuple(dimensions)
        self.name = name
        self.writable = writable
        self.length = _length(name, self.dimensions)
        self._typecode = "B" if isinstance(type, TextType) else type.typecode
        self.array: array[int] | array[float] = array(self._typecode, bytes(self._reserve()))
        self._source: Source | None = None
        self._gate: Gate | None = None
        self._watchers: list[Callable[[], None]] = []
        if initial is not None:
            self._start_with(initial)

    def _reserve(self) -> int:
        """Bytes that `array` takes."""
        return self.length * self.size

    def _start_with(self, initial: Value | Sequence[Value]) -> None:
        values = [initial] * self.length if isinstance(initial, bool | int | float | str) else list(initial)
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
        self._source = source
        self._changed()

    @property
    def gate(self) -> Gate | None:
        """What may refuse an access or change what is seen; None lets all pass."""
        return self._gate

    @gate.setter
    def gate(self, gate: Gate | None) -> None:
        self._gate = gate
        self._changed()

    def watch(self, changed: Callable[[], None]) -> None:
        """Has `changed` called whenever a source or a gate comes or goes: prepared replies are void then."""
        self._watchers.append(changed)

    def _changed(self) -> None:
        for changed in self._watchers:
            changed()

    @property
    def settable(self) -> bool:
        """Whether a client's write may succeed."""
        return self.writable and (self._source is None or not self._source.refuses)

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
            cells = array(self._typecode, values)  # type: ignore[type-var]
            return cells.tobytes()
        except (TypeError, OverflowError, ValueError) as exc:
            raise CipError(INVALID_ATTRIBUTE_VALUE) from exc

    def decode(self, data: bytes) -> "list[Value]":
        """Memory or wire bytes to values."""
        if self.type is BOOL:
            return [byte != 0 for byte in data]
        cells: array[int] | array[float] = array(self._typecode, data)
        return [*cells]

    # What clients do: with rights, source and gate

    def read(self, start: int, stop: int, now: float = 0.0) -> "list[Value]":
        """Elements [start, stop) as a client sees them. Raises `CipError`."""
        self._before(start, stop, now, False)
        values = self[start:stop]
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
            self[start:stop] = values
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

    def view(self, start: int, stop: int) -> memoryview | None:
        """A live view of the bytes of elements [start, stop), for replies prepared ahead; None when reading them is
        more than that (an override, a gate, BOOL whose wire form differs)."""
        if not self._direct or self._gate is not None or self.type is BOOL:
            return None
        return memoryview(self.array).cast("B")[start * self.size : stop * self.size]

    def _whole(self, data: bytes) -> bytes:
        if len(data) % self.size:
            raise CipError(NOT_ENOUGH_DATA)
        return data

    def _before(self, start: int, stop: int, now: float, writing: bool) -> None:
        if start < 0 or start > stop or stop > self.length:
            raise CipError(GENERAL_ERROR, (INDEX_PAST_END,))
        if writing:
            if not self.settable:
                raise CipError(ATTRIBUTE_NOT_SETTABLE)
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
