"""System file 0 of an SLC 500 or MicroLogix: the directory of its files, which clients read to list them.

    byte 46   program files u16
    byte 52   data files u16
    SLC       byte 70: its own size u16
    rows from a byte that differs between models, 10 bytes each: type u8 | size in bytes u16 | 7 bytes more
              0x81 is a file number that is not in use

Rockwell has not written this down. What is here is what pycomm3 and AdvancedHMI look at, each at its own place; the
other bytes are 0, and as there is no program, no row is one of a program file. A MicroLogix has its size twice: as it
is for the one client, and with 19968 added, as its real ones were seen to have it, for the other.
"""

from collections.abc import Iterable
from struct import Struct

from node.record import dataclass

ROW = 10
UNUSED = 0x81
_PROGRAM_FILES, _DATA_FILES = 46, 52

_U16 = Struct("<H")
_FILE = Struct("<BH")


@dataclass(frozen=True, slots=True)
class Layout:
    """`type` is the type code that file 0 is read as; `sizes` where its size stands, as (byte, what is added to it);
    `first` the byte of file 0's row."""

    type: int
    sizes: tuple[tuple[int, int], ...]
    first: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A data file: its number, type code and size in bytes."""

    number: int
    code: int
    size: int


SLC = Layout(1, ((0x46, 0),), 79)
MICROLOGIX_1100 = Layout(2, ((0x50, 19968), (0x5E, 0)), 233)
MICROLOGIX_1400 = Layout(3, ((0x56, 19968), (0x68, 0)), 233)


def encode_directory(layout: Layout, entries: Iterable[Entry]) -> bytes:
    """The whole file, an even number of bytes."""
    files = {entry.number: entry for entry in entries}
    rows = [files.get(number, Entry(number, UNUSED, 0)) for number in range(max(files, default=-1) + 1)]
    end = layout.first + ROW * len(rows)
    data = bytearray(end + (end & 1))
    _U16.pack_into(data, _DATA_FILES, len(files))
    for at, added in layout.sizes:
        _U16.pack_into(data, at, len(data) + added & 0xFFFF)
    for row in rows:
        _FILE.pack_into(data, layout.first + ROW * row.number, row.code, min(row.size, 0xFFFF))
    return bytes(data)


def decode_directory(layout: Layout, data: bytes) -> list[Entry]:
    """The data files in use; a row that is cut short is none."""
    entries = []
    for number, at in enumerate(range(layout.first, len(data) - _FILE.size + 1, ROW)):
        code, size = _FILE.unpack_from(data, at)
        if code > UNUSED:
            entries.append(Entry(number, code, size))
    return entries
