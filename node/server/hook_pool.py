"""Threads in which hooks take their time, while the node's one loop goes on with everybody else.

The core is made for one thread. So a request that comes to a hook is run again as a turn: in a thread of its own, but
only while the loop stands still for it. The hook itself runs in another one; meanwhile the turn gives the loop back,
and then asks for it again:

    loop    ...a frame... │ waits │ ...others' frames... │ waits │ ...others'...
    turn                  │ core  │ waits for the hook   │ core  │

Core code thus never runs in two threads at once and needs no locks; a hook does run beside everything else, and beside
other hooks. A turn waits for a hook as long as that may take and no longer: the access it was for is refused then, and
what else is in the request goes on. A hook that never ends keeps its thread; as threads are daemons, it does not keep
the process.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from node.cip.status import RESOURCE_UNAVAILABLE, CipError
from node.memory.hooks import GivenUp, HookTimeout, HookWaits

T = TypeVar("T")

THREADS = 24
"""Hooks of a node that take their time at once, and turns that wait for them; the next one waits until one is free."""

MAX_LATE = 100
"""Hooks that are logged for being late."""

log = logging.getLogger(__name__)


class _Threads:
    """At most `limit` threads called `name`, made when there is more to do than those there are can begin with."""

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = self._unfinished = 0

    def put(self, job: Callable[[], None]) -> None:
        """Has it done; it must raise nothing."""
        with self._lock:
            self._unfinished += 1
            if self._threads < min(self._unfinished, self._limit):
                try:
                    threading.Thread(target=self._work, args=(self._queue,), name=self._name, daemon=True).start()
                    self._threads += 1
                except RuntimeError as exc:  # the system has no more
                    log.warning("no thread for a hook: %s", exc)
            self._queue.put(job)

    def close(self) -> None:
        """Ends those that have nothing to do, and the others when they have done it."""
        with self._lock:
            for _ in range(self._threads):
                self._queue.put(None)
            self._queue = SimpleQueue()
            self._threads = self._unfinished = 0

    def _work(self, queue: "SimpleQueue[Callable[[], None] | None]") -> None:
        while (job := queue.get()) is not None:
            job()
            with self._lock:
                if queue is self._queue:
                    self._unfinished -= 1


class _Hook:
    """One call of a hook. `done` opens when it has come to its end."""

    __slots__ = ("act", "done", "error", "late", "result")

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act
        self.done = threading.Lock()
        self.done.acquire()
        self.late = False
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Calls it, unless nobody waits for it any more."""
        try:
            if not self.late:
                self.result = self.act()
        except BaseException as exc:
            self.error = exc
        self.done.release()


class _Turn:
    """`work` on its way. `go` and `back` are open when the turn and the loop, respectively, are to run."""

    __slots__ = ("back", "error", "future", "given_up", "go", "loop", "over", "result", "thread", "work")

    def __init__(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.go, self.back = threading.Lock(), threading.Lock()
        self.go.acquire()
        self.back.acquire()
        self.thread = 0
        self.given_up = self.over = False
        self.result: Any = None
        self.error: BaseException | None = None


class HookPool:
    """A `memory.hooks.Aside` of `limit` hooks, and as many turns, at once."""

    def __init__(self, limit: int = THREADS) -> None:
        self._turns = _Threads(limit, "turn")
        self._hooks = _Threads(limit, "hook")
        self._turn: _Turn | None = None
        self._late: set[str] = set()

    @property
    def running(self) -> bool:
        """Whether the calling thread runs core code in the loop's stead."""
        turn = self._turn
        return turn is not None and turn.thread == threading.get_ident()

    def enter(self, seconds: float) -> None:
        """Raises `HookWaits` on the loop."""
        if self._turn is None:
            raise HookWaits(self, seconds)

    def call(self, hook: Callable[[], T], seconds: float, what: str) -> T:
        """What `hook` gives, or raises; the loop goes on meanwhile. Raises `HookWaits` on the loop, `CipError` 0x02
        for a hook that takes longer than `seconds`."""
        turn = self._turn
        if turn is None:
            raise HookWaits(self, seconds)
        called = _Hook(hook)
        self._hooks.put(called.run)
        turn.back.release()
        called.late = not called.done.acquire(timeout=seconds)
        if not self._resume(turn) or turn.given_up:
            raise GivenUp
        if called.late:
            self._tell(f"{what} took longer than {seconds:g} s; clients are told that it is busy")
            raise CipError(RESOURCE_UNAVAILABLE)
        if called.error is not None:
            raise called.error
        result: T = called.result
        return result

    async def run(self, work: Callable[[], T], seconds: float) -> T:
        """What `work` gives, or raises; it is core code, whose hooks may wait. To be awaited on the node's loop. Raises
        `HookTimeout` where it could not begin within `seconds`."""
        loop = asyncio.get_running_loop()
        turn = _Turn(work, loop)
        self._turns.put(lambda: self._take(turn))
        timer = loop.call_later(seconds, self._give_up, turn, seconds)
        try:
            result: T = await turn.future
            return result
        finally:
            turn.given_up = True  # nobody waits any more, whatever ended it
            timer.cancel()

    def close(self) -> None:
        """Ends the threads, but for those whose hook has not come to its end; they do then."""
        self._turns.close()
        self._hooks.close()

    def _take(self, turn: _Turn) -> None:
        """In a thread of its own: the whole turn."""
        if not self._resume(turn):
            return
        turn.thread = threading.get_ident()
        try:
            if not turn.given_up:
                turn.result = turn.work()
        except BaseException as exc:
            turn.error = exc
        turn.over = True
        turn.back.release()

    def _resume(self, turn: _Turn) -> bool:
        """Waits until the loop stands still for the turn; False when there is no loop any more."""
        try:
            turn.loop.call_soon_threadsafe(self._grant, turn)
        except RuntimeError:
            return False
        turn.go.acquire()
        return True

    def _grant(self, turn: _Turn) -> None:
        """On the loop: stands still until the turn comes to a hook, or to its end."""
        self._turn = turn
        turn.go.release()
        turn.back.acquire()
        self._turn = None
        if not turn.over or turn.future.done():
            return
        if turn.error is not None:
            turn.future.set_exception(turn.error)
        else:
            turn.future.set_result(turn.result)

    def _give_up(self, turn: _Turn, seconds: float) -> None:
        """Unless it has begun: then it sees to its own hooks."""
        if turn.thread or turn.future.done():
            return
        said = f"no thread was free for {seconds:g} s, for hooks that take their time"
        self._tell(f"{said}; clients are told that the device is busy")
        turn.future.set_exception(HookTimeout(said))

    def _tell(self, line: str) -> None:
        if line not in self._late and len(self._late) < MAX_LATE:
            self._late.add(line)
            log.warning("%s", line)
