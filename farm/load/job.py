"""What a process of clients is told: whom to ask, what, when, and how long to wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from node.client.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Target:
    """A node and the requests that its clients send. `tls` is its certificate, "" where it speaks without."""

    name: str
    host: str
    port: int
    protocol: str
    reads: Sequence[Prepared] = ()
    writes: Sequence[Prepared] = ()
    tls: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """A client: the number it has among all, its target's place in the list, and its phase."""

    number: int
    target: int
    phase: float


@dataclass(frozen=True, slots=True)
class Job:
    """`rate` beats a second of each client, None for as fast as may be; times in seconds. `connection` are the bytes of
    a class 3 connection, 0 for none; `route` as a person types it. `core` is the one to run on, None for any."""

    targets: Sequence[Target]
    seats: Sequence[Seat]
    clients: int
    rate: float | None
    duration: float
    ramp: float = 0.0
    timeout: float = 5.0
    depth: int = 1
    mix: Mapping[str, float] = field(default_factory=lambda: {"read": 1.0})
    connection: int = 0
    route: str | None = None
    seed: int = 0
    core: int | None = None
