"""Server-sent events: every frame and event to everybody who listens, in bytes that were made once.

https://html.spec.whatwg.org/multipage/server-sent-events.html. Nobody is waited for: who does not read loses the oldest
frames and gets a full one after. A stream holds a thread of the server, so there are `MOST` at most.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from farm.dashboard.desk import Body
from farm.dashboard.refusal import Refusal
from farm.dashboard.snapshot import Snapshot, serialise

MOST = 40
"""Streams; 64 threads serve these and all other requests."""
FRAMES = 3
"""Frames that wait for one of them."""
ENTRIES = 1000
"""Events that do."""
HEARTBEAT = 15.0
"""Seconds without anything to say after which a comment is said."""
COMMENT = b": still here\n\n"
BEGIN = b"retry: 1000\n\n"

FLEET, EVENTS = "fleet", "events"


def message(event: str, data: bytes, number: int | None = None) -> bytes:
    """One event of the stream; `data` is JSON in one line."""
    head = b"" if number is None else b"id: %d\n" % number
    return head + b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"


class Subscriber:
    """One stream: what is waiting to go out. `topics` are FLEET and EVENTS, or one of them, or none."""

    def __init__(self, topics: Iterable[str], full: Callable[[], bytes], last_entry: int = 0) -> None:
        self.topics = frozenset(topics)
        self._full = full
        self._last_entry = last_entry
        self._frames: deque[bytes] = deque()
        self._entries: deque[tuple[int, bytes]] = deque(maxlen=ENTRIES)
        self._nodes: dict[str, bytes] = {}
        self._news = threading.Condition()

    def begin(self) -> None:
        """A full frame, if there is one, in place of whatever came before it."""
        with self._news:
            if full := self._full():
                self._frames.clear()
                self._frames.append(full)
                self._news.notify()

    def frame(self, data: bytes) -> None:
        """A frame, as a message. One too many takes the place of all that wait, and is a full one."""
        with self._news:
            if len(self._frames) >= FRAMES:
                self._frames.clear()
                data = self._full()
            self._frames.append(data)
            self._news.notify()

    def entry(self, number: int, data: bytes) -> None:
        """An event, as a message, unless it was said before."""
        with self._news:
            if number > self._last_entry:
                self._last_entry = number
                self._entries.append((number, data))
                self._news.notify()

    def begin_anew(self) -> None:
        """It has had no event yet: the last that it said was not of this farm."""
        with self._news:
            self._last_entry = 0

    def resume(self, missed: Iterable[tuple[int, bytes]]) -> None:
        """Events that it has not had yet, by number: before those that came meanwhile, and none of them twice."""
        with self._news:
            found = sorted((dict(missed) | dict(self._entries)).items())
            self._entries.clear()
            self._entries.extend(found)
            if found:
                self._last_entry = max(self._last_entry, found[-1][0])

    def node(self, name: str, data: bytes) -> None:
        """How a node is, as a message; what was not taken of it yet is old."""
        with self._news:
            self._nodes[name] = data
            self._news.notify()

    def take(self, seconds: float = HEARTBEAT) -> bytes:
        """All that waits, as soon as there is something; b"" after `seconds` without."""
        with self._news:
            if not (self._frames or self._entries or self._nodes):
                self._news.wait(seconds)
            found = b"".join((*(data for _, data in self._entries), *self._frames, *self._nodes.values()))
            self._entries.clear()
            self._frames.clear()
            self._nodes.clear()
            return found


class Hub:
    """All streams of one dashboard."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.refused = 0
        """Streams that were one too many, so far."""
        self._snapshot = snapshot
        self._lock = threading.Lock()
        self._subscribers: set[Subscriber] = set()

    def __len__(self) -> int:
        return len(self._subscribers)

    def subscribe(self, topics: Iterable[str], last_entry: int = 0) -> Subscriber:
        """A stream, which begins with a full frame. Raises `Refusal` 503 where there are enough."""
        subscriber = Subscriber(topics, self._full, last_entry)
        with self._lock:
            if len(self._subscribers) >= MOST:
                self.refused += 1
                raise Refusal(
                    503,
                    f"{MOST} streams are open, no more are served",
                    "ask for /api/v1/farm and /api/v1/nodes every five seconds instead",
                    retry_after=5,
                )
            self._subscribers.add(subscriber)
        if FLEET in subscriber.topics:
            subscriber.begin()
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """That stream has ended."""
        with self._lock:
            self._subscribers.discard(subscriber)

    def frame(self, frame: Body) -> None:
        """A frame for everybody."""
        data = message(FLEET, self._snapshot.take(frame))
        for subscriber in self._of(FLEET):
            subscriber.frame(data)

    def entry(self, entry: Body) -> None:
        """An event for everybody."""
        number = int(entry["id"])
        data = entry_message(entry)
        for subscriber in self._of(EVENTS):
            subscriber.entry(number, data)

    def _full(self) -> bytes:
        full = self._snapshot.full()
        return message(FLEET, full) if full else b""

    def _of(self, topic: str) -> list[Subscriber]:
        with self._lock:
            return [subscriber for subscriber in self._subscribers if topic in subscriber.topics]


def entry_message(entry: Body) -> bytes:
    """An event of the farm, as one of the stream."""
    return message("log", serialise(entry), int(entry["id"]))
