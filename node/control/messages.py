"""What a shard and its farm say to each other, and what a nursery is asked.

Two streams, both JSON, one object a line, UTF-8, at most `LIMIT` bytes a line:

* control, over a Unix socket in the run directory, or over TCP to a relay that leads there: the shard dials and says
  `hello`; then it sends `ready` or `failed` for each node, `telemetry` once a second and `answer`s, and gets
  `command`s.
* nursery, over the socket it inherited: `fork` in, `forked` or `refused` out, one for one and in order;
  those that come together are forked together, and their shards share memory.

    hello      {type, token, shard, pid, started, nodes: [name]}     pid 0: it is in a container, and does not know
    ready      {type, node, ports: {protocol: port}}
    failed     {type, node, error}
    telemetry  {type, nodes: {name: report or null}}                 null: nothing new since the last one on this stream
    command    {type, id, node, path, value}        path: "tags", "tags/SCADA", "server/stop", "server/start"
    answer     {type, id, value}  or  {type, id, error}
    fork       {type, shard, config, log, control, token [, place]}   file paths; config is the shard file (`ShardFile`)
    forked     {type, shard, pid, started}
    refused    {type, shard, error}

`place` says where and as whom a shard serves (`Place`); without it, it is left where and who the nursery is.

A report is {requests, errors, bugs, connections, bytes_in, bytes_out, refused, evicted, timeouts, uptime, latency,
peers}, all counted since the node was made, and where there are any `faults`, `forced`, `recording` and `replayed` (how
many: faults, forced tags, recordings, tags that a recording is played into), `tags` (of those that are watched, what
changed: {name: value}) and `writes` ([seconds ago, peer, tag, value], while they are watched). `latency` are requests
by how long they took: below 2**i µs in place i, the zeros at the end left out. `peers` are the busiest, [protocol,
peer, seconds, requests, errors] each. The first report after `hello` is never null.

Two commands are for the shard and not for a node of it: path "shard/start" with a node configuration as `value` starts
the node `node`, in place of one of that name if there is one; "shard/stop" ends it and forgets it. Each is followed by
`ready` or `failed` as at start. The shard file on disk is left alone: whoever changes a shard so writes it anew.

`hello` is followed by the `ready` or `failed` of every node as things stand, so a farm that comes back learns all.

`pid` is 0 of a shard in a container of this machine, where the socket knows it; `instance_number` of one on another,
and `NO_PID` where that was given none.

A process is known by three numbers: the boot's id, its pid and `started`, its start time in clock ticks since boot
(`/proc/PID/stat`, field 22; 0 where there is no /proc). Both sides read them here. The shard writes them to its pid
file (`PidFile`) before it binds an address, with a digest of the nodes it serves, so that a shard file that was written
anew and not yet acted upon is not taken for what runs. The farm makes that file, empty, and both write into it and
never replace it: a shard that has become another user has it open, and may not make files any more.
"""

import json
import os
from collections.abc import Iterable
from functools import cache
from typing import Any

from node import __version__
from node.errors import ConfigError, RemoteProtocolError
from node.record import dataclass

try:  # hashlib brings OpenSSL: 4 MiB in each container, and 3 ms of its start
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

LIMIT = 4 * 1024 * 1024
"""Bytes in one line; a longer one ends the stream (a shard of many nodes sends its telemetry in one line)."""

Message = dict[str, Any]

HELLO = "hello"
READY = "ready"
FAILED = "failed"
TELEMETRY = "telemetry"
COMMAND = "command"
ANSWER = "answer"
FORK = "fork"
FORKED = "forked"
REFUSED = "refused"

SHARD_START = "shard/start"
SHARD_STOP = "shard/stop"

RUN_VARIABLE = "FARM_RUN"
"""In the exec environment of every process of a run, with the run's id as its value."""
INSTANCE_VARIABLE = "FARM_INSTANCE"
"""In that of a shard on another machine, where a pid says nothing: any text that no other process of the run has."""
BEGAN_VARIABLE = "FARM_BEGAN"
"""In that of a shard on another machine, whose monotonic clock is not the farm's: when the plant began, in seconds
since 1970, in place of its file's `epoch`."""
NO_PID = -1
"""Of a shard that came by way of a relay and was given no instance: whoever connects for it is not it."""
PIDS = 1 << 22
"""Every pid of Linux is below."""

MARKS = ("everywhere", "handed", "placed")
"""Fields of a shard file that are true or left out."""
READ_SIZE = 1 << 20
PID_FILE_SIZE = 512

GONE = "ZX"
"""States of a process that is dead and not yet waited for."""


def encode(message: Message) -> bytes:
    """One line, its newline included."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The object of one line. Raises `RemoteProtocolError` when it is no JSON object with a `type`."""
    try:
        message = json.loads(line)
    except ValueError as exc:
        raise RemoteProtocolError(f"a control line that is not JSON: {line[:80]!r}") from exc
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise RemoteProtocolError(f"a control line without a type: {line[:80]!r}")
    return message


