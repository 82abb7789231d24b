"""The objects of a plant in a cluster: sets of pods, a service of a fixed address for each node, and policies.

    set       ConfigMap, headless Service, StatefulSet        CELL, pods CELL-0, CELL-1, ...
    node      Service of a fixed clusterIP                    44818 and 502 there are the node's ports in its pod
    zone      NetworkPolicy                                   who may ask, as the routers of the file say

Plain data: no client, no file. The same plant is the same objects, in the same order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from farm.backends import kubernetes_names as names
from farm.backends.kubernetes_pods import POD_NAME, Body, farm_labels, meta, pod_spec
from farm.backends.kubernetes_sets import FIRST_PORT, PodSet, Slot
from farm.backends.kubernetes_zones import Port, Zone, Zones
from node.config.model import NodeConfig
from node.control.messages import digest_nodes


@dataclass(frozen=True, slots=True)
class Place:
    """Where objects go: `farm` as a label has it, `namespace`, the `image` of nodes, and the `run` that looks after
    them, "" for none."""

    farm: str
    namespace: str
    image: str
    run: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """What stands on everything."""
        return farm_labels(self.farm, self.run)


def namespace(place: Place) -> Body:
    """The namespace, which takes no pod that could get a privilege."""
    level = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(place.namespace, "", {**place.labels, **level})}


def config_map(pods: PodSet, place: Place) -> Body:
    """What each pod of a set is to serve."""
    files = {f"{name}.json": text for name, text in pods.files.items()}
    return _object("v1", "ConfigMap", pods.name, place, {names.SET: pods.name}, data=files)


def headless(pods: PodSet, place: Place) -> Body:
    """The service that a set must have, by which its pods have names."""
    spec = {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": {names.SET: pods.name}}
    return _object("v1", "Service", pods.name, place, {names.SET: pods.name}, spec=spec)


def stateful_set(pods: PodSet, place: Place) -> Body:
    """A set of pods, all started at once, on different hosts as far as there are some."""
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {names.SET: pods.name}},
    }
    spec: Body = {
        "serviceName": pods.name,
        "replicas": len(pods.pods),
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": {names.SET: pods.name}},
        "template": {
            "metadata": {"labels": pod_labels(pods, place), "annotations": {names.DIGEST: digest(pods.files.values())}},
            "spec": {
                **pod_spec(f"{POD_NAME}.json", pods.name, place.image, max(map(len, pods.pods))),
                "topologySpreadConstraints": [spread],
            },
        },
    }
    return _object("apps/v1", "StatefulSet", pods.name, place, {names.SET: pods.name}, spec=spec)


def pod_labels(pods: PodSet, place: Place) -> dict[str, str]:
    """Those of each pod of a set: whose it is, its zone, and the networks that it is on."""
    on = {names.network_label(network): place.farm for network in pods.zone.networks}
    return {**place.labels, names.SET: pods.name, names.ZONE: pods.zone.name, **on}


def services(pods: PodSet, place: Place) -> list[Body]:
    """One for each node of a set."""
    return [_service(slot, pods.pod_name(number), place) for number, slots in enumerate(pods.pods) for slot in slots]


def _service(slot: Slot, pod: str, place: Place) -> Body:
    """The address of a node. It leads to its pod, ready or not: there is no other that could answer."""
    ports = [
        {"name": f"{protocol}-{transport}", "protocol": transport.upper(), "port": port, "targetPort": target}
        for protocol, transport, port, target in mapped_ports(slot.node, slot.served)
    ]
    spec = {
        "type": "ClusterIP",
        "clusterIP": slot.served.address,
        "publishNotReadyAddresses": True,
        "selector": {"statefulset.kubernetes.io/pod-name": pod},
        "ports": ports,
    }
    about = {names.NAME: slot.node.name, names.ADDRESS: slot.node.address}
    return _object("v1", "Service", slot.name, place, {names.NODE: slot.name}, about, spec=spec)


def mapped_ports(node: NodeConfig, served: NodeConfig) -> list[tuple[str, str, int, int]]:
    """(protocol, transport, the node's port, its port in the pod)."""
    found = []
    if node.enip is not None:
        found += [("enip", transport, node.enip.port, served.ports["enip"]) for transport in ("tcp", "udp")]
    if node.modbus is not None:
        carried = [*(["tcp"] if node.modbus.tcp else []), *(["udp"] if node.modbus.udp else [])]
        found += [("modbus", transport, node.modbus.port, served.ports["modbus"]) for transport in carried]
    return found


def policies(zones: Zones, sets: Sequence[PodSet], place: Place) -> list[Body]:
    """One for each zone, where there is anything to be kept apart: who is on a network asks all that is on it, and
    beyond it what the routers of the file let through. What is not internal is asked by whoever is no node, too: those
    do not get out to it."""
    if not zones.apart:
        return []
    size = {
        zone.name: max(len(slots) for pods in sets if pods.zone is zone for slots in pods.pods) for zone in zones.zones
    }
    return [_policy(zone, zones, size, place) for zone in zones.zones]


def _policy(zone: Zone, zones: Zones, size: dict[str, int], place: Place) -> Body:
    beside: list[Body] = [_everybody_on(network, place) for network in zone.networks]
    egress: list[Body] = [{"to": beside}]
    for target in zones.zones:
        ports = zones.flows.get((zone.name, target.name), ())
        if ports:
            egress.append({"to": [_zone(target, place)], "ports": _pod_ports(target, ports, size)})
    spec = {
        "podSelector": _zone(zone, place)["podSelector"],
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{}] if zone.open else _ingress(zone, zones, size, place, beside),
        "egress": egress,
    }
    return _object("networking.k8s.io/v1", "NetworkPolicy", zone.name, place, {names.ZONE: zone.name}, spec=spec)


