"""`node.client.poll` on asyncio: tasks in the place of threads, and callbacks that may be coroutines.

async with AsyncProxy("10.0.1.2", of=PowerFlex750) as via, AsyncPoller(via, process) as poller:
    poller.poll(["Motor Velocity", "Output Current"], cycle=1.0)
    poller.poll("Output Frequency", cycle=0.5)
    await asyncio.sleep(60)
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Self

from node.client.parameters import Named
from node.client.poll import CYCLE, GLANCE, LONGEST_PAUSE, Failure, Process, Rhythm, polled
from node.client.proxy_aio import AsyncProxy
from node.errors import NodeError

log = logging.getLogger(__name__)


class AsyncPoller:
    """Polls over `via`, one rate in a task, until the block ends. What the callbacks raise is logged."""

    def __init__(
        self,
        via: AsyncProxy,
        process: Process | None = None,
        failure: Failure | None = None,
        longest: float = LONGEST_PAUSE,
    ) -> None:
        self.via = via
        self.values: dict[Any, list[Any] | None] = {}
        """The last value of each parameter: None after a fault; those of a poll that failed are not there."""
        self.problem: NodeError | None = None
        """Why the last poll failed, None when it did not."""
        self._process = process
        self._failure = failure
        self._longest = longest
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def poll(self, params: Named | Iterable[Named], cycle: float = CYCLE) -> None:
        """Polls these every `cycle` seconds from now on, beside what is polled already. Raises `LocalProtocolError` for
        names or a cycle that there cannot be."""
        wanted = polled(self.via, params)
        Rhythm(cycle, 0.0)  # that it may raise here, and not in the task

        async def learn(name: Any, value: list[Any] | None) -> None:
            self.values[name] = value
            self.problem = None
            await _called(self._process, name, value)

        async def lose(problem: NodeError) -> None:
            self.problem = problem
            for name in wanted:
                self.values.pop(name, None)
            await _called(self._failure, problem)

        polling = poll(self.via, wanted, cycle, learn, lose, longest=self._longest)
        self._tasks.add(asyncio.create_task(polling, name=f"poll {self.via.host} {cycle:g} s"))

    async def close(self) -> None:
        """Ends polling at once; the gateway stays open."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()


async def poll(
    via: AsyncProxy,
    params: Named | Iterable[Named],
    cycle: float = CYCLE,
    process: Process | None = None,
    failure: Failure | None = None,
    *,
    longest: float = LONGEST_PAUSE,
) -> None:
    """Polls `params` every `cycle` seconds until it is cancelled, or `process` has a true attribute `done`."""
    wanted = polled(via, params)
    due = time.monotonic()
    rhythm = Rhythm(cycle, due, longest)
    while await _wait(due, process):
        try:
            values = await via.read(wanted)
        except NodeError as exc:
            due = rhythm.failed(time.monotonic())
            await _called(failure, exc)
        else:
            due = rhythm.succeeded(time.monotonic())
            for name, value in zip(wanted, values, strict=True):
                await _called(process, name, value)


async def _wait(until: float, process: Process | None) -> bool:
    """Whether there is anything to do at `until`."""
    watched = hasattr(process, "done")
    while not getattr(process, "done", False):
        left = until - time.monotonic()
        if left <= 0:
            return True
        await asyncio.sleep(min(left, GLANCE) if watched else left)
    return False


async def _called(callback: Callable[..., object] | None, *arguments: object) -> None:
    """Calls what somebody gave, and waits for it if it is a coroutine; what it raises is logged."""
    try:
        result = callback(*arguments) if callback is not None else None
        if inspect.isawaitable(result):
            await result
    except Exception:
        log.exception("a bug of whoever polls")
