"""Histories as tables for other programs: `python -m node history --csv` and `--parquet`."""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from node.errors import ConfigError, NodeError
from node.history.history_files import series
from node.history.recorded import Recorded
from node.history.table import accesses_of, names_of, rows_of
from node.history.timestamp import Timestamp

_ACCESS_TYPES: dict[str, type] = {
    "tag": str,
    "first": int,
    "last": int,
    "what": str,
    "values": str,
    "error": int,
    "peer": str,
}


def write_table(recorded: Recorded, arguments: argparse.Namespace, remark: Callable[[str], None]) -> None:
    """Writes what was asked for, and says how much it was. Raises `ConfigError`, `NodeError`, `OSError`."""
    out = arguments.csv or arguments.parquet
    _spare_the_history(out, recorded)
    columns = {} if arguments.accesses else names_of(recorded.records(before=True))
    accesses = not columns
    if accesses:
        columns, rows = _ACCESS_TYPES, _access_rows(recorded)
    else:
        rows = _value_rows(recorded, [*columns])
    count = _write_csv(out, columns, rows, arguments.zone) if arguments.csv else _write_parquet(out, columns, rows)
    if out != "-":
        remark(f"{out}: {count} {'accesses' if accesses else f'rows of {len(columns)} columns'}")


def _value_rows(recorded: Recorded, names: list[str]) -> Iterator[tuple[float, list[Any]]]:
    for time, row in rows_of(recorded.records(before=True), names):
        if time >= recorded.begin:
            yield time, row


def _access_rows(recorded: Recorded) -> Iterator[tuple[float, list[Any]]]:
    for access in accesses_of(recorded.records()):
        values = None if access.values is None else json.dumps(access.values, ensure_ascii=False)
        error = access.error if isinstance(access.error, int) else None
        yield access.time, [*access[1:5], values, error, access.peer]


def _spare_the_history(out: str, recorded: Recorded) -> None:
    """Raises `ConfigError` where the table would be written over what it is made of."""
    if out != "-" and Path(out).exists():
        for path in recorded.paths:
            if any(file.path.samefile(out) for file in series(path)):
                raise ConfigError(f"output {out!r}", 0, "it is a file of the history; name another one")


def _write_csv(out: str, columns: dict[str, type], rows: Iterator[tuple[float, list[Any]]], zone: str) -> int:
    count = 0
    with _text_file(out) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time", *columns])
        for time, row in rows:
            shown = Timestamp(time).render(zone, detail="offset")
            writer.writerow([shown, *(value if isinstance(value, str) else _cell(value) for value in row)])
            count += 1
    return count


@contextmanager
def _text_file(out: str) -> Iterator[IO[str]]:
    if out == "-":
        yield sys.stdout
        return
    with Path(out).open("w", encoding="utf-8", newline="") as file:
        yield file


def _cell(value: Any) -> Any:
    """Numbers as they are, nothing as nothing, everything else as JSON has it."""
    return value if value is None or type(value) in (int, float) else json.dumps(value, ensure_ascii=False)


def _write_parquet(out: str, columns: dict[str, type], rows: Iterator[tuple[float, list[Any]]]) -> int:
    try:
        write: Callable[..., int] = import_module("node.cli.history_parquet").write
    except ImportError as exc:
        raise NodeError('--parquet: pyarrow is missing, which writes it: pip install "plcfarm[parquet]"') from exc
    return write(out, columns, rows)
