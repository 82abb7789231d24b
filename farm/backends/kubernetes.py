"""Nodes as pods of a cluster: a StatefulSet of one each, found by the run's label and by nothing else.

What runs is asked of the API. The cluster starts again what dies (`restarts`): to the farm a shard is its StatefulSet,
and its pods come and go. The run's folder keeps which cluster it was, and logs that somebody asked for. A pod of a farm
serves one node: what is told to nodes that share a process knows nothing of their ports in a pod.
"""

import contextlib
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from farm.backends import kubernetes_names as names
from farm.backends import kubernetes_shards as shards
from farm.backends import pids
from farm.backends.docker_recipes import context_files, node_tag
from farm.backends.kubernetes_api import Cluster, one_line
from farm.backends.kubernetes_pods import Body
from farm.backends.kubernetes_relay import RelayPod
from farm.backends.kubernetes_shards import INSTANCE, NETWORK, RELAY, ROLE, SHARD, Run
from farm.backends.kubernetes_watch import Watches
from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.backends.shard_files import load_nodes
from farm.backends.watch import Watch
from farm.errors import BackendError, FarmError
from farm.topology.wiring import GOOD, LinkQuality, NetworkSpec, Segment, Shaping
from node.config.load import dump
from node.config.model import NodeConfig
from node.control.messages import ShardFile, digest_nodes, instance_number
from node.errors import ConfigError

log = logging.getLogger(__name__)

KEPT = "kubernetes.json"
"""In the run's folder: which cluster it is in."""
IMAGE_VARIABLE = "PLCFARM_NODE_IMAGE"
"""The image of nodes, where the cluster does not find the one of this very code under its name."""
IN_POD_VARIABLE = "KUBERNETES_SERVICE_HOST"
"""Every pod has it: this process reaches services' addresses then."""
RUNNING_SECONDS = 60.0
"""Seconds for a pod to run: its image may have to be fetched."""
ENDING_SECONDS = 30.0
"""Seconds for a pod to be gone, beside its grace."""
LEAST_GRACE = 1.0
"""Seconds: with none a pod would count as gone while its process still runs."""
LOOK_AGAIN, LOOK_SELDOM = 0.25, 2.0
"""Seconds between two looks at a pod, at first and in the end."""
AT_ONCE = 8
LOG_BYTES = 1 << 20
HOPELESS = ("CreateContainerConfigError", "ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName")
"""Why a container waits that will not run by waiting."""


