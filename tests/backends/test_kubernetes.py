"""Backend kubernetes against an API that holds the real schemas, and pods that are processes: what it makes there, what
it says of refusals, and a farm's whole life."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pylogix
import pytest
from pyModbusTCP.client import ModbusClient

from farm.backends import kubernetes_names as names
from farm.backends.kubernetes import IMAGE_VARIABLE, IN_POD_VARIABLE, KubernetesBackend
from farm.backends.kubernetes_api import Cluster
from farm.backends.kubernetes_shards import ROLE, SHARD
from farm.backends.observed import ShardSpec
from farm.cli import cluster_checks, plants
from farm.cli.checks import BAD, GOOD, Need
from farm.cli.plants import SERVICES_VARIABLE
from farm.errors import BackendError, FarmError
from farm.supervisor.link import Link, run_directory
from farm.supervisor.probe import probe_node
from farm.topology.wiring import LinkQuality, NetworkSpec, RouterSpec
from node.config.model import InterfaceConfig, NodeConfig
from node.errors import NodeError
from tests.backends.contract import RUN_BYTES, a_node
from tests.backends.kubernetes_api import Api
from tests.backends.kubernetes_kubelet import IMAGE, Kubelet
from tests.cli.lone import ROOT
from tests.farm_command import OWN_PROCESS, here

pytestmark = pytest.mark.net

SERVICES = f"127.{RUN_BYTES[0] + 100}.{RUN_BYTES[1]}.0/24"
PODS = f"127.{RUN_BYTES[0] + 101}.{RUN_BYTES[1]}"
CELL = NetworkSpec("cell", "10.20.0.0/24", "10.20.0.254", internal=True)
OFFICE = NetworkSpec("office", "10.30.0.0/24", "10.30.0.254", host="10.30.0.253")


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A cluster's API, which this process's kubeconfig names."""
    made = Api(SERVICES)
    made.start()
    for name, value in environment(made, tmp_path).items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


@pytest.fixture
def kubelet(api: Api) -> Iterator[Kubelet]:
    """What runs the API's pods."""
    made = Kubelet(api, PODS)
    made.start()
    yield made
    made.close()


def environment(api: Api, folder: Path) -> dict[str, str]:
    return {
        "KUBECONFIG": str(api.kubeconfig(folder)),
        "PLCFARM_RUN": str(folder / "run"),
        SERVICES_VARIABLE: SERVICES,
        IMAGE_VARIABLE: IMAGE,
        IN_POD_VARIABLE: "here",
    }


@pytest.fixture
def backend(api: Api, tmp_path: Path) -> Iterator[KubernetesBackend]:
    """That of a run."""
    made = KubernetesBackend(tmp_path, "a-run", 0.0, tmp_path / "sock", "secret")
    yield made
    made.close()


def plc(number: int, network: str = "cell") -> NodeConfig:
    """A node at an address of the cluster."""
    address = f"{SERVICES.rpartition('.')[0]}.{number}"
    interface = InterfaceConfig(network, address, 24, "02:fa:00:00:00:01")
    return replace(a_node(number), address=address, interfaces=(interface,))


def shard(node: NodeConfig) -> ShardSpec:
    return ShardSpec(node.name, (node,))


def test_a_shard_is_made_seen_and_taken_away(
    api: Api, kubelet: Kubelet, backend: KubernetesBackend, tmp_path: Path
) -> None:
    backend.create_network(CELL)
    backend.create(shard(plc(31)))
    assert [(each.name, each.alive) for each in backend.observe().shards] == [("plc-31", False)]
    started = backend.start("plc-31")
    observed = backend.observe()
    assert observed.shards == (started,) and observed.networks == (CELL,)
    assert started.nodes == (plc(31),) and started.pid > 1 << 22
    assert backend.start("plc-31") == started  # it runs already
    [pod] = api.store.listed("Pod", f"{ROLE}={SHARD}")[0]
    assert pod["metadata"]["labels"]["plcfarm.network.cell"] == names.dns_name(tmp_path.name)
    [container] = pod["spec"]["containers"]
    assert container.keys() & {"startupProbe", "readinessProbe", "livenessProbe"} == {"readinessProbe"}
    began = next(each["value"] for each in container["env"] if each["name"] == "FARM_BEGAN")
    assert abs(float(began) - (time.time() - time.monotonic())) < 1  # of `epoch` 0
    token = next(each for each in container["env"] if each["name"] == "FARM_TOKEN")
    assert "value" not in token  # it is a Secret's
    other = replace(started, pid=started.pid + 1)
    backend.stop(other, 0.0)
    assert backend.observe().shards == (started,)  # which is not that one
    backend.stop(started, 1.0)
    assert backend.logs("plc-31").name == "plc-31.log"
    backend.remove("plc-31")
    backend.remove_network("cell")
    assert {kind for kind, _ in api.store.objects} == {"ConfigMap", "Service", "StatefulSet", "Pod"}  # the relay
    assert backend.end_all(0.0) == 0
    assert {kind for kind, _ in api.store.objects} <= {"Pod"}


