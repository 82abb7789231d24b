"""A farm over the engines of a cluster: its plant file, commands as a person on the first host gives them, and clients
in containers on any host."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pylogix

from farm.backends import docker_labels as labels
from farm.backends.docker_recipes import context_files, node_tag
from farm.supervisor.link import Link
from farm.supervisor.run_directory import run_directory
from node.control.messages import start_time
from tests.backends.swarm_cluster import Cluster, Host

ROOT = Path(__file__).resolve().parents[2]
SITE = str(Path(pylogix.__file__).parents[1])
LEVEL = [11, 22, 33, 44]

CLIENT = """
import json, socket, sys
from pylogix import PLC
from pymodbus.client import ModbusTcpClient
found = {}
for name, kind, address in json.loads(sys.argv[1]):
    try:
        if kind == "logix":
            with PLC(address) as plc:
                answer = plc.Read("Level", 4)
            found[name] = list(answer.Value) if answer.Status == "Success" else str(answer.Status)
        elif kind == "modbus":
            with ModbusTcpClient(address, timeout=5) as device:
                found[name] = list(device.read_holding_registers(0, count=8, device_id=1).registers)
        else:
            socket.create_connection((address, 502), 2).close()
            found[name] = "reached"
    except Exception as exc:
        found[name] = f"{type(exc).__name__}: {exc}"
print(json.dumps(found))
"""
"""What a client runs: each node is read by pylogix or pymodbus as it speaks; any other kind is only connected to."""

Asked = tuple[str, str, str]
"""A name, what it speaks, and its address."""


def plant(cluster: Cluster, name: str = "works", groups: str = "", nodes: str = "") -> str:
    """A plant file over all hosts: two networks that do not meet, and whatever groups and nodes there are to be."""
    hosts = "\n".join(f"  {host.name}: {host.url}" for host in cluster.hosts)
    return f"""farm: 1
name: {name}
backend: swarm
hosts:
{hosts}
networks:
  cell: {{subnet: 10.66.0.0/22, mtu: 1400}}
  super: {{subnet: 10.67.0.0/24}}
defaults: {{network: cell}}
templates:
  plc: {{tags: {{Level: {{type: "DINT[4]", init: {LEVEL}}}}}}}
groups:{groups or " {}"}
nodes:{nodes or " {}"}
"""


@dataclass
class SwarmFarm:
    """Farms whose run folders are in `folder`. A command has `patience` seconds; clients run in `image`, or the node's
    where it is ""."""

    cluster: Cluster
    folder: Path
    patience: float = 110.0
    image: str = ""

    def write(self, text: str) -> Path:
        """A plant file."""
        path = self.folder / "plant.yaml"
        path.write_text(text)
        return path

    def farm(self, *arguments: str, fails: bool = False, **environ: str) -> "subprocess.CompletedProcess[str]":
        """A command on the first host, which goes well, or `fails` with exit code 1."""
        done = self.run(
            [sys.executable, "-m", "farm", *arguments],
            env={**os.environ, "PLCFARM_RUN": str(self.folder), **environ},
            cwd=ROOT,
            capture_output=True,
            timeout=self.patience,
        )
        assert done.returncode == (1 if fails else 0), f"{arguments}: {done.stdout}{done.stderr}"
        return done

    def begin(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """The same command, which is not waited for."""
        return subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.cluster.hosts[0].netns}", sys.executable, "-m", "farm", *arguments],
            env={**os.environ, "PLCFARM_RUN": str(self.folder)},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill_supervisor(self, name: str = "works") -> None:
        """It ends without having been asked, and is gone when this returns."""
        log = (self.folder / name / "supervisor.log").read_text()
        pid = int(log.rpartition(f"supervising {name}, pid ")[2].split()[0])
        os.kill(pid, signal.SIGKILL)
        give_up = time.monotonic() + 10.0
        while start_time(pid):
            assert time.monotonic() < give_up, f"{pid} is still there"
            time.sleep(0.02)

    def run(self, command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[str]":
        """A command where commands are given."""
        return self.cluster.hosts[0].run(command, **options)

    def rows(self, name: str = "works") -> dict[str, dict[str, Any]]:
        """`farm ps`, by node, asked of the supervisor that runs."""
        return {row["name"]: row for row in Link.open(run_directory(name, self.folder)).ask("ps")["rows"]}

    def run_id(self, name: str = "works") -> str:
        """What marks its things."""
        return run_directory(name, self.folder).run_id

    def container(self, host: Host, node: str, name: str = "works") -> dict[str, Any]:
        """A node's container, as the engine of its host inspects it."""
        with self.cluster.engine(host) as engine:
            found: dict[str, Any] = engine.api.inspect_container(labels.container_name(self.run_id(name), node))
            return found

    def ask(self, host: Host, network: str, asked: Iterable[Asked], name: str = "works") -> dict[str, Any]:
        """What a client in a container on that host, and on that network of the plant, gets of each."""
        with self.cluster.engine(host) as engine:
            api = engine.api
            made = api.create_container(
                self.image or node_tag(context_files()),
                ["python3", "-c", CLIENT, json.dumps(list(asked))],
                environment={"PYTHONPATH": SITE},
                host_config=api.create_host_config(
                    network_mode=labels.overlay_name(self.run_id(name), network), binds=[f"{SITE}:{SITE}:ro"]
                ),
            )
            try:
                api.start(made)
                api.wait(made, timeout=100)
                said = api.logs(made).decode()
            finally:
                api.remove_container(made, force=True, v=True)
        found: dict[str, Any] = json.loads(said.strip().rpartition("\n")[2])
        return found

    def things(self) -> dict[str, set[str]]:
        """Everything that each engine has of its own."""
        return {host.name: host.things() for host in self.cluster.hosts if host.answers()}
