"""What a shard and its farm say to each other, and what a nursery is asked.

Two streams, both JSON, one object a line, UTF-8, at most `LIMIT` bytes a line:

* control, over a Unix socket in the run directory: the shard dials and says `hello`; then it sends `ready` or `failed`
  for each node, `telemetry` once a second and `answer`s, and gets `command`s.
* nursery, over the socket it inherited: `fork` in, `forked` or `refused` out, one for one and in order.

    hello      {type, token, shard, pid, started, nodes: [name]}
    ready      {type, node, ports: {protocol: port}}
    failed     {type, node, error}
    telemetry  {type, nodes: {name: {requests, errors, bugs, connections, uptime}}}
    command    {type, id, node, path, value}        path: "tags", "tags/SCADA", "server/stop", "server/start"
    answer     {type, id, value}  or  {type, id, error}
    fork       {type, shard, config, log, control, token}   file paths; config is the shard file (`ShardFile`)
    forked     {type, shard, pid, started}
    refused    {type, shard, error}

`started` is the process's start time in clock ticks since boot (`/proc/PID/stat`, field 22), 0 where there is no /proc.
"""

import json
from dataclasses import dataclass
from typing import Any

from node.errors import ConfigError, RemoteProtocolError

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
    seconds, `pid_file` where it writes who it is, `nodes` the node configurations as `node.config.load.dump` gives
    them."""

    shard: str
    run: str
    epoch: float
    pid_file: str
    nodes: tuple[Message, ...]

    def encode(self) -> bytes:
        """The file's content."""
        body = {"shard": self.shard, "run": self.run, "epoch": self.epoch, "pid_file": self.pid_file}
        return json.dumps({**body, "nodes": list(self.nodes)}, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, source: str, data: bytes) -> "ShardFile":
        """The file back. Raises `ConfigError` naming `source` when it is damaged."""
        try:
            body = json.loads(data)
            return cls(body["shard"], body["run"], float(body["epoch"]), body["pid_file"], tuple(body["nodes"]))
        except (ValueError, KeyError, TypeError) as exc:
            raise ConfigError(source, 0, f"not a shard file ({exc})") from exc
