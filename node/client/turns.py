"""Who has a line next: first come, first served.

A lock of Python's goes to whoever is quickest, and a thread that polls and takes it again at once is always quicker
than one that waits to write.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, get_ident

from node.client.patience import SLICE, OutOfTime, Patience


class Turns:
    """A lock for threads in the order of their coming. The one that has it may take it again."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._queue: deque[object] = deque()
        self._owner: int | None = None
        self._depth = 0

    @contextmanager
    def taken(self, patience: Patience | None = None) -> Iterator[None]:
        """Waits for its turn, and has it for the block. Raises `OutOfTime` when `patience` ends first; without one it
        waits as long as it takes."""
        self._take(patience)
        try:
            yield
        finally:
            with self._changed:
                self._depth -= 1
                if not self._depth:
                    self._owner = None
                    self._changed.notify_all()

    def _take(self, patience: Patience | None) -> None:
        me, ticket = get_ident(), object()
        with self._changed:
            if self._owner == me:
                self._depth += 1
                return
            self._queue.append(ticket)
        try:
            while not self._called(ticket, me):
                if patience is not None:
                    self._check(patience)
        finally:
            with self._changed:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def _called(self, ticket: object, me: int) -> bool:
        """Waits a little; whether it is the turn of `ticket`, which then is taken."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._owner is None and self._queue[0] is ticket, SLICE):
                return False
            self._owner, self._depth = me, 1
            return True

    @staticmethod
    def _check(patience: Patience) -> None:
        """Outside of the lock, for it runs what the caller gave."""
        try:
            patience.check()
        except OutOfTime as exc:
            raise OutOfTime(f"the line was busy with other requests for {patience.seconds:g} s") from exc
