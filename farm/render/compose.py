"""A plant as a Compose file: a service a node, on networks that are made as backend docker makes them.

Plain data in, plain data out, the same for the same plant. Whoever starts it has no farm: Docker restarts what dies and
asks for its health, and nobody shapes links or routes between networks. What Compose cannot say is said in `Composed`.
The Compose Specification (compose-spec.io), as of Compose 2.23 and later.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from farm.backends.confinement import (
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
from farm.errors import FarmError
from farm.topology.plant import Plant
from farm.topology.wiring import GOOD, MACVLAN, NetworkSpec
from node.config.load import dump
from node.config.model import InterfaceConfig, NodeConfig
from node.control.messages import ShardFile, checked_mark, digest_nodes

OUTSIDE = "outside"
"""The network that ports are published through."""
FOLDER = "nodes"
"""Where the nodes' files are, beside the Compose file."""
FIRST_PRIORITY = 1000
"""Of a service's first network, whose MAC is the one that every engine sets; the others' are below."""
PORTS = 1023
"""Of a bridge of Linux."""
HEALTH = {"interval": "30s", "timeout": "10s", "start_period": "10s", "retries": 3}

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Composed:
    """A Compose file as plain data; the `files` beside it, by their path from it; and what of the plant is not in it, a
    line each."""

    body: Body
    files: dict[str, str]
    missing: tuple[str, ...]


def compose(plant: Plant, image: str, *, inline: bool = False) -> Composed:
    """The Compose file of a plant whose nodes have interfaces of their own, on that image of a node.

    With `inline` the nodes' configurations stand in the file itself, which costs read-only roots: Compose copies such
    content into containers, and refuses to where they are read-only. Ports are published where the plant's nodes have
    addresses `outside`. Raises `FarmError` for what no container or Docker network can be.
    """
    _check(plant)
    published = any(node.outside for node in plant.nodes)
    networks = {spec.name: _network(spec, plant.name) for spec in plant.networks}
    files, configs, services = {}, {}, {}
    for node in plant.nodes:
        file = _shard_file(node)
        text = json.dumps(json.loads(file.encode()), indent=1, ensure_ascii=False) + "\n"
        path = f"{FOLDER}/{node.name}.json"
        if inline:
            configs[node.name] = {"content": text}
        else:
            configs[node.name] = {"file": f"./{path}"}
            files[path] = text
        services[node.name] = _service(node, plant, image, digest_nodes(file.nodes), read_only=not inline)
    body: Body = {"name": project(plant.name), "services": services}
    if networks or published:
        body["networks"] = networks | ({OUTSIDE: _outside(plant.name)} if published else {})
    body["configs"] = configs
    return Composed(_escaped(body), files, tuple(_missing(plant, inline)))


def project(name: str) -> str:
    """A farm's name as Compose takes one: lower case, from a letter or digit on."""
    return re.sub(r"[^a-z0-9_-]", "-", name.lower()).lstrip("-_") or "plant"


def _shard_file(node: NodeConfig) -> ShardFile:
    """What the node's process reads. Signals count from the machine's start, so that the file is always the same."""
    nodes = (dict(dump(node)),)
    return ShardFile(node.name, "", 0.0, "", nodes, checked_mark(digest_nodes(nodes)), everywhere=bool(node.outside))


def _service(node: NodeConfig, plant: Plant, image: str, digest: str, *, read_only: bool) -> Body:
    service: Body = {
        "image": image,
        "command": [*NODE_COMMAND, "shard", SHARD_FILE],
        "hostname": node.hostname or node.name,
        "user": NOBODY,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "read_only": True,
        "pids_limit": PROCESSES,
        "mem_limit": f"{MEMORY >> 20}m",
        "memswap_limit": f"{MEMORY >> 20}m",
        "sysctls": dict(PORTS_FROM),
        "restart": "unless-stopped",
        "configs": [{"source": node.name, "target": SHARD_FILE}],
        "healthcheck": {"test": ["CMD", *NODE_COMMAND, "health", SHARD_FILE, "--busy"], **HEALTH},
        "logging": {"driver": "json-file", "options": {"max-size": LOG_SIZE, "max-file": LOG_FILES}},
        "labels": {"plcfarm.farm": plant.name, "plcfarm.node": node.name, "plcfarm.digest": digest},
    }
    if not read_only:
        del service["read_only"]
    if node.interfaces and node.interfaces[0].mac:
        service["mac_address"] = node.interfaces[0].mac
    networks = {interface.network: _endpoint(interface, at) for at, interface in enumerate(node.interfaces)}
    if len(networks) == 1:
        del networks[node.interfaces[0].network]["priority"]
    if ports := list(_ports(node)):
        service["ports"] = ports
        networks[OUTSIDE] = {}
    if networks:
        service["networks"] = networks
    else:
        service["network_mode"] = "none"
    return service


