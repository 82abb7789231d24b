"""The commands of a node in the words of the web interface of 2016: `api/<group>/<match>/<command>/<value>`.

    api                                     all there is
    api/tags                                a group; api/tags/SC* some of it: `*` and `?` match as in file names
    api/options/delay/value                 one thing; api/options/delay/value/0.5 or .../value=0.5 sets it
    api/options/delay/range=0.1-0.9         a delay between two times
    api/server/control/disable=true         closes the ports and ends all connections; false opens them again
    api/server/control/done=true            the same, for good; a lone simulator ends
    api/server/control/latency, timeout     seconds until that, or an eof, takes effect, and that it may take then
    api/tags/SCADA/error=8                  has every access refused so, 255,8453 with an extended status; 0 ends it
    api/tags/SCADA/attribute[3]=4           an element; [3-5] some of them, or [3:6] as Python counts; without any, all
    api/connections/*/eof/true              ends connections

The answer is always {"alarm": [], "command": {...}, "data": {...}, "since": null, "until": seconds since 1970}: what
matched stands in `data` by group and name, after the command was done; `command` says in words what was, and whether it
was a `success`. A value counts for everything that matched.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from reprlib import Repr
from typing import NamedTuple, Protocol

from node.commands.errors import CommandError
from node.commands.forces import ForceCommands
from node.commands.tags import BY_NAME, TagCommands, Target
from node.config.model import Json
from node.errors import NodeError
from node.exchange.delay import parse_delay
from node.memory.hooks import HookWaits

ANY = "*"
GROUPS = ("options", "server", "tags", "connections")
WILD = "*?["
"""What makes a pattern of a name."""
LONGEST = 60.0
"""Seconds of latency and timeout, at most."""
NAMED = 20
"""Things that a message tells of."""
PADDED = 14
"""Columns of a tag's name in its text."""

_ATTRIBUTE = re.compile(r"attribute(?:\[(?P<first>\d{1,9})(?:(?P<sign>[-:])(?P<last>\d{1,9}))?\])?")
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")

_short = Repr()
_short.maxlist = 6
_short.maxstring = 60


class Server(Protocol):
    """How the ports of a node and its connections end. Times in seconds."""

    latency: float
    timeout: float

    @property
    def disabled(self) -> bool:
        """Whether the ports are closed, or soon will be."""

    @property
    def done(self) -> bool:
        """Whether they are for good."""

    def disable(self, disabled: bool) -> None:
        """Closes or opens all of them."""

    def finish(self) -> None:
        """Closes them for good."""

    def connections(self) -> "Iterable[tuple[str, Connection]]":
        """(protocol, peer) of all there are."""

    def end(self, names: Collection[str]) -> None:
        """Ends the connections of peers that are called so."""


class Options(Protocol):
    """What can be changed while a node runs."""

    delay: tuple[float, float]
    """Seconds, lowest and highest. Setting it raises `NodeError`."""


class Connection(Protocol):
    """A live peer."""

    name: str
    requests: int
    bytes_in: int


class Answer(NamedTuple):
    """What is answered to a path; whether what it names `is_there`, and whether its command, if any, was `done`."""

    envelope: dict[str, Json]
    is_there: bool
    done: bool


class NothingThere(CommandError):
    """A command for what there is not."""


