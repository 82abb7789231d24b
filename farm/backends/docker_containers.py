"""A node, or a shard of several, as a container: made with what it is given (`farm.backends.confinement`), and put on
its networks. Two files and a folder of the run are mounted: its configuration, its log, and the folder of the farm's
control socket. Nodes that share a container have no network at all but its loopback, and are reached by sockets of the
machine that are handed in.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.api.client import APIClient
from docker.types import EndpointConfig, LogConfig, Mount, NetworkingConfig

from farm.backends import docker_labels as labels
from farm.backends.confinement import (
    INSIDE,
    LOG_FILES,
    LOG_SIZE,
    MEMORY,
    NOBODY,
    NODE_COMMAND,
    PORTS_FROM,
    PROCESSES,
    SHARD_FILE,
    TRANSPORTS,
)
from farm.backends.docker_doorway import FILE as DOORWAY_FILE
from node.config.model import InterfaceConfig, NodeConfig
from node.control.messages import RUN_VARIABLE

MEMORY_EACH = 4 << 20
"""More for each node beside the first."""
MAC_EACH = (1, 44)
"""The API from which on every interface may be given its MAC; before, only the first is."""

LOG_FILE = f"{INSIDE}/node.log"
CONTROL = f"{INSIDE}/control"
TOKEN_VARIABLE = "FARM_TOKEN"


@dataclass(frozen=True, slots=True)
class Place:
    """What a container is made from on this side: the run, the files to mount, and what the shard is known by.
    `outside` is the network for published ports, "" where none are."""

    run_id: str
    farm: str
    file: Path
    log: Path
    control: Path
    token: str
    digest: str
    image: str
    outside: str = ""


def create(api: APIClient, node: NodeConfig, place: Place) -> str:
    """Makes the container of a node with all its interfaces, and does not start it; its id.

    Raises what the SDK raises; a container that was made by then is left for the caller to remove.
    """
    first = node.interfaces[0] if node.interfaces else None
    network = labels.network_name(place.run_id, first.network) if first else place.outside or "none"
    bindings: dict[int | str, list[tuple[str, int]]] = {}
    for protocol, address, port in node.outside:
        for transport in TRANSPORTS.get(protocol, ("tcp",)):
            if protocol in node.ports:
                bindings.setdefault(f"{node.ports[protocol]}/{transport}", []).append((address, port))
    container = _created(
        api,
        node.name,
        place,
        hostname=node.hostname or node.name,
        ports=[(node.ports[protocol], transport) for protocol, transport in _published(node)],
        host_config=_host_config(api, place, network, MEMORY, bindings),
        networking_config=networking(network, endpoint(api, first)) if first else None,
        mac_address=first.mac or None if first else None,
    )
    for interface in node.interfaces[1:]:
        connect(api, container, interface, labels.network_name(place.run_id, interface.network))
    if first and place.outside:
        api.connect_container_to_network(container, place.outside)
    return container


def create_shared(api: APIClient, shard: str, nodes: int, place: Place) -> str:
    """Makes the container of a shard whose `nodes` are served at addresses of the machine's, and does not start it; its
    id. Raises what the SDK raises."""
    memory = MEMORY + (nodes - 1) * MEMORY_EACH
    doorway = ("--doorway", f"{CONTROL}/{DOORWAY_FILE}")
    return _created(api, shard, place, *doorway, hostname=shard, host_config=_host_config(api, place, "none", memory))


def _created(api: APIClient, shard: str, place: Place, *options: str, **more: Any) -> str:
    control = f"{CONTROL}/{place.control.name}"
    found = api.create_container(
        place.image,
        [*NODE_COMMAND, "shard", SHARD_FILE, control, "--log", LOG_FILE, *options],
        name=labels.container_name(place.run_id, shard),
        user=NOBODY,
        environment={RUN_VARIABLE: place.run_id, TOKEN_VARIABLE: place.token},
        labels={**labels.run_labels(place.run_id, place.farm), labels.NODE: shard, labels.DIGEST: place.digest},
        **more,
    )
    return str(found["Id"])


def connect(api: APIClient, container: str, interface: InterfaceConfig, network: str) -> None:
    """Puts a container on a network of that name, at its address."""
    api.connect_container_to_network(
        container,
        network,
        ipv4_address=interface.address,
        ipv6_address=interface.ipv6.partition("/")[0] or None,
        mac_address=interface.mac if _macs_each(api) else None,
    )


def _host_config(
    api: APIClient,
    place: Place,
    network: str,
    memory: int,
    bindings: dict[int | str, list[tuple[str, int]]] | None = None,
) -> dict[str, Any]:
    return hardened(
        api,
        mem_limit=memory,
        memswap_limit=memory,
        network_mode=network,
        port_bindings=bindings or None,
        mounts=[
            Mount(SHARD_FILE, str(place.file), "bind", read_only=True),
            Mount(LOG_FILE, str(place.log), "bind"),
            Mount(CONTROL, str(place.control.parent), "bind", read_only=True),
        ],
    )


def hardened(api: APIClient, **more: Any) -> dict[str, Any]:
    """What every container of ours is limited to, and `more` of its own."""
    limits = {"pids_limit": PROCESSES, "mem_limit": MEMORY, "memswap_limit": MEMORY}
    found: dict[str, Any] = api.create_host_config(
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        read_only=True,
        sysctls=PORTS_FROM,
        log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": LOG_SIZE, "max-file": LOG_FILES}),
        restart_policy=None,  # the supervisor restarts what died, by its own rules
        **{**limits, **more},
    )
    return found


def endpoint(api: APIClient, interface: InterfaceConfig) -> EndpointConfig:
    return api.create_endpoint_config(
        ipv4_address=interface.address,
        ipv6_address=interface.ipv6.partition("/")[0] or None,
        mac_address=interface.mac if interface.mac and _macs_each(api) else None,
    )


def networking(network: str, endpoint: EndpointConfig) -> NetworkingConfig:
    found = NetworkingConfig()
    found["EndpointsConfig"] = {network: endpoint}
    return found


def _published(node: NodeConfig) -> list[tuple[str, str]]:
    """(protocol, transport) of what is served outside."""
    protocols = dict.fromkeys(protocol for protocol, _, _ in node.outside if protocol in node.ports)
    transports = TRANSPORTS | ({"modbus": ("tcp", "udp")} if node.modbus is not None and node.modbus.udp else {})
    return [(protocol, transport) for protocol in protocols for transport in transports.get(protocol, ("tcp",))]


def _macs_each(api: APIClient) -> bool:
    return tuple(int(part) for part in api.api_version.split(".")[:2]) >= MAC_EACH
