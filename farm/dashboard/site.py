"""All that the routes share: one farm, or none yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import current_app, g, request

from farm.dashboard.desk import Desk
from farm.dashboard.following import Following
from farm.dashboard.limits import ChangeRate
from farm.dashboard.node_feed import NodeFeed
from farm.dashboard.refusal import Refusal
from farm.dashboard.safety import Caller, Doors
from farm.dashboard.snapshot import Rows, Snapshot
from farm.dashboard.stream import Hub
from farm.dashboard.tokens import Keys

STATIC = Path(__file__).resolve().parent / "static"
EXTENSION = "farm"


@dataclass(frozen=True, slots=True)
class Demo:
    """A plant to begin with, and the command that starts it."""

    name: str
    title: str
    command: str


@dataclass(frozen=True, slots=True)
class Plant:
    """What is known of the farm that is shown, and the way to its supervisor."""

    name: str
    desk: Desk
    snapshot: Snapshot
    rows: Rows
    hub: Hub
    feed: NodeFeed

    @classmethod
    def at(cls, name: str, socket: Path) -> "Plant":
        """The farm whose supervisor listens there, of which nothing is known yet."""
        desk, snapshot = Desk(socket), Snapshot()
        return cls(name, desk, snapshot, Rows(desk, snapshot), Hub(snapshot), NodeFeed(desk))

    def follow(self, over: Callable[[], None]) -> Following:
        """What keeps it known, when it is started. `over` is called when the farm is gone for good."""
        return Following(self.desk, self.hub.frame, self.hub.entry, over)


@dataclass(frozen=True, slots=True)
class Site:
    """What one process serves. `plant` None: no farm runs, `demos` are shown."""

    plant: Plant | None
    keys: Keys | None
    doors: Doors
    cookie: str
    demos: Sequence[Demo] = ()
    rate: ChangeRate = field(default_factory=ChangeRate)


def site() -> Site:
    """That of this request."""
    found: Site = current_app.extensions[EXTENSION]
    return found


def plant() -> Plant:
    """The farm that runs. Raises `Refusal` 503 where none does."""
    found = site().plant
    if found is None:
        raise Refusal(
            503, "no farm is running", "start one, as with `farm demo`: the page moves on to it", retry_after=5
        )
    return found


def caller() -> Caller:
    """Who made this request."""
    found: Caller = g.caller
    return found


def actor() -> str:
    """Who wants something, for the events: the dashboard, and from where, if not from this machine."""
    address = request.remote_addr or ""
    return "dashboard" if address in ("127.0.0.1", "::1", "") else f"dashboard {address}"


def change(count: int = 1) -> None:
    """This request changes so many things. Raises `Refusal` 429 when that is one too many."""
    site().rate.take(count)


def ask(op: str, seconds: float = 5.0, **fields: Any) -> dict[str, Any]:
    """Asks the farm's supervisor. Raises `Refusal`."""
    return plant().desk.ask(op, seconds, **fields)