class ApiCommands:
    """The interface of one node. `wall` gives the seconds since 1970."""

    def __init__(
        self,
        tags: TagCommands,
        forces: ForceCommands,
        server: Server,
        options: Options,
        wall: Callable[[], float],
    ) -> None:
        self._tags = tags
        self._forces = forces
        self._server = server
        self._options = options
        self._wall = wall
        self._found: dict[str, Target] = {}

    def run(self, path: str, value: Json = None) -> Json:
        """What is answered to `path`, behind `api/`; `value` is that of its command where the path has none."""
        return self.answer(path, value).envelope

    def answer(self, path: str, value: Json = None) -> Answer:
        """The same, and how it went."""
        group, match, command, given = split(path)
        said: dict[str, Json] = {}
        ended: list[str] = []
        is_there = done = True
        if command:
            try:
                message, ended = self._command(group, match, command, value if given is None else given)
                said = {"message": message, "success": True}
            except NodeError as exc:
                said, done = {"message": str(exc), "success": False}, False
                is_there = not isinstance(exc, NothingThere)
        data = self._data(group, match, ended)
        if not command and not data and _names_one(group, match):
            said, is_there = {"message": f"nothing matches {group}/{match}", "success": False}, False
        envelope = {"alarm": [], "command": said, "data": data, "since": None, "until": self._wall()}
        return Answer(envelope, is_there, done)

    def _command(self, group: str, match: str, command: str, value: Json) -> tuple[str, list[str]]:
        """What was done, and the connections that were ended. Raises `NodeError`."""
        said: list[str] = []
        ended: list[str] = []
        for each in GROUPS:
            if fnmatchcase(each, group):
                for name in self._names(each, match):
                    if _has(each, command):
                        said.append(f"{each}.{name}.{command}{self._do(each, name, command, value)}")
                        ended += [name] if command == "eof" and value is not None and _truth(command, value) else []
        if not said:
            raise NothingThere(f"nothing matches {group}/{match} that has {command!r}")
        more = f" and {len(said) - NAMED} more" if len(said) > NAMED else ""
        return ", ".join(said[:NAMED]) + more, ended

    def _do(self, group: str, name: str, command: str, value: Json) -> str:
        """Does it to one thing; how the message goes on behind the command's name."""
        if group == "connections":
            return self._connection(name, command, value)
        if group == "tags":
            now = self._tag(name, command, value)
        elif group == "options":
            now = self._option(command, value)
        else:
            now = self._serve(command, value)
        return f": {now}" if value is None else f"={value!r:.80} ({now})"

    def _option(self, command: str, value: Json) -> Json:
        if value is not None:
            if command == "range" and not (isinstance(value, str) and "-" in value):
                raise CommandError(f"options.delay.range: got {value!r:.60}; wanted two times in seconds, as 0.1-0.9")
            self._options.delay = parse_delay(str(value))
        low, high = self._options.delay
        return low if command == "value" and low == high else f"{low:g}-{high:g}"

    def _serve(self, command: str, value: Json) -> Json:
        if command in ("latency", "timeout") and value is not None:
            setattr(self._server, command, _seconds(command, value))
        elif value is not None:
            self._switch(command, _truth(command, value))
        return self._controls()[command]

    def _switch(self, command: str, on: bool) -> None:
        if self._server.done and not on:
            raise CommandError("the server is done; start the node again")
        if command == "disable":
            self._server.disable(on)
        elif on:
            self._server.finish()

    def _controls(self) -> dict[str, Json]:
        server = self._server
        return {
            "disable": server.disabled,
            "done": server.done,
            "latency": server.latency,
            "timeout": server.timeout,
        }

    def _tag(self, name: str, command: str, value: Json) -> Json:
        if command == "error":
            return self._forces.status(name) if value is None else self._forces.run(f"{name}/error", value)
        text = name + _elements(command)
        if value is None:
            return self._tags.value(text)
        row = self._tags.write(text, _parsed(value))
        return row["value"] if isinstance(row, dict) else row

    def _connection(self, name: str, command: str, value: Json) -> str:
        peers = [peer for _, peer in self._server.connections() if _key(peer) == name]
        if value is None:
            return f": {_shown_peer(peers[0], False)[command]}" if peers else ": gone"
        if command != "eof":
            raise CommandError(f"connections.{name}.{command} cannot be set; eof can")
        if _truth(command, value):
            self._server.end([peer.name for peer in peers])
        return f"={value!r:.80} ({_truth(command, value)})"

    def _names(self, group: str, match: str) -> list[str]:
        """What of a group matches."""
        if group == "options":
            names = ["delay"]
        elif group == "server":
            names = ["control"]
        elif group == "tags":
            return [name for name in self._tags.names if fnmatchcase(name.casefold(), match.casefold())]
        else:
            names = [_key(peer) for _, peer in self._server.connections()]
            match = _plain(match)
        return [name for name in names if fnmatchcase(name, match)]

    def _data(self, group: str, match: str, ended: Sequence[str]) -> Json:
        found: dict[str, Json] = {}
        for each in GROUPS:
            if fnmatchcase(each, group):
                names = self._names(each, match)
                alone = group == each and len(names) == 1
                things = {name: self._thing(each, name, ended, alone) for name in names}
                if things:
                    found[each] = things
        return found

    def _thing(self, group: str, name: str, ended: Sequence[str], alone: bool) -> Json:
        if group == "options":
            low, high = self._options.delay
            return {"value": low} if low == high else {"range": f"{low:g}-{high:g}"}
        if group == "server":
            return self._controls()
        if group == "tags":
            target = self._found.get(name) or self._found.setdefault(name, self._tags.target(name))
            dimensions = f"[{','.join(map(str, target.spot.dimensions))}]" if target.spot.dimensions else ""
            try:
                value = _short.repr(self._tags.glance(target, _short.maxlist + 1))
            except HookWaits:
                if alone:
                    raise
                value = BY_NAME
            text = f"{name:<{PADDED}} {target.spot.kind.name}{dimensions} == {value}"
            return {"attribute": text, "error": self._forces.status_of(target)}
        for _, peer in self._server.connections():
            if _key(peer) == name:
                return _shown_peer(peer, name in ended)
        return {"eof": True}


