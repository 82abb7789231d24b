"""What a relay is to do, as its farm writes it: one JSON file, and rows of forwards that change while it runs.

    {"control": "10.99.0.2:7700",              where shards dial; "" or left out: nowhere
     "socket": "/run/plcfarm/control/sock",    the Unix socket each of them is carried to; "" or left out: over the link
     "link": "127.0.0.1:7701",                 where the pipe to a farm far away comes in (`frames`); left out: nowhere
     "forwards": [["tcp", "172.18.0.2", 20001, "10.1.0.5", 44818], ...]}

A row is protocol ("tcp", "udp"), address and port here, address and port of the node.
"""

import ipaddress
import json
from typing import Any

from node.errors import ConfigError
from node.record import dataclass

TCP, UDP = "tcp", "udp"
MOST = 50_000
"""Forwards of one relay."""
LEAST_PORT, MOST_PORT = 1, 65535


@dataclass(frozen=True, slots=True)
class Forward:
    """A port of the relay's, `address`:`port`, that leads to `node`:`node_port`; `protocol` is `TCP` or `UDP`."""

    protocol: str
    address: str
    port: int
    node: str
    node_port: int

    @property
    def here(self) -> tuple[str, str, int]:
        """What it takes of the relay."""
        return self.protocol, self.address, self.port

    def __str__(self) -> str:
        return f"{self.protocol} {self.address}:{self.port} to {self.node}:{self.node_port}"


@dataclass(frozen=True, slots=True)
class Orders:
    """A relay's file. `control` and `link` are an address and a port, or None; `socket` is "" for none."""

    control: tuple[str, int] | None
    socket: str
    link: tuple[str, int] | None
    forwards: tuple[Forward, ...]

    @classmethod
    def decode(cls, source: str, data: bytes) -> "Orders":
        """From the content of the file `source`. Raises `ConfigError` that says what is wrong."""
        body = _json(source, data)
        if not isinstance(body, dict):
            raise ConfigError(source, 0, f"a relay's file is one JSON object, got {body!r:.80}")
        unknown = body.keys() - {"control", "socket", "link", "forwards"}
        if unknown:
            raise ConfigError(source, 0, f"{sorted(unknown)[0]!r:.80}: known are control, socket, link, forwards")
        control, link = (endpoint(source, body.get(key, "")) for key in ("control", "link"))
        socket = body.get("socket", "")
        if not isinstance(socket, str):
            raise ConfigError(source, 0, f"socket is a path, got {socket!r:.80}")
        if control is not None and not socket and link is None:
            raise ConfigError(source, 0, "control leads nowhere: say socket, or link")
        return cls(control, socket, link, _forwards(source, body.get("forwards", [])))


def endpoint(source: str, text: object) -> tuple[str, int] | None:
    """`10.1.0.5:7700` as an address and a port, None for "". Raises `ConfigError`."""
    if text == "":
        return None
    address, colon, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    if not colon or not port.isdecimal():
        raise ConfigError(source, 0, f"an address and a port is wanted, as 10.1.0.5:7700, got {text!r:.80}")
    return _address(source, address), _port(source, int(port))


def _json(source: str, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise ConfigError(source, 0, f"not JSON ({exc})") from exc


def _forwards(source: str, rows: object) -> tuple[Forward, ...]:
    if not isinstance(rows, list) or len(rows) > MOST:
        raise ConfigError(source, 0, f"forwards is a list of at most {MOST} rows")
    found: dict[tuple[str, str, int], Forward] = {}
    for row in rows:
        forward = _forward(source, row)
        if found.setdefault(forward.here, forward) is not forward:
            raise ConfigError(source, 0, f"{forward} and {found[forward.here]}: a port leads to one node")
    return tuple(found.values())


def _forward(source: str, row: object) -> Forward:
    match row:
        case [("tcp" | "udp") as protocol, address, int(port), node, int(node_port)]:
            here, there = _port(source, port), _port(source, node_port)
            return Forward(str(protocol), _address(source, address), here, _address(source, node), there)
    wanted = '["tcp" or "udp", address, port, address of the node, its port]'
    raise ConfigError(source, 0, f"a forward is {wanted}, got {row!r:.120}")


def _address(source: str, text: object) -> str:
    try:
        return str(ipaddress.IPv4Address(text if isinstance(text, str) else repr(text)))
    except ValueError as exc:
        raise ConfigError(source, 0, f"an IPv4 address is wanted, got {text!r:.80}") from exc


def _port(source: str, port: int) -> int:
    if not LEAST_PORT <= port <= MOST_PORT:
        raise ConfigError(source, 0, f"a port is {LEAST_PORT} to {MOST_PORT}, got {port}")
    return port
