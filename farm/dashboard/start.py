"""What a dashboard's process is told when it is started, on its standard input, one line of JSON: its sockets are open
already and its tokens read, so it needs no right to either. No secret of it is in an argument or the environment.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

READY = b"ready\n"
"""What it says on its standard output when it serves."""


@dataclass(frozen=True, slots=True)
class Start:
    """One process's orders.

    `sockets` are numbers of descriptors that listen; `names`, `any_address`, `free_reading` are `safety.Doors`.
    `farm` "" means that none runs: `demos` (name, title, command) are shown then. `socket` is its
    supervisor's. `user` None: it stays who it is. `attached`: it ends with its standard input.
    """

    sockets: tuple[int, ...]
    names: tuple[str, ...]
    any_address: bool
    free_reading: bool
    farm: str = ""
    socket: str = ""
    write_token: str = ""
    read_token: str = ""
    instance: str = ""
    cookie: str = "farm"
    user: int | None = None
    attached: bool = False
    demos: tuple[tuple[str, str, str], ...] = ()

    def pack(self) -> bytes:
        """One line, its newline included."""
        return json.dumps(asdict(self)).encode() + b"\n"


def unpack_start(line: bytes) -> Start:
    """The orders of a line. Raises `ValueError` or `TypeError` for one that holds none."""
    body: Mapping[str, Any] = json.loads(line)
    lists = {key: tuple(value) for key, value in body.items() if isinstance(value, list)}
    lists["demos"] = tuple(tuple(demo) for demo in lists.get("demos", ()))
    return Start(**{**body, **lists})


@dataclass(frozen=True, slots=True)
class Record:
    """A dashboard that serves, as the run's folder has it: its process, where it listens, and the instance that its
    links are for."""

    pid: int
    started: int
    addresses: tuple[tuple[str, int], ...]
    instance: str

    @classmethod
    def read(cls, path: Path) -> "Record | None":
        """That of a file; None where there is none, or no record in it."""
        try:
            body = json.loads(path.read_bytes())
            addresses = tuple((str(host), int(port)) for host, port in body["addresses"])
            return cls(int(body["pid"]), int(body["started"]), addresses, str(body["instance"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Raises `OSError`."""
        fresh = path.with_name(f"{path.name}.new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(path)
