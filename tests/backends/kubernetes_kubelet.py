"""What a cluster does with the objects of `kubernetes_store`, on this machine: a pod is a process, whose own network is
an address of loopback, and what leads from the address of a service to it is a port that passes on.

Set controller: a pod for each number of a StatefulSet. Kubelet: files of ConfigMaps, tokens of Secrets, the command,
its restarts, its readiness by its own probe. Proxy: TCP and UDP at each clusterIP. The image is this checkout.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.backends.kubernetes_api import Api
from tests.backends.kubernetes_proxy import Proxy
from tests.backends.kubernetes_store import Body, Store, fits
from tests.cli.lone import ROOT

IMAGE = "plcfarm/node:lab"
RESTART_SECONDS = 0.5


class Container:
    """A pod's process, started again when it ends; `address` is its pod's."""

    def __init__(self, kubelet: "Kubelet", pod: Body, address: str) -> None:
        self.name = str(pod["metadata"]["name"])
        self.address = address
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.log = self.folder / "log"
        self.restarts = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._kubelet = kubelet
        self._pod = pod
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def command(self, words: list[str]) -> list[str]:
        """With this machine's Python, and files where they are here."""
        return [sys.executable, *(word.replace("/etc/plcfarm", str(self.folder)) for word in words[1:])]

    def environment(self) -> dict[str, str]:
        """What the pod's container is given."""
        [container] = self._pod["spec"]["containers"]
        found = {**os.environ, "PYTHONPATH": str(ROOT)}
        for variable in container.get("env", []):
            source = variable.get("valueFrom", {})
            if "secretKeyRef" in source:
                data = self._kubelet.store.get("Secret", source["secretKeyRef"]["name"])["data"]
                found[variable["name"]] = base64.b64decode(data[source["secretKeyRef"]["key"]]).decode()
            else:
                found[variable["name"]] = variable["value"]
        return found

    def end(self) -> None:
        """SIGTERM, SIGKILL after the grace that its pod has by then, and gone."""
        self._ending.set()
        began = time.monotonic()
        process = self.process
        if process is not None:
            with contextlib.suppress(OSError):
                process.terminate()
            while self._thread.is_alive() and time.monotonic() < began + self._kubelet.grace(self.name):
                self._thread.join(0.1)
            with contextlib.suppress(OSError):
                process.kill()
        self._thread.join(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self) -> None:
        [container] = self._pod["spec"]["containers"]
        if container["image"] != IMAGE:
            waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{container["image"]}"'}
            self._kubelet.tell(self, {"phase": "Pending"}, {"waiting": waiting}, ready=False)
            return
        self._write_files()
        while not self._ending.is_set():
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    self.command(container["command"]), cwd=ROOT, env=self.environment(), stdout=log, stderr=log
                )
            self._kubelet.tell(self, {"phase": "Running"}, {"running": {}}, ready=False)
            self._become_ready(container)
            code = self.process.wait()
            if self._ending.wait(RESTART_SECONDS):
                return
            self.restarts += 1
            self._kubelet.tell(self, {"phase": "Running"}, {"terminated": {"exitCode": code}}, ready=False)

    def _write_files(self) -> None:
        for volume in self._pod["spec"]["volumes"]:
            source = volume["configMap"]
            data = self._kubelet.store.get("ConfigMap", source["name"])["data"]
            for name, text in data.items():
                (self.folder / name).write_text(self._here(text))

    def _here(self, text: str) -> str:
        """A shard's or a relay's file for this network: on every interface means at the pod's own address."""
        body = json.loads(text)
        if "control" in body:
            return json.dumps({**body, "control": body["control"].replace("0.0.0.0", self.address)})
        body["everywhere"] = False
        body["checked"] = ""
        for node in body["nodes"]:
            node["address"] = self.address
        return json.dumps(body)

    def _become_ready(self, container: Body) -> None:
        """Asked by the probe until it answers once, more and more seldom, and few at a time: each is a process, and
        hosts of pods have cores of their own."""
        probe = container["readinessProbe"].get("exec")
        process, wait = self.process, float(container["readinessProbe"].get("initialDelaySeconds", 2))
        while probe and process is not None and process.poll() is None and not self._ending.wait(wait):
            wait *= 2
            with self._kubelet.probing:
                words = self.command(probe["command"])
                done = subprocess.run(words, cwd=ROOT, env=self.environment(), capture_output=True)
            if done.returncode == 0:
                self._kubelet.tell(self, {"phase": "Running"}, {"running": {}}, ready=True)
                return


