"""One line for each read and write of a tag, as `--print` shows them:

SCADA[0-9] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
SCADA[4]   <= [99]
SCADA[900-1100] == error 0xFF
Pumps[2].Speed == [1450.0]
Timer == [{PRE: 1000, ACC: 5, EN: True, TT: False, DN: False}]
"""

import math
from collections.abc import Callable
from struct import Struct

from node.cip.status import PARTIAL_TRANSFER
from node.cip.types import REAL
from node.exchange.exchange import Exchange
from node.memory.access import Access
from node.memory.attribute import Value

_SINGLE = Struct("<f")
_LARGEST = 3.4028236e38


class Printer:
    """`show` gets each line, without a newline."""

    def __init__(self, show: Callable[[str], None] = print) -> None:
        self._show = show

    def before(self, exchange: Exchange) -> None:
        """Nothing yet."""

    def after(self, exchange: Exchange) -> None:
        """Shows the accesses in order."""
        for access in exchange.accesses:
            self._show(format_access(access))


def format_access(access: Access) -> str:
    """The line of one access."""
    name = access.attribute.name
    if access.attribute.dimensions:
        last = access.stop - 1
        name += f"[{access.start}-{last}]" if last > access.start else f"[{access.start}]"
    sign = "<=" if access.writing else "=="
    if access.status not in (0, PARTIAL_TRANSFER):
        return f"{name} {sign} error 0x{access.status:02X}"
    values = access.values
    return f"{name} {sign} " + _shown([*map(shortest, values)] if access.attribute.type is REAL else values)


def shortest(value: Value) -> Value:
    """A REAL in as few digits as tell it from its neighbours: 1.1, and not the 1.100000023841858 that it is."""
    if isinstance(value, float) and math.isfinite(value):
        for digits in range(1, 9):
            shorter = float(f"{value:.{digits}g}")
            if abs(shorter) < _LARGEST and _SINGLE.unpack(_SINGLE.pack(shorter))[0] == value:
                return shorter
    return value


def _shown(value: Value) -> str:
    """As Python shows it, but for the names of members, which are no texts."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_shown(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([_shown(item) for item in value]) + "]"
    return repr(value)
