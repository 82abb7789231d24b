"""What one can ask of a running node, by its farm or by web: paths over groups of things, values in plain JSON.

    options                what can be set, with its value
    options/delay          [low, high] seconds added to each reply; set by 0.5, "0.1-0.5" or [0.1, 0.5]
    server                 the ports and whether they are open
    server/stop            closes the ports and ends all connections; the node's memory lives on
    server/start           opens them again
    tags                   every tag: name, type, dimensions, address, value, unit, writable, signal
    tags/NAME              one tag; `NAME[3]` and `NAME[3-5]` some elements. With a value it is written
    tags/NAME/force ...    forces and errors (`node.commands.forces`)
    connections            who is connected: protocol, peer, for how many seconds, what it has asked
    connections/PEER/eof   ends that connection
    requests               the last requests in words, newest first (`node.commands.requests`)
    undefined              what was asked for and is not there, and how often
    watch                  {"tags": [NAME], "writes": bool}: has these reported for some seconds (`node.telemetry`)
    faults ...             what goes wrong on purpose (`node.commands.faults`)
    api/...                all of this as the web interface of 2016 had it (`node.commands.api`)
    capture/...            what passes through the node (`node.commands.captures`)
    record/...             what its tags hold over time, and who asks for them (`node.commands.recordings`)
    replay/...             a recording that is played into its tags (`node.commands.replays`)

Paths and values come from outside: whatever is wrong with them is a `CommandError`.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from node.commands.errors import CommandError
from node.commands.tags import TagCommands
from node.config.model import Json
from node.errors import NodeError
from node.exchange.delay import parse_delay
from node.exchange.metrics import Metrics

GROUPS = (
    "options",
    "server",
    "tags",
    "connections",
    "requests",
    "undefined",
    "watch",
    "faults",
    "api",
    "capture",
    "record",
    "replay",
)
FORCING = ("force", "release", "error")
"""What can be done to a tag beside writing it."""
WATCHED_TAGS = 100
"""Tags that are watched at once."""


class Server(Protocol):
    """The ports of a node."""

    error: str | None
    """Why they could not be opened the last time."""

    @property
    def numbers(self) -> Mapping[str, int]:
        """Protocol to port."""

    @property
    def listening(self) -> bool:
        """Whether all are open."""

    @property
    def switching(self) -> bool:
        """Whether they are being opened or closed right now."""

    @property
    def counted(self) -> Mapping[str, Metrics]:
        """Protocol to what was counted there."""

    def switch(self, on: bool) -> None:
        """Opens or closes all of them, now or as soon as the loop gets to it."""


class Options(Protocol):
    """What can be changed while a node runs."""

    delay: tuple[float, float]
    """Seconds, lowest and highest. Setting it raises `NodeError` for a time that cannot be."""


class Connection(Protocol):
    """A live peer. `since` is an instant on the node's clock."""

    name: str
    since: float
    requests: int
    errors: int
    bytes_in: int
    bytes_out: int

    def describe(self) -> dict[str, Json]:
        """What its protocol knows of it."""

    def eof(self) -> None:
        """Ends it."""


class Room(Protocol):
    """A group of commands that is made when it is first asked for."""

    def run(self, path: str, value: Json = None) -> Json:
        """What stands at `path`, or was done there. Raises `CommandError`."""


class Watch(Protocol):
    """What reports a node's values to whoever looks at them."""

    def watch(self, tags: Iterable[str], writes: bool, now: float) -> None:
        """Has these reported from `now` on, and who writes any."""


