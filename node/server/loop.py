"""The event loop of a node: asyncio's own, whose selector hands bytes that came on a connection straight to who waits.

Between the system's word that a connection can be read and the protocol's `data_received` asyncio makes a key, a handle
and a context of it, puts it into a queue and takes it out again: in Python 3.11 that is a third of what a node does for
a request. A `Stream` is called from within `select` instead, which goes on waiting while nobody else has anything to
do. It may do all that a callback of the loop may: once it has the loop call something, `select` is over.
"""

import asyncio
import contextlib
import math
import select
from collections.abc import Callable, Iterator, Mapping
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, SelectorKey
from time import monotonic
from typing import Any

READABLE, WRITABLE = 0x001, 0x004
"""EPOLLIN and EPOLLOUT of epoll(7), which other systems have no names for."""

Ready = Callable[[int], None]
"""Is told the events of epoll(7) that came, and raises nothing."""


class Registered(Mapping[Any, SelectorKey]):
    """Keys by descriptor, or by what has one: asyncio asks for a key by either since Python 3.13."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Mapping[int, SelectorKey]) -> None:
        self._keys = keys

    def __getitem__(self, fileobj: Any) -> SelectorKey:
        return self._keys[_descriptor(fileobj)]

    def __iter__(self) -> Iterator[int]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class Readiness(BaseSelector):
    """A selector on epoll, as asyncio wants one; what is watched by `watch` is called and never given to asyncio.
    `stirred` is to be set when the loop was given something to do."""

    def __init__(self) -> None:
        self.stirred = False
        self._epoll = select.epoll()
        self._keys: dict[int, SelectorKey] = {}
        self._registered = Registered(self._keys)
        self._watched: dict[int, Ready] = {}

    def watch(self, fd: int, events: int, ready: Ready) -> None:
        """Calls `ready` for these events of epoll(7) on `fd` from now on, in place of those before; 0 for none."""
        known = fd in self._watched
        if not events:
            if known:
                del self._watched[fd]
                self._epoll.unregister(fd)
            return
        self._watched[fd] = ready
        if known:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        found: list[tuple[SelectorKey, int]] = []
        watched, poll = self._watched, self._epoll.poll
        until = math.inf if timeout is None else monotonic() + timeout
        self.stirred = False
        while True:
            came = poll(_seconds(timeout), len(watched) + len(self._keys) or 1)
            for fd, events in came:
                ready = watched.get(fd)
                if ready is not None:
                    ready(events)
                elif (key := self._keys.get(fd)) is not None:
                    meant = (events & ~WRITABLE and EVENT_READ) | (events & ~READABLE and EVENT_WRITE)
                    found.append((key, meant & key.events))
            if found or self.stirred or not came:
                return found
            if timeout is not None:
                timeout = until - monotonic()
                if timeout <= 0:
                    return found

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        key = SelectorKey(fileobj, _descriptor(fileobj), events, data)
        if key.fd in self._keys or key.fd in self._watched:
            raise KeyError(f"descriptor {key.fd} is registered already")
        self._epoll.register(key.fd, _epoll_events(events))
        self._keys[key.fd] = key
        return key

    def unregister(self, fileobj: Any) -> SelectorKey:
        key = self._keys.pop(_descriptor(fileobj))
        with contextlib.suppress(OSError):  # it was closed before
            self._epoll.unregister(key.fd)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        key = SelectorKey(fileobj, _descriptor(fileobj), events, data)
        if events != self._keys[key.fd].events:
            self._epoll.modify(key.fd, _epoll_events(events))
        self._keys[key.fd] = key
        return key

    def get_key(self, fileobj: Any) -> SelectorKey:
        return self._keys[_descriptor(fileobj)]

    def get_map(self) -> Mapping[Any, SelectorKey]:
        return self._registered

    def close(self) -> None:
        self._epoll.close()
        self._keys.clear()
        self._watched.clear()


class NodeLoop(asyncio.SelectorEventLoop):
    """The loop, with the `readiness` that streams are watched by."""

    def __init__(self) -> None:
        self.readiness = Readiness()
        super().__init__(self.readiness)

    def call_soon(self, *args: Any, **more: Any) -> asyncio.Handle:  # type: ignore[override]
        """As asyncio's."""
        self.readiness.stirred = True
        return super().call_soon(*args, **more)

    def call_at(self, *args: Any, **more: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        """As asyncio's."""
        self.readiness.stirred = True
        return super().call_at(*args, **more)

    def stop(self) -> None:
        """As asyncio's."""
        self.readiness.stirred = True
        super().stop()


def new_loop() -> asyncio.AbstractEventLoop:
    """A `NodeLoop` where the system has epoll; elsewhere one of asyncio's that watches sockets, which is not what
    Windows has by default."""
    return NodeLoop() if hasattr(select, "epoll") else asyncio.SelectorEventLoop()


def _seconds(timeout: float | None) -> float:
    """What epoll is told to wait: rounded up to what it can, so that nobody is woken before it is time."""
    if timeout is None:
        return -1.0
    return math.ceil(timeout * 1e3) * 1e-3 if timeout > 0 else 0.0


def _descriptor(fileobj: Any) -> int:
    return fileobj if isinstance(fileobj, int) else int(fileobj.fileno())


def _epoll_events(events: int) -> int:
    return (events & EVENT_READ and READABLE) | (events & EVENT_WRITE and WRITABLE)