def _ingress(zone: Zone, zones: Zones, size: dict[str, int], place: Place, beside: list[Body]) -> list[Body]:
    ingress: list[Body] = [{"from": beside}]
    for client in zones.clients:
        ports = zones.flows.get((client.name, zone.name))
        if ports:
            ingress.append({"from": [_everybody_on(client.networks[0], place)], "ports": _pod_ports(zone, ports, size)})
    for source in zones.zones:
        ports = zones.flows.get((source.name, zone.name), ())
        known = {
            port
            for client in zones.clients
            if client.networks[0] in source.networks
            for port in zones.flows.get((client.name, zone.name), ())
        }
        if set(ports) - known:
            ingress.append({"from": [_zone(source, place)], "ports": _pod_ports(zone, ports, size)})
    return ingress


def _everybody_on(network: str, place: Place) -> Body:
    """Pods on a network, of whatever namespace: a SCADA's has this label too."""
    return {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {names.network_label(network): place.farm}},
    }


def _zone(zone: Zone, place: Place) -> Body:
    return {"podSelector": {"matchLabels": {names.FARM: place.farm, names.ZONE: zone.name}}}


def _pod_ports(zone: Zone, ports: Iterable[Port], size: dict[str, int]) -> list[Body]:
    """The ports of a zone's nodes as they are in its pods: policies see these, behind the services."""
    node = zone.nodes[0]
    found = []
    for transport, port in ports:
        protocol = "enip" if node.enip is not None and port == node.enip.port else "modbus"
        first = FIRST_PORT[protocol]
        body: Body = {"protocol": transport.upper(), "port": first}
        if size[zone.name] > 1:
            body["endPort"] = first + size[zone.name] - 1
        found.append(body)
    return found


def digest(files: Iterable[str]) -> str:
    """Differs when what a set's pods serve does, so that they are replaced then."""
    return digest_nodes([{"file": text} for text in files])


def _object(
    version: str,
    kind: str,
    name: str,
    place: Place,
    labels: dict[str, str],
    annotations: dict[str, str] | None = None,
    **content: Body,
) -> Body:
    head = meta(name, place.namespace, {**place.labels, **labels}, annotations)
    return {"apiVersion": version, "kind": kind, "metadata": head, **content}