def test_an_image_that_is_not_there_is_said_and_nothing_of_it_is_left(
    api: Api, kubelet: Kubelet, backend: KubernetesBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(IMAGE_VARIABLE, "plcfarm/node:nobody")
    backend.create(shard(plc(32)))
    with pytest.raises(
        BackendError, match=r"^plc-32: start: its pod \S+-0 does not run: ImagePullBackOff Back-off pulling"
    ):
        backend.start("plc-32")
    assert [name for kind, name in api.store.objects if kind == "StatefulSet" and not name.endswith("--relay")] == []


def test_whoever_waits_is_told_when_a_shard_is_taken_away_by_somebody_else(
    api: Api, kubelet: Kubelet, backend: KubernetesBackend
) -> None:
    backend.create(shard(plc(33)))
    started = backend.start("plc-33")

    async def wait() -> None:
        gone = asyncio.Event()
        backend.watch(started, gone.set)
        await asyncio.sleep(0.3)
        assert not gone.is_set()
        name = next(name for kind, name in api.store.objects if kind == "StatefulSet" and name.endswith("plc-33"))
        threading.Thread(target=lambda: api.store.delete("StatefulSet", name)).start()
        await asyncio.wait_for(gone.wait(), 20)

    asyncio.run(wait())
    assert [each.alive for each in backend.observe().shards] == [False]


def test_networks_are_policies_by_which_zones_stay_apart(api: Api, backend: KubernetesBackend, tmp_path: Path) -> None:
    backend.create_network(CELL)
    backend.create_network(OFFICE)
    backend.create_network(replace(OFFICE, mtu=1400))  # in place of the one before
    assert backend.observe().networks == (CELL, replace(OFFICE, mtu=1400))
    policies = {
        body["metadata"]["annotations"]["plcfarm/name"]: body["spec"]
        for body in api.store.listed("NetworkPolicy", "")[0]
    }
    beside = {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {"plcfarm.network.cell": names.dns_name(tmp_path.name)}},
    }
    assert policies["cell"]["ingress"] == [{"from": [beside]}]
    assert policies["office"]["ingress"] == [{}]  # this machine is there
    assert policies["cell"]["egress"][0] == {"to": [beside]}
    assert [port["port"] for port in policies["cell"]["egress"][1]["ports"]] == [7700]


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (
            lambda each: each.create_network(RouterSpec("fw", ())),
            "fw: create network: a farm on kubernetes has no gateways",
        ),
        (
            lambda each: each.create_network(replace(OFFICE, uplink="eth1")),
            "office: create network: uplink eth1: pods are",
        ),
        (lambda each: each.create(ShardSpec("s", (plc(1), plc(2)))), "s: create: a pod of a farm serves one node"),
        (lambda each: each.start("nobody"), "nobody: start: its ConfigMap is missing or damaged: create it first"),
        (lambda each: each.shape("plc", LinkQuality(loss=2.0)), "plc: shape: on kubernetes a link can have a delay"),
    ],
)
def test_what_a_cluster_cannot_is_one_line(api: Api, backend: KubernetesBackend, work: object, said: str) -> None:
    with pytest.raises(BackendError) as caught:
        work(backend)  # type: ignore[operator]
    assert str(caught.value).startswith(said)
    assert api.store.objects == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "networks: {a: {subnet: 10.1.0.0/24}, b: {subnet: 10.2.0.0/24}}\n"
            "gateways: {fw: {between: [a, b]}}\nnodes: {p: {kind: logix, network: a}}",
            "no gateways (fw): leave it out, or use `farm render kubernetes`",
        ),
        ("nodes: {p: {kind: logix, link: {loss: 2%}}}", "no links with more than a delay (p): leave it out"),
        (
            "networks: {a: {subnet: 10.1.0.0/24, uplink: eth7}}\nnodes: {p: {kind: logix, network: a}}",
            "no uplinks of networks (a on eth7): leave it out",
        ),
        ("shard: 7\nnodes: {p: {kind: logix}}", "shard 7: a pod of a farm is one node: say --shard 1"),
    ],
)
def test_a_plant_with_more_than_a_cluster_has_is_refused_before_it_is_asked(
    text: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "plant.yaml").write_text(f"farm: 1\nname: more\nbackend: kubernetes\n{text}\n")
    with pytest.raises(FarmError) as caught:
        plants.load(tmp_path)
    assert said in str(caught.value)


