"""What happened in a farm: the last ten thousand events in memory, more in a file of bounded size, all to who follows.

{"id": 7, "event": "node", "time": ISO, "kind": KIND, "node": name, "state": state, "text": line, "actor": who or ""}
{"id": 8, "event": "farm", "time": ISO, "kind": KIND, "node": "", "text": line, "actor": who or ""}

Kinds are those of `KINDS`. Times are in this machine's zone, to the millisecond. Ids count on over the death of a
supervisor, for its successor reads what the file has; so who asks for what came after an id misses nothing.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

Event = dict[str, Any]

STATE, WRITE, FAULT, CLIENT, CONFIG, COMMAND, FARM = "state", "write", "fault", "client", "config", "command", "farm"
KINDS = (STATE, WRITE, FAULT, CLIENT, CONFIG, COMMAND, FARM)
"""A node's state changed; a value was written, forced or released; a fault came or went; a client came or went; other
nodes are wanted; somebody had something done; anything else about the farm."""

RING = 10_000
"""Events in memory, a packed line each: 2.5 MB."""
FILE_LIMIT = 1 << 20
"""Bytes of the file; then it becomes `events.jsonl.1` in place of an earlier one."""


class EventLog:
    """Keeps events. `path` None keeps them in memory alone; a file that cannot be written to is given up, once."""

    def __init__(self, path: Path | None = None, wall: Callable[[], float] = time.time) -> None:
        self.last = 0
        """The id of the latest event."""
        self._path = path
        self._wall = wall
        self._ring: deque[bytes] = deque(maxlen=RING)
        self._listeners: set[Callable[[Event], None]] = set()
        self._unwritten: list[bytes] = []
        self._recall()

    def node(self, name: str, state: str, text: str, kind: str = STATE, actor: str = "") -> None:
        """Something happened to a node, which is in `state` now."""
        self._add({"event": "node", "kind": kind, "node": name, "state": state, "text": text, "actor": actor})

    def farm(self, text: str, kind: str = FARM, actor: str = "") -> None:
        """Something happened to the farm as a whole."""
        log.info("%s", text)
        self._add({"event": "farm", "kind": kind, "node": "", "text": text, "actor": actor})

    def recent(self) -> list[Event]:
        """The last events, oldest first."""
        return [json.loads(line) for line in self._ring]

    def since(self, number: int, limit: int = RING) -> list[Event]:
        """The last `limit` events with an id above `number`, oldest first."""
        wanted = min(max(0, self.last - number), max(0, limit), len(self._ring))
        first = len(self._ring) - wanted
        found: list[Event] = [json.loads(self._ring[at]) for at in range(first, len(self._ring))]
        return [event for event in found if event["id"] > number]

    @contextlib.contextmanager
    def heard_by(self, listener: Callable[[Event], None]) -> Iterator[None]:
        """Calls `listener` with every event for as long as the context lasts."""
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)

    def flush(self) -> None:
        """Writes what is not in the file yet."""
        lines, self._unwritten = self._unwritten, []
        if self._path is None or not lines:
            return
        try:
            with self._path.open("ab") as file:
                file.write(b"".join(lines))
                size = file.tell()
            if size > FILE_LIMIT:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        except OSError as exc:
            log.warning("events are no longer written to %s: %s", self._path, exc)
            self._path = None

    def close(self) -> None:
        """Writes the rest, and no more."""
        self.flush()
        self._path = None

    def _recall(self) -> None:
        """Takes up what an earlier supervisor wrote; lines that are none are passed over."""
        if self._path is None:
            return
        for path in (self._path.with_name(f"{self._path.name}.1"), self._path):
            with contextlib.suppress(OSError):
                for line in path.read_bytes().splitlines(keepends=True):
                    with contextlib.suppress(ValueError, KeyError, TypeError):
                        number = int(json.loads(line)["id"])
                        if number > self.last:
                            self.last = number
                            self._ring.append(line)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._wall()).astimezone().isoformat(timespec="milliseconds")

    def _add(self, body: Event) -> None:
        self.last += 1
        event = {"id": self.last, "time": self._now(), **body}
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        self._ring.append(line)
        for listener in list(self._listeners):
            listener(event)
        if not self._unwritten:
            self._write_soon()
        self._unwritten.append(line)

    def _write_soon(self) -> None:
        """All events of one turn of the loop in one write; at once where there is no loop."""
        try:
            asyncio.get_running_loop().call_later(0.05, self.flush)
        except RuntimeError:
            self._unwritten.clear()