class CommandTree:
    """The commands of one node. `connections` gives (protocol, peer) of all there are, `now` the instant, `watch`
    what reports the node, `rooms` what there is by the names "capture", "faults", "forces", "record", "replay" and
    "api"."""

    def __init__(
        self,
        tags: TagCommands,
        server: Server,
        options: Options,
        connections: Callable[[], Iterable[tuple[str, Connection]]],
        now: Callable[[], float],
        watch: Watch,
        rooms: Mapping[str, Callable[[], Room]],
    ) -> None:
        self._tags = tags
        self._server = server
        self._options = options
        self._connections = connections
        self._now = now
        self._watch = watch
        self._rooms = rooms

    def get(self, path: str) -> Json:
        """What stands at `path`. Raises `CommandError`."""
        return self.run(path, None)

    def run(self, path: str, value: Json = None) -> Json:
        """What stands at `path`, after `value` was put there unless it is None, or the action there was done. Raises
        `CommandError`."""
        group, _, rest = path.strip("/").partition("/")
        match group:
            case "tags":
                return self._run_tags(rest, value)
            case "options":
                return self._run_options(rest, value)
            case "server":
                return self._run_server(rest)
            case "connections":
                return self._run_connections(rest)
            case "requests" | "undefined" if not rest:
                return self._look_back(group)
            case "watch" if not rest:
                return self._watch_for(value)
            case "capture" | "faults" | "record" | "replay" | "api":
                return self._rooms[group]().run(rest, value)
        raise CommandError(f"there is nothing at {path!r}; groups are {' '.join(GROUPS)}")

    def _run_tags(self, name: str, value: Json) -> Json:
        if not name:
            return self._tags.list()
        if name.rpartition("/")[2] in FORCING and ("/" in name or name == "release"):
            return self._rooms["forces"]().run(name, value)
        return self._tags.read(name) if value is None else self._tags.write(name, value)

    def _run_options(self, name: str, value: Json) -> Json:
        if name not in ("", "delay"):
            raise CommandError(f"there is no option {name!r}; there is delay")
        if value is not None:
            if not name:
                raise CommandError("name the option to set: options/delay")
            try:
                self._options.delay = _delay_of(value)
            except NodeError as exc:
                raise CommandError(str(exc)) from exc
        delay: Json = list(self._options.delay)
        return delay if name else {"delay": delay}

    def _run_server(self, action: str) -> Json:
        if action not in ("", "start", "stop"):
            raise CommandError(f"the server has no {action!r}; it has start and stop")
        if action:
            self._server.switch(action == "start")
        server = self._server
        return {
            "listening": server.listening,
            "switching": server.switching,
            "ports": {**server.numbers},
            "error": server.error,
        }

    def _run_connections(self, rest: str) -> Json:
        if not rest:
            return self._list_connections()
        name, _, action = rest.partition("/")
        if action != "eof":
            raise CommandError(f"{rest!r}: what can be done to a connection is connections/{name}/eof")
        ended = [peer for _, peer in self._connections() if peer.name == name]
        if not ended:
            raise CommandError(f"no peer {name!r} is connected; `connections` lists them")
        for peer in ended:
            peer.eof()
        return len(ended)

    def _list_connections(self) -> Json:
        from node.commands.requests import last_of  # whoever is never looked at needs none of the decoders

        now = self._now()
        last = {protocol: last_of(metrics.ring, protocol) for protocol, metrics in self._server.counted.items()}
        return [
            {
                "protocol": protocol,
                "peer": peer.name,
                "seconds": round(now - peer.since, 3),
                "requests": peer.requests,
                "errors": peer.errors,
                "bytes_in": peer.bytes_in,
                "bytes_out": peer.bytes_out,
                **peer.describe(),
                "last": last[protocol].get(peer.name, ""),
            }
            for protocol, peer in self._connections()
        ]

    def _look_back(self, what: str) -> Json:
        from node.commands.requests import recent, undefined

        look = recent if what == "requests" else undefined
        return look(self._server.counted, self._now())

    def _watch_for(self, value: Json) -> Json:
        asked = value if isinstance(value, dict) else {}
        tags, writes = asked.get("tags", []), asked.get("writes", False)
        if not isinstance(value, dict) or not isinstance(tags, list) or not isinstance(writes, bool):
            raise CommandError(f'watch: got {value!r:.80}; wanted {{"tags": [NAME], "writes": true}}')
        if len(tags) > WATCHED_TAGS:
            raise CommandError(f"watch: {len(tags)} tags; at most {WATCHED_TAGS} are watched at once")
        self._watch.watch([str(tag) for tag in tags], writes, self._now())
        return len(tags)


def _delay_of(value: Json) -> tuple[float, float]:
    if isinstance(value, str):
        return parse_delay(value)
    low, high = value if isinstance(value, list) and len(value) == 2 else (value, value)
    if isinstance(low, int | float) and isinstance(high, int | float) and bool not in (type(low), type(high)):
        with suppress(OverflowError):  # a whole number of any length, as JSON has them
            return float(low), float(high)
    raise CommandError(f"{value!r:.80} is no delay; wanted seconds, as 0.5, '0.1-0.5' or [0.1, 0.5]")