def test_refusals_say_who_refused_what_and_what_to_do(api: Api, backend: KubernetesBackend, tmp_path: Path) -> None:
    api.denied.add(("create", "secrets"))
    with pytest.raises(BackendError) as caught:
        backend.create(shard(plc(34)))
    who = "system:serviceaccount:default:farmer"
    cure = "a Role with verb create on secrets is missing"
    assert caught.value.message == f"{who} may not create secrets there (403): {cure}"
    api.denied.clear()
    elsewhere = replace(plc(34), address="10.1.2.3")
    with pytest.raises(BackendError, match=r"\(422\): spec.clusterIPs: .* The range of valid IPs is 127\."):
        backend.create(shard(elsewhere))
    backend.create(shard(plc(34)))
    with pytest.raises(BackendError, match=rf"spec.clusterIPs: .*{plc(34).address}: provided IP is already allocated"):
        backend.create(shard(replace(plc(34), name="another")))
    [name] = [name for kind, name in api.store.objects if kind == "Secret"][:1]
    api.store.change("Secret", name, lambda body: body["metadata"]["labels"].update({"plcfarm.run": "pf-other"}))
    with pytest.raises(BackendError, match=rf"^{name}: create: there is a Secret {name} which is not this farm's$"):
        backend.create(shard(plc(34)))
    api.kubeconfig(tmp_path, token="stale")
    with pytest.raises(BackendError, match=r"the cluster does not know who you are \(401\): log in again"):
        Cluster().all("Pod", {})


