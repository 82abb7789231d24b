"""A plant as the files of a cluster: a kustomize base, each object with a word about where its values come from.

Plain data in, plain data out, the same for the same plant. Whoever applies them has no farm: the cluster restarts what
dies and asks for its health, and nobody shapes links.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from farm.backends import kubernetes_manifests as manifests
from farm.backends.kubernetes_addresses import cluster_addresses
from farm.backends.kubernetes_manifests import Place
from farm.backends.kubernetes_multus import Multus
from farm.backends.kubernetes_pods import Body
from farm.backends.kubernetes_sets import PodSet, Sets
from farm.backends.kubernetes_zones import Zone, find_zones
from farm.errors import FarmError
from farm.render.documents import yaml_text
from farm.topology.plant import Plant
from farm.topology.wiring import GOOD
from node.config.model import NodeConfig

SERVICES, MULTUS = "services", "multus"
NETWORKS = (SERVICES, MULTUS)
KUSTOMIZATION = "kustomization.yaml"
BASE = "A kustomize base"
"""How a kustomization of ours begins."""
OURS = "app.kubernetes.io/managed-by: plcfarm"
"""Stands in every other file of ours."""
EVERY_CLUSTER = re.compile(r"default|kube-.*")
"""Namespaces that are there anyhow: a base with one of them would take it away with itself."""

Document = tuple[tuple[str, ...], Body]
"""Lines of comment, and the object."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """File name to its documents; `addresses` are node name to the one in the cluster, and `missing` what of the plant
    is not in it, a line each."""

    files: Mapping[str, tuple[Document, ...]]
    addresses: Mapping[str, str]
    missing: tuple[str, ...]


def render_services(plant: Plant, place: Place, size: int, services: ipaddress.IPv4Network) -> Rendered:
    """Sets of pods of `size` nodes each, and a service with an address in `services` for each node. Raises `FarmError`
    for what no cluster holds."""
    zones = find_zones(plant.nodes, plant.networks, plant.routers)
    addresses = cluster_addresses(plant.nodes, services)
    sets = Sets(size, addresses, services).of(zones.zones)
    files = _begun(plant, place)
    policies = manifests.policies(zones, sets, place)
    if policies:
        files["policies.yaml"] = tuple(
            (_policy_words(plant, zone), body) for zone, body in zip(zones.zones, policies, strict=True)
        )
    for pods in sets:
        files[f"{pods.name}.yaml"] = _set(pods, place)
        files[f"{pods.name}-services.yaml"] = _services(plant, pods, place)
    missing = [*_links(plant), *_further(plant.nodes), *_pings(plant)]
    return Rendered(_with_kustomization(files, place), addresses, tuple(missing))


def render_multus(plant: Plant, place: Place, parent: str) -> Rendered:
    """A pod for each node, at its addresses, on networks that stand on the hosts' interface `parent` where the file
    names no `uplink`. Raises `FarmError` for what no cluster holds."""
    if not plant.nodes:
        raise FarmError(f"{plant.name} has no nodes")
    multus = Multus(plant.nodes, plant.networks, parent, place)
    files = _begun(plant, place) | {
        "policies.yaml": (
            (("The cluster's own network, on which zones would meet, carries nothing.",), multus.policy()),
        ),
        "networks.yaml": tuple(
            ((f"Network {each.network.name}, {each.network.subnet}.",), body)
            for each, body in zip(multus.attached.values(), multus.definitions(), strict=True)
        ),
        "configuration.yaml": tuple((("What each node is, a file a node.",), body) for body in multus.config_maps()),
        "nodes.yaml": tuple(
            ((f"{pod.node.name}, {_origin(plant, pod.node)}.",), body)
            for pod, body in zip(multus.pods, multus.pod_objects(), strict=True)
        ),
    }
    missing = [*_links(plant), *_routers(plant)]
    for interface, networks in multus.shared_parents().items():
        missing.append(
            f"networks {_few(networks)} share {interface}: give each an `uplink`, a VLAN perhaps, to part them"
        )
    addresses = {node.name: node.address for node in plant.nodes}
    return Rendered(_with_kustomization(files, place), addresses, tuple(missing))


def _begun(plant: Plant, place: Place) -> dict[str, tuple[Document, ...]]:
    """The first file: the namespace, where it is the plant's own."""
    if EVERY_CLUSTER.fullmatch(place.namespace):
        return {}
    words = (
        f"{plant.name}, of {Path(plant.file).name}: written by `farm render kubernetes`.",
        "`kubectl apply --server-side -k FOLDER` starts it; `kubectl delete -k FOLDER` takes it away, and with the",
        "namespace all that is in it.",
    )
    return {"namespace.yaml": ((words, manifests.namespace(place)),)}


