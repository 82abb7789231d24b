"""The pods of a plant's nodes: K nodes a pod, each at ports of its own, the pods of a zone in sets.

    enip    50001, 50002, ...    modbus    51001, 51002, ...

A pod serves on every interface; `address` in a node's configuration is the one its clients know, of its service. All
configurations of a set are one ConfigMap, as large as `kubectl apply` takes: a zone of more becomes several sets.
"""

import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from farm.backends.kubernetes_addresses import onward_range
from farm.backends.kubernetes_names import Names
from farm.backends.kubernetes_zones import Zone
from farm.errors import FarmError
from node.config.load import dump
from node.config.model import NodeConfig
from node.control.messages import ShardFile, checked_mark, digest_nodes

FIRST_PORT = {"enip": 50001, "modbus": 51001}
MOST_NODES = 900
"""A pod's; its ports of one protocol end before the other's begin."""
CONFIG_BYTES = 1_000_000
"""Of a ConfigMap: the API takes 1 MiB with all that is about it."""
APPLIED_BYTES = 250_000
"""Of a ConfigMap of several pods, as JSON: `kubectl apply` keeps what it applied in an annotation, and the API takes
256 KiB of them. One pod may have more, which then takes `--server-side`."""
AUTO_NODES = 50
"""A pod's, for `shard: auto`."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A node's place: `number` in its pod from 0 on, `name` of its service, and what the pod is told (`served`) of what
    the plant says (`node`). The address of its service is that of `served`."""

    number: int
    name: str
    node: NodeConfig
    served: NodeConfig


@dataclass(frozen=True, slots=True)
class PodSet:
    """Pods that are alike but for their nodes: `pods` by number, `files` their configurations by pod name."""

    name: str
    zone: Zone
    pods: tuple[tuple[Slot, ...], ...]
    files: Mapping[str, str]

    def pod_name(self, number: int) -> str:
        """As the cluster calls it."""
        return f"{self.name}-{number}"


@dataclass(frozen=True, slots=True)
class Sets:
    """Makes the sets of a plant, `size` nodes a pod, whose services have `addresses` of the range `services`. Raises
    `FarmError` for a size that cannot be."""

    size: int
    addresses: Mapping[str, str]
    services: ipaddress.IPv4Network

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MOST_NODES:
            raise FarmError(f"--shard {self.size}: a pod serves 1 to {MOST_NODES} nodes")

    def of(self, zones: Sequence[Zone]) -> tuple[PodSet, ...]:
        """The sets of all zones. Raises `FarmError` for a pod that no ConfigMap holds."""
        names = Names()
        called = {node.name: names.of(node.name) for zone in zones for node in zone.nodes}
        return tuple(pods for zone in zones for pods in self._of_zone(zone, called, names))

    def _of_zone(self, zone: Zone, called: Mapping[str, str], names: Names) -> Iterator[PodSet]:
        number, room = 1, 0
        pods: list[tuple[Slot, ...]] = []
        files: dict[str, str] = {}
        name = names.of(zone.name, "set")
        for first in range(0, len(zone.nodes), self.size):
            nodes = zone.nodes[first : first + self.size]
            slots = tuple(self._slot(place, called[node.name], node) for place, node in enumerate(nodes))
            text = shard_file([slot.served for slot in slots])
            if len(text) > CONFIG_BYTES:
                raise FarmError(_too_large(nodes, len(text)))
            size = applied_size(text)
            if pods and size > room:
                yield PodSet(name, zone, tuple(pods), files)
                number, pods, files = number + 1, [], {}
                name = names.of(f"{zone.name}-{number}", "set")
            room = (room if pods else APPLIED_BYTES) - size
            files[f"{name}-{len(pods)}"] = text
            pods.append(slots)
        yield PodSet(name, zone, tuple(pods), files)

    def _slot(self, number: int, name: str, node: NodeConfig) -> Slot:
        moved = moved_node(node, self.addresses[node.name], self.services)
        return Slot(number, name, node, in_pod(moved, number))


def moved_node(node: NodeConfig, address: str, services: ipaddress.IPv4Network) -> NodeConfig:
    """The node at the address of its service, messages that it sends on to those of others."""
    enip = node.enip and replace(node.enip, onward=onward_range(node.enip.onward, services))
    return replace(node, address=address, enip=enip)


def in_pod(node: NodeConfig, number: int = 0) -> NodeConfig:
    """The node as its pod has it: at other ports, without interfaces."""
    enip = node.enip and replace(node.enip, port=FIRST_PORT["enip"] + number)
    modbus = node.modbus and replace(node.modbus, port=FIRST_PORT["modbus"] + number)
    return replace(node, interfaces=(), enip=enip, modbus=modbus)


def shard_file(nodes: Sequence[NodeConfig], everywhere: bool = True, run: str = "") -> str:
    """What a shard is told, a node a line; it is called after its first one, and of a farm's `run` if any."""
    dumped = tuple(dict(dump(node)) for node in nodes)
    mark = checked_mark(digest_nodes(dumped))
    head, empty, _ = ShardFile(nodes[0].name, run, 0.0, "", (), mark, everywhere).encode().decode().rpartition("[]}")
    assert empty
    lines = ",\n".join(json.dumps(node, separators=(",", ":")) for node in dumped)
    return f"{head}[\n{lines}\n]}}\n"


def applied_size(text: str) -> int:
    """Bytes that a text of a ConfigMap takes where the object is kept as JSON, as `kubectl apply` does."""
    return len(json.dumps(text))


def _too_large(nodes: Sequence[NodeConfig], size: int) -> str:
    holds = f"{size:,} bytes of configuration, and a ConfigMap holds {CONFIG_BYTES:,}"
    if len(nodes) == 1:
        return f"{nodes[0].name} has {holds}: give fewer of its values by hand"
    fitting = max(1, len(nodes) * CONFIG_BYTES // (size + 1))
    return f"the {len(nodes)} nodes from {nodes[0].name} on have {holds}: --shard {fitting} may do"
