"""What a farm makes in a cluster for each of its shards, which are nodes, and for its networks; plain data.

    node      ConfigMap, Secret, Service of its address, StatefulSet of one pod      pf-XXXXXXXX-NODE
    network   NetworkPolicy                                                          pf-XXXXXXXX-net-NETWORK
    relay     ConfigMap, Service, StatefulSet of one pod                             pf-XXXXXXXX--relay

Each bears the run's label, by which all is found, and what it was made from as annotations. Shards dial the relay, and
the farm fetches their streams from there by a command in its pod (`farm.backends.kubernetes_relay`).
"""

import json
from dataclasses import dataclass
from typing import Any

from farm.backends import kubernetes_names as names
from farm.backends.kubernetes_manifests import mapped_ports
from farm.backends.kubernetes_names import dns_name, mark, network_label
from farm.backends.kubernetes_pods import FILE, Body, farm_labels, meta, pod_spec
from farm.backends.kubernetes_sets import in_pod, shard_file
from farm.backends.netns_spaces import run_mark
from farm.topology.wiring import NetworkSpec, Segment, decode_segment, encode_segment
from node.config.model import NodeConfig
from node.control.messages import BEGAN_VARIABLE, INSTANCE_VARIABLE, shard_token

SPEC = "plcfarm/spec"
"""A network as it was wanted, in JSON."""
INSTANCE = "plcfarm.instance"
"""Of a StatefulSet and its pod: stands for the process that serves a shard, for as long as nobody stops it."""
ROLE = "plcfarm.role"
SHARD, NETWORK, RELAY = "node", "network", "relay"

TOKEN = "token"
TOKEN_VARIABLE = "FARM_TOKEN"
TCP = "tcp://"
"""Before the address that shards dial (`node.control.agent`)."""
CONTROL_PORT = 7700
LINK = "127.0.0.1:7701"
RELAY_MIB = 64
FIRST_LOOK = 3
"""Seconds after which a node is asked the first time whether it serves, for whoever looks at its pod."""


@dataclass(frozen=True, slots=True)
class Run:
    """A farm's run: its id, the farm's name, the namespace, the image of nodes, what tokens are made from, and when the
    plant `began`, in seconds since 1970: clocks of hosts that count from their start have nothing in common."""

    id: str
    farm: str
    namespace: str
    image: str
    secret: str
    began: float

    @property
    def selector(self) -> dict[str, str]:
        """The label of all that is its own."""
        return {names.RUN: run_mark(self.id)}

    def name(self, text: str, kind: str = "") -> str:
        """What a node, or another thing of a `kind`, is called: always the same."""
        own = dns_name(text)
        own = own if own == text else f"{own}-{mark(text)}"
        return "-".join((run_mark(self.id), *([kind] if kind else []), own))

    def labels(self, role: str) -> dict[str, str]:
        """What stands on a thing of that role."""
        return {**farm_labels(dns_name(self.farm), run_mark(self.id)), ROLE: role}


def config_map(run: Run, node: NodeConfig) -> Body:
    """What a node's pod is to serve, and what the plant said of the node."""
    data = {FILE: shard_file([in_pod(node)], run=run.id), "node.json": shard_file([node])}
    return _object(run, "v1", "ConfigMap", run.name(node.name), SHARD, {names.NAME: node.name}, data=data)


def secret(run: Run, node: NodeConfig) -> Body:
    """The token that the farm knows the shard by."""
    text = {TOKEN: shard_token(run.secret, node.name)}
    about = {names.NAME: node.name}
    return _object(run, "v1", "Secret", run.name(node.name), SHARD, about, type="Opaque", stringData=text)


def service(run: Run, node: NodeConfig) -> Body:
    """The node's address."""
    ports = [
        {"name": f"{protocol}-{transport}", "protocol": transport.upper(), "port": port, "targetPort": target}
        for protocol, transport, port, target in mapped_ports(node, in_pod(node))
    ]
    spec = {
        "type": "ClusterIP",
        "clusterIP": node.address,
        "publishNotReadyAddresses": True,
        "selector": {**run.selector, names.SET: run.name(node.name)},
        "ports": ports,
    }
    return _object(run, "v1", "Service", run.name(node.name), SHARD, {names.NAME: node.name}, spec=spec)


