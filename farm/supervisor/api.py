"""The supervisor's desk: takes the requests of the command line from `farm.sock`, one a connection (`wire`).

A client that hangs up has lost interest: what it asked for is cancelled, and an `apply` undoes itself. When the last
request is answered and nothing is wanted of this farm, it ends, files and all, before the answer goes out, so that
whoever was answered finds nothing left.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from farm.errors import FarmError
from farm.supervisor.progress import Tell
from farm.supervisor.supervisor import FarmGone, Supervisor
from farm.supervisor.wire import ALIVE, ALIVE_EVERY, LINE_LIMIT, Body, decode_plant, encode_plant, pack, unpack

log = logging.getLogger(__name__)

BEHIND = 8 << 20
"""Bytes of events that a client may leave unread before it gets no more."""
NOBODY_CAME = 10.0
"""Seconds for a first request, where nothing is wanted yet."""

Operation = Callable[[Body, Tell], Awaitable[dict[str, Any]]]


class Api:
    """Answers requests about one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.over = asyncio.Event()
        """Set when the farm is gone and the answer that said so was sent."""
        self._supervisor = supervisor
        self._server: asyncio.Server | None = None
        self._requests = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._operations: dict[str, Operation] = {
            "apply": self._apply,
            "down": self._down,
            "restart": self._restart,
            "ps": self._ps,
            "command": self._command,
            "tags": self._tags,
            "events": self._events,
            "status": self._status,
            "plant": self._plant,
            "link": self._link,
        }

    async def start(self) -> None:
        """Listens. Requests wait in the socket until the supervisor has looked around."""
        path = self._supervisor.run.farm_socket
        path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, str(path), limit=LINE_LIMIT)
        self._timer = asyncio.get_running_loop().call_later(NOBODY_CAME, self._end_if_unwanted)

    async def stop(self) -> None:
        """Hangs up on all."""
        if self._server is not None:
            self._server.close()
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with contextlib.suppress(ConnectionError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the supervisor leaves; a task of the stream server must not say so
        except Exception:
            log.exception("a bug in the supervisor")
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
        except ValueError as exc:
            writer.write(pack({"error": f"a request of over {LINE_LIMIT} bytes: {exc}"}))
            return
        if not line:
            return  # somebody only looked whether we are here

        def tell(event: dict[str, Any]) -> None:
            if not writer.is_closing() and writer.transport.get_write_buffer_size() < BEHIND:
                writer.write(pack(event))

        self._requests += 1
        try:
            answer = await _unless_gone(reader, asyncio.create_task(self._answer(line, tell)), tell)
        finally:
            self._requests -= 1
        ended = await self._end_if_last()
        try:
            if not writer.is_closing():
                writer.write(pack({**answer, "ended": True} if ended else answer))
                await writer.drain()
        finally:  # whoever asked may be gone by now, the farm is all the same
            if ended:
                self.over.set()

    async def _answer(self, line: bytes, tell: Tell) -> dict[str, Any]:
        """The last line of the reply."""
        try:
            request = unpack(line)
            operation = self._operations.get(str(request.get("op")))
            if operation is None:
                raise FarmError(f"no operation {request.get('op')!r}; there is {', '.join(self._operations)}")
            return {"done": await operation(request, tell)}
        except FarmGone as exc:
            return {"error": str(exc), "again": True}
        except FarmError as exc:
            return {"error": str(exc)}
        except Exception as exc:
            log.exception("a bug in the supervisor")
            return {"error": f"a bug in the supervisor, see {self._supervisor.run.log_file}: {exc!r}"}

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

    async def _apply(self, request: Body, tell: Tell) -> dict[str, Any]:
        plant = decode_plant(_field(request, "plant", dict))
        seconds = request.get("timeout")
        if plant.name != self._supervisor.run.name:
            raise FarmError(f"the plant is named {plant.name!r}, but this is the run of {self._supervisor.run.name!r}")
        return await self._supervisor.apply(
            plant, tell, dry_run=bool(request.get("dry_run")), seconds=float(seconds) if seconds else None
        )

    async def _down(self, request: Body, tell: Tell) -> dict[str, Any]:
        return await self._supervisor.down(tell)

    async def _restart(self, request: Body, tell: Tell) -> dict[str, Any]:
        return await self._supervisor.restart([str(node) for node in _field(request, "nodes", list)], tell)

    async def _ps(self, request: Body, tell: Tell) -> dict[str, Any]:
        await self._supervisor.settled()
        plant = self._supervisor.state.plant
        return {
            "farm": self._supervisor.run.name,
            "file": plant.file if plant is not None else "",
            "rows": self._supervisor.rows(),
        }

    async def _command(self, request: Body, tell: Tell) -> dict[str, Any]:
        node, path = _field(request, "node", str), _field(request, "path", str)
        return {"value": await self._supervisor.command(node, path, request.get("value"))}

    async def _tags(self, request: Body, tell: Tell) -> dict[str, Any]:
        """The tags of one node, or of all; of all, those that do not answer are named beside."""
        node = request.get("node")
        names = [str(node)] if node is not None else list(self._supervisor.roster.members)
        found = await asyncio.gather(*(self._tags_of(name) for name in names), return_exceptions=True)
        tags: list[dict[str, Any]] = []
        errors: dict[str, str] = {}
        for name, answer in zip(names, found, strict=True):
            if isinstance(answer, FarmError):
                errors[name] = str(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                tags += answer
        if node is not None and errors:
            raise FarmError(errors[str(node)])
        return {"tags": tags, "errors": errors}

    async def _tags_of(self, node: str) -> list[dict[str, Any]]:
        tags = await self._supervisor.command(node, "tags", None)
        if not isinstance(tags, list):
            raise FarmError(f"{node}: answered {tags!r:.80}, a list of tags was wanted")
        return [{"node": node, **tag} for tag in tags]

    async def _events(self, request: Body, tell: Tell) -> dict[str, Any]:
        """Those that were; with `follow` also those that come, until the client has heard enough."""
        events = self._supervisor.events
        if not request.get("follow"):
            return {"events": events.recent()}
        for event in events.recent():
            tell(event)
        self._requests -= 1  # a listener keeps no farm from ending
        try:
            with events.heard_by(tell):
                await self._supervisor.ended.wait()
        finally:
            self._requests += 1
        return {}

    async def _status(self, request: Body, tell: Tell) -> dict[str, Any]:
        return self._supervisor.status()

    async def _link(self, request: Body, tell: Tell) -> dict[str, Any]:
        nodes = [str(node) for node in _field(request, "nodes", list)]
        return await self._supervisor.link(nodes, _field(request, "changes", dict), tell)

    async def _plant(self, request: Body, tell: Tell) -> dict[str, Any]:
        plant = self._supervisor.state.plant
        return {"plant": encode_plant(plant) if plant is not None else None}


async def _unless_gone(
    reader: asyncio.StreamReader, work: "asyncio.Task[dict[str, Any]]", tell: Tell
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


def _field(request: Body, name: str, kind: type) -> Any:
    """A field of a request. Raises `FarmError` when it is missing or of another type."""
    value = request.get(name)
    if not isinstance(value, kind):
        raise FarmError(f"{request.get('op')}: field {name!r}: got {value!r:.80}, wanted {kind.__name__}")
    return value
