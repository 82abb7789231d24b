"""Hears what a supervisor says: a frame a second, and events as they happen, in a thread that dials again for ever.

A supervisor that is killed costs no event: its successor counts on, and is asked for those in between.
"""

import logging
import threading
import time
from collections.abc import Callable

from farm.dashboard.desk import Body, Desk
from farm.dashboard.refusal import Refusal

log = logging.getLogger(__name__)

FIRST_PAUSE, LAST_PAUSE = 0.1, 1.0
"""Seconds between two attempts to reach somebody: the first one, and after several."""
SILENCE = 5.0
"""Seconds without a word after which whoever was connected is taken for gone."""
MISSED = 1000
"""Events from while nobody was connected that are asked for at most."""
GONE_FOR = 3.0
"""Seconds without a socket, whoever listens there, after which the farm has ended."""


class Following:
    """Calls `on_frame` and `on_entry` from its own thread. `over` is called when the supervisor's socket is gone: one
    that is killed leaves it, the end of a farm takes it away."""

    def __init__(
        self,
        desk: Desk,
        on_frame: Callable[[Body], None],
        on_entry: Callable[[Body], None],
        over: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._on_frame = on_frame
        self._on_entry = on_entry
        self._over = over
        self._last_entry: int | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends with the next word or attempt."""
        self._stopping.set()

    def _run(self) -> None:
        pause, seen = FIRST_PAUSE, time.monotonic()
        while not self._stopping.is_set():
            try:
                if self._follow():
                    pause = FIRST_PAUSE
            except (OSError, Refusal) as exc:
                log.debug("the supervisor is away: %s", exc)
            except Exception:
                log.exception("a bug in the dashboard")
            now = time.monotonic()
            if self._desk.path.exists():
                seen = now
            elif now - seen > GONE_FOR:
                self._over()
                return
            self._stopping.wait(pause)
            pause = min(pause * 1.5, LAST_PAUSE)

    def _follow(self) -> bool:
        """Hears one supervisor to its end; whether it said anything."""
        heard = False
        with self._desk.connection(SILENCE, "fleet", {}, silence=SILENCE) as lines:
            for body in lines:
                if self._stopping.is_set():
                    break
                if not heard:
                    self._catch_up()
                    heard = True
                if body.get("event") == "fleet":
                    self._on_frame(body["frame"])
                elif body.get("event") == "log":
                    self._hear(body["entry"])
        return heard

    def _catch_up(self) -> None:
        """Events since the last one that was heard; at first none but the number of the latest."""
        since = self._last_entry
        found = self._desk.ask("events", since=since or 0, limit=0 if since is None else MISSED)
        latest = int(found["last"])
        if since is None or latest < since:  # or of a farm that began anew
            self._last_entry = latest
            return
        for entry in found["events"]:
            self._hear(entry)

    def _hear(self, entry: Body) -> None:
        number = int(entry["id"])
        if self._last_entry is None or number > self._last_entry:
            self._last_entry = number
            self._on_entry(entry)