class KubernetesBackend:
    """The run in `directory`, in the cluster and namespace of the kubeconfig's context when the run began. `run_id`
    marks all it makes, `epoch` is the plant's start on the monotonic clock, `control` the socket to which the relay's
    streams are led, `secret` what tokens are made from. Whether this process reaches nodes (`inside`) it knows where it
    is a pod itself."""

    name = "kubernetes"
    restarts = True

    def __init__(self, directory: Path, run_id: str, epoch: float, control: Path, secret: str) -> None:
        self.inside = IN_POD_VARIABLE in os.environ
        self._directory = directory
        self._run_id = run_id
        self._epoch = epoch
        self._secret = secret
        self._control = control
        self._lock = threading.RLock()
        context, namespace, self._server = self._kept()
        self._cluster = Cluster(context, namespace)
        self._known: Run | None = None
        self._relay: RelayPod | None = None
        self._watches: Watches | None = None

    def observe(self) -> Observed:
        """The run's StatefulSets, nodes whose configuration alone is there, and networks."""
        self._check_home()
        sets = {_node(body): body for body in self._all("StatefulSet", SHARD)}
        nodes = {_node(body): body for body in self._all("ConfigMap", SHARD)}
        found = [self._observed(name, sets.get(name), nodes.get(name)) for name in sorted({*sets, *nodes})]
        networks = []
        for body in self._all("NetworkPolicy", NETWORK):
            with contextlib.suppress(FarmError, KeyError, ValueError):  # a damaged one is made anew
                networks.append(shards.segment_of(body))
        return Observed(tuple(found), (), tuple(sorted(networks, key=lambda segment: segment.name)), {})

    def create_network(self, segment: Segment) -> None:
        """A policy; what a router lets through between networks is for `farm render kubernetes` alone."""
        if not isinstance(segment, NetworkSpec):
            message = "a farm on kubernetes has no gateways: leave them out, or use `farm render kubernetes`"
            raise BackendError(segment.name, "create network", message)
        if segment.uplink:
            message = f"uplink {segment.uplink}: pods are on the cluster's network; `farm render kubernetes` has multus"
            raise BackendError(segment.name, "create network", message)
        self._cluster.put(shards.policy(self._run, segment))

    def remove_network(self, network: str) -> None:
        """Takes its policy away."""
        self._cluster.delete("NetworkPolicy", self._run.name(network, "net"))

    def create(self, shard: ShardSpec) -> None:
        """Keep in the cluster what the shard is to serve, its token and its address."""
        if len(shard.nodes) != 1 or shard.nodes[0].name != shard.name:
            message = f"a pod of a farm serves one node of its name, not {len(shard.nodes)}: use shard: 1"
            raise BackendError(shard.name, "create", message)
        [node] = shard.nodes
        self._cluster.put(shards.config_map(self._run, node))
        self._cluster.put(shards.secret(self._run, node))
        self._put_service(shards.service(self._run, node))

    def start(self, shard: str) -> ObservedShard:
        """Have the cluster run its pod, and wait until it does."""
        [node] = self._wanted(shard)
        digest = digest_nodes([dict(dump(node))])
        found = self._cluster.get("StatefulSet", self._run.name(shard))
        if found is not None:
            running = self._observed(shard, found, self._cluster.get("ConfigMap", self._run.name(shard)))
            if running.alive and running.nodes == (node,):
                return running
            if running.alive:
                raise BackendError(shard, "start", "it serves something else: stop it first")
            self._take_away(shard, 0)
        instance = secrets.token_hex(8)
        body = shards.stateful_set(self._run, node, digest, instance, self._relay_pod.address())
        try:
            self._cluster.create(body)
            self._wait_until_running(shard, instance)
        except BaseException:
            with contextlib.suppress(BackendError):
                self._take_away(shard, 0)
            raise
        return ObservedShard(shard, instance_number(instance), 0, alive=True, nodes=(node,))

    def stop(self, shard: ObservedShard, grace: float) -> None:
        """Take its StatefulSet away, when it is still that very one, and wait until its pod is gone."""
        found = self._cluster.get("StatefulSet", self._run.name(shard.name))
        if found is not None and instance_number(_instance(found)) == shard.pid:
            self._take_away(shard.name, grace)

    def remove(self, shard: str) -> None:
        """Take its configuration, token and address away."""
        name = self._run.name(shard)
        for kind in ("Service", "Secret", "ConfigMap"):
            self._cluster.delete(kind, name)

    def logs(self, node: str) -> Path:
        """A file with what its pod has printed until now."""
        path = self._directory / "logs" / f"{names.dns_name(node)}.log"
        with contextlib.suppress(BackendError):  # what was read before is still there
            text = self._cluster.log(f"{self._run.name(node)}-0", LOG_BYTES)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return path

    def shape(self, node: str, quality: LinkQuality) -> Shaping:
        """A delay, which the node plays; a cluster has no more."""
        if quality != LinkQuality(delay=quality.delay, jitter=quality.jitter):
            raise BackendError(node, "shape", "on kubernetes a link can have a delay, and nothing else")
        return Shaping(quality, left=quality if quality != GOOD else GOOD)

    def watch(self, shard: ObservedShard, gone: Callable[[], None]) -> Watch:
        """By one watch of the API for all. Whoever watches is the one that the shards' streams are for."""
        with self._lock:
            if self._watches is None:
                self._watches = Watches(self._cluster, self._run)
        self._relay_pod.carry()
        return self._watches.add(shard, gone)

    def end_all(self, grace: float = 2.0) -> int:
        """Take all of the run away, relay and all, and whatever here bears its mark; how many there were."""
        with self._lock:
            relay, self._relay = self._relay, None
        if relay is not None:
            relay.close()  # before: it would make anew what is taken away
        found = list(self._everything())
        sets = [name for kind, name in found if kind == "StatefulSet"]
        with ThreadPoolExecutor(AT_ONCE) as crew:
            for _ in crew.map(lambda each: self._cluster.delete(each[0], each[1], grace), found):
                pass
            for _ in crew.map(lambda name: self._wait_until_gone(name, grace), sets):
                pass
        return sum(not name.endswith(f"--{RELAY}") for name in sets) + pids.end_marked(self._run_id, grace)

    def close(self) -> None:
        """Watch and carry no longer."""
        for each in (self._watches, self._relay, self._cluster):
            if each is not None:
                each.close()

    def _kept(self) -> tuple[str, str, str]:
        """The context, namespace and server of a run that has begun; empty ones for a new run."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            kept = json.loads((self._directory / KEPT).read_text())
            return str(kept["context"]), str(kept["namespace"]), str(kept["server"])
        return "", "", ""

    def _check_home(self) -> None:
        """Raises `BackendError` where contexts of the same name are of several clusters, and this is not the run's: it
        would seem to have ended."""
        if self._server in ("", self._cluster.server) or any(self._everything()):
            return
        why = (
            f"nothing of this farm is in the cluster at {self._cluster.server}; it was made in that at {self._server}: "
            f"have KUBECONFIG name that one, or, where it is gone, remove {self._directory / KEPT}"
        )
        raise BackendError("kubernetes", "observe", why)

    @property
    def _run(self) -> Run:
        """What objects are made for. The first who asks finds the cluster, and writes down which it is."""
        with self._lock:
            if self._known is None:
                namespace, context = self._cluster.namespace, self._cluster.context
                image = os.environ.get(IMAGE_VARIABLE, "") or node_tag(context_files())
                began = time.time() - (time.monotonic() - self._epoch)
                self._known = Run(self._run_id, self._directory.name, namespace, image, self._secret, began)
                with contextlib.suppress(OSError):
                    server = self._server or self._cluster.server
                    kept = json.dumps({"context": context, "namespace": namespace, "server": server})
                    (self._directory / KEPT).write_text(kept)
            return self._known

    @property
    def _relay_pod(self) -> RelayPod:
        run = self._run
        with self._lock:
            if self._relay is None:
                self._relay = RelayPod(self._cluster, run, self._control)
            return self._relay

    def _all(self, kind: str, role: str) -> list[Body]:
        return self._cluster.all(kind, {**self._run.selector, ROLE: role})

    def _everything(self) -> Iterator[tuple[str, str]]:
        """(kind, name) of all of the run, pods' owners first."""
        for kind in ("StatefulSet", "Service", "NetworkPolicy", "Secret", "ConfigMap"):
            for body in self._cluster.all(kind, self._run.selector):
                yield kind, body["metadata"]["name"]

    def _observed(self, name: str, found: Body | None, config: Body | None) -> ObservedShard:
        """A shard by its set and its configuration; `nodes` is empty where nobody knows what it serves."""
        nodes = _nodes(config)
        if found is None or "deletionTimestamp" in found["metadata"]:
            return ObservedShard(name, 0, 0, alive=False, nodes=nodes)
        serves = found["metadata"].get("annotations", {}).get(names.DIGEST)
        if serves != digest_nodes([dict(dump(node)) for node in nodes]):
            nodes = ()
        return ObservedShard(name, instance_number(_instance(found)), 0, alive=True, nodes=nodes)

    def _wanted(self, shard: str) -> tuple[NodeConfig, ...]:
        nodes = _nodes(self._cluster.get("ConfigMap", self._run.name(shard)))
        if len(nodes) != 1:
            raise BackendError(shard, "start", "its ConfigMap is missing or damaged: create it first")
        return nodes

    def _put_service(self, body: Body) -> None:
        """A service keeps its address as long as it lives, so one at another address goes first."""
        found = self._cluster.get("Service", body["metadata"]["name"])
        if found is None:
            self._cluster.create(body)
            return
        self._cluster.check_ours(body, found)
        if found["spec"].get("clusterIP") != body["spec"]["clusterIP"]:
            self._cluster.delete("Service", body["metadata"]["name"])
            self._cluster.create(body)
        else:
            self._cluster.put(body)

    def _take_away(self, shard: str, grace: float) -> None:
        name = self._run.name(shard)
        self._cluster.delete("StatefulSet", name)
        self._cluster.delete("Pod", f"{name}-0", max(LEAST_GRACE, grace))
        self._wait_until_gone(name, grace)

    def _wait_until_gone(self, name: str, grace: float) -> None:
        for _ in _looks(grace + ENDING_SECONDS):
            if self._cluster.get("Pod", f"{name}-0") is None:
                return
        raise BackendError(name, "stop", f"its pod {name}-0 does not end: see `kubectl describe pod {name}-0`")

    def _wait_until_running(self, shard: str, instance: str) -> None:
        """Raises `BackendError` with the cluster's reason for a pod of that instance that does not run. One that has
        not gone yet may bear the name."""
        name, why = self._run.name(shard), ""
        for _ in _looks(RUNNING_SECONDS):
            pod = self._cluster.get("Pod", f"{name}-0")
            status = pod.get("status", {}) if pod is not None and _instance(pod) == instance else {}
            if any("running" in each.get("state", {}) for each in status.get("containerStatuses", [])):
                return
            why, hopeless = _why(status, why)
            if hopeless:
                break
        cause = why or f"see `kubectl describe statefulset {name}`"
        raise BackendError(shard, "start", f"its pod {name}-0 does not run: {cause}")


