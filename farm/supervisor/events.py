"""What happened in a farm: the last thousand events in memory, more in a file of bounded size, all to who follows.

{"event": "node", "time": seconds since 1970, "node": name, "state": state, "text": line}
{"event": "farm", "time": seconds since 1970, "text": line}
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

RING = 1000
FILE_LIMIT = 1 << 20
"""Bytes of the file; then it becomes `events.jsonl.1` in place of an earlier one."""


class EventLog:
    """Keeps events. `path` None keeps them in memory alone; a file that cannot be written to is given up, once."""

    def __init__(self, path: Path | None = None, wall: Callable[[], float] = time.time) -> None:
        self._path = path
        self._wall = wall
        self._ring: deque[Event] = deque(maxlen=RING)
        self._listeners: set[Callable[[Event], None]] = set()
        self._unwritten: list[Event] = []

    def node(self, name: str, state: str, text: str) -> None:
        """Something happened to a node, which is in `state` now."""
        self._add({"event": "node", "time": self._now(), "node": name, "state": state, "text": text})

    def farm(self, text: str) -> None:
        """Something happened to the farm as a whole."""
        log.info("%s", text)
        self._add({"event": "farm", "time": self._now(), "text": text})

    def recent(self) -> list[Event]:
        """The last events, oldest first."""
        return list(self._ring)

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
        events, self._unwritten = self._unwritten, []
        if self._path is None or not events:
            return
        try:
            with self._path.open("ab") as file:
                file.write(b"".join(json.dumps(event, separators=(",", ":")).encode() + b"\n" for event in events))
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

    def _now(self) -> str:
        return datetime.fromtimestamp(self._wall()).astimezone().isoformat(timespec="seconds")

    def _add(self, event: Event) -> None:
        self._ring.append(event)
        for listener in list(self._listeners):
            listener(event)
        if not self._unwritten:
            self._write_soon()
        self._unwritten.append(event)

    def _write_soon(self) -> None:
        """All events of one turn of the loop in one write; at once where there is no loop."""
        try:
            asyncio.get_running_loop().call_later(0.05, self.flush)
        except RuntimeError:
            self._unwritten.clear()
