"""The objects of a plant whose nodes are on real networks of their own, by Multus: a pod for each node.

    network   NetworkAttachmentDefinition    a macvlan or bridge on an interface that every host has
    node      Pod                            the addresses and MACs of the file, at the node's own ports

Pods of one set get the same addresses (multus#346), so these are pods by themselves: a container that ends is started
again, a host that dies takes its pods along. A policy closes the cluster's own network, through which zones would meet.
The routers of the file are not made: nodes have them as next hops.

https://github.com/k8snetworkplumbingwg/multus-cni/blob/master/docs/how-to-use.md, and the CNI plug-ins' own pages.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from farm.backends import kubernetes_names as names
from farm.backends.kubernetes_manifests import Place, digest
from farm.backends.kubernetes_names import Names, dns_name
from farm.backends.kubernetes_pods import FILE, Body, farm_labels, meta, pod_spec
from farm.backends.kubernetes_sets import APPLIED_BYTES, CONFIG_BYTES, applied_size, shard_file
from farm.backends.kubernetes_zones import offered
from farm.errors import FarmError
from farm.topology.wiring import MACVLAN, NetworkSpec
from node.config.model import InterfaceConfig, NodeConfig

NETWORKS = "k8s.v1.cni.cncf.io/networks"
CNI_VERSION = "1.0.0"
PARENT = "eth0"
PRIVILEGED = 1024
EVERYWHERE_6 = "::/0"

Route = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Attached:
    """A network as pods are put on it: those with the same `routes` share a definition, `name`."""

    name: str
    network: NetworkSpec
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Lone:
    """A pod: its `name`, the node, the ConfigMap that has its file, and that file."""

    name: str
    node: NodeConfig
    config: str
    file: str


class Multus:
    """The objects of a plant's `nodes` on `networks`. `parent` is the hosts' interface that a network stands on whose
    file names no `uplink`. Raises `FarmError` for a node that no ConfigMap holds."""

    def __init__(self, nodes: Sequence[NodeConfig], networks: Sequence[NetworkSpec], parent: str, place: Place) -> None:
        self._place = place
        self._parent = parent
        self.attached = _attached(nodes, networks)
        self.pods = tuple(_lone(nodes))

    def definitions(self) -> list[Body]:
        """The networks."""
        return [self._definition(each) for each in self.attached.values()]

    def config_maps(self) -> list[Body]:
        """What the pods are to serve, as many in each as it holds."""
        maps: dict[str, dict[str, str]] = {}
        for pod in self.pods:
            maps.setdefault(pod.config, {})[f"{pod.name}.json"] = pod.file
        return [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": self._meta(name, {}), "data": files}
            for name, files in maps.items()
        ]

    def pod_objects(self) -> list[Body]:
        """The nodes."""
        return [self._pod(pod) for pod in self.pods]

    def policy(self) -> Body:
        """Nothing passes on the cluster's own network: nodes are on theirs."""
        selector = {"matchLabels": {names.FARM: self._place.farm}}
        spec = {"podSelector": selector, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": []}
        head = self._meta("cluster-network", {})
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": head, "spec": spec}

    def shared_parents(self) -> dict[str, list[str]]:
        """Interfaces of hosts that more than one network stands on, where nothing keeps them apart."""
        found: dict[str, list[str]] = {}
        for each in {each.network.name: each for each in self.attached.values()}.values():
            found.setdefault(each.network.uplink or self._parent, []).append(each.network.name)
        return {parent: networks for parent, networks in found.items() if len(networks) > 1}

    def _definition(self, each: Attached) -> Body:
        network = each.network
        plugin: Body = {"type": "macvlan", "master": network.uplink or self._parent, "mode": "bridge"}
        if network.uplink and network.driver != MACVLAN:
            plugin = {"type": "bridge", "bridge": network.uplink}
        routes = [{"dst": subnet, "gw": hop} for subnet, hop in each.routes]
        plugin |= {"mtu": network.mtu, "capabilities": {"ips": True}, "ipam": {"type": "static", "routes": routes}}
        if not routes:
            del plugin["ipam"]["routes"]
        plugins = [plugin, {"type": "tuning", "capabilities": {"mac": True}}]
        config = json.dumps({"cniVersion": CNI_VERSION, "name": each.name, "plugins": plugins}, indent=2)
        return {
            "apiVersion": "k8s.cni.cncf.io/v1",
            "kind": "NetworkAttachmentDefinition",
            "metadata": self._meta(each.name, {}, {names.NAME: network.name, names.ADDRESS: network.subnet}),
            "spec": {"config": f"{config}\n"},
        }

    def _pod(self, pod: Lone) -> Body:
        node = pod.node
        ports = offered(node)
        containers = [
            {"containerPort": port, "protocol": transport.upper()} for transport, port in dict.fromkeys(ports)
        ]
        spec = pod_spec(
            FILE,
            pod.config,
            self._place.image,
            1,
            low_ports=any(port < PRIVILEGED for _, port in ports),
            ports=containers,
        )
        spec["volumes"][0]["configMap"]["items"] = [{"key": f"{pod.name}.json", "path": FILE}]
        on = {names.network_label(interface.network): self._place.farm for interface in node.interfaces}
        annotations = {
            NETWORKS: json.dumps([self._interface(number, each) for number, each in enumerate(node.interfaces, 1)]),
            names.NAME: node.name,
            names.DIGEST: digest([pod.file]),
        }
        head = self._meta(pod.name, {names.NODE: pod.name, **on}, annotations)
        spec = {"hostname": dns_name(node.hostname.partition(".")[0] or node.name), "restartPolicy": "Always", **spec}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": spec}

    def _interface(self, number: int, interface: InterfaceConfig) -> Body:
        """How a pod is on a network: where Multus looks for addresses, MAC and default gateway."""
        addresses = [f"{interface.address}/{interface.prefix}"] + ([interface.ipv6] if interface.ipv6 else [])
        found: Body = {"name": self.attached[_key(interface)].name, "interface": f"net{number}", "ips": addresses}
        if interface.mac:
            found["mac"] = interface.mac
        hops = [interface.gateway] if interface.gateway else []
        if hops := [*hops, *(hop for subnet, hop in interface.routes if subnet == EVERYWHERE_6)]:
            found["default-route"] = hops
        return found

    def _meta(self, name: str, labels: dict[str, str], annotations: dict[str, str] | None = None) -> Body:
        place = self._place
        return meta(name, place.namespace, {**farm_labels(place.farm, place.run), **labels}, annotations)


def _key(interface: InterfaceConfig) -> tuple[str, tuple[Route, ...]]:
    return interface.network, tuple(route for route in interface.routes if route[0] != EVERYWHERE_6)


def _attached(
    nodes: Sequence[NodeConfig], networks: Sequence[NetworkSpec]
) -> dict[tuple[str, tuple[Route, ...]], Attached]:
    """By network and routes, in the order of the nodes."""
    known = {network.name: network for network in networks}
    called = Names()
    numbers: dict[str, int] = {}
    found: dict[tuple[str, tuple[Route, ...]], Attached] = {}
    for key in (_key(interface) for node in nodes for interface in node.interfaces):
        if key not in found:
            number = numbers[key[0]] = numbers.get(key[0], 0) + 1
            name = called.of(key[0] if number == 1 else f"{key[0]}-{number}", "" if number == 1 else "further")
            found[key] = Attached(name, known[key[0]], key[1])
    return found


def _lone(nodes: Sequence[NodeConfig]) -> Iterator[Lone]:
    called = Names()
    number, room = 0, 0
    for node in nodes:
        file = shard_file([node], everywhere=False)
        if len(file) > CONFIG_BYTES:
            raise FarmError(f"{node.name} has {len(file):,} bytes of configuration, a ConfigMap holds {CONFIG_BYTES:,}")
        size = applied_size(file)
        if size > room:
            number, room = number + 1, APPLIED_BYTES
        room -= size
        yield Lone(called.of(node.name), node, f"nodes-{number}", file)
