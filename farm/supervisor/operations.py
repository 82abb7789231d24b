"""What a supervisor can be asked, by name: one table for all its doors. `link` lists the fields.

Requests come from outside: whatever is wrong with one is a `FarmError`. What changes something says who wanted it
(`actor`), and is an event.
"""

import asyncio
import contextlib
from typing import Any

from farm.errors import FarmError
from farm.supervisor.door import Caller, Operation
from farm.supervisor.events import RING
from farm.supervisor.faults import Wish
from farm.supervisor.node_identity import seen_identity
from farm.supervisor.reach import way
from farm.supervisor.recordings import Recording
from farm.supervisor.supervisor import Supervisor
from farm.supervisor.wire import Body, decode_plant, encode_plant, pack
from farm.topology.plant import Plant
from node.config.load import dump

LOG_LINES = 200
LOG_BYTES = 128 << 10
"""Of a node's log, what is looked at for its last lines."""


class Operations:
    """The operations on one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.table: dict[str, Operation] = {
            "apply": self._apply,
            "down": self._down,
            "restart": self._restart,
            "stop": self._stop,
            "start": self._start,
            "ps": self._ps,
            "command": self._command,
            "tags": self._tags,
            "events": self._events,
            "status": self._status,
            "plant": self._plant,
            "link": self._link,
            "fleet": self._fleet,
            "nodes": self._nodes,
            "node": self._node,
            "trend": self._trend,
            "watch": self._watch,
            "requests": self._requests,
            "connections": self._connections,
            "clients": self._clients,
            "faults": self._faults,
            "fault_add": self._fault_add,
            "fault_clear": self._fault_clear,
            "record": self._record,
            "record_stop": self._record_stop,
            "replay_put": self._replay_put,
            "replay_stop": self._replay_stop,
        }

    async def _apply(self, request: Body, caller: Caller) -> dict[str, Any]:
        state = self._supervisor.state
        if request.get("known") is not None:
            if state.plant is None or not state.is_wanted(str(request["known"])):
                return {"unknown": True}
            plant, encoded = state.plant, b""
        else:  # in a thread: of 10,000 nodes it takes seconds, in which others are to be answered
            plant, encoded = await asyncio.to_thread(_read_plant, _field(request, "plant", dict))
        seconds = request.get("timeout")
        if plant.name != self._supervisor.run.name:
            raise FarmError(f"the plant is named {plant.name!r}, but this is the run of {self._supervisor.run.name!r}")
        return await self._supervisor.apply(
            plant,
            caller,
            dry_run=bool(request.get("dry_run")),
            seconds=float(seconds) if seconds else None,
            encoded=encoded,
        )

    async def _down(self, request: Body, caller: Caller) -> dict[str, Any]:
        return await self._supervisor.down(caller)

    async def _restart(self, request: Body, caller: Caller) -> dict[str, Any]:
        await self._supervisor.restart(_names(request), caller, _actor(request))
        return self._rows_of(request)

    async def _stop(self, request: Body, caller: Caller) -> dict[str, Any]:
        await self._supervisor.commands.switch(_names(request), False, _actor(request))
        return self._rows_of(request)

    async def _start(self, request: Body, caller: Caller) -> dict[str, Any]:
        await self._supervisor.commands.switch(_names(request), True, _actor(request))
        return self._rows_of(request)

    async def _ps(self, request: Body, caller: Caller) -> dict[str, Any]:
        await self._supervisor.settled()
        plant = self._supervisor.state.plant
        return {
            "farm": self._supervisor.run.name,
            "file": plant.file if plant is not None else "",
            "rows": self._supervisor.fleet.rows.all(),
        }

    async def _nodes(self, request: Body, caller: Caller) -> dict[str, Any]:
        """All rows; to somebody who names an `edition`, only what moves of them where that is still so."""
        fleet = self._supervisor.fleet
        edition = request.get("edition")
        rows = {"nodes": fleet.rows.all()} if edition is None else fleet.rows.since(str(edition))
        return {"generation": fleet.generation, **rows}

    async def _node(self, request: Body, caller: Caller) -> dict[str, Any]:
        """One node with all that is told of it; what takes time is done beside."""
        supervisor, name = self._supervisor, _field(request, "node", str)
        member, plant = supervisor.roster.member(name), supervisor.state.plant
        path = await asyncio.to_thread(supervisor.backend.logs, name)
        origins = plant.origins.get(name, {}) if plant is not None else {}
        return {
            "row": supervisor.fleet.rows.one(name),
            "identity": seen_identity(member.config),
            "config": dump(member.config),
            "origins": {value: str(place) for value, place in origins.items()},
            "log": await asyncio.to_thread(_last_lines, path),
        }

    async def _command(self, request: Body, caller: Caller) -> dict[str, Any]:
        node, path = _field(request, "node", str), _field(request, "path", str)
        return {"value": await self._supervisor.commands.command(node, path, request.get("value"), _actor(request))}

    async def _tags(self, request: Body, caller: Caller) -> dict[str, Any]:
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
        tags = await self._supervisor.commands.command(node, "tags", None)
        if not isinstance(tags, list):
            raise FarmError(f"{node}: answered {tags!r:.80}, a list of tags was wanted")
        return [{"node": node, **tag} for tag in tags]

    async def _trend(self, request: Body, caller: Caller) -> dict[str, Any]:
        """Ten minutes of a node, and of those of its tags that were watched."""
        node, since = _field(request, "node", str), _number(request, "since", 0.0)
        self._supervisor.roster.member(node)
        monitor = self._supervisor.monitor
        tags = monitor.watching.trend(node, _texts(request, "tags"), since, monitor.wall())
        return {**monitor.history.trend(node, since), "tags": tags}

    async def _watch(self, request: Body, caller: Caller) -> dict[str, Any]:
        """Has a node report these tags for a while; its row, and what they are now as far as it has said."""
        node = _field(request, "node", str)
        await self._supervisor.commands.watch(node, _texts(request, "tags"))
        return {"row": self._supervisor.fleet.rows.one(node), "tags": self._supervisor.monitor.watching.values(node)}

    async def _requests(self, request: Body, caller: Caller) -> dict[str, Any]:
        node = _field(request, "node", str)
        paths = ("requests", "undefined")
        found = await asyncio.gather(*(self._supervisor.commands.command(node, path, None) for path in paths))
        return dict(zip(paths, found, strict=True))

    async def _connections(self, request: Body, caller: Caller) -> dict[str, Any]:
        node = _field(request, "node", str)
        return {"connections": await self._supervisor.commands.command(node, "connections", None)}

    async def _clients(self, request: Body, caller: Caller) -> dict[str, Any]:
        members, monitor = self._supervisor.roster.members, self._supervisor.monitor
        inside = {member.config.address: name for name, member in members.items()}
        for name, member in members.items():
            inside |= {interface.address: name for interface in member.config.interfaces}
        return monitor.clients.listed(inside, monitor.clock())

    async def _faults(self, request: Body, caller: Caller) -> dict[str, Any]:
        return {"faults": self._supervisor.faults.listed()}

    async def _fault_add(self, request: Body, caller: Caller) -> dict[str, Any]:
        seconds = request.get("for")
        where = request.get("where") or ()
        wish = Wish(
            _field(request, "fault", dict),
            _texts(request, "nodes"),
            [where] if isinstance(where, str) else _texts(request, "where"),
            _number(request, "percent", 100.0),
            int(_number(request, "seed", 0)),
            None if seconds is None else _number(request, "for", 0.0),
            str(request.get("shown") or ""),
        )
        rows, name = self._supervisor.fleet.rows.all(), self._supervisor.run.name
        return {"fault": await self._supervisor.faults.add(wish, rows, name, _actor(request))}

    async def _fault_clear(self, request: Body, caller: Caller) -> dict[str, Any]:
        """One (`id` a number), some (a list), or all (none)."""
        wanted = request.get("id")
        ids = None if wanted is None else [wanted] if not isinstance(wanted, list) else wanted
        if ids is not None and not all(isinstance(each, int) for each in ids):
            raise FarmError(f"fault_clear: field 'id': got {wanted!r:.80}, wanted a number, a list of them or null")
        return {"cleared": await self._supervisor.faults.clear(ids, _actor(request))}

    async def _record(self, request: Body, caller: Caller) -> dict[str, Any]:
        """Records, until `record_stop` or until the client has seen enough."""
        nodes = _names(request)
        for node in nodes:
            self._supervisor.roster.member(node)
        spec = {name: request.get(name) for name in ("tags", "every", "accesses")}
        spec["key"] = _field(request, "key", str)
        after = {str(node): int(number) for node, number in (request.get("after") or {}).items()}
        return await self._supervisor.recordings.run(Recording(nodes, spec, after), caller, _actor(request))

    async def _record_stop(self, request: Body, caller: Caller) -> dict[str, Any]:
        key = request.get("key")
        return {"stopped": self._supervisor.recordings.stop(None if key is None else str(key))}

    async def _replay_put(self, request: Body, caller: Caller) -> dict[str, Any]:
        """Tells nodes what their tags are to be; with `text` says that a replay begins."""
        nodes, actor = _field(request, "nodes", dict), _actor(request)
        if request.get("text"):
            self._supervisor.recordings.replays.begun(len(nodes), str(request["text"]), actor)
        return await self._supervisor.recordings.replays.put(nodes)

    async def _replay_stop(self, request: Body, caller: Caller) -> dict[str, Any]:
        key = request.get("key")
        nodes = _names(request) if request.get("nodes") is not None else None
        replays = self._supervisor.recordings.replays
        return {"nodes": await replays.stop(None if key is None else str(key), nodes, _actor(request))}

    async def _events(self, request: Body, caller: Caller) -> dict[str, Any]:
        """Those that were; with `follow` also those that come, until the client has heard enough."""
        events = self._supervisor.events
        since, limit = int(_number(request, "since", 0)), int(_number(request, "limit", RING))
        if not request.get("follow"):
            return {"events": events.since(since, limit), "last": events.last}
        for event in events.since(since, limit):
            caller(event)
        with events.heard_by(caller):
            await self._supervisor.ended.wait()
        return {}

    async def _fleet(self, request: Body, caller: Caller) -> dict[str, Any]:
        """Frames and events, until the client has seen enough or the farm went down."""
        following = asyncio.create_task(self._follow(caller))
        over = asyncio.create_task(self._supervisor.ended.wait())
        try:
            await asyncio.wait((following, over), return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
        finally:
            following.cancel()
            over.cancel()
            await asyncio.gather(following, over, return_exceptions=True)
        return {}

    async def _follow(self, caller: Caller) -> None:
        async with contextlib.aclosing(self._supervisor.fleet.follow()) as lines:
            async for line in lines:
                await caller.send(line)

    async def _status(self, request: Body, caller: Caller) -> dict[str, Any]:
        return self._supervisor.status()

    async def _link(self, request: Body, caller: Caller) -> dict[str, Any]:
        await self._supervisor.link(_names(request), _field(request, "changes", dict), caller)
        return self._rows_of(request)

    async def _plant(self, request: Body, caller: Caller) -> dict[str, Any]:
        """The plant; with `nodes`, as if it had only those. As a text: what is kept as one need not be read for it. And
        the way to its nodes from here."""
        state = self._supervisor.state
        if state.plant is None:
            return {"plant": None}
        some = request.get("nodes") is not None
        encoded = pack(encode_plant(state.plant.only(_names(request)))) if some else state.plant_json
        outside = any(node.outside for node in state.plant.nodes)
        return {"plant": encoded.decode(), "way": way(self._supervisor.backend, outside)}

    def _rows_of(self, request: Body) -> dict[str, Any]:
        rows, members = self._supervisor.fleet.rows, self._supervisor.roster.members
        return {"rows": [rows.one(name) for name in dict.fromkeys(_names(request)) if name in members]}


def _read_plant(body: Body) -> tuple[Plant, bytes]:
    """A plant, and itself as JSON. Raises `FarmError`."""
    return decode_plant(body), pack(body)


def _names(request: Body) -> list[str]:
    return [str(node) for node in _field(request, "nodes", list)]


def _texts(request: Body, name: str) -> list[str]:
    """A list of texts that may be left out."""
    value = request.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise FarmError(f"{request.get('op')}: field {name!r}: got {value!r:.80}, wanted a list of texts")
    return value


def _number(request: Body, name: str, default: float) -> float:
    """A number that may be left out."""
    value = request.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise FarmError(f"{request.get('op')}: field {name!r}: got {value!r:.80}, wanted a number")
    return value


def _actor(request: Body) -> str:
    return str(request.get("actor") or "")[:100]


def _field(request: Body, name: str, kind: type) -> Any:
    """A field of a request. Raises `FarmError` when it is missing or of another type."""
    value = request.get(name)
    if not isinstance(value, kind):
        raise FarmError(f"{request.get('op')}: field {name!r}: got {value!r:.80}, wanted {kind.__name__}")
    return value


def _last_lines(path: Any) -> list[str]:
    """The end of a log; nothing where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return list(text.splitlines()[-LOG_LINES:])
