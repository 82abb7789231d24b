"""A controller that is being served, for the program around it: its tags from any thread, its ports, its end.

The controller belongs to one thread, that of its loop. What another thread wants of a tag is done there, between two
requests, so that neither sees the other's half of a change.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Protocol, TypeVar, overload

from node.cip.status import INVALID_ATTRIBUTE_VALUE, CipError
from node.controller import Controller
from node.errors import ConfigError
from node.memory.attribute import Attribute, Value
from node.memory.place import Place

T = TypeVar("T")


class Run(Protocol):
    """Has something done where a controller is served."""

    def __call__(self, act: Callable[[], T]) -> T:
        """What `act` gives."""


PATIENCE = 30.0
"""Seconds that a thread waits for the loop."""


class Served:
    """`controller` on `loop`, which calls `stop` when it is to end; both are None while it is not served. All of it may
    be used from any thread."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread_id = 0
        self._end: Callable[[], None] | None = None
        self.tags = Tags(controller, self.run)

    def serves(self, loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
        """Called on `loop` once it serves; `end`, called there, ends that."""
        self._loop, self._end = loop, end
        self._thread_id = threading.get_ident()

    def ended(self) -> None:
        """Called on the loop when it serves no more."""
        self._loop = self._end = None

    @property
    def ports(self) -> dict[str, int]:
        """Protocol (`enip`, `modbus`) to port number."""
        return self._controller.ports

    @property
    def connections(self) -> list[tuple[str, str]]:
        """(protocol, `address:port`) of every client that is connected."""
        return self.run(lambda: [(protocol, peer.name) for protocol, peer in self._controller.connections()])

    def stop(self) -> None:
        """Has it end; does not wait for that."""
        loop, end = self._loop, self._end
        if loop is not None and end is not None:
            loop.call_soon_threadsafe(end)

    def run(self, act: Callable[[], T]) -> T:
        """What `act` gives, called where the controller is served. Raises what it does, and `TimeoutError` where the
        loop does not come to it."""
        loop = self._loop
        if loop is None or threading.get_ident() == self._thread_id or self._controller.serves_here:
            return act()
        future: Future[T] = Future()

        def there() -> None:
            try:
                future.set_result(act())
            except BaseException as exc:
                future.set_exception(exc)

        loop.call_soon_threadsafe(there)
        return future.result(PATIENCE)


class Tags:
    """The tags of a controller by name, in any case, and what is within them: `tags["SCADA"][3]`, `tags["Pump.Speed"]`,
    `tags["Level"] = 1.5`. `run` has something done where the controller is served."""

    def __init__(self, controller: Controller, run: Run) -> None:
        self._controller = controller
        self._run = run

    def __getitem__(self, name: str) -> "Tag":
        """Raises `KeyError` for a tag that is not there."""
        try:
            return Tag(self._controller.place(name), self._run)
        except ConfigError as exc:
            raise KeyError(f"{name}: {exc.message}") from exc

    def __setitem__(self, name: str, value: "Value | list[Value]") -> None:
        self[name].value = value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._controller.tags.by_name(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._controller.tags])

    def __len__(self) -> int:
        return len(self._controller.tags)


class Tag:
    """A tag's memory, past rights, signals and faults: the program is the controller here, and no client of it. Where
    the tag has hooks they are called, in the thread that asks."""

    def __init__(self, place: Place, run: Run) -> None:
        self._place = place
        self._attribute: Attribute = place.attribute
        self._run = run

    @property
    def name(self) -> str:
        """As clients know it."""
        return self._place.name

    @property
    def type(self) -> str:
        """The name of its CIP type, or structure."""
        return self._attribute.type.name

    def __len__(self) -> int:
        return self._place.stop - self._place.start

    @overload
    def __getitem__(self, key: int) -> Value: ...
    @overload
    def __getitem__(self, key: slice) -> list[Value]: ...
    def __getitem__(self, key: int | slice) -> Value | list[Value]:
        """An element, or those of a slice. Raises `IndexError`."""
        found = self._key(key)
        return self._do(lambda: self._attribute[found])

    def __setitem__(self, key: int | slice, value: Value | list[Value]) -> None:
        """Raises `IndexError`, and `ValueError` for a value that does not fit the type."""
        found = self._key(key)

        def act() -> None:
            self._attribute[found] = value  # type: ignore[index]

        try:
            self._do(act)
        except CipError as exc:
            if exc.general != INVALID_ATTRIBUTE_VALUE:
                raise
            raise ValueError(f"tag {self.name!r}: {value!r:.80} does not fit {self.type}") from exc

    @property
    def value(self) -> Value | list[Value]:
        """All of it: a list for an array."""
        return self[:] if self._many else self[0]

    @value.setter
    def value(self, value: Value | list[Value]) -> None:
        self[slice(None) if self._many else 0] = value

    @property
    def _many(self) -> bool:
        return bool(self._attribute.dimensions) and not self._place.indexed

    def _key(self, key: int | slice) -> int | slice:
        """The attribute's own. Raises `IndexError`."""
        start, count = self._place.start, len(self)
        if isinstance(key, slice):
            low, high, step = key.indices(count)
            if step != 1:
                raise IndexError(f"tag {self.name!r}: elements one after another are wanted, not every {step}th")
            return slice(start + low, start + max(low, high))
        if not -count <= key < count:
            raise IndexError(f"tag {self.name!r} has no element {key}; it has {count}")
        return start + key % count

    def _do(self, act: Callable[[], T]) -> T:
        return act() if self._attribute.hooked else self._run(act)
