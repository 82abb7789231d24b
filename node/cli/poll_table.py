"""Registers on a terminal, in one place of it: what they hold, what they held before, and since when."""

import os
import sys
import time
from collections.abc import Mapping, Sequence

from node.record import dataclass

UP, CLEAR = "\x1b[{}A", "\x1b[J"
MOST_ROWS = 20
"""Where the terminal does not say how high it is."""


@dataclass(slots=True)
class Seen:
    """A value, the one before it, and the time of the change by `time.monotonic`."""

    value: int | None
    was: int | None
    at: float


class PollTable:
    """Draws itself over what it drew before."""

    def __init__(self) -> None:
        self._drawn = 0

    def draw(self, head: str, numbers: Sequence[int], seen: Mapping[int, Seen]) -> None:
        """One line of how it goes, and a row a register, as many as there is room for."""
        try:
            columns, height = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            columns = height = 0
        room = height - 3
        names = f"{'REGISTER':>10} {'VALUE':>7} {'WAS':>7}  CHANGED"
        lines = [head, names, *self._rows(numbers, seen, room if room > 0 else MOST_ROWS)]
        if columns:
            lines = [line[:columns] for line in lines]  # one that wraps has more rows than are gone back over
        back = UP.format(self._drawn) if self._drawn else ""
        print(f"\r{back}{CLEAR}" + "\n".join(lines), flush=True)
        self._drawn = len(lines)

    @staticmethod
    def _rows(numbers: Sequence[int], seen: Mapping[int, Seen], room: int) -> list[str]:
        now = time.monotonic()
        fits = numbers if len(numbers) <= room else numbers[: room - 1]
        rows = []
        for number in fits:
            one = seen.get(number)
            if one is None:
                rows.append(f"{number:>10} {'-':>7} {'-':>7}")
            else:
                rows.append(f"{number:>10} {shown(one.value):>7} {shown(one.was):>7}  {now - one.at:.0f} s ago")
        return rows if len(fits) == len(numbers) else [*rows, f"{len(numbers) - len(fits):>10} more"]


def shown(value: int | None) -> str:
    """A value as it stands in the table."""
    return "-" if value is None else str(int(value))
