"""BOOLs that are bits of another attribute: a member of a structure, a bit of an integer, packed arrays."""

from array import array
from collections.abc import Sequence
from typing import cast

from node.cip.types import BOOL
from node.memory.attribute import Attribute
from node.memory.part import Part, place_of

_FROM_DIGITS = bytes.maketrans(b"01", b"\0\1")
_TO_DIGITS = b"01" + b"1" * 254


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
        root, byte = self.root, self.begin // 8
        if not root._direct or self._gate is not None or not self._readable:
            return None
        return self._memory[byte : byte + 1], 1 << self.begin % 8

    def extract(self, data: bytes | bytearray, base: int, start: int, stop: int) -> bytes:
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


def bit_of(attribute: Attribute, start: int, bit: int, name: str) -> BitAttribute:
    """Bit `bit` of element `start` of an integer attribute, 0 the lowest."""
    root, begin = place_of(attribute, start)
    return BitAttribute(root, begin + bit, (), name)
