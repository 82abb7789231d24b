"""Histories drawn in a terminal: `python -m node history --plot Level`."""

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from node.errors import NodeError
from node.history.plot import plot
from node.history.record_line import Record
from node.history.recorded import Recorded
from node.history.table import names_of, rows_of

WIDTH = 100
"""Columns where there is no terminal."""

_ELEMENT = re.compile(r"(.*)\[(\d+)\]", re.DOTALL)


def show_plots(recorded: Recorded, names: Iterable[str], zone: str) -> None:
    """Prints a drawing of each. Raises `NodeError` for a name that is not there, and for what is no number."""
    try:
        width = os.get_terminal_size().columns
    except OSError:
        width = WIDTH
    known = [*names_of(recorded.records(before=True))]
    for number, name in enumerate(names):
        if number:
            print()
        times, values = _points(recorded, name, known)
        print("\n".join(plot(name, times, values, width, zone)))


def _points(recorded: Recorded, name: str, known: list[str]) -> tuple[list[float], list[float]]:
    """When it changed, and to what; from the beginning of what was asked for to its end. Raises `NodeError`."""
    column, element = _column(name, known)
    times: list[float] = []
    values: list[float] = []
    end = recorded.begin

    def watched() -> Iterator[Record]:
        nonlocal end
        for record in recorded.records(before=True):
            end = record.time
            yield record

    for time, row in rows_of(watched(), [column]):
        value = _number(name, row[0], element)
        if time < recorded.begin:
            times, values = [recorded.begin], [value]
        else:
            times.append(time)
            values.append(value)
    return (times, values) if not times else ([*times, max(end, times[-1])], [*values, values[-1]])


def _column(name: str, known: list[str]) -> tuple[str, int | None]:
    """The name of a value, and which element of it. Raises `NodeError`."""
    if name in known:
        return name, None
    form = _ELEMENT.fullmatch(name)
    if form is not None and form[1] in known:
        return form[1], int(form[2])
    there = ", ".join(known[:8]) + (" ..." if len(known) > 8 else "")
    raise NodeError(f"--plot: nothing is called {name!r}; there is {there or 'no value at all'}")


def _number(name: str, value: Any, element: int | None) -> float:
    if element is not None:
        if not isinstance(value, list) or element >= len(value):
            raise NodeError(f"--plot {name}: there is no element {element}")
        value = value[element]
    if value is None:
        return float("nan")
    if not isinstance(value, bool | int | float):
        wanted = f"{name}[0]" if isinstance(value, list) else "a number"
        raise NodeError(f"--plot {name}: it is no number but {str(value)[:40]}; wanted {wanted}")
    return float(value)
