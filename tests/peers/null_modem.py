"""A serial cable: two pseudo terminals, and a thread that takes what is said at either end to the other."""

import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Passes = Callable[[bytes], bytes]
"""What becomes of the bytes that go through."""


@contextmanager
def null_modem(passes: Passes = bytes) -> Iterator[tuple[str, str]]:
    """The device files of both ends; `passes` is asked of all bytes, whichever way they go."""
    ends = [pty.openpty() for _ in range(2)]  # the device sides stay open, so that a program may come and go
    for _, device in ends:
        tty.setraw(device)
    one, other = (master for master, _ in ends)
    ended, end = os.pipe()
    carrying = threading.Thread(target=_carry, args=({one: other, other: one}, ended, passes))
    carrying.start()
    try:
        yield os.ttyname(ends[0][1]), os.ttyname(ends[1][1])
    finally:
        os.write(end, b"!")
        carrying.join(10)
        for descriptor in (ended, end, *(each for pair in ends for each in pair)):
            os.close(descriptor)


def _carry(across: dict[int, int], ended: int, passes: Passes) -> None:
    while True:
        ready, _, _ = select.select([*across, ended], [], [])
        if ended in ready:
            return
        for master in ready:
            with suppress(OSError):
                os.write(across[master], passes(os.read(master, 4096)))