def split(path: str) -> tuple[str, str, str, str | None]:
    """Group, match, command ("" for none) and value (None for none) of a path. What follows the command is the value,
    slashes and all."""
    group, _, rest = path.strip("/").partition("/")
    if group == "connections" and rest.replace("=", "/").startswith("eof/"):
        rest = f"{ANY}/{rest}"
    match, _, rest = rest.partition("/")
    command, slash, value = rest.partition("/")
    name, equals, assigned = command.partition("=")
    if equals:
        return group or ANY, match or ANY, name, assigned + slash + value
    return group or ANY, match or ANY, command, value if value else None


def _names_one(group: str, match: str) -> bool:
    """Whether it is wrong that nothing is there: a pattern need not fit anything, a name must."""
    if any(sign in group for sign in WILD):
        return False
    return group not in GROUPS or not any(sign in match for sign in WILD)


def _elements(command: str) -> str:
    """The elements that `attribute[...]` names, as a tag's name goes on. Raises `CommandError`."""
    found = _ATTRIBUTE.fullmatch(command)
    if found is None or found["first"] is None:
        return ""
    first, last = int(found["first"]), int(found["last"] or found["first"])
    if found["sign"] == ":":
        if last <= first:
            raise CommandError(f"{command}: no element is in there")
        last -= 1
    return f"[{first}-{last}]" if found["sign"] else f"[{first}]"


def _has(group: str, command: str) -> bool:
    if group == "tags":
        return command == "error" or _ATTRIBUTE.fullmatch(command) is not None
    return command in _COMMANDS[group]


_COMMANDS = {
    "options": ("value", "range"),
    "server": ("disable", "done", "latency", "timeout"),
    "connections": ("eof", "interface", "port", "received", "requests"),
}


def _key(peer: Connection) -> str:
    return _plain(peer.name)


def _plain(name: str) -> str:
    """`10.0.111.121:60592` as it stands in a path: 10_0_111_121_60592."""
    return name.replace(".", "_").replace(":", "_")


def _shown_peer(peer: Connection, ended: bool) -> dict[str, Json]:
    host, _, port = peer.name.rpartition(":")
    return {
        "eof": ended,
        "interface": host,
        "port": int(port) if port.isdecimal() else 0,
        "received": peer.bytes_in,
        "requests": peer.requests,
    }


def _truth(name: str, value: Json) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).casefold()
    if text not in (*_TRUE, *_FALSE):
        raise CommandError(f"{name}: got {value!r:.60}; wanted true or false")
    return text in _TRUE


def _seconds(name: str, value: Json) -> float:
    try:
        seconds = float(value) if isinstance(value, int | float | str) else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST:
        raise CommandError(f"{name}: got {value!r:.60}; wanted seconds, 0 to {LONGEST:g}")
    return seconds


def _parsed(value: Json) -> Json:
    """A list or a map that was given as text."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            parsed: Json = json.loads(value)
        except ValueError as exc:
            raise CommandError(f"{value!r:.80} is no list or map: {exc}") from exc
        return parsed
    return value
