"""What a call costs in lines of Python: a measure that no clock and no neighbour has a part in."""

import sys
from collections.abc import Callable
from typing import Any

from farm.topology.collector import paused_collection


def lines_of(call: Callable[[], Any]) -> int:
    """Lines of Python that it runs; not those of a collection of cycles that would fall into it."""
    ran = 0

    def trace(*_: Any) -> Any:
        nonlocal ran
        ran += 1
        return trace

    before = sys.gettrace()
    with paused_collection():
        sys.settrace(trace)
        try:
            call()
        finally:
            sys.settrace(before)
    return ran