def _looks(seconds: float) -> Iterator[None]:
    """So many looks as fit into `seconds`, more and more seldom."""
    late, wait = time.monotonic() + seconds, LOOK_AGAIN
    while time.monotonic() < late:
        yield
        time.sleep(wait)
        wait = min(LOOK_SELDOM, wait * 1.5)


def _node(body: Body) -> str:
    """The node that an object is for, as the plant calls it."""
    return str(body["metadata"].get("annotations", {}).get(names.NAME, ""))


def _instance(body: Body) -> str:
    return str(body["metadata"]["labels"].get(INSTANCE, ""))


def _nodes(config: Body | None) -> tuple[NodeConfig, ...]:
    """What a ConfigMap says of its node, as the plant has it; nothing where it is damaged."""
    with contextlib.suppress(ConfigError, BackendError, KeyError):
        if config is not None:
            return load_nodes(ShardFile.decode(config["metadata"]["name"], config["data"]["node.json"].encode()))
    return ()


def _why(status: Body, before: str) -> tuple[str, bool]:
    """Why a pod does not run, and whether it never will."""
    for container in status.get("containerStatuses", []):
        state = container.get("state", {})
        waiting = state.get("waiting", {})
        if waiting.get("reason"):
            said = one_line(f"{waiting['reason']} {waiting.get('message', '')}")
            return said, waiting["reason"] in HOPELESS
        if "terminated" in state:
            return f"it ended at once with exit code {state['terminated'].get('exitCode')}", False
    for condition in status.get("conditions", []):
        if condition.get("status") == "False" and condition.get("message"):
            return one_line(f"{condition.get('reason', '')} {condition['message']}"), False
    return before, False