def _endpoint(interface: InterfaceConfig, at: int) -> Body:
    """On a network as the node's interface `at`. The MAC of the first is the service's own."""
    endpoint: Body = {"ipv4_address": interface.address}
    if interface.ipv6:
        endpoint["ipv6_address"] = interface.ipv6.partition("/")[0]
    if at and interface.mac:
        endpoint["mac_address"] = interface.mac
    endpoint["priority"] = FIRST_PRIORITY - at
    return endpoint


def _ports(node: NodeConfig) -> Iterator[str]:
    """`127.65.0.1:44818:44818/tcp` of each that is served outside."""
    udp = ("tcp", "udp") if node.modbus is not None and node.modbus.udp else ("tcp",)
    for protocol, address, port in node.outside:
        if protocol in node.ports:
            for transport in udp if protocol == "modbus" else TRANSPORTS.get(protocol, ("tcp",)):
                yield f"{address}:{port}:{node.ports[protocol]}/{transport}"


def _network(spec: NetworkSpec, farm: str) -> Body:
    """As backend docker makes it: internal, with this machine at the plant's `host`, else where a farm would ask."""
    options = {"com.docker.network.driver.mtu": str(spec.mtu)}
    pool: Body = {"subnet": spec.subnet}
    if gateway := spec.host or spec.watch:
        pool["gateway"] = gateway
    network: Body = {"driver": spec.driver, "driver_opts": options}
    if spec.driver == MACVLAN:
        options["parent"] = spec.uplink
    else:
        network["internal"] = True
    if spec.ipv6:
        network["enable_ipv6"] = True
    network["ipam"] = {"config": [pool, *([{"subnet": spec.ipv6}] if spec.ipv6 else [])]}
    network["labels"] = {"plcfarm.farm": farm, "plcfarm.network": spec.name}
    return network


def _outside(farm: str) -> Body:
    """Its containers do not see each other on it, and nothing is translated on the way out."""
    return {
        "driver": "bridge",
        "driver_opts": {
            "com.docker.network.bridge.enable_icc": "false",
            "com.docker.network.bridge.enable_ip_masquerade": "false",
        },
        "labels": {"plcfarm.farm": farm},
    }


def _check(plant: Plant) -> None:
    for node in plant.nodes:
        if node.has_code:
            raise FarmError(f"node {node.name}: its tags run code, whose module the image of a node does not have")
    for spec in plant.networks:
        if spec.name == OUTSIDE and any(node.outside for node in plant.nodes):
            raise FarmError(f"network {spec.name}: ports are published through one of this name; call it otherwise")
        if spec.driver == MACVLAN and not spec.uplink:
            raise FarmError(f"network {spec.name}: driver macvlan needs the interface it stands on: uplink: eth1")
        if spec.driver != MACVLAN and spec.uplink:
            raise FarmError(f"network {spec.name}: Docker joins no bridge to {spec.uplink}: `driver: macvlan`")


def _missing(plant: Plant, inline: bool) -> Iterator[str]:
    """What of the plant is not in its Compose file, a line each."""
    for router in plant.routers:
        between = ", ".join(interface.network for interface in router.interfaces)
        yield f"gateway {router.name} between {between}: Compose has no routers, so nothing passes from one to another"
    if shaped := sorted(name for name, quality in plant.links.items() if quality != GOOD):
        yield f"links of {_few(shaped)}: Compose shapes none, so they are good ones"
    if plural := [node.name for node in plant.nodes if sum(bool(each.mac) for each in node.interfaces) > 1]:
        yield f"MACs of further interfaces of {_few(plural)}: Docker sets them from 25 on, and before may refuse"
    for spec in plant.networks:
        count = sum(interface.network == spec.name for node in plant.nodes for interface in node.interfaces)
        if count > PORTS:
            yield f"network {spec.name} has {count} nodes: a bridge takes {PORTS}, and the rest will not start"
    if holding := [node.name for node in plant.nodes if _holds_files(node)]:
        yield f"serial lines and certificates of {_few(holding)}: mount what their configurations name"
    if internal := [spec.name for spec in plant.networks if spec.internal]:
        yield f"`internal` of {_few(internal)}: the machine is on every bridge of Docker's"
    if inline:
        yield "read-only roots: Compose copies what stands in its file into containers; `-o FOLDER` has them read-only"


def _holds_files(node: NodeConfig) -> bool:
    modbus = node.modbus
    return modbus is not None and (modbus.tls is not None or (modbus.serial is not None and not modbus.serial.pty))


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _escaped(value: Any) -> Any:
    """With every `$` doubled in texts: Compose would put variables in its place."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value
