"""How a cluster's API is asked: what is asked again, whose answer counts, and what comes of a watch that is cut off."""

import asyncio
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from farm.backends import kubernetes
from farm.backends import kubernetes_shards as shards
from farm.backends.kubernetes import KubernetesBackend
from farm.backends.kubernetes_api import Cluster
from farm.backends.kubernetes_pods import Body
from farm.backends.kubernetes_relay import RelayPod
from farm.backends.kubernetes_watch import Watches
from farm.backends.observed import ObservedShard
from farm.errors import BackendError
from node.control.messages import instance_number
from tests.backends.kubernetes_api import Api
from tests.backends.kubernetes_kubelet import Kubelet
from tests.backends.kubernetes_store import Refusal
from tests.backends.test_kubernetes import CELL, SERVICES, api, backend, kubelet, plc, shard
from tests.waiting import eventually

__all__ = ["api", "backend", "kubelet"]

pytestmark = pytest.mark.net

RUN = shards.Run("a-run", "farm", "default", "plcfarm/node:lab", "secret", 0.0)


def made(cluster: Cluster, number: int) -> ObservedShard:
    """A shard's set in the cluster, and what a supervisor knows of it."""
    node, instance = plc(number), f"{number:016x}"
    cluster.create(shards.stateful_set(RUN, node, "digest", instance, "10.1.2.3"))
    return ObservedShard(node.name, instance_number(instance), 0, alive=True, nodes=(node,))


def test_what_a_server_has_no_time_for_is_asked_again(api: Api, backend: KubernetesBackend) -> None:
    troubles = [(method, trouble) for method in ("GET", "PUT") for trouble in (429, 503)]
    troubles += [("GET", 500), ("GET", ConnectionResetError())]
    backend.create_network(CELL)
    left = list(troubles)

    def trouble(method: str, path: str) -> None:
        for each in left:
            if each[0] == method:
                left.remove(each)
                if isinstance(each[1], Exception):
                    raise each[1]
                raise Refusal(
                    each[1], "not now", headers={"Retry-After": "0"} if each[1] < 500 or method == "PUT" else {}
                )

    api.before = trouble
    backend.create_network(CELL)
    assert left == []
    api.before = lambda method, path: (_ for _ in ()).throw(Refusal(429, "not now", headers={"Retry-After": "0"}))
    with pytest.raises(BackendError, match=r"not now \(429\)$"):
        backend.create_network(CELL)


def test_a_request_that_may_have_been_done_is_not_done_twice(api: Api) -> None:
    cluster = Cluster()

    def lost(method: str, path: str) -> None:
        if method == "POST":
            raise ConnectionResetError

    api.before = lost
    with pytest.raises(BackendError, match=r"plc-1: create: no API answers at "):
        made(cluster, 1)
    assert [method for method, _ in api.seen] == ["POST"]


def test_what_somebody_changes_meanwhile_is_replaced_all_the_same(api: Api, backend: KubernetesBackend) -> None:
    backend.create_network(CELL)
    [name] = [name for kind, name in api.store.objects if kind == "NetworkPolicy"]
    touched = []

    def meddle(method: str, path: str) -> None:
        if method == "PUT" and len(touched) < 2:
            touched.append(path)
            api.store.change("NetworkPolicy", name, lambda body: body["metadata"]["annotations"].update(seen="yes"))

    api.before = meddle
    backend.create_network(CELL)
    assert len(touched) == 2
    assert "seen" not in api.store.get("NetworkPolicy", name)["metadata"]["annotations"]


def test_who_logs_in_again_need_not_start_again(api: Api, tmp_path: Path) -> None:
    cluster = Cluster()
    assert cluster.all("Pod", {}) == []
    api.token = "another"
    with pytest.raises(BackendError, match=r"\(401\): log in again"):
        cluster.all("Pod", {})
    api.kubeconfig(tmp_path, token="another")
    assert cluster.all("Pod", {}) == []


def test_a_command_that_is_refused_is_one_line_each_time_the_same(api: Api, tmp_path: Path) -> None:
    cluster = Cluster()

    def refusal() -> str:
        with pytest.raises(BackendError) as caught:
            cluster.run_in("relay-0", ["true"])
        return caught.value.message

    assert refusal() == 'pods "relay-0" not found (404)'
    api.denied.add(("create", "pods/exec"))
    who = "system:serviceaccount:default:farmer"
    assert refusal() == f"{who} may not create pods/exec there (403): a Role with verb create on pods/exec is missing"
    api.denied.clear()
    api.token = "another"
    assert "(401): log in again" in refusal()
    api.kubeconfig(tmp_path, token="another")
    assert refusal() == 'pods "relay-0" not found (404)'


def test_of_a_long_log_the_end_is_read(api: Api) -> None:
    api.store.objects["Pod", "p"] = {"kind": "Pod", "metadata": {"name": "p"}}
    api.log = lambda pod: "".join(f"line {number}\n" for number in range(100_000))
    text = Cluster().log("p", 1000)
    assert len(text) == 1000
    assert text.endswith("line 99998\nline 99999\n")


