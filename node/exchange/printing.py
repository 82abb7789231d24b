"""One line for each read and write of a tag, as `--print` shows them:

SCADA[0-9] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
SCADA[4]   <= [99]
SCADA[900-1100] == error 0xFF
Pumps[2].Speed == [1450.0]
Timer == [{PRE: 1000, ACC: 5, EN: True, TT: False, DN: False}]
"""

from collections.abc import Callable

from node.exchange.exchange import Exchange
from node.memory.access import Access
from node.memory.attribute import Value


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
    failed = access.status not in (0, 6)
    return f"{name} {sign} " + (f"error 0x{access.status:02X}" if failed else _shown(access.values))


def _shown(value: Value) -> str:
    """As Python shows it, but for the names of members, which are no texts."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_shown(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([_shown(item) for item in value]) + "]"
    return repr(value)
