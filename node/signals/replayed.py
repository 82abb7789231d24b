"""A recording as what moves a tag: from the instant of each recorded value on, the tag has it.

It takes the place of whatever moved the tag, and gives it back. As with a signal nothing runs between two reads, and a
client's write succeeds and is overwritten at the next one. When it ends the tag holds what it held when it began.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from node.memory.attribute import Attribute, Value
from node.memory.part import Part


class Replayed:
    """A `memory.attribute.Source` of all elements of `attribute`, a tag's or its `unpacked` BOOLs, from now on. `read`
    makes the elements of what was recorded, None where it cannot; it is asked when somebody reads the tag, so values
    that nobody sees cost next to nothing."""

    def __init__(self, attribute: Attribute, read: Callable[[Any], Sequence[Value] | None]) -> None:
        root = attribute.root if isinstance(attribute, Part) else attribute
        self._attribute = attribute
        self._root = root
        self._read = read
        self._coming: deque[tuple[float, Any]] = deque()
        self._values: Sequence[Value] | None = None
        self._laid = True
        self._texts = None if len(root.array) else root[:]
        self._bytes = root.array.tobytes()
        self._before = root.swap_source(self)

    @property
    def refuses(self) -> bool:
        """Whether writes are an error, as they were before."""
        return self._before is not None and self._before.refuses

    @property
    def waiting(self) -> int:
        """How many values are yet to come."""
        return len(self._coming)

    def put(self, due: float, recorded: Any) -> None:
        """Has the elements be what was `recorded` from the instant `due` on. What was to come then or later does
        not."""
        coming = self._coming
        while coming and coming[-1][0] >= due:
            coming.pop()
        coming.append((due, recorded))

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        """Puts the values of `now` in place; before the first of them, what would be there without."""
        coming = self._coming
        due = None
        while coming and coming[0][0] <= now:
            due = coming.popleft()
        if due is not None:
            self._values = self._read(due[1]) or self._values
            self._laid = False
        if self._values is None:
            if self._before is not None:
                self._before.fill(attribute, now, start, stop)
        elif not self._laid:
            self._attribute[0 : self._attribute.length] = self._values
            self._laid = True

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        """A client wrote: that is overwritten at the next read."""
        self._laid = False

    def end(self) -> None:
        """Gives the tag back, as it was."""
        if self._root.source is self:
            self._root.swap_source(self._before)
        if self._texts is not None:
            self._root[0 : self._root.length] = self._texts
        else:
            memoryview(self._root.array).cast("B")[:] = self._bytes
