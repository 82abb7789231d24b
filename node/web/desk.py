"""Questions to the simulator from the threads of its web interface: they are answered in its loop's own thread, between
requests of its clients, and whoever asks waits only so long.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

from node.commands.api import Answer
from node.commands.errors import CommandError
from node.config.model import Json
from node.web.refusal import Refusal

SECONDS = 5.0
"""For an answer."""
AT_ONCE = 6
"""Questions that wait at the same time: fewer than there are threads, so that a page is served while they do."""
TURN = 1.0
"""Seconds to wait for one's turn."""


class Desk:
    """Has `answer` called in the thread of `loop`, with a path and a value."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        answer: Callable[[str, Json], Awaitable[Answer]],
        seconds: float = SECONDS,
    ) -> None:
        self._loop = loop
        self._answer = answer
        self._seconds = seconds
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, path: str, value: Json = None) -> Answer:
        """What is answered. Raises `Refusal`: 503 where too many ask or nobody is there any more, 504 where it takes
        too long; what was not begun by then is not done."""
        if not self._turns.acquire(timeout=min(TURN, self._seconds)):
            raise Refusal(503, "too many requests wait for the simulator", "ask again", retry_after=2)
        try:
            return self._asked(path, value)
        finally:
            self._turns.release()

    def _asked(self, path: str, value: Json) -> Answer:
        turn: Future[Answer] = Future()
        try:
            self._loop.call_soon_threadsafe(self._take, turn, path, value)
        except RuntimeError as exc:
            raise Refusal(503, "the simulator has ended") from exc
        try:
            return turn.result(self._seconds)
        except TimeoutError:
            begun = not turn.cancel()
        if begun and turn.done():
            return turn.result()
        what = "is at it, and is not done" if begun else "is busy, and this was not done"
        raise Refusal(504, f"the simulator {what} after {self._seconds:g} s", "ask again", retry_after=1)

    def _take(self, turn: "Future[Answer]", path: str, value: Json) -> None:
        if not turn.set_running_or_notify_cancel():
            return
        task = self._loop.create_task(self._do(turn, path, value))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, turn: "Future[Answer]", path: str, value: Json) -> None:
        try:
            turn.set_result(await self._answer(path, value))
        except CommandError as exc:
            turn.set_exception(Refusal(504, str(exc), "ask again", retry_after=1))
        except Exception as exc:
            turn.set_exception(exc)
