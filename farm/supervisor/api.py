"""The command line's door to a supervisor: `farm.sock`, with every operation.

When the last request is answered and nothing is wanted of this farm, it ends, files and all, before the answer goes
out, so that whoever was answered finds nothing left.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from farm.errors import FarmError
from farm.supervisor.door import Caller, Door, Operation
from farm.supervisor.operations import Operations
from farm.supervisor.supervisor import Supervisor
from farm.supervisor.wire import LINE_LIMIT, Body

log = logging.getLogger(__name__)

NOBODY_CAME = 10.0
"""Seconds for a first request, where nothing is wanted yet."""

FOLLOWING = ("events", "fleet", "record")
"""Operations that last, and whose listeners keep no farm from ending."""


class Api(Door):
    """Answers requests about one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        operations = dict(Operations(supervisor).table)
        for name in FOLLOWING:
            operations[name] = self._uncounted(operations[name])
        super().__init__(operations, str(supervisor.run.log_file), LINE_LIMIT)
        self.over = asyncio.Event()
        """Set when the farm is gone and the answer that said so was sent."""
        self._supervisor = supervisor
        self._requests = 0
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listens. Requests wait in the socket until the supervisor has looked around."""
        path = self._supervisor.run.farm_socket
        path.unlink(missing_ok=True)
        await self.listen(str(path))
        self._timer = asyncio.get_running_loop().call_later(NOBODY_CAME, self._end_if_unwanted)

    async def stop(self) -> None:
        """Hangs up on all."""
        if self._timer is not None:
            self._timer.cancel()
        await super().stop()

    async def answered(self, work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        """Counts who is being answered."""
        self._requests += 1
        try:
            return await work
        finally:
            self._requests -= 1

    async def done(self, answer: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        """Sends the last line, which says whether the farm is gone."""
        ended = await self._end_if_last()
        try:
            await super().done({**answer, "ended": True} if ended else answer, writer)
        finally:  # whoever asked may be gone by now, the farm is all the same
            if ended:
                self.over.set()

    def _uncounted(self, operation: Operation) -> Operation:
        async def listening(request: Body, caller: Caller) -> dict[str, Any]:
            self._requests -= 1
            try:
                return await operation(request, caller)
            finally:
                self._requests += 1

        return listening

    async def _end_if_last(self) -> bool:
        """Ends a farm of which nothing is wanted and about which nobody else asks; whether there is none now."""
        supervisor = self._supervisor
        if supervisor.gone:
            return True
        if self._requests or not supervisor.empty:
            return False
        try:
            await supervisor.down(lambda event: None)
        except FarmError as exc:
            log.error("the farm could not be ended: %s", exc)
        return supervisor.gone

    def _end_if_unwanted(self) -> None:
        task = asyncio.get_running_loop().create_task(self._leave())
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _leave(self) -> None:
        if await self._end_if_last():
            self.over.set()
