"""A socket at which a supervisor is asked: one request a connection (`wire`), from a table of operations.

A client that hangs up has lost interest: what it asked for is cancelled. One that does not read what it is told gets
no more than `BEHIND` bytes of it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from farm.errors import FarmError
from farm.supervisor.last_connections import close
from farm.supervisor.supervisor import FarmGone
from farm.supervisor.wire import ALIVE, ALIVE_EVERY, Body, pack, unpack

log = logging.getLogger(__name__)

BEHIND = 8 << 20
"""Bytes of events that a client may leave unread before it gets no more."""


class Caller:
    """Who asked. Being called with an event it is a `Tell`, which never blocks; `send` waits until it was taken."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def __call__(self, event: Mapping[str, Any]) -> None:
        if not self._writer.is_closing() and self._writer.transport.get_write_buffer_size() < BEHIND:
            self._writer.write(pack(event))

    async def send(self, line: bytes) -> None:
        """Sends a packed line once those before it are on their way. Raises `ConnectionError` when nobody is there."""
        self._writer.write(line)
        await self._writer.drain()


Operation = Callable[[Body, Caller], Awaitable[dict[str, Any]]]


class Door:
    """Answers requests for `operations`, of at most `limit` bytes. `log_file` is where bugs are told."""

    def __init__(self, operations: Mapping[str, Operation], log_file: str, limit: int) -> None:
        self._operations = operations
        self._log_file = log_file
        self._limit = limit
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def listen(self, path: str) -> None:
        """Takes connections at `path`."""
        self._server = await asyncio.start_unix_server(self._come, path, limit=self._limit)

    async def stop(self) -> None:
        """Hangs up on all."""
        if self._server is not None:
            await close(self._server)
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def admits(self, writer: asyncio.StreamWriter) -> bool:
        """Whether whoever has connected may ask at all."""
        return True

    async def answered(self, work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        """The last line for one request, which `work` gives: for whoever counts them."""
        return await work

    async def done(self, answer: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        """Sends the last line."""
        if not writer.is_closing():
            writer.write(pack(answer))
            await writer.drain()

    def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._accept(reader, writer))
        self._connections.add(task)

        def gone(task: "asyncio.Task[None]") -> None:
            self._connections.discard(task)
            writer.close()  # here: a task that is cancelled before it begins closes nothing

        task.add_done_callback(gone)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the supervisor leaves; a task of the stream server must not say so
        except Exception:
            log.exception("a bug in the supervisor")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.admits(writer):
            return
        try:
            line = await reader.readline()
        except ValueError as exc:
            writer.write(pack({"error": f"a request of over {self._limit} bytes: {exc}"}))
            return
        if not line:
            return  # somebody only looked whether we are here
        caller = Caller(writer)
        work = asyncio.create_task(self._answer(line, caller))
        await self.done(await self.answered(_unless_gone(reader, work, caller)), writer)

    async def _answer(self, line: bytes, caller: Caller) -> dict[str, Any]:
        """The last line of the reply."""
        try:
            request = unpack(line)
            operation = self._operations.get(str(request.get("op")))
            if operation is None:
                raise FarmError(f"no operation {request.get('op')!r}; there is {', '.join(self._operations)}")
            return {"done": await operation(request, caller)}
        except FarmGone as exc:
            return {"error": str(exc), "again": True}
        except FarmError as exc:
            return {"error": str(exc), **({"hint": exc.hint} if exc.hint else {})}
        except ConnectionError:
            return {"error": "interrupted"}
        except Exception as exc:
            log.exception("a bug in the supervisor")
            return {"error": f"a bug in the supervisor, see {self._log_file}: {exc!r}"}


async def _unless_gone(
    reader: asyncio.StreamReader, work: "asyncio.Task[dict[str, Any]]", tell: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """The result of `work`, which is cancelled when the client hangs up. Until then the client is told that there is
    somebody who works."""
    hearing = asyncio.create_task(reader.read(1))
    try:
        while not (await asyncio.wait((work, hearing), timeout=ALIVE_EVERY, return_when=asyncio.FIRST_COMPLETED))[0]:
            tell({"event": ALIVE})
    finally:
        hearing.cancel()
        if not work.done():
            work.cancel()
        await asyncio.gather(work, hearing, return_exceptions=True)
    return {"error": "interrupted"} if work.cancelled() else work.result()