def _set(pods: PodSet, place: Place) -> tuple[Document, ...]:
    zone, count = pods.zone, sum(map(len, pods.pods))
    on = f"on network {', '.join(zone.networks)}" if zone.networks else "on no network"
    most = max(map(len, pods.pods))
    each = "one node a pod" if most == 1 else f"up to {most} nodes a pod"
    return (
        ((f"What the pods of {pods.name} serve: a file a pod, a node a line.",), manifests.config_map(pods, place)),
        (("The name of the set's pods; nobody asks it.",), manifests.headless(pods, place)),
        ((f"{count} nodes {on}, {each}.",), manifests.stateful_set(pods, place)),
    )


def _services(plant: Plant, pods: PodSet, place: Place) -> tuple[Document, ...]:
    nodes = [(number, slot) for number, slots in enumerate(pods.pods) for slot in slots]
    found = []
    for (number, slot), body in zip(nodes, manifests.services(pods, place), strict=True):
        moved = "" if slot.node.address == slot.served.address else f", {slot.served.address} here"
        found.append(((f"{slot.node.name}, {_origin(plant, slot.node)}{moved}; pod {pods.pod_name(number)}.",), body))
    return tuple(found)


def _origin(plant: Plant, node: NodeConfig) -> str:
    """Where a node is, and where the file says so: `10.20.0.10 (plant.yaml:45)`."""
    known = plant.origins.get(node.name, {})
    place = known.get("address") or known.get("name")
    return (
        f"{node.address} ({Path(place.file).name}:{place.line})" if place is not None and place.line else node.address
    )


def _policy_words(plant: Plant, zone: Zone) -> tuple[str, ...]:
    if zone.open:
        return (f"Network {', '.join(zone.networks)} is not internal: who is no node of the plant reaches it too.",)
    on = set(zone.networks)
    named = [router.name for router in plant.routers if {each.network for each in router.interfaces} & on]
    words = f"Who is on network {', '.join(zone.networks) or 'none'}"
    return (f"{words}, and what {' and '.join(named)} let through." if named else f"{words}, and nobody else.",)


def _with_kustomization(files: dict[str, tuple[Document, ...]], place: Place) -> dict[str, tuple[Document, ...]]:
    body = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": place.namespace,
        "resources": list(files),
    }
    return {KUSTOMIZATION: (((f"{BASE} of {place.farm}, for `kubectl apply -k` and for overlays.",), body),), **files}


def _links(plant: Plant) -> Iterator[str]:
    if shaped := sorted(name for name, quality in plant.links.items() if quality != GOOD):
        yield f"links of {_few(shaped)}: a cluster shapes none, so they are good ones"


def _further(nodes: Iterable[NodeConfig]) -> Iterator[str]:
    if plural := [node.name for node in nodes if len(node.interfaces) > 1]:
        yield f"further addresses of {_few(plural)}: a node has one service, at its first"


def _pings(plant: Plant) -> Iterator[str]:
    if any(rule.protocol == "icmp" for router in plant.routers for rule in router.allow):
        yield "what routers let through of icmp: the address of a service answers no ping"


def _routers(plant: Plant) -> Iterator[str]:
    for router in plant.routers:
        between = ", ".join(f"{each.address} on {each.network}" for each in router.interfaces)
        yield f"gateway {router.name} ({between}): pods have it as next hop, and it is yours to put there"


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def file_text(documents: Sequence[Document]) -> str:
    """A file of these documents."""
    return "---\n".join(yaml_text(body, comments) for comments, body in documents)


def listed_files(kustomization: str) -> list[str]:
    """The files that a kustomization of ours lists; none of anybody else's. Who added one to it has it among them."""
    if not kustomization.startswith(f"# {BASE}"):
        return []
    return re.findall(r"[a-z0-9-]+\.yaml", kustomization.partition("\nresources:")[2])