class Kubelet:
    """Makes an API's store so from `start` to `close`. Pods have addresses `PREFIX.1` on."""

    def __init__(self, api: Api, prefix: str) -> None:
        self.store: Store = api.store
        self.containers: dict[str, Container] = {}
        self._api = api
        self._prefix = prefix
        self.probing = threading.Semaphore(1)
        self._number = 0
        self._proxy = Proxy()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        api.execute = self._execute
        api.log = lambda pod: self.containers[pod].log.read_text()

    def start(self) -> None:
        self._proxy.start()
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        with self.store.changed:
            self.store.changed.notify_all()
        self._thread.join(30)
        for container in self.containers.values():
            container.end()
        self._proxy.close()

    def kill(self, pod: str) -> None:
        """As if the process had died, or the host's kernel had killed it."""
        process = self.containers[pod].process
        assert process is not None
        process.kill()

    def grace(self, pod: str) -> float:
        """Seconds that a pod is given to end; a second for one that is gone already."""
        with self.store.changed:
            meta = self.store.objects.get(("Pod", pod), {}).get("metadata", {})
            return float(meta.get("deletionGracePeriodSeconds", 1))

    def tell(self, container: Container, status: Body, state: Body, *, ready: bool) -> None:
        """Writes a pod's status."""
        each = {"name": "node", "state": state, "ready": ready, "started": "running" in state, "image": IMAGE}
        each |= {"restartCount": container.restarts, "imageID": ""}
        full = {**status, "podIP": container.address, "containerStatuses": [each]}
        self.store.change("Pod", container.name, lambda body: body.update(status=full))

    def _follow(self) -> None:
        version = -1
        while not self._closed.is_set():
            with self.store.changed:
                if self.store.version == version:
                    self.store.changed.wait(1.0)
                version = self.store.version
            self._make_pods()
            self._run_pods()
            self._end_pods()
            self._lead()

    def _make_pods(self) -> None:
        for body in self.store.seen("StatefulSet"):
            for number in range(body["spec"]["replicas"]):
                name = f"{body['metadata']['name']}-{number}"
                if ("Pod", name) in self.store.objects:
                    continue
                template = body["spec"]["template"]
                labels = {**template["metadata"]["labels"], "statefulset.kubernetes.io/pod-name": name}
                owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": body["metadata"]["name"]}
                owner |= {"uid": body["metadata"]["uid"], "controller": True}
                meta = {"name": name, "labels": labels, "ownerReferences": [owner]}
                pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
                self.store.create(pod, "Pod")

    def _run_pods(self) -> None:
        for pod in self.store.seen("Pod"):
            name = pod["metadata"]["name"]
            if name not in self.containers and "deletionTimestamp" not in pod["metadata"]:
                self._number += 1
                self.containers[name] = Container(self, pod, f"{self._prefix}.{self._number}")

    def _end_pods(self) -> None:
        pods = {pod["metadata"]["name"]: pod for pod in self.store.seen("Pod")}
        going = [name for name, pod in pods.items() if "deletionTimestamp" in pod["metadata"]]
        going += [name for name in self.containers if name not in pods]  # deleted by force, before it ended
        ends = [self.containers.pop(name).end for name in going if name in self.containers]
        threads = [threading.Thread(target=end) for end in ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in going:
            self.store.forget("Pod", name)

    def _lead(self) -> None:
        """Each service's ports to the first pod that it selects."""
        pods = [pod for pod in self.store.seen("Pod") if pod["metadata"]["name"] in self.containers]
        ready = [pod for pod in pods if all(each["ready"] for each in _statuses(pod))]
        rows = {}
        for service in self.store.seen("Service"):
            selector = ",".join(f"{key}={value}" for key, value in service["spec"]["selector"].items())
            found = pods if service["spec"].get("publishNotReadyAddresses") else ready
            target = next((pod["metadata"]["name"] for pod in found if fits(pod, selector)), None)
            if target is None or service["spec"]["clusterIP"] == "None":
                continue
            for port in service["spec"]["ports"]:
                here = (port["protocol"], service["spec"]["clusterIP"], port["port"])
                rows[here] = (self.containers[target].address, port["targetPort"])
        self._proxy.lead(rows)

    def _execute(self, pod: str, command: list[str]) -> "subprocess.Popen[bytes]":
        container = self.containers[pod]
        pipe = subprocess.PIPE
        words = container.command(command)
        return subprocess.Popen(words, cwd=ROOT, env=container.environment(), stdin=pipe, stdout=pipe, stderr=pipe)


def _statuses(pod: Body) -> list[Body]:
    """Of its containers; of a pod that nobody has begun with, one that is not ready."""
    return list(pod.get("status", {}).get("containerStatuses", [{"ready": False}]))
