"""The objects of a device by class, each made when it is first asked for.

Hundreds of nodes are forked from one parent and share what they do not write to; to make an object is to write to every
page that its code and constants lie in. Most nodes are never asked for most of their objects: made at once, they were a
sixth of a node's memory.
"""

from collections.abc import Callable, Iterator

from node.objects.object import Object

Make = Callable[[], Object]


class Shelf:
    """Objects, and what makes the others."""

    __slots__ = ("_made", "_makers")

    def __init__(self) -> None:
        self._made: dict[int, Object] = {}
        self._makers: dict[int, Make] = {}

    def offer(self, class_id: int, make: Make) -> None:
        """Has the object of a class made by `make`, once, in place of one that was there."""
        self._made.pop(class_id, None)
        self._makers[class_id] = make

    def get(self, class_id: int) -> Object | None:
        """The object of a class, None where there is none."""
        found = self._made.get(class_id)
        if found is None and class_id in self._makers:
            found = self._made[class_id] = self._makers[class_id]()
        return found

    def __getitem__(self, class_id: int) -> Object:
        """Raises `KeyError` where there is none."""
        found = self.get(class_id)
        if found is None:
            raise KeyError(class_id)
        return found

    def __iter__(self) -> Iterator[int]:
        """The classes there are."""
        return iter(tuple(self._makers))

    def __len__(self) -> int:
        return len(self._makers)

    def values(self) -> tuple[Object, ...]:
        """All of them, made now where they were not."""
        return tuple(self[class_id] for class_id in self)

    def made(self) -> tuple[Object, ...]:
        """Those that were asked for: nobody can have changed the others."""
        return tuple(self._made.values())
