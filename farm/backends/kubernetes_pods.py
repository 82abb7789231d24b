"""A pod that serves nodes: what it is given, and everything that is taken from it.

It runs as nobody, without capabilities, on a root filesystem that it cannot write, and can get no privilege back: what
the pod security standard `restricted` asks for. Where nodes are at ports below 1024, a sysctl that every cluster counts
as safe makes these everybody's. It knows nothing of the cluster: no token, and no variables of services.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from farm.backends import kubernetes_names as names

Body = dict[str, Any]
"""An object, or a part of one, as the API has it."""

USER = 65534
CONTAINER = "node"
FOLDER = "/etc/plcfarm"
FILE = "shard.json"
"""What a pod's file is called in its container, whatever its ConfigMap calls it."""
POD_NAME = "$(POD_NAME)"
"""In the name of a file that is mounted: the cluster puts the pod's name there. In a probe's command it would not:
variables that come from a pod's fields are nothing there (kubernetes#40846)."""
PORTS_FROM = {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}
GRACE = 5
"""Seconds from SIGTERM to SIGKILL: a node needs none, or two where a reply waits for its time."""

FIRST_MIB, EACH_MIB = 32, 2
"""What a pod takes, and each node in it: what a scheduler counts with."""
ROOM = 4
"""Times as much is where a pod is ended."""

PROBES: dict[str, tuple[str, dict[str, int]]] = {
    "startupProbe": ("--any", {"periodSeconds": 2, "failureThreshold": 60}),
    "readinessProbe": ("--busy", {"periodSeconds": 30, "failureThreshold": 2}),
    "livenessProbe": ("--any", {"periodSeconds": 60, "failureThreshold": 3}),
}
"""How it is asked (`node.cli.health`), and when: a probe is a Python for a tenth of a second. A pod is ready when all
its nodes answer, which a change of a set waits for pod by pod, and is restarted when none does: one that is broken must
not take the others down, at its start neither. One that has all the clients it takes is well."""
PROBE_SECONDS = 10


def pod_spec(
    file: str, config_map: str, image: str, count: int, *, low_ports: bool = False, ports: Sequence[Body] = ()
) -> Body:
    """A pod of `count` nodes out of the shard file `file` of `config_map`. With `POD_NAME` in its name each pod of a
    set has one of its own, and sees no other."""
    security: Body = {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if low_ports:
        security["sysctls"] = [dict(PORTS_FROM)]
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": security,
        "containers": [_container(file, image, count, ports)],
        "volumes": [{"name": "configuration", "configMap": {"name": config_map}}],
    }


def _container(file: str, image: str, count: int, ports: Sequence[Body]) -> Body:
    own = POD_NAME in file
    path = f"{FOLDER}/{FILE if own else file}"
    mib = FIRST_MIB + EACH_MIB * count
    found: Body = {
        "name": CONTAINER,
        "image": image,
        "command": ["python3", "-S", "-m", "node", "shard", path],
    }
    if own:
        found["env"] = [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    if ports:
        found["ports"] = list(ports)
    found["resources"] = {
        "requests": {"cpu": f"{10 + 2 * count}m", "memory": f"{mib}Mi"},
        "limits": {"cpu": "1", "memory": f"{mib * ROOM}Mi"},
    }
    for name, (how, times) in PROBES.items():
        command = ["python3", "-S", "-m", "node", "health", path, how]
        found[name] = {"exec": {"command": command}, "timeoutSeconds": PROBE_SECONDS, **times}
    found["securityContext"] = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mount: Body = {"name": "configuration", "mountPath": FOLDER, "readOnly": True}
    if own:
        mount |= {"mountPath": path, "subPathExpr": file}
    found["volumeMounts"] = [mount]
    return found


def meta(name: str, namespace: str, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None) -> Body:
    """The head of an object. `namespace` is "" for what is in none."""
    found: Body = {"name": name}
    if namespace:
        found["namespace"] = namespace
    found["labels"] = dict(labels)
    if annotations:
        found["annotations"] = dict(annotations)
    return found


def farm_labels(farm: str, run: str = "") -> dict[str, str]:
    """What stands on everything of a farm."""
    found = {"app.kubernetes.io/name": "plcfarm", "app.kubernetes.io/managed-by": "plcfarm", names.FARM: farm}
    return {**found, names.RUN: run} if run else found
