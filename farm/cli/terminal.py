"""What a person sees: tables on standard output, everything else on standard error, colour only where it is wanted.

Standard output belongs to the answer, so that `farm ps | grep down` and `farm tags --json > file` work; progress,
warnings and errors go to standard error. Colour needs a terminal and the absence of NO_COLOR (https://no-color.org).
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

COLOURS = {"red": 31, "green": 32, "yellow": 33, "magenta": 35, "dim": 2, "bold": 1}
STATE_COLOURS = {
    "up": "green",
    "starting": "yellow",
    "restarting": "yellow",
    "down": "red",
    "crash-loop": "red",
    "stale": "yellow",
    "degraded": "yellow",
    "fault": "magenta",
    "stopped": "dim",
}


def is_terminal(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, stream: TextIO) -> str:
    """`text` in `colour`, where `stream` shows colours."""
    if not colour or not is_terminal(stream) or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], colours: Mapping[str, str] | None = None) -> str:
    """Aligned columns, two spaces apart, without rules: good to read and to cut. Cells named in `colours` get one."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]

    def line(cells: Sequence[str], painted: bool) -> str:
        shown = []
        for cell, width in zip(cells, widths, strict=True):
            colour = (colours or {}).get(cell, "") if painted else "bold"
            shown.append(paint(cell, colour, sys.stdout) + " " * (width - len(cell)))
        return "  ".join(shown).rstrip()

    return "\n".join([line(headings, False), *(line(row, True) for row in rows)])


def program() -> str:
    """How this program is called again from here: `farm` where the shell finds it, else its path."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m farm"
    return "farm" if shutil.which("farm") else os.path.relpath(called)


def node_count(number: int) -> str:
    """`1 node`, `12 nodes`."""
    return "1 node" if number == 1 else f"{number} nodes"


def say(text: str) -> None:
    """The answer, on standard output."""
    print(text, flush=True)


def say_json(value: Any) -> None:
    """The answer for a script."""
    print(json.dumps(value, indent=2, ensure_ascii=False), flush=True)


def note(text: str) -> None:
    """A line beside the answer, on standard error."""
    print(text, file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """A warning, once a line."""
    note(f"{paint('warning:', 'yellow', sys.stderr)} {text}")


def fail(text: str) -> None:
    """What went wrong, on one line for each fault."""
    note(f"{paint('error:', 'red', sys.stderr)} {text}")
