"""`python -m node history pump.hst --from +30s --tag 'Tank*'`: shows what was recorded, or makes a table or a drawing
of it."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

from node.cli.command_line import Parser, run_command
from node.cli.outcome import complain
from node.errors import ConfigError
from node.history.record_line import Record
from node.history.recorded import Recorded
from node.history.table import Access, accesses_of
from node.history.timestamp import Timestamp
from node.history.zones import ZoneError

PROGRAM = "python -m node history"

PAUSE = 0.2
"""Seconds between two looks at a history that grows."""

_OPERATORS = {"write": "<=", "read": "=="}


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "Show histories: what tags were, and who read and wrote them.", lesson)
    add = made.add_argument
    add("files", nargs="+", metavar="FILE", help="A history; older files beside it (.0, .1.gz ...) are part of it.")
    add("--from", dest="begin", metavar="WHEN", help="Begin there; by default where the history does.")
    add("--to", dest="end", metavar="WHEN", help="End there.")
    add(
        "-t",
        "--tag",
        dest="tags",
        metavar="PATTERN",
        action="append",
        default=[],
        help="Only names such as 'Tank*'; may be repeated.",
    )
    add("--accesses", action="store_true", help="Only what clients read and wrote, no values.")
    add(
        "-z",
        "--zone",
        metavar="ZONE",
        default="UTC",
        help="Zone of times, shown or typed: Europe/Berlin, local; UTC by default.",
    )
    add(
        "--region",
        metavar="REGION",
        action="append",
        default=[],
        help="Know the abbreviations of time zones there: CA, Europe/Berlin; may be repeated.",
    )
    add("-f", "--follow", action="store_true", help="Go on as more is written, until Ctrl-C.")
    add("--json", action="store_true", dest="as_json", help="An object a line.")
    add("--csv", metavar="OUT", help="Write a table there; - is stdout.")
    add("--parquet", metavar="OUT", help="Write a Parquet file there. Needs pyarrow.")
    add(
        "--plot",
        dest="plots",
        metavar="NAME",
        action="append",
        default=[],
        help="Draw it over time, as TAG or TAG[3]; may be repeated.",
    )
    return made


def lesson() -> str:
    """How instants are typed, and what tables have."""
    return """WHEN is
  '2014-07-15 22:03:44.186'       UTC, or the zone of --zone
  '2014-07-15 22:03:44 MDT'       an abbreviation, with --region CA; a zone or an offset goes too
  +1m30s                          so long after the history's first record

A table has a column a name, with its last value, and a row an instant at which one changed;
with --accesses, or where there are no values, a row an access."""


def show_history(arguments: argparse.Namespace) -> None:
    """Does what was typed. Raises `ConfigError`, and `NodeError` when it cannot be done."""
    outputs = [name for name in ("as_json", "csv", "parquet", "plots") if getattr(arguments, name)]
    if len(outputs) > 1:
        raise ConfigError("output", 0, "give one of --json, --csv, --parquet and --plot")
    if arguments.follow and outputs not in ([], ["as_json"]):
        raise ConfigError("--follow", 0, "a table and a drawing need an end; leave one of the two out")
    recorded = _recorded(arguments)
    try:
        _show(recorded, arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has seen enough
        sys.stdout = None  # so that Python does not flush it at its end


def remark(what: str) -> None:
    """A line about how it went, on stderr."""
    complain(PROGRAM, what, 0)


def _show(recorded: Recorded, arguments: argparse.Namespace) -> None:
    if arguments.csv or arguments.parquet:
        import_module("node.cli.history_table").write_table(recorded, arguments, remark)
    elif arguments.plots:
        import_module("node.cli.history_plot").show_plots(recorded, arguments.plots, arguments.zone)
    else:
        _print(recorded, arguments)


def _recorded(arguments: argparse.Namespace) -> Recorded:
    """What was asked for. Raises `ConfigError`, `HistoryError`."""
    try:
        for region in arguments.region:
            Timestamp.support_abbreviations(region)
        Timestamp(0).render(arguments.zone)
    except ZoneError as exc:
        raise ConfigError("time zone", 0, str(exc)) from exc
    told: set[str] = set()

    def tell(what: str) -> None:
        if what not in told:  # a table is read twice
            told.add(what)
            remark(what)

    recorded = Recorded(arguments.files, patterns=arguments.tags, accesses=arguments.accesses, tell=tell)
    try:
        recorded.between(arguments.begin, arguments.end, arguments.zone)
    except ValueError as exc:
        raise ConfigError("--from, --to", 0, str(exc)) from exc
    return recorded


def _print(recorded: Recorded, arguments: argparse.Namespace) -> None:
    show: Callable[[Record], Iterable[str]] = _json_lines if arguments.as_json else _Aligned(arguments.zone)
    if not arguments.follow:
        for record in recorded.records():
            for line in show(record):
                print(line)
        return
    try:
        for records in recorded.growing():
            for record in records:
                for line in show(record):
                    print(line)
            sys.stdout.flush()
            if not records:
                time.sleep(PAUSE)
    except KeyboardInterrupt:
        pass  # which is how it ends


class _Aligned:
    """Lines for people: the time once, names in a column that grows with them."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._width = 0

    def __call__(self, record: Record) -> list[str]:
        """The lines of a record."""
        shown = Timestamp(record.time).render(self._zone)
        if record.serial is not None:
            rows = [(_place(access), *_said(access)) for access in accesses_of([record])]
        elif isinstance(record.data, dict):
            rows = [(name, "=", _text(value)) for name, value in record.data.items()]
        else:
            return [f"{shown}  # {record.data}"]
        lines = []
        for name, operator, value in rows:
            self._width = max(self._width, len(name))
            lines.append(f"{shown}  {name:{self._width}} {operator:2} {value}")
            shown = " " * len(shown)
        return lines


def _place(access: Access) -> str:
    if access.first is None:
        return access.tag
    return (
        f"{access.tag}[{access.first}]"
        if access.first == access.last
        else f"{access.tag}[{access.first}-{access.last}]"
    )


def _said(access: Access) -> tuple[str, str]:
    """An operator, and what was read or written or went wrong, as `--print` of a simulator has it."""
    operator = _OPERATORS.get(access.what, access.what)
    if access.error is not None:
        code = f"0x{access.error:02X}" if isinstance(access.error, int) else _text(access.error)
        said = f"error {code}"
    else:
        said = _text(access.values)
    return operator, said if access.peer is None else f"{said}  {access.peer}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json_lines(record: Record) -> list[str]:
    when = Timestamp(record.time).datetime().isoformat(timespec="milliseconds")
    rows: list[dict[str, Any]]
    if record.serial is not None:
        rows = [access._asdict() for access in accesses_of([record])]
    elif isinstance(record.data, dict):
        rows = [{"name": name, "value": value} for name, value in record.data.items()]
    else:
        rows = [{"note": record.data}]
    return [json.dumps({"time": None, **row} | {"time": when}) for row in rows]


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_command(parser(program), show_history, arguments)
