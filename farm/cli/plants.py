"""Which plant file a verb is about, and the plant that it comes to on this machine."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from farm import topology
from farm.backends.kubernetes_addresses import SERVICE_CIDR, cluster_addresses, parse_range
from farm.backends.kubernetes_sets import moved_node
from farm.backends.limits import auto_size, can_bind_modbus, hard_limit
from farm.cli.backends import check_backend, served_outside
from farm.cli.usage import UsageError
from farm.errors import FarmError
from farm.topology.plant import Plant
from farm.topology.territory import KUBERNETES
from farm.topology.wiring import LinkQuality

MODBUS_PORT = 502
UNPRIVILEGED_MODBUS_PORT = 1502
PORT_CURE = "sysctl net.ipv4.ip_unprivileged_port_start=502 allows it"
CLUSTER_CURE = "leave it out, or use `farm render kubernetes`"
SERVICES_VARIABLE = "PLCFARM_SERVICE_CIDR"
PACKAGED = Path(__file__).resolve().parents[1] / "data"
"""The ready-made plants, topologies/ in a checkout."""


def load(
    path: Path | None,
    *,
    settings: Sequence[str] = (),
    backend: str | None = None,
    shard: str | None = None,
    name: str | None = None,
    counts: Mapping[str, int] | None = None,
    write_lock: bool = False,
    allow_code: bool | None = None,
) -> Plant:
    """The plant of the file `path`, or of the one in this folder, as the options of a verb change it. `counts` maps
    groups to how many members they have now. `allow_code` says whether its tags may run code, None that nothing will.

    Raises `TopologyProblems` with every fault of the file, `UsageError` for an option that makes no sense.
    """
    file = path if path is not None else topology.find_plant(Path())
    if file.is_dir():
        file = topology.find_plant(file)
    if backend is not None:
        check_backend(backend)
    read = partial(
        topology.load_plant,
        file,
        settings=parse_settings(settings),
        environ=os.environ,
        modbus_port=MODBUS_PORT if can_bind_modbus() else UNPRIVILEGED_MODBUS_PORT,
        backend=backend,
        shard=None if shard is None else parse_shard(shard),
        counts=counts,
        write_lock=write_lock,
        allow_code=allow_code,
    )
    plant = read(outside=backend is not None and served_outside(backend))
    if backend is None and served_outside(plant.backend):
        plant = read(outside=True)  # which backend it is, only the file could say
    if plant.backend == KUBERNETES:
        plant = in_cluster(plant)
    return _sized(plant if name is None else replace(plant, name=name))


def in_cluster(plant: Plant) -> Plant:
    """With every node where its service is: in the range of the cluster's services, which `SERVICES_VARIABLE` names.
    Raises `FarmError` for what a farm on a cluster has not."""
    _refuse_beyond_cluster(plant)
    services = parse_range(os.environ.get(SERVICES_VARIABLE, "") or SERVICE_CIDR, SERVICES_VARIABLE)
    addresses = cluster_addresses(plant.nodes, services)
    moved = (moved_node(node, addresses[node.name], services) for node in plant.nodes)
    nodes = tuple(
        replace(
            node,
            interfaces=tuple(
                replace(each, address=node.address) if not number else each
                for number, each in enumerate(node.interfaces)
            ),
        )
        for node in moved
    )
    shard = plant.shard if plant.shard != "auto" else 1
    return replace(plant, nodes=nodes, shard=shard)


def _refuse_beyond_cluster(plant: Plant) -> None:
    uplinks = [f"{network.name} on {network.uplink}" for network in plant.networks if network.uplink]
    shaped = [name for name, link in plant.links.items() if link != LinkQuality(delay=link.delay, jitter=link.jitter)]
    beyond = {
        "gateways": [router.name for router in plant.routers],
        "uplinks of networks": uplinks,
        "links with more than a delay": shaped,
    }
    for what, found in beyond.items():
        if found:
            shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
            raise FarmError(f"{plant.name}: a farm on kubernetes has no {what} ({shown}): {CLUSTER_CURE}")
    if plant.shard not in (1, "auto"):
        raise FarmError(f"{plant.name}: shard {plant.shard}: a pod of a farm is one node: say --shard 1")


def _sized(plant: Plant) -> Plant:
    """With `shard: auto` as the number it means here: by cores, and by the descriptors this user may have."""
    return replace(plant, shard=auto_size(plant.nodes, hard_limit())) if plant.shard == "auto" else plant


def packaged(name: str) -> Path:
    """A ready-made plant's file. Raises `FarmError` where the installation has none."""
    path = PACKAGED / name
    if not path.is_file():
        raise FarmError(f"{path} is missing from this installation: install plcfarm anew")
    return path


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """`["scan=1s"]` as a mapping; the last of one key wins."""
    pairs = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not key or not equals:
            raise UsageError(f"--set {setting}: wanted KEY=VALUE, as in --set scan=500ms")
        pairs[key] = value
    return pairs


def parse_shard(text: str) -> int | str:
    """`auto`, or a number of nodes from 1."""
    if text == "auto":
        return text
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--shard {text}: wanted a number of nodes from 1 on, or auto")
    return int(text)


def port_warning(plant: Plant) -> str | None:
    """The line that says why Modbus is not on its own port, and how it could be; None where it is."""
    moved = [node for node in plant.nodes if node.modbus is not None and node.modbus.port == UNPRIVILEGED_MODBUS_PORT]
    if not moved or can_bind_modbus():
        return None
    return f"port {MODBUS_PORT} needs privilege here; using {UNPRIVILEGED_MODBUS_PORT} ({PORT_CURE})"
