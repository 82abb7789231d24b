"""What is known of the farm now: the last frame of each node, merged, and since when nothing was heard.

Whatever goes out is serialised once: the frame as it came, a full frame when somebody needs one, the list of all nodes
once a frame at most.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from farm.dashboard.desk import Body, Desk
from farm.dashboard.refusal import Refusal
from farm.dashboard.table import Table

Entry = list[Any]
"""A node in a frame, its id first."""


def serialise(body: Any) -> bytes:
    """As it goes out. What JSON cannot say (NaN, infinities, which tags may hold) goes out as text."""
    try:
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        return json.dumps(_sayable(body), separators=(",", ":"), allow_nan=False).encode()


def _sayable(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, dict):
        return {key: _sayable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_sayable(each) for each in value]
    return value


class Snapshot:
    """Frames, merged. Safe to be used by many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._frame: Body | None = None
        self._heard = 0.0
        self._entries: dict[int, Entry] = {}
        self._full = b""
        self._turn = 0
        self._news = 0

    def take(self, frame: Body) -> bytes:
        """A frame that came; it, serialised."""
        with self._lock:
            if any(entry[1] != self._entries.get(entry[0], entry)[1] for entry in frame["nodes"]):
                self._news += 1
            if frame["full"]:
                self._entries = {}
            self._entries |= {entry[0]: entry for entry in frame["nodes"]}
            self._frame, self._heard, self._full = frame, self._clock(), b""
            self._turn += 1
        return serialise(frame)

    def full(self) -> bytes:
        """The last frame with every node in it; b"" before the first."""
        with self._lock:
            if not self._full and self._frame is not None:
                self._full = serialise({**self._frame, "full": True, "nodes": list(self._entries.values())})
            return self._full

    @property
    def age(self) -> float | None:
        """Seconds since the last frame; None before the first."""
        return None if self._frame is None else self._clock() - self._heard

    @property
    def every(self) -> float:
        """Seconds between two reports of a node."""
        return float(self._frame.get("farm", {}).get("report_every_s", 1)) if self._frame is not None else 1.0

    @property
    def turn(self) -> tuple[int, ...]:
        """Another with each frame; where nodes report every few seconds only, with each that tells of another condition
        or of other nodes."""
        if self.every <= 1.0 or self._frame is None:
            return (self._turn,)
        return self._news, self._frame["generation"]

    @property
    def frame(self) -> Body | None:
        """The last one, as it came."""
        return self._frame


@dataclass(slots=True)
class Listing:
    """All nodes at one moment: `rows` by name."""

    generation: int
    rows: Table
    turn: tuple[int, ...]
    """The frame (`Snapshot.turn`), and the changes of ours, that were before it."""
    at: float
    """On the monotonic clock."""
    _body: bytes = b""

    @property
    def body(self) -> bytes:
        """All of them as the API says them, serialised when somebody first wants them."""
        if not self._body:
            nodes = list(self.rows.values())
            self._body = serialise({"generation": self.generation, "total": len(nodes), "nodes": nodes})
        return self._body


class Rows:
    """The rows of all nodes: asked for once a frame, when somebody wants them, however many do, and no more often than
    nodes report. While the supervisor is away the last ones stand."""

    def __init__(self, desk: Desk, snapshot: Snapshot, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._snapshot = snapshot
        self._clock = clock
        self._lock = threading.Lock()
        self._listing: Listing | None = None
        self._changes = 0
        self._edition = ""
        self._fixed: list[Body] = []
        """What does not move of each row, as of that edition."""

    def forget(self) -> None:
        """Something was changed: the next who asks gets new ones, if they can be had."""
        self._changes += 1

    def listing(self) -> Listing:
        """Those of the last frame. Raises `Refusal` where none were ever had."""
        found = self._fresh()
        if found is not None:
            return found
        with self._lock:  # one asks, the others get what it got
            return self._fresh() or self._renewed()

    @property
    def _turn(self) -> tuple[int, ...]:
        return (*self._snapshot.turn, self._changes)

    def _fresh(self) -> Listing | None:
        found = self._listing
        if found is None:
            return None
        late = self._clock() - found.at >= self._snapshot.every + 0.5
        return found if found.turn == self._turn and not late else None

    def _renewed(self) -> Listing:
        turn, last = self._turn, self._listing
        try:
            answer = self._desk.ask("nodes", edition=self._edition)
        except Refusal:
            if last is None:
                raise
            self._listing = Listing(last.generation, last.rows, turn, self._clock(), last._body)
            return self._listing
        if answer["fixed"] is not None:
            self._edition, self._fixed = answer["edition"], answer["fixed"]
        same = answer["fixed"] is None and last is not None
        rows = Table(self._fixed, answer["fields"], answer["moving"], last.rows.index if same and last else None)
        self._listing = Listing(answer["generation"], rows, turn, self._clock())
        return self._listing

    def check(self, node: str) -> None:
        """Raises `Refusal` 404 where there is no node of that name. Rows of before will do, while they are of the nodes
        that frames tell of: getting all anew to look at one takes longer than what is asked of it."""
        found, frame = self._listing, self._snapshot.frame
        same = found is not None and frame is not None and frame["generation"] == found.generation
        if not (same and found is not None and node in found.rows):
            self.row(node)

    def row(self, node: str) -> Body:
        """The row of one node. Raises `Refusal` 404 where there is none of that name."""
        rows = self.listing().rows
        if node not in rows:
            self.forget()  # it may be of a plant that has only just come
            rows = self.listing().rows
        if node not in rows:
            raise Refusal(404, f"there is no node {node:.64}", f"`GET /api/v1/nodes` lists all {len(rows)}")
        return rows[node]
