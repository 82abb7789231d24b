"""What the hosts of a plant are fit for, asked one by one and all at once; plain data, for `farm doctor`."""

import contextlib
import socket
from dataclasses import dataclass

from farm.backends.docker_images import BASES
from farm.backends.docker_leftovers import OLDEST_API
from farm.backends.docker_recipes import context_files, node_tag
from farm.backends.swarm_hosts import ACTIVE, Hosts, hosts_apart
from farm.backends.swarm_images import image_id
from farm.errors import BackendError
from farm.topology.placement import Placement

GOSSIP_PORT = 7946
"""Where engines of a Swarm tell each other who has which address of an overlay."""
PATIENCE = 1.5


@dataclass(frozen=True, slots=True)
class HostReport:
    """A host: `error` says why it cannot be asked, "" when it can. `address` is the one that other hosts know it by, ""
    where it is in no Swarm; `heard` whether it takes what they say there, as far as this machine reaches it."""

    name: str
    error: str = ""
    version: str = ""
    api_suffices: bool = False
    manager: bool = False
    address: str = ""
    heard: bool = False
    image_there: bool = False
    base: str = ""


@dataclass(frozen=True, slots=True)
class SwarmReport:
    """All of them, and why they do not make one Swarm together, "" where they do. `image` is what nodes run in."""

    hosts: tuple[HostReport, ...]
    error: str
    image: str


def look_at_hosts(placement: Placement) -> SwarmReport:
    """Never raises: errors are in the report."""
    image = placement.image or node_tag(context_files())
    with hosts_apart(placement) as hosts:
        found = hosts.each(lambda host: _look(hosts, host, image))
        reports = tuple(
            HostReport(name, error=report.message) if isinstance(report, BackendError) else report
            for name, report in found.items()
        )
        error = ""
        try:
            hosts.check()
        except BackendError as exc:
            error = f"{exc.node}: {exc.message}"
        return SwarmReport(reports, error, image)


def _look(hosts: Hosts, name: str, image: str) -> HostReport:
    engine = hosts.engine(name)
    with engine.told(name, "version"):
        version = str(engine.api.version().get("Version", ""))
        api = tuple(int(part) for part in engine.api.api_version.split(".")[:2])
    swarm = hosts.swarm(name)
    address = str(swarm.get("NodeAddr") or "") if swarm.get("LocalNodeState") == ACTIVE else ""
    return HostReport(
        name,
        version=version,
        api_suffices=api >= OLDEST_API,
        manager=bool(swarm.get("ControlAvailable")),
        address=address,
        heard=_hears(address),
        image_there=bool(image_id(engine, image)),
        base=next((base for base in BASES if image_id(engine, base)), ""),
    )


def _hears(address: str) -> bool:
    if address:
        with contextlib.suppress(OSError), socket.create_connection((address, GOSSIP_PORT), PATIENCE):
            return True
    return False
