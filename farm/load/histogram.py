"""Counts of times with three significant digits, from a microsecond to hours, in the form of HdrHistogram.

Half of what a load test is for is in its last per cent, which averages hide and samples miss. These are the buckets of
HdrHistogram, and `encode` gives its compressed log form (V2), so that its own tools read, add and plot what was
measured here. Its Python package is not used: it has no wheel for Linux on ARM nor for Intel Macs, wants setuptools at
run time, and its array of 190 kB for each node and kind of request would be a tenth of a gigabyte for a plant of five
hundred; of the buckets here only those are kept that count something.

    value      below 2048          2048 to 4095           4096 to 8191           ...
    bucket     one a microsecond   one for 2 µs           one for 4 µs
    index      value               1024 + (value >> 1)    2048 + (value >> 2)
"""

import base64
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import ceil

DIGITS = 3
BITS = 11
"""Of the values that have a bucket each: twice ten to the number of digits, rounded up."""
HALF = 1 << (BITS - 1)
HIGHEST = 3_600_000_000
"""Microseconds; what took longer than an hour counts as that."""

_COOKIE, _COMPRESSED_COOKIE = 0x1C849313, 0x1C849314
_HEAD = struct.Struct(">iiiiqqd")
_WRAP = struct.Struct(">ii")


class Histogram:
    """Whole microseconds, counted. `counts` maps a bucket's index to how many fell into it."""

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: defaultdict[int, int] = defaultdict(int, counts or {})

    def record(self, value: int) -> None:
        """Counts one of `value` µs; less than none is none."""
        if value >= 2 * HALF:
            if value > HIGHEST:
                value = HIGHEST
            shift = value.bit_length() - BITS
            value = (shift << BITS - 1) + (value >> shift)
        elif value < 0:
            value = 0
        self.counts[value] += 1

    def add(self, counts: Mapping[int, int]) -> None:
        """Counts all that another one did."""
        for index, count in counts.items():
            self.counts[index] += count

    @property
    def total(self) -> int:
        """How many were counted."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float:
        """µs, of the middles of the buckets; 0 for none."""
        total = self.total
        return sum((lowest(index) + highest(index)) / 2 * n for index, n in self.counts.items()) / total if total else 0

    @property
    def least(self) -> int:
        """µs, to three digits; 0 for none."""
        return lowest(min(self.counts)) if self.counts else 0

    @property
    def most(self) -> int:
        """µs, to three digits; 0 for none."""
        return highest(max(self.counts)) if self.counts else 0

    def quantile(self, part: float) -> int:
        """µs within which `part` (0 to 1) of them fall; 0 for none."""
        return self.quantiles([part])[0]

    def quantiles(self, parts: Iterable[float]) -> list[int]:
        """The same for several parts, which ascend."""
        total = self.total
        found = []
        ordered = iter(sorted(self.counts.items()))
        index, seen = 0, 0
        for part in parts:
            wanted = max(1, min(total, ceil(part * total - 1e-9))) if total else 0
            while seen < wanted:
                index, count = next(ordered)
                seen += count
            found.append(highest(index) if total else 0)
        return found

    def encode(self) -> str:
        """HdrHistogram's compressed V2 form in base64, as its logs have it."""
        body = _lengths(self.counts)
        head = _HEAD.pack(_COOKIE, len(body), 0, DIGITS, 1, HIGHEST, 1.0)
        packed = zlib.compress(head + body)
        return base64.b64encode(_WRAP.pack(_COMPRESSED_COOKIE, len(packed)) + packed).decode()


def lowest(index: int) -> int:
    """The least µs that the bucket counts."""
    shift = max(0, (index >> BITS - 1) - 1)
    return (index - (shift << BITS - 1)) << shift


def highest(index: int) -> int:
    """The greatest."""
    shift = max(0, (index >> BITS - 1) - 1)
    return lowest(index) + (1 << shift) - 1


def decode(text: str) -> Histogram:
    """What `encode` gave, or HdrHistogram with these digits. Raises `ValueError` for anything else."""
    try:
        return _decoded(base64.b64decode(text, validate=True))
    except (struct.error, zlib.error, IndexError) as exc:
        raise ValueError(f"no histogram: {exc}") from exc


def _decoded(raw: bytes) -> Histogram:
    cookie, size = _WRAP.unpack_from(raw)
    if cookie != _COMPRESSED_COOKIE or size != len(raw) - _WRAP.size:
        raise ValueError(f"cookie 0x{cookie:08X} with {size} bytes; wanted 0x{_COMPRESSED_COOKIE:08X}")
    plain = zlib.decompress(raw[_WRAP.size :])
    cookie, size, offset, digits, unit, _, _ = _HEAD.unpack_from(plain)
    if (cookie, offset, digits, unit) != (_COOKIE, 0, DIGITS, 1):
        raise ValueError(f"cookie 0x{cookie:08X}, offset {offset}, {digits} digits of {unit}; wanted 3 digits of 1")
    found, index, at = Histogram(), 0, _HEAD.size
    while at < _HEAD.size + size:
        count, at = _zigzag(plain, at)
        if count > 0:
            found.counts[index] = count
        index += 1 if count >= 0 else -count
    return found


def _lengths(counts: Mapping[int, int]) -> bytes:
    """Counts in order of buckets, in ZigZag LEB128; a run of empty buckets as its negative length."""
    parts = []
    next_index = 0
    for index in sorted(counts):
        empty = index - next_index
        if empty:
            parts.append(_leb128(empty * 2 - 1) if empty > 1 else b"\0")
        parts.append(_leb128(counts[index] * 2))
        next_index = index + 1
    return b"".join(parts)


def _leb128(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a ninth byte has all eight."""
    found = bytearray()
    while value > 0x7F and len(found) < 8:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value & 0xFF)
    return bytes(found)


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    """The number at byte `at`, and where the next one is."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        if shift == 56:
            value |= byte << shift
            break
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return value >> 1 ^ -(value & 1), at
