"""What clients did with tags, as a history's records have it (`node.history`): whose elements, and what came of it.

    ["Tag_Name", [0, 3]]       {"write": [0, 1, 2, 3]}
    ["Tag_Name", [0, 3]]       {"read": [0, 1, 2, 3]}
    ["Tag_Name", [900, 1100]]  {"read": null, "error": 255}

`error` is the general status that the access was refused with. A number that is none is null.
"""

import math
from collections.abc import Callable
from typing import Any

from node.cip.status import PARTIAL_TRANSFER
from node.cip.types import REAL
from node.exchange.exchange import Exchange
from node.exchange.printing import shortest
from node.memory.access import Access
from node.memory.attribute import Value
from node.memory.part import place_of

Serial = list[Any]
"""The name of a tag and its elements, the first and the last."""
Note = Callable[[Exchange, Serial, dict[str, Any]], object]
"""Takes a record of an access that the exchange made. What it keeps is kept before the reply leaves."""


class Recorder:
    """An `Interceptor` for either protocol that gives `note` every read, write and refusal of the tags that `chosen`,
    asked with a tag's name, says yes to."""

    def __init__(self, note: Note, chosen: Callable[[str], bool] = bool) -> None:
        self._note = note
        self._chosen = chosen

    def before(self, exchange: Exchange) -> None:
        """Nothing yet."""

    def after(self, exchange: Exchange) -> None:
        """Records the accesses in order."""
        for access in exchange.accesses:
            root, _ = place_of(access.attribute, access.start)
            if self._chosen(root.name):
                self._note(exchange, *record_of(access))


def record_of(access: Access) -> tuple[Serial, dict[str, Any]]:
    """The second and third column of the record of an access."""
    serial = [access.attribute.name, [access.start, max(access.start, access.stop - 1)]]
    done = "write" if access.writing else "read"
    if access.status not in (0, PARTIAL_TRANSFER):
        return serial, {done: None, "error": access.status}
    single = access.attribute.type is REAL
    return serial, {done: [_plain(shortest(value) if single else value) for value in access.values]}


def _plain(value: Value) -> Any:
    """A value that JSON has a word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
