"""Register numbers as people write them: `40001-40100=99`, `1-16=0,1`, `10001`.

People count from 1 and put the table into the number; the wire counts from 0 and puts it into the function code.
Nearly every "off by one" with Modbus starts here, so both numberings meet in this file and nowhere else.

    number            table              wire address
    1     .. 9999     coils              n - 1
    10001 .. 19999    discrete inputs    n - 10001
    30001 .. 39999    input registers    n - 30001
    40001 .. 99999    holding registers  n - 40001
    100001.. 165536   discrete inputs    n - 100001
    300001.. 365536   input registers    n - 300001
    400001.. 465536   holding registers  n - 400001
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from node.errors import NodeError
from node.record import dataclass

COILS = "coils"
DISCRETE = "discrete"
INPUT = "input"
HOLDING = "holding"

BIT_TABLES = (COILS, DISCRETE)
WRITABLE_TABLES = (COILS, HOLDING)


@dataclass(frozen=True, slots=True)
class Table:
    """A row of the numbering: the numbers `first` to `last` name the wire addresses from 0 of table `name`."""

    first: int
    last: int
    name: str


NUMBERING = (
    Table(1, 9999, COILS),
    Table(10001, 19999, DISCRETE),
    Table(30001, 39999, INPUT),
    Table(40001, 99999, HOLDING),
    Table(100001, 165536, DISCRETE),
    Table(300001, 365536, INPUT),
    Table(400001, 465536, HOLDING),
)


SIX_DIGITS = {COILS: 1, DISCRETE: 100001, INPUT: 300001, HOLDING: 400001}
"""The first register of each table in six digits."""


class RangeError(NodeError):
    """A register range that names nothing, or a value that does not fit."""


@dataclass(frozen=True, slots=True)
class Range:
    """Registers or coils of one table, and what they hold: `start` is a wire address, `values` has one value for
    each of them, coils as 0 and 1, registers as 0 to 65535."""

    table: str
    start: int
    values: tuple[int, ...]

    @property
    def number(self) -> int:
        """The register number of the first one."""
        return register_number(self.table, self.start)

    @property
    def stop(self) -> int:
        """The wire address after the last one."""
        return self.start + len(self.values)


def locate(number: int) -> Table:
    """The row that `number` belongs to. Raises `RangeError` for a number that names no register."""
    for table in NUMBERING:
        if table.first <= number <= table.last:
            return table
    rows = ", ".join(f"{table.first}-{table.last}" for table in NUMBERING)
    raise RangeError(f"{number} is no register number; there are {rows}")


def wire_address(number: int) -> tuple[str, int]:
    """Table name and wire address of a register number: 40001 and 400001 are both ("holding", 0)."""
    table = locate(number)
    return table.name, number - table.first


def register_number(table: str, address: int) -> int:
    """The number of a wire address, five digits where they reach, else six. Raises `RangeError` where there is no
    such number (a coil beyond 9999)."""
    for row in NUMBERING:
        if row.name == table and row.first + address <= row.last:
            return row.first + address
    raise RangeError(f"wire address {address} of the {table} table has no register number")


def register_text(table: str, start: int, count: int) -> str:
    """Registers as people write them: `40001-40002`, `00001`; six digits where five do not reach (`020001`)."""
    five = next(row for row in NUMBERING if row.name == table)
    wide = five.first + start + count - 1 > five.last
    digits, first = (6, SIX_DIGITS[table] + start) if wide else (5, five.first + start)
    return f"{first:0{digits}}" if count == 1 else f"{first:0{digits}}-{first + count - 1:0{digits}}"


def parse_range(text: str) -> Range:
    """One `FIRST[-LAST][=VALUE[,VALUE...]]`. No value is 0. Values fill the range in turn and begin again when they
    are used up (`1-16=0,1` alternates), so they must go into it a whole number of times; after a single number they
    run on from there. Raises `RangeError`."""
    span, has_values, listed = text.strip().partition("=")
    first_text, has_last, last_text = span.partition("-")
    first = _number(text, first_text)
    table = locate(first)
    values = [_value(text, table.name, word) for word in listed.split(",")] if has_values else [0]
    last = _number(text, last_text) if has_last else first + len(values) - 1
    if last < first:
        raise RangeError(f"{text}: the range ends ({last}) before it starts ({first})")
    if last > table.last:
        raise RangeError(f"{text}: {last} is beyond {table.last}, where the {table.name} of {first} end")
    count = last - first + 1
    repeats, left_over = divmod(count, len(values))
    if left_over or not repeats:
        raise RangeError(f"{text}: {len(values)} values do not fill {count} registers evenly; give one, or {count}")
    return Range(table.name, first - table.first, tuple(values * repeats))


def parse_ranges(texts: Iterable[str]) -> list[Range]:
    """All ranges, in order; each text may hold several with blanks between. Raises `RangeError` for the first that
    is wrong, and for one that gives a register twice."""
    ranges = [parse_range(word) for text in texts for word in text.split()]
    placed = sorted(ranges, key=lambda each: (each.table, each.start))
    for before, after in pairwise(placed):
        if before.table == after.table and after.start < before.stop:
            raise RangeError(f"{after.number} is given twice; name each register once")
    return ranges


def adjoining(ranges: Sequence[Range]) -> list[Range]:
    """The same registers in as few ranges as can be, by table and address: neighbours are joined."""
    joined: list[tuple[str, int, list[int]]] = []
    for each in sorted(ranges, key=lambda item: (item.table, item.start)):
        if joined:
            table, start, values = joined[-1]
            if table == each.table and start + len(values) == each.start:
                values += each.values
                continue
        joined.append((each.table, each.start, list(each.values)))
    return [Range(table, start, tuple(values)) for table, start, values in joined]


def _number(text: str, digits: str) -> int:
    word = digits.strip()
    if not (word.isascii() and word.isdigit()) or len(word) > 6:
        raise RangeError(f"{text}: {digits.strip()!r} is no register number; write it like 40001-40100=99")
    return int(word)


def _value(text: str, table: str, word: str) -> int:
    try:
        value = int(word.strip(), 0)
    except ValueError as exc:
        raise RangeError(f"{text}: {word.strip()!r} is no whole number") from exc
    if table in BIT_TABLES:
        if value not in (0, 1):
            raise RangeError(f"{text}: {value} in the {table} table, which holds 0 and 1")
        return value
    if not -0x8000 <= value <= 0xFFFF:
        raise RangeError(f"{text}: {value} does not fit a register; -32768 to 65535 does")
    return value & 0xFFFF
