"""Threads in which hooks take their time, while the node's one loop goes on with everybody else.

The core is made for one thread. So a request that comes to a hook is run again as a turn: in a thread of its own, but
only while the loop stands still for it. Around the hook itself, the turn gives the loop back and asks for it again:

    loop    ...a frame... │ waits │ ...others' frames... │ waits │ ...others'...
    thread                │ core  │ the hook ........... │ core  │

Core code thus never runs in two threads at once and needs no locks; a hook does run beside everything else, and beside
other hooks. A turn whose hook takes longer than it may is given up: who asked gets an error, and if the hook ever comes
to its end the turn goes no further. A hook that never does keeps its thread; as the threads are daemons, it does not
keep the process.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from node.memory.hooks import GivenUp, HookTimeout, HookWaits

T = TypeVar("T")

THREADS = 32
"""Hooks of a node that take their time at once; the next one waits until one is free, as long as it may take."""

MAX_LATE = 100
"""Hooks that are logged for being late."""

log = logging.getLogger(__name__)


class _Turn:
    """`work` on its way; `seconds` is what its hook, called `what`, may take. `go` and `back` are open when the thread
    and the loop, respectively, are to run."""

    __slots__ = (
        "back",
        "error",
        "future",
        "given_up",
        "go",
        "ident",
        "over",
        "result",
        "seconds",
        "timer",
        "what",
        "work",
    )

    def __init__(self, work: Callable[[], Any], seconds: float, future: "asyncio.Future[Any]") -> None:
        self.work = work
        self.seconds = seconds
        self.what = "no thread was free: a hook"
        self.future = future
        self.timer: asyncio.TimerHandle | None = None
        self.go, self.back = threading.Lock(), threading.Lock()
        self.go.acquire()
        self.back.acquire()
        self.ident = 0
        self.given_up = self.over = False
        self.result: Any = None
        self.error: BaseException | None = None


class HookPool:
    """A `memory.hooks.Aside` with at most `limit` threads, made when they are needed."""

    def __init__(self, limit: int = THREADS) -> None:
        self._limit = limit
        self._turn: _Turn | None = None
        self._queue: SimpleQueue[_Turn | None] = SimpleQueue()
        self._threads = self._unfinished = 0
        self._late: set[str] = set()

    @property
    def running(self) -> bool:
        """Whether the calling thread runs core code in the loop's stead."""
        turn = self._turn
        return turn is not None and turn.ident == threading.get_ident()

    def enter(self, seconds: float) -> None:
        """Raises `HookWaits` on the loop."""
        if self._turn is None:
            raise HookWaits(self, seconds)

    def call(self, hook: Callable[[], T], seconds: float, what: str) -> T:
        """What `hook` gives; the loop goes on meanwhile. Raises `HookWaits` on the loop."""
        turn = self._turn
        if turn is None:
            raise HookWaits(self, seconds)
        loop = turn.future.get_loop()
        turn.seconds, turn.what = seconds, what
        turn.back.release()
        try:
            return hook()
        finally:
            if not self._resume(turn, loop) or turn.given_up:
                raise GivenUp

    async def run(self, work: Callable[[], T], seconds: float) -> T:
        """What `work` gives, or raises; it is core code, whose hooks may wait. To be awaited on the node's loop. Raises
        `HookTimeout` once a hook took longer than it may, or none of the threads was free for `seconds`."""
        loop = asyncio.get_running_loop()
        turn = _Turn(work, seconds, loop.create_future())
        self._unfinished += 1
        if self._threads < min(self._unfinished, self._limit):
            self._start_thread(loop)
        self._queue.put(turn)
        turn.timer = loop.call_later(seconds, self._give_up, turn)
        try:
            result: T = await turn.future
            return result
        finally:
            turn.given_up = True  # nobody waits any more, whatever ended it
            turn.timer.cancel()

    def close(self) -> None:
        """Ends the threads, but for those whose hook has not come to its end; they do then."""
        for _ in range(self._threads):
            self._queue.put(None)
        self._queue = SimpleQueue()
        self._threads = self._unfinished = 0

    def _start_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            threading.Thread(target=self._work, args=(self._queue, loop), name="hook", daemon=True).start()
        except RuntimeError as exc:  # the system has no more
            log.warning("no thread for a hook: %s", exc)
            return
        self._threads += 1

    def _work(self, queue: "SimpleQueue[_Turn | None]", loop: asyncio.AbstractEventLoop) -> None:
        """A thread's life."""
        while (turn := queue.get()) is not None:
            turn.ident = threading.get_ident()
            if not self._resume(turn, loop):
                return
            try:
                if not turn.given_up:
                    turn.result = turn.work()
            except BaseException as exc:
                turn.error = exc
            turn.over = True
            turn.back.release()

    def _resume(self, turn: _Turn, loop: asyncio.AbstractEventLoop) -> bool:
        """Waits until the loop stands still for the turn; False when there is no loop any more."""
        try:
            loop.call_soon_threadsafe(self._grant, turn)
        except RuntimeError:
            return False
        turn.go.acquire()
        return True

    def _grant(self, turn: _Turn) -> None:
        """On the loop: stands still until the turn comes to a hook, or to its end."""
        if turn.timer is not None:
            turn.timer.cancel()
        self._turn = turn
        turn.go.release()
        turn.back.acquire()
        self._turn = None
        if not turn.over:
            if not turn.given_up:
                turn.timer = turn.future.get_loop().call_later(turn.seconds, self._give_up, turn)
            return
        self._unfinished = max(0, self._unfinished - 1)
        if turn.future.done():
            return
        if turn.error is not None:
            turn.future.set_exception(turn.error)
        else:
            turn.future.set_result(turn.result)

    def _give_up(self, turn: _Turn) -> None:
        turn.given_up = True
        said = f"{turn.what} took longer than {turn.seconds:g} s"
        if turn.what not in self._late and len(self._late) < MAX_LATE:
            self._late.add(turn.what)
            log.warning("%s; clients are told that it is busy", said)
        if not turn.future.done():
            turn.future.set_exception(HookTimeout(said))