def stateful_set(run: Run, node: NodeConfig, digest: str, instance: str, control: str) -> Body:
    """The node's pod, which dials `control`, the relay. It is started again when its process ends and for nothing else:
    a node that was told to stop, or that has a fault, is silent on purpose."""
    name = run.name(node.name)
    spec = pod_spec(FILE, name, run.image, 1)
    [container] = spec["containers"]
    del container["startupProbe"], container["livenessProbe"]
    container["readinessProbe"]["initialDelaySeconds"] = FIRST_LOOK
    container["command"].append(f"{TCP}{control}:{CONTROL_PORT}")
    container["env"] = [
        {"name": TOKEN_VARIABLE, "valueFrom": {"secretKeyRef": {"name": name, "key": TOKEN}}},
        {"name": INSTANCE_VARIABLE, "value": instance},
        {"name": BEGAN_VARIABLE, "value": f"{run.began:.3f}"},
    ]
    on = {network_label(interface.network): dns_name(run.farm) for interface in node.interfaces}
    about = {names.NAME: node.name, names.DIGEST: digest}
    return _set(run, name, SHARD, spec, {INSTANCE: instance}, on, about)


def relay_name(run: Run) -> str:
    """No node's: in theirs no two dashes follow one another."""
    return f"{run_mark(run.id)}--{RELAY}"


def relay_objects(run: Run, address: str = "") -> list[Body]:
    """The pod that shards dial, its file, and its `address`, which the cluster chooses where none is known. It is
    reached as soon as it listens, and not after a probe."""
    name = relay_name(run)
    file = json.dumps({"control": f"0.0.0.0:{CONTROL_PORT}", "link": LINK, "forwards": []})
    spec = pod_spec("relay.json", name, run.image, 1)
    [container] = spec["containers"]
    container["command"] = ["python3", "-S", "-m", "node", "relay", container["command"][-1]]
    container["resources"] = {
        "requests": {"cpu": "50m", "memory": f"{RELAY_MIB}Mi"},
        "limits": {"cpu": "1", "memory": f"{RELAY_MIB * 8}Mi"},
    }
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        container[probe] = {"tcpSocket": {"port": CONTROL_PORT}, "periodSeconds": 10, "failureThreshold": 6}
    ports = [{"name": "control", "protocol": "TCP", "port": CONTROL_PORT, "targetPort": CONTROL_PORT}]
    service: Body = {"type": "ClusterIP", "publishNotReadyAddresses": True}
    service |= {"selector": {**run.selector, names.SET: name}, "ports": ports}
    if address:
        service["clusterIP"] = address
    return [
        _object(run, "v1", "ConfigMap", name, RELAY, {}, data={"relay.json": file}),
        _object(run, "v1", "Service", name, RELAY, {}, spec=service),
        _set(run, name, RELAY, spec, {}, {}, {}),
    ]


def policy(run: Run, network: NetworkSpec) -> Body:
    """Who is on a network asks who is on it, and the relay; one that is `internal` is asked by nobody else. So those of
    one network never reach those of another, and a SCADA reaches what this machine would."""
    label = {"matchLabels": {network_label(network.name): dns_name(run.farm)}}
    beside = {"namespaceSelector": {}, "podSelector": label}
    relay = {"podSelector": {"matchLabels": {**run.selector, ROLE: RELAY}}}
    spec = {
        "podSelector": {"matchLabels": {**run.selector, **label["matchLabels"]}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [beside]}] if network.internal else [{}],
        "egress": [{"to": [beside]}, {"to": [relay], "ports": [{"protocol": "TCP", "port": CONTROL_PORT}]}],
    }
    about = {names.NAME: network.name, SPEC: json.dumps(encode_segment(network))}
    name = run.name(network.name, "net")
    return _object(run, "networking.k8s.io/v1", "NetworkPolicy", name, NETWORK, about, spec=spec)


def segment_of(body: Body) -> Segment:
    """The network that a policy was made from. Raises `FarmError` for one that is damaged."""
    return decode_segment(json.loads(body["metadata"]["annotations"][SPEC]))


def _set(
    run: Run, name: str, role: str, spec: Body, labels: dict[str, str], on_pod: dict[str, str], about: dict[str, str]
) -> Body:
    selector = {**run.selector, names.SET: name}
    content: Body = {
        "serviceName": name,
        "replicas": 1,
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": selector},
        "template": {
            "metadata": {"labels": {**run.labels(role), names.SET: name, **labels, **on_pod}, "annotations": about},
            "spec": spec,
        },
    }
    if not about:
        del content["template"]["metadata"]["annotations"]
    body = _object(run, "apps/v1", "StatefulSet", name, role, about, spec=content)
    body["metadata"]["labels"] |= labels
    return body


def _object(run: Run, version: str, kind: str, name: str, role: str, about: dict[str, str], **content: Any) -> Body:
    head = meta(name, run.namespace, run.labels(role), about)
    return {"apiVersion": version, "kind": kind, "metadata": head, **content}
