"""Waiting for what comes about in its own time: as long as a busy machine may take, and no longer than it does take."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds. What is to happen at once, and not only some time, a test measures."""
COMES = "it did not come about"


def until(found: Callable[[], T], what: str = COMES, seconds: float = PATIENCE, every: float = 0.02) -> T:
    """What `found` gives as soon as that is something. The test fails with `what` where it is nothing for `seconds`; it
    is looked at `every` so many of them."""
    give_up = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < give_up, f"{what}, in {seconds:g} s"
        time.sleep(every)
    return result


async def eventually(found: Callable[[], T], what: str = COMES, seconds: float = PATIENCE, every: float = 0.005) -> T:
    """The same while the loop turns."""
    give_up = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < give_up, f"{what}, in {seconds:g} s"
        await asyncio.sleep(every)
    return result
