"""Tags that somebody looks at: nodes report them for as long as the looking is renewed, and what they said is kept.

A node is asked to report for `LEASE` seconds at a time, and is asked anew when other tags are wanted or half of that is
over. Values are kept as they changed, ten minutes of them; null marks where nobody looked.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

LEASE = 15.0
RENEW = 7.0
KEPT = 600.0
"""Seconds of values."""
MOST = 64
"""Tags of one node that are watched; whoever wants more gets the latest."""
POINTS = 1200
"""Values of a tag at most."""

Point = tuple[float, Any]


class Watched:
    """The tags of one node that are or were looked at: until when, and `[time, value]` as they changed."""

    __slots__ = ("asked", "points", "until", "values")

    def __init__(self) -> None:
        self.asked: tuple[float, frozenset[str]] = (-LEASE, frozenset())
        """When the node was asked last, and for what."""
        self.until: dict[str, float] = {}
        self.values: dict[str, Any] = {}
        self.points: dict[str, deque[Point]] = {}


class Watching:
    """Watched tags by node. `now` is monotonic, `wall` seconds since 1970."""

    def __init__(self) -> None:
        self._nodes: dict[str, Watched] = {}

    def wants(self, node: str, tags: Iterable[str], now: float) -> dict[str, Any] | None:
        """Somebody looks at these tags: what the node's `watch` is to be told, None where it knows."""
        watched = self._nodes.setdefault(node, Watched())
        for tag in tags:
            watched.until.pop(tag, None)
            watched.until[tag] = now + LEASE  # the latest wanted last
        wanted = [tag for tag, until in watched.until.items() if until > now][-MOST:]
        watched.until = {tag: watched.until[tag] for tag in wanted}
        at, before = watched.asked
        if frozenset(wanted) == before and now - at < RENEW:
            return None
        watched.asked = now, frozenset(wanted)
        return {"tags": wanted, "writes": True}

    def report(self, node: str, values: Mapping[str, Any], wall: float) -> None:
        """The node said what changed."""
        watched = self._nodes.get(node)
        if watched is None:
            return
        for tag, value in values.items():
            if tag in watched.until:
                watched.values[tag] = value
                watched.points.setdefault(tag, deque(maxlen=POINTS)).append((round(wall, 3), value))

    def again(self, node: str) -> None:
        """The node was started anew and knows nothing of it."""
        if node in self._nodes:
            self._nodes[node].asked = (-LEASE, frozenset())

    def tick(self, now: float, wall: float) -> None:
        """What nobody looks at any more ends, and what is too old is forgotten."""
        for node, watched in list(self._nodes.items()):
            watched.until = {tag: until for tag, until in watched.until.items() if until > now}
            for tag in watched.values.keys() - watched.until.keys():  # too old, or pushed out by others
                del watched.values[tag]
                watched.points[tag].append((round(wall, 3), None))
            for tag, points in list(watched.points.items()):
                while points and points[0][0] < wall - KEPT and (len(points) > 1 or tag not in watched.until):
                    points.popleft()
                if not points:
                    del watched.points[tag]
            if not watched.until and not watched.points:
                del self._nodes[node]

    def values(self, node: str) -> dict[str, Any]:
        """What the watched tags of the node are, as far as it has said."""
        watched = self._nodes.get(node)
        return dict(watched.values) if watched is not None else {}

    def trend(self, node: str, tags: Iterable[str], since: float, wall: float) -> dict[str, list[list[Any]]]:
        """`[time, value]` of each of the tags after `since`, up to now where it is still watched."""
        watched = self._nodes.get(node)
        found: dict[str, list[list[Any]]] = {}
        for tag in tags:
            points = list(watched.points.get(tag, ())) if watched is not None else []
            shown = [list(point) for point in points if point[0] > since]
            if watched is not None and tag in watched.values and wall > since:
                shown.append([round(wall, 3), watched.values[tag]])
            found[tag] = shown
        return found

    def keep(self, nodes: Iterable[str]) -> None:
        """Forgets all nodes but these."""
        kept = set(nodes)
        self._nodes = {node: watched for node, watched in self._nodes.items() if node in kept}