def test_a_shard_that_was_ended_at_once_has_ended(api: Api, kubelet: Kubelet, backend: KubernetesBackend) -> None:
    backend.create(shard(plc(51)))
    started = backend.start("plc-51")
    process = next(each for name, each in kubelet.containers.items() if "plc-51" in name).process
    assert process is not None and process.poll() is None
    process.send_signal(signal.SIGSTOP)  # it does not hear that it is to end
    backend.stop(started, 0.0)
    assert process.poll() is not None


def test_a_pod_of_before_is_not_taken_for_the_new_one(
    api: Api, backend: KubernetesBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes, "RUNNING_SECONDS", 0.5)
    monkeypatch.setattr(kubernetes, "ENDING_SECONDS", 0.5)
    backend.create(shard(plc(52)))
    name = next(name for kind, name in api.store.objects if kind == "ConfigMap")
    running = {"containerStatuses": [{"state": {"running": {}}}]}
    meta = {"name": f"{name}-0", "labels": {shards.INSTANCE: "of-before"}}
    api.store.objects["Pod", f"{name}-0"] = {"kind": "Pod", "metadata": meta, "status": running}
    with pytest.raises(BackendError, match=r"^plc-52: start: its pod \S+-0 does not run: see `kubectl describe"):
        backend.start("plc-52")


def test_a_watch_whose_past_is_forgotten_is_begun_anew(api: Api) -> None:
    cluster = Cluster()

    async def wait() -> None:
        gone = [asyncio.Event(), asyncio.Event()]
        watches = Watches(cluster, RUN)
        for number, event in enumerate(gone, 61):
            watches.add(made(cluster, number), event.set)
        await eventually(lambda: sum("statefulsets" in path for method, path in api.seen if method == "GET") >= 2)
        names = sorted(name for kind, name in api.store.objects if kind == "StatefulSet")
        api.store.forget("StatefulSet", names[0])
        await asyncio.wait_for(gone[0].wait(), 10)
        with api.store.changed:  # nobody is told of this one
            api.store.forget("StatefulSet", names[1])
            api.store.compact()
        await asyncio.wait_for(gone[1].wait(), 10)
        watches.close()

    asyncio.run(wait())


def test_a_shard_that_was_made_while_others_were_listed_is_not_gone(api: Api) -> None:
    async def wait() -> None:
        loop = asyncio.get_running_loop()
        rung: list[str] = []

        class Slow(Cluster):
            """Whose answer takes so long that it is an old one."""

            def listed(self, kind: str, labels: Mapping[str, str]) -> tuple[list[Body], str]:
                found = super().listed(kind, labels)
                if not rung and len(api.store.objects) == 1:
                    second = made(self, 72)
                    asyncio.run_coroutine_threadsafe(add(second), loop).result(10)
                return found

        async def add(each: ObservedShard) -> None:
            watches.add(each, lambda: rung.append(each.name))

        cluster = Slow()
        watches = Watches(cluster, RUN)
        await add(made(cluster, 71))
        await eventually(lambda: sum("statefulsets" in path for method, path in api.seen if method == "GET") >= 2)
        await asyncio.sleep(0.2)
        assert rung == []
        for name in [name for kind, name in api.store.objects if kind == "StatefulSet"]:
            api.store.forget("StatefulSet", name)
        await eventually(lambda: sorted(rung) == ["plc-71", "plc-72"])
        watches.close()

    asyncio.run(wait())


def test_a_relay_that_somebody_took_away_comes_back_where_shards_dial(api: Api, tmp_path: Path) -> None:
    cluster = Cluster()
    first = RelayPod(cluster, RUN, tmp_path / "sock")
    name, address = shards.relay_name(RUN), first.address()
    cluster.create(shards.stateful_set(RUN, plc(81), "digest", "x", address))
    later = RelayPod(cluster, RUN, tmp_path / "sock")  # another supervisor's, which has asked for no address
    for relay in (first, later):
        api.store.forget("StatefulSet", name)
        api.store.forget("Service", name)
        relay.carry()
        asyncio.run(eventually(lambda: ("StatefulSet", name) in api.store.objects))
        relay.close()
        assert api.store.get("Service", name)["spec"]["clusterIP"] == address
    api.store.forget("StatefulSet", name)
    time.sleep(1.5)
    assert ("StatefulSet", name) not in api.store.objects  # nobody carries any more


def test_a_context_of_the_same_name_in_another_cluster_is_not_the_run_s(
    api: Api, backend: KubernetesBackend, tmp_path: Path
) -> None:
    backend.create_network(CELL)
    other = Api(SERVICES)
    other.start()
    try:
        other.kubeconfig(tmp_path)
        later = KubernetesBackend(tmp_path, "a-run", 0.0, tmp_path / "sock", "secret")
        with pytest.raises(BackendError) as caught:
            later.observe()
        assert caught.value.message.startswith(f"nothing of this farm is in the cluster at {other.url}; it was made in")
        other.store = api.store  # the same cluster at another address
        assert later.observe().networks == (CELL,)
        later.close()
    finally:
        other.close()
