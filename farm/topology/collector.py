"""The collector of reference cycles, out of the way while much is made that has none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collection() -> Iterator[None]:
    """What is made of many values has no cycles; the collector would walk it again and again while it grows."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
