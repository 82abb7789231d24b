"""The registers of a device as a table in a text file: a register map, which every manual has at its end.

    # comments and empty lines are allowed
    address,type,name,unit,scale,access,signal
    40001,INT,Temperature,°C,0.1,read,sine min=18 max=24 period=10m
    input@2999,REAL,Current,A,,read,noise mean=12 sigma=0.1
    holding@100,STRING[20],Label,,,rw,

The first line names the columns, in any order; `node.config.register_row` says what they take. Columns are parted by
commas, or by semicolons (as Excel has it where a comma is the decimal point) or tabs: what the first line has. Wrong
lines are all found at once, each with one message.
"""

import csv
from collections.abc import Callable, Iterator, Sequence

from node.config.hint import closest
from node.config.model import RegisterBlock
from node.config.register_number import number
from node.config.register_row import COLUMNS, REQUIRED, Cells, MapRow, RowReader
from node.errors import ConfigError
from node.record import dataclass

EXAMPLE = "address,type,name,unit,scale,access,signal"

MAX_BYTES = 5_000_000
MAX_LINES = 20_000
"""Of registers."""
MAX_PROBLEMS = 200
"""Reading stops at so many wrong lines: such a file is another kind of file."""
_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class LineProblem:
    """What is wrong with a line, counted from 1; line 0 is the file as a whole."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """The rows of a map in the order of the file, and what is wrong with it: rows with faults are left out."""

    rows: tuple[MapRow, ...] = ()
    problems: tuple[LineProblem, ...] = ()


class RegisterMapError(ConfigError):
    """A map that cannot be used: one line of text for each of `problems`."""

    def __init__(self, source: str, problems: Sequence[LineProblem]) -> None:
        super().__init__(source, problems[0].line, problems[0].message)
        self.problems = tuple(problems)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(str(ConfigError(self.source, each.line, each.message)) for each in self.problems)

    def __str__(self) -> str:
        return "\n".join(self.lines)


def decode_map(data: bytes, source: str) -> str:
    """The text of a map's bytes: UTF-8, perhaps with a byte order mark. Raises `ConfigError`."""
    if len(data) > MAX_BYTES:
        raise ConfigError(source, 0, f"is larger than {MAX_BYTES:,} bytes; a register map has a line a register")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise ConfigError(source, line, f"byte 0x{data[exc.start]:02X} is not UTF-8; save the file as UTF-8") from None


def parse_map(text: str, order: str = "ABCD") -> RegisterMap:
    """The map in `text`; `order` is the device's byte order of values wider than a register."""
    lines = list(_lines(text))
    if not lines:
        return RegisterMap((), (LineProblem(0, f"is empty; wanted a first line such as {EXAMPLE}"),))
    head, rest = lines[0], lines[1:]
    separator = max(_SEPARATORS, key=head[1].count)
    try:
        columns, faults = _columns(_cells(head[1], separator))
    except ConfigError as exc:
        return RegisterMap((), (LineProblem(head[0], exc.message),))
    problems = [LineProblem(head[0], fault) for fault in faults]
    if any(name not in columns for name in REQUIRED):
        return RegisterMap((), tuple(problems))
    if not rest:
        problems.append(LineProblem(head[0], "has no registers below it"))
    if len(rest) > MAX_LINES:
        problems.append(
            LineProblem(0, f"has {len(rest):,} lines; wanted at most {MAX_LINES:,}: a line may be an array")
        )
        rest = []
    rows: list[MapRow] = []
    reader = RowReader(order, comma=separator == ";")
    for line, written in rest:
        if len(problems) >= MAX_PROBLEMS:
            problems.append(LineProblem(line, f"and what follows is not read: {MAX_PROBLEMS} lines are wrong already"))
            break
        row = _row(reader, columns, written, separator, line)
        if isinstance(row, MapRow):
            rows.append(row)
        else:
            problems.append(row)
    problems += _clashes(rows)
    return RegisterMap(tuple(rows), tuple(sorted(problems, key=lambda each: each.line)))


def clear_of(own: Sequence[RegisterBlock]) -> Callable[[RegisterBlock], bool]:
    """Whether a block shares no register with those of `own`."""
    taken = {table: bytearray(0x10000) for table in {block.table for block in own}}
    for block in own:
        taken[block.table][block.start : block.start + block.count] = b"\1" * block.count
    return lambda block: (
        block.table not in taken or 1 not in taken[block.table][block.start : block.start + block.count]
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line that says something."""
    for at, line in enumerate(text.split("\n"), 1):
        if (stripped := line.strip(" \r,;\t")) and not stripped.startswith("#"):
            yield at, line.rstrip("\r")


def _cells(line: str, separator: str) -> list[str]:
    """The cells of a line, unquoted. Raises `ConfigError`."""
    try:
        return [
            cell.strip() for cell in next(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True))
        ]
    except csv.Error as exc:
        raise ConfigError("", 0, f"cannot be parted into cells: {exc}") from None


def _columns(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns that the first line names, and what is wrong with them, in one text."""
    names = [cell.lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not any(name in COLUMNS for name in names):
        return names, [f"names no columns; wanted a first line such as {EXAMPLE}"]
    faults = []
    for at, name in enumerate(names):
        if name not in COLUMNS:
            near = closest(name, COLUMNS)
            faults.append(f"unknown column '{cells[at]}'" + (f" (did you mean {near}?)" if near else ""))
        elif name in names[:at]:
            faults.append(f"column '{name}' is there twice")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        faults.append(f"no column {' and no '.join(missing)}")
    return names, [f"{'; '.join(faults)}; wanted columns of {', '.join(COLUMNS)}"] if faults else []


def _row(reader: RowReader, columns: Sequence[str], text: str, separator: str, line: int) -> MapRow | LineProblem:
    try:
        row = reader.read(_named(columns, _cells(text, separator)), line)
    except ConfigError as exc:
        return LineProblem(line, exc.message)
    return LineProblem(line, "; ".join(reader.faults)) if row is None else row


def _named(columns: Sequence[str], cells: Sequence[str]) -> Cells:
    if any(cells[len(columns) :]):
        raise ConfigError(
            "", 0, f"{len(cells)} cells for {len(columns)} columns; put a cell with a separator in quotes"
        )
    return dict(zip(columns, cells, strict=False))


def _clashes(rows: Sequence[MapRow]) -> Iterator[LineProblem]:
    """Names and registers that two lines have, told at the later one."""
    faults: dict[int, list[str]] = {}
    names: dict[str, MapRow] = {}
    for row in rows:
        other = names.setdefault(row.tag.name.casefold(), row)
        if other is not row:
            faults.setdefault(row.line, []).append(f"name '{row.tag.name}' is that of line {other.line}")
    furthest: MapRow | None = None
    for row in sorted(rows, key=lambda each: (each.block.table, each.block.start, each.line)):
        if furthest is not None and _stop(furthest) > row.block.start and furthest.block.table == row.block.table:
            first, second = sorted((furthest, row), key=lambda each: each.line)
            shared = number(row.block.table, row.block.start)
            faults.setdefault(second.line, []).append(f"{row.block.table} {shared} is in line {first.line} already")
        if furthest is None or furthest.block.table != row.block.table or _stop(row) > _stop(furthest):
            furthest = row
    return (LineProblem(line, "; ".join(messages)) for line, messages in faults.items())


def _stop(row: MapRow) -> int:
    return row.block.start + row.block.count
