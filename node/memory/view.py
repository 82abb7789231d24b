"""A tag seen as Modbus registers or coils, so that one memory stands behind both protocols.

A register is 16 bits, a tag's element 1 to 8 bytes or a text; a client may write one register of a DINT, or three
that begin in the middle of one. Done by hand at each place, that is where values tear. A view reads through
`Attribute.dump` and writes through `Attribute.load`, so source, gate, rights and type apply as for any other client.

    element                            registers of one element
    INT UINT WORD                      1, in the block's byte order
    DINT UDINT DWORD REAL              2, in the block's word order
    LINT ULINT LWORD LREAL             4, in the block's word order
    SINT                               1, sign-extended; -128 to 127 can be written
    USINT BYTE                         1, zero-extended; 0 to 255 can be written
    BOOL                               1, 0 or 1; anything but 0 is written as true
    SSTRING STRING                     two characters each, NULs after the text: see `text_view`

    element                            coils of one element
    BOOL                               1
    integers and bit strings           8 to 64, the lowest bit first

A write has two steps: `stage` makes every check and changes nothing, and gives the commit, which writes; so a
write over several blocks is done whole or not at all. What is refused: a tag without the right to write, or whose
source refuses (0x0E, attribute not settable), a value the type cannot hold (0x09), and what a gate does not admit.
"""

from array import array
from collections.abc import Callable
from typing import Protocol

from node.cip.status import ATTRIBUTE_NOT_SETTABLE, GENERAL_ERROR, INVALID_ATTRIBUTE_VALUE, NO_ACCESS, CipError
from node.cip.template import Template
from node.cip.types import BOOL
from node.errors import NodeError
from node.memory.attribute import Attribute
from node.memory.word_order import ORDERS, permutation, reversed_elements

Commit = Callable[[], None]
Span = tuple[Attribute, int, int]
"""Elements [first, last) of an attribute."""

Reader = Callable[[float], bytes]
"""A read prepared ahead: takes `now`, gives the registers as they travel. Void when a source or gate changes."""

_DIGITS = b"01" + b"1" * 254
_BITS = bytes(byte & 1 for byte in range(256))


class BlockError(NodeError):
    """A block that cannot show its tag, or has no room where it is to be."""


class Registers(Protocol):
    """Registers `start` to `stop`, counted from the view's own beginning; bytes are big-endian as they travel."""

    count: int

    def span(self, start: int, stop: int) -> Span:
        """The elements that hold them, whole."""

    def read(self, start: int, stop: int, now: float) -> bytes:
        """Raises `CipError` when a gate does not admit it."""

    def reader(self, start: int, stop: int) -> Reader:
        """The same, prepared."""

    def stage(self, start: int, data: bytes, now: float) -> Commit:
        """Checks a write of the registers in `data`; raises `CipError`."""


def admit_write(attribute: Attribute, start: int, stop: int, now: float) -> None:
    """Raises `CipError` when a client may not write these elements now."""
    if not attribute.settable:
        raise CipError(ATTRIBUTE_NOT_SETTABLE)
    if attribute.gate is not None:
        attribute.gate.admit(attribute, now, start, stop, True)


def admit_read(attribute: Attribute, start: int, stop: int, now: float) -> None:
    """Raises `CipError` when a client may not read these elements now."""
    if not attribute.readable:
        raise CipError(GENERAL_ERROR, (NO_ACCESS,))
    if attribute.gate is not None:
        attribute.gate.admit(attribute, now, start, stop, False)


def stored(attribute: Attribute, start: int, stop: int, now: float) -> bytes:
    """The elements that a write of a part of them is put into: what is held, not what a gate shows in its place."""
    if attribute.gate is None:
        return attribute.dump(start, stop, now)
    return attribute.encode(attribute.held(start, stop))


def block_attribute(attribute: Attribute, count: int, capacity: int, what: str) -> Attribute:
    """`attribute`, when a block of `count` of its `capacity` registers or coils can be made; else `BlockError`."""
    if not 1 <= count <= capacity:
        raise BlockError(f"{count} {what} of tag {attribute.name!r}, which has {capacity}; give 1 to {capacity}")
    return attribute


