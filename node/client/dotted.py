"""The tree that replies are read by, and one that is made when somebody first looks into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from node.automata.dotted import dotdict as dotdict


class latedict(dotdict):  # noqa: N801  beside `dotdict`
    """A dotdict that is made when somebody first looks into it: most replies nobody does."""

    __slots__ = ("_make",)
    _make: Callable[[], Mapping[str, Any]] | None

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        object.__setattr__(self, "_make", make)

    def _top(self) -> dotdict:
        make = self._make
        if make is not None:
            object.__setattr__(self, "_make", None)
            self.update(make())
        return self