def test_without_a_cluster_it_says_where_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(
        BackendError, match=r"^kubernetes: connect: no cluster is named \(.*\): set KUBECONFIG; `kubectl"
    ):
        Cluster().all("Pod", {})
    for damaged in ("a: [", "[]", "- kind: Config"):
        (tmp_path / "none").write_text(damaged)
        with pytest.raises(BackendError, match=r"^kubernetes: connect: .*: set KUBECONFIG; `kubectl"):
            Cluster().all("Pod", {})
    body = {"apiVersion": "v1", "kind": "Config", "current-context": "x", "users": [{"name": "u", "user": {}}]}
    body |= {"contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}]}  # type: ignore[dict-item]
    body |= {"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}]}  # type: ignore[dict-item]
    (tmp_path / "none").write_text(json.dumps(body))
    with pytest.raises(BackendError, match=r"^Pod: observe: no API answers at http://127.0.0.1:9: "):
        Cluster().all("Pod", {})


def test_the_api_of_the_tests_knows_what_a_real_one_does_not_take(api: Api) -> None:
    cluster = Cluster()
    head = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    with pytest.raises(BackendError, match=r'unknown field "spec\.clusterIp"'):
        cluster.create({**head, "spec": {"clusterIp": "None"}})
    made = cluster.create({**head, "spec": {"clusterIP": "None"}})
    with pytest.raises(BackendError, match=r'in the way \(409\): services "s" already exists'):
        cluster.create({**head, "spec": {"clusterIP": "None"}})
    with pytest.raises(BackendError, match="may not change once set"):
        cluster.put({**head, "spec": {"clusterIP": plc(9).address}})
    assert cluster.get("Service", "s") == made
    cluster.delete("Service", "s")
    cluster.delete("Service", "s")
    assert cluster.get("Service", "s") is None


PLANT = """\
farm: 1
name: kub
networks: {cell: {subnet: 10.20.0.0/24, internal: true}, office: {subnet: 10.30.0.0/24}}
nodes:
  plc-1: {kind: logix, network: cell, address: 10.20.0.41, tags: {Level: {type: DINT, init: 42}}}
  PLC_2:
    kind: gateway
    network: office
    address: 10.30.0.42
    modbus: {port: 1502}
    tags: {A: DINT}
    holding: {"40001": {type: uint16, name: Speed, init: 7}}
"""


def farm(*words: str, code: int = 0) -> str:
    """What a verb prints."""
    if words[0] not in OWN_PROCESS:
        found, said, wrong = here(*words)
        assert found == code, f"farm {' '.join(words)}: {found}: {said}{wrong}"
        return said
    command = [sys.executable, "-m", "farm", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == code, f"farm {' '.join(words)}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def level(address: str) -> object:
    with pylogix.PLC(address) as client:
        answer = client.Read("Level")
    if client.conn.msg_socket is not None:
        client.conn.msg_socket.close()  # made by pylogix, and never closed by it
    return answer.Value


def supervisor() -> int:
    """Its process."""
    return int(Link.open(run_directory("kub")).ask("status")["pid"])


@pytest.mark.timeout(240)
def test_a_farm_lives_on_a_cluster_and_leaves_nothing(api: Api, kubelet: Kubelet, tmp_path: Path) -> None:
    file = tmp_path / "kub.yaml"
    file.write_text(PLANT)
    killed: list[int] = []
    turns = itertools.count(1)

    def kill(method: str, path: str) -> None:
        if (method, path.rpartition("/")[2]) == ("POST", "statefulsets") and next(turns) == 2:  # the relay's was first
            killed.append(supervisor())  # which never hears that this one was made
            os.kill(killed[0], signal.SIGKILL)

    api.before = kill
    farm("up", str(file), "--backend", "kubernetes", "--timeout", "90")
    assert killed and killed[0] != supervisor()
    rows = {row["name"]: row for row in json.loads(farm("ps", "--json"))}
    assert [(row["state"], row["address"]) for row in rows.values()] == [
        ("up", plc(41).address),
        ("up", plc(42).address),
    ]
    assert rows["PLC_2"]["ports"] == {"enip": 44818, "modbus": 1502}
    assert [row["pid"] for row in rows.values()] == [None, None]  # no process of any machine that is known
    assert level(plc(41).address) == 42
    client = ModbusClient(plc(42).address, 1502)
    assert client.read_holding_registers(0, 1) == [7]
    client.close()
    pod = next(name for name in kubelet.containers if name.endswith("-plc-1-0"))
    kubelet.kill(pod)  # the cluster starts it again
    os.kill(supervisor(), signal.SIGKILL)  # the next verb brings another
    assert farm("tags", "plc-1").splitlines()[-1].split()[:4] == ["plc-1", "Level", "DINT", "42"]
    assert farm("read", "plc-1", "Level") == "42\n"
    assert kubelet.containers[pod].restarts == 1
    farm("down")
    assert api.store.objects == {}


def test_doctor_says_what_is_there_and_which_rights_are_missing(api: Api, tmp_path: Path) -> None:
    need = Need.of_nodes("kubernetes", 3)
    assert [(each.what, each.state) for each in cluster_checks.cluster(need)] == [
        ("kubernetes", GOOD),
        ("rights", GOOD),
    ]
    api.denied |= {("create", "pods/exec"), ("watch", "statefulsets")}
    *_, rights = cluster_checks.cluster(need)
    assert (rights.state, rights.found) == (BAD, "may not create pods/exec, watch statefulsets in namespace default")
    api.kubeconfig(tmp_path, token="stale")
    [found] = cluster_checks.cluster(need)
    assert found.state == BAD and "does not know who you are (401)" in found.found


def test_a_node_that_nobody_reaches_from_here_is_taken_at_its_word() -> None:
    async def ask(inside: bool) -> None:
        await probe_node(plc(36), inside=inside)

    asyncio.run(ask(False))
    with pytest.raises(NodeError):
        asyncio.run(ask(True))