@dataclass(frozen=True, slots=True)
class ShardFile:
    """What a shard reads when it starts: `run` the farm's run id, `epoch` the plant's start on the monotonic clock in
    seconds, `pid_file` where it writes who it is ("" for nowhere: in a container it cannot know), `nodes` the node
    configurations as `node.config.load.dump` gives them. `checked` is `checked_mark` of the nodes when
    `node.config.check` has passed them, so that a shard need not ask it again; whoever changes a node by hand makes the
    mark another's. `everywhere` has them served on every interface there is; `handed` at sockets of the machine as
    well, at the addresses that they have, which a doorway hands in. `placed` says that an engine gives each its
    address, on the network of its first interface: it is found when the shard starts."""

    shard: str
    run: str
    epoch: float
    pid_file: str
    nodes: tuple[Message, ...]
    checked: str = ""
    everywhere: bool = False
    handed: bool = False
    placed: bool = False

    def encode(self) -> bytes:
        """The file's content."""
        body: Message = {"shard": self.shard, "run": self.run, "epoch": self.epoch, "pid_file": self.pid_file}
        body["checked"] = self.checked
        body |= {name: True for name in MARKS if getattr(self, name)}
        return json.dumps({**body, "nodes": list(self.nodes)}, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, source: str, data: bytes) -> "ShardFile":
        """The file back. Raises `ConfigError` naming `source` when it is damaged."""
        try:
            body = json.loads(data)
            nodes, checked = tuple(body["nodes"]), str(body.get("checked", ""))
            marks = [body.get(name) is True for name in MARKS]
            epoch, pid_file = float(body["epoch"]), body["pid_file"]
            return cls(body["shard"], body["run"], epoch, pid_file, nodes, checked, *marks)
        except (ValueError, KeyError, TypeError) as exc:
            raise ConfigError(source, 0, f"not a shard file ({exc})") from exc


@dataclass(frozen=True, slots=True)
class Place:
    """Where and as whom a shard serves. `namespace` is the path of a pinned network namespace, "" for the nursery's;
    `user` its uid and gid, 0 for the nursery's own; `keep` capabilities that it keeps; `limits` pairs of a name in
    `node.privileges.LIMITS` and a number; `doorway` the path where sockets of the machine are had, "" for none."""

    namespace: str = ""
    user: int = 0
    keep: tuple[int, ...] = ()
    limits: tuple[tuple[str, int], ...] = ()
    doorway: str = ""

    def encode(self) -> Message:
        """As a field of `fork`."""
        body: Message = {"namespace": self.namespace, "user": self.user, "keep": list(self.keep)}
        return {**body, "limits": dict(self.limits), "doorway": self.doorway}

    @classmethod
    def decode(cls, body: Message) -> "Place":
        """The place back. Raises KeyError, TypeError or ValueError when it is damaged."""
        limits = tuple((str(name), int(value)) for name, value in body["limits"].items())
        keep, doorway = tuple(map(int, body["keep"])), str(body.get("doorway", ""))
        return cls(str(body["namespace"]), int(body["user"]), keep, limits, doorway)


@dataclass(frozen=True, slots=True)
class PidFile:
    """Which process serves a shard. `digest` is `digest_nodes` of what it serves now."""

    shard: str
    run: str
    boot_id: str
    pid: int
    started: int
    digest: str

    def encode(self) -> bytes:
        """The file's content: always of one length, for it is written over what was there."""
        fields = ("shard", "run", "boot_id", "pid", "started", "digest")
        return json.dumps({field: getattr(self, field) for field in fields}).encode().ljust(PID_FILE_SIZE - 1) + b"\n"

    def write(self, descriptor: int) -> None:
        """Writes it into the open file, in one go. Raises `OSError`."""
        os.pwrite(descriptor, self.encode(), 0)

    @classmethod
    def decode(cls, source: str, data: bytes) -> "PidFile":
        """The file back. Raises `ConfigError` naming `source` when it is damaged."""
        try:
            body = json.loads(data)
            return cls(
                str(body["shard"]),
                str(body["run"]),
                str(body["boot_id"]),
                int(body["pid"]),
                int(body["started"]),
                str(body["digest"]),
            )
        except (ValueError, KeyError, TypeError) as exc:
            raise ConfigError(source, 0, f"not a pid file ({exc})") from exc


def digest_nodes(nodes: Iterable[Message]) -> str:
    """16 hex digits that differ when the configurations do; the order of the nodes plays no part."""
    lines = sorted(json.dumps(node, separators=(",", ":"), sort_keys=True) for node in nodes)
    return blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def checked_mark(digest: str) -> str:
    """What a shard file says of nodes whose `digest_nodes` is `digest`, when this version's check has passed them."""
    return f"{__version__} {digest}"


def shard_token(secret: str, shard: str) -> str:
    """What a shard shows in its `hello`, made from the run's secret: another shard's token is of no use to it."""
    return blake2b(shard.encode(), key=secret.encode()[:64], digest_size=16).hexdigest()


def instance_number(instance: str) -> int:
    """What stands for the pid of a shard that was given this text as its instance: a number that no process has."""
    digest = blake2b(instance.encode(), digest_size=4).digest()
    return PIDS + int.from_bytes(digest, "big") % ((1 << 31) - PIDS)


def read_file(path: str) -> bytes:
    """The content of a file by system calls alone: what pathlib and io touch, every forked shard has to copy."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        content = b""
        while part := os.read(descriptor, READ_SIZE):
            content += part
        return content
    finally:
        os.close(descriptor)


@cache
def boot_id() -> str:
    """The id of this boot of the machine; "" where there is none to read. Read once: a fork finds it here."""
    try:
        return read_file("/proc/sys/kernel/random/boot_id").decode().strip()
    except OSError:
        return ""


def process_stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time in ticks of a process, or None when there is none of that pid (or no /proc).

    The name in the line may hold blanks and brackets, so the fields are counted from the last bracket on.
    """
    try:
        line = read_file(f"/proc/{pid}/stat")
    except OSError:
        return None
    fields = line.rpartition(b")")[2].split()
    return fields[0].decode(), int(fields[19])


def start_time(pid: int) -> int:
    """Start time in ticks of a living process; 0 when it is gone, a zombie, or cannot be known here."""
    found = process_stat(pid)
    return 0 if found is None or found[0] in GONE else found[1]