class RegisterView:
    """Elements of 2, 4 or 8 bytes. `count` registers from the first element on, in word order `order`.

    Raises `BlockError` when the tag has fewer registers, or for an unknown order.
    """

    __slots__ = ("_attribute", "_each", "_order", "_permute", "count")

    def __init__(self, attribute: Attribute, count: int, order: str = "ABCD") -> None:
        size = attribute.type.size
        if size not in (2, 4, 8) or order not in ORDERS or isinstance(attribute.type, Template):
            raise BlockError(f"tag {attribute.name!r} of {attribute.type.name} cannot be registers in order {order}")
        self._each = size // 2
        self._attribute = block_attribute(attribute, count, self._each * len(attribute), "registers")
        self._order = order
        self._permute = permutation(size, order)
        self.count = count

    def span(self, start: int, stop: int) -> Span:
        return self._attribute, start // self._each, -(-stop // self._each)

    def read(self, start: int, stop: int, now: float) -> bytes:
        attribute, first, last = self.span(start, stop)
        data = self._permute(attribute.dump(first, last, now))
        skip = start - first * self._each
        return data[2 * skip : 2 * (skip + stop - start)]

    def reader(self, start: int, stop: int) -> Reader:
        each, attribute = self._each, self._attribute
        first, last = start // each, stop // each
        plain = attribute.source is None and attribute.view(0, 0) is not None
        if not plain or start % each or stop % each or not reversed_elements(2 * each, self._order):
            return lambda now: self.read(start, stop, now)
        cells = attribute.array
        if not isinstance(cells, array):
            return lambda now: self.read(start, stop, now)

        def read(now: float) -> bytes:
            part = cells[first:last]
            part.byteswap()
            return part.tobytes()

        return read

    def stage(self, start: int, data: bytes, now: float) -> Commit:
        each, stop = self._each, start + len(data) // 2
        attribute, first, last = self.span(start, stop)
        admit_write(attribute, first, last, now)
        if start % each or stop % each:
            whole = bytearray(self._permute(stored(attribute, first, last, now)))
            skip = 2 * (start - first * each)
            whole[skip : skip + len(data)] = data
            data = bytes(whole)
        raw = self._permute(data)
        return lambda: attribute.load(first, raw, now)


class ByteRegisterView:
    """Elements of one byte, a register each: SINT sign-extended, USINT and BYTE zero-extended, BOOL 0 or 1."""

    __slots__ = ("_attribute", "_permute", "_wide", "count")

    def __init__(self, attribute: Attribute, count: int, order: str = "ABCD") -> None:
        self._attribute = block_attribute(attribute, count, len(attribute), "registers")
        self._permute = permutation(2, order)
        self._wide = "h" if attribute.typecode == "b" else "H"
        self.count = count

    def span(self, start: int, stop: int) -> Span:
        return self._attribute, start, stop

    def read(self, start: int, stop: int, now: float) -> bytes:
        narrow = array(self._attribute.typecode, self._attribute.dump(start, stop, now))
        return self._permute(array(self._wide, narrow).tobytes())

    def reader(self, start: int, stop: int) -> Reader:
        return lambda now: self.read(start, stop, now)

    def stage(self, start: int, data: bytes, now: float) -> Commit:
        attribute = self._attribute
        wide = array(self._wide, self._permute(data))
        admit_write(attribute, start, start + len(wide), now)
        if attribute.type is BOOL:
            raw = bytes(value != 0 for value in wide)
        else:
            try:
                raw = array(attribute.typecode, wide).tobytes()
            except OverflowError as exc:
                raise CipError(INVALID_ATTRIBUTE_VALUE) from exc
        return lambda: attribute.load(start, raw, now)


class Coils(Protocol):
    """Coils `start` to `stop`, counted from the view's own beginning; together they are one whole number whose lowest
    bit is the first of them."""

    count: int

    def span(self, start: int, stop: int) -> Span:
        """The elements that hold them, whole."""

    def read(self, start: int, stop: int, now: float) -> int:
        """Raises `CipError` when a gate does not admit it."""

    def stage(self, start: int, stop: int, bits: int, now: float) -> Commit:
        """Checks a write; raises `CipError`."""


class CoilView:
    """BOOL elements, a coil each."""

    __slots__ = ("_attribute", "count")

    def __init__(self, attribute: Attribute, count: int) -> None:
        self._attribute = block_attribute(attribute, count, len(attribute), "coils")
        self.count = count

    def span(self, start: int, stop: int) -> Span:
        return self._attribute, start, stop

    def read(self, start: int, stop: int, now: float) -> int:
        return int(self._attribute.dump(start, stop, now)[::-1].translate(_DIGITS), 2)

    def stage(self, start: int, stop: int, bits: int, now: float) -> Commit:
        attribute = self._attribute
        admit_write(attribute, start, stop, now)
        raw = f"{bits:0{stop - start}b}".encode()[::-1].translate(_BITS)
        return lambda: attribute.load(start, raw, now)


class BitView:
    """The bits of integer elements, a coil each, the lowest first. A write reads, changes and writes whole elements."""

    __slots__ = ("_attribute", "_width", "count")

    def __init__(self, attribute: Attribute, count: int) -> None:
        self._width = 8 * attribute.type.size
        self._attribute = block_attribute(attribute, count, self._width * len(attribute), "coils")
        self.count = count

    def span(self, start: int, stop: int) -> Span:
        return self._attribute, start // self._width, -(-stop // self._width)

    def read(self, start: int, stop: int, now: float) -> int:
        attribute, first, last = self.span(start, stop)
        bits = int.from_bytes(attribute.dump(first, last, now), "little") >> (start - first * self._width)
        return bits & (1 << stop - start) - 1

    def stage(self, start: int, stop: int, bits: int, now: float) -> Commit:
        attribute, first, last = self.span(start, stop)
        admit_write(attribute, first, last, now)
        shift = start - first * self._width
        mask = (1 << stop - start) - 1 << shift
        whole = int.from_bytes(stored(attribute, first, last, now), "little")
        raw = (whole & ~mask | bits << shift).to_bytes((last - first) * attribute.type.size, "little")
        return lambda: attribute.load(first, raw, now)
