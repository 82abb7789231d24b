"""Nodes that somebody looks at: asked once a second each, however many look, for their row and the tags on the screens.

Asking is what keeps a node reporting these tags (`watch`); when nobody looks it ends by itself.
"""

import threading
import time
from collections.abc import Callable, Iterable

from farm.dashboard.desk import Body, Desk
from farm.dashboard.refusal import Refusal
from farm.dashboard.snapshot import serialise
from farm.dashboard.stream import Subscriber, message

EVERY = 1.0
MOST_TAGS = 64
"""Of one node that are watched."""
SECONDS = 2.0
"""For an answer."""

Look = tuple[Subscriber, frozenset[str]]


class NodeFeed:
    """Who looks at which node, and for which tags. Its thread lives as long as the process."""

    def __init__(self, desk: Desk, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._clock = clock
        self._looks: dict[str, list[Look]] = {}
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def look(self, subscriber: Subscriber, nodes: Iterable[str], tags: Iterable[str]) -> None:
        """That stream shows these nodes, and of each these tags."""
        wanted = frozenset(tags)
        with self._news:
            for node in nodes:
                self._looks.setdefault(node, []).append((subscriber, wanted))
            if self._looks and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="node feed", daemon=True)
                self._thread.start()
            self._news.notify()

    def leave(self, subscriber: Subscriber) -> None:
        """It shows none any more."""
        with self._news:
            looks = {node: [look for look in found if look[0] is not subscriber] for node, found in self._looks.items()}
            self._looks = {node: found for node, found in looks.items() if found}

    def _run(self) -> None:
        due = self._clock()
        while True:
            with self._news:
                while not self._looks:
                    self._news.wait()
                    due = self._clock()
                looks = {node: list(found) for node, found in self._looks.items()}
            for node, found in looks.items():
                data = message("node", serialise(self._asked(node, found)))
                for subscriber, _ in found:
                    subscriber.node(node, data)
            due = max(due + EVERY, self._clock())
            time.sleep(max(0.0, due - self._clock()))

    def _asked(self, node: str, looks: list[Look]) -> Body:
        tags = sorted(frozenset().union(*(tags for _, tags in looks)))[:MOST_TAGS]
        try:
            answer = self._desk.ask("watch", SECONDS, node=node, tags=tags)
        except Refusal as exc:
            return {"node": node, "error": exc.error}
        return {"node": node, "tags": answer.get("tags", {}), "row": answer.get("row")}
