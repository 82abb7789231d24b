"""From where the nodes of a farm can be reached: the fact that says whether a plant is a toy or a danger."""

from typing import Protocol, runtime_checkable

from farm.backends.backend import Backend, Placing
from farm.topology.plant import Plant

SWARM = "swarm"
LOOPBACK, NAMESPACE, DOCKER, REAL = "loopback", "namespace", "docker", "real"
CLUSTER = "kubernetes"
OWN, OUTSIDE, ELSEWHERE = "own", "outside", "elsewhere"
"""Whether clients on the farm's machine reach nodes at their own addresses, at outside ones alone, or at none: those
that there are are another machine's."""


@runtime_checkable
class Placed(Protocol):
    """A backend whose nodes are in namespaces of their own."""

    @property
    def whereabouts(self) -> str:
        """What these are called."""


def reach(backend: Backend, plant: Plant | None) -> tuple[str, str]:
    """A few words for people, and one of the four kinds above."""
    uplinks = sorted({network.uplink for network in plant.networks if network.uplink}) if plant is not None else []
    if uplinks:
        return f"bridged to {', '.join(uplinks)}", REAL
    if isinstance(backend, Placed):
        return f"namespace {backend.whereabouts}", NAMESPACE
    if backend.name in (DOCKER, SWARM):
        return backend.name, DOCKER
    if backend.name == CLUSTER:
        return "a cluster's services", REAL
    return "loopback only", LOOPBACK


def way(backend: Backend, outside: bool) -> str:
    """How clients on this machine come to nodes that are served `outside`, or are not; one of the three above."""
    if backend.inside:
        return OWN
    here = not isinstance(backend, Placing) or backend.leads()
    return OUTSIDE if outside and here else ELSEWHERE
