"""Commands, packets and leftovers of nodes in containers, by the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends import docker_labels as labels
from farm.backends.netns_spaces import run_mark
from farm.supervisor.link import Link
from farm.supervisor.run_directory import run_directory
from node.capture.pcap import decode
from tests.architecture.sources import ROOT
from tests.backends.docker_farm import NET, DockerFarm, things
from tests.dashboard.served import Served
from tests.farm_command import OWN_PROCESS, here
from tests.peers.capture import dissect
from tests.waiting import until

pytestmark = [pytest.mark.docker, pytest.mark.root, pytest.mark.slow]


@pytest.fixture(scope="module")
def works(docker_root: Path) -> Iterator[DockerFarm]:
    """Three nodes that are up."""
    farm = DockerFarm(run_directory("works", docker_root))
    try:
        farm.up()
        yield farm
    finally:
        farm.down()


def farm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command, with the daemon and the runs of this module in its environment."""
    if arguments[0] not in OWN_PROCESS:
        return subprocess.CompletedProcess(arguments, *here(*arguments))
    command = [sys.executable, "-m", "farm", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)


def test_a_command_runs_in_the_container(works: DockerFarm) -> None:
    code = "import os, socket; print(socket.gethostname(), os.getuid(), os.environ['PLCFARM_NODE_ADDRESS']); exit(7)"
    done = farm("exec", "plc1", "python3", "-c", code)
    assert (done.returncode, done.stdout.split()[0], done.stdout.split()[2]) == (7, "sim-plc1", f"{NET}.1"), done.stderr
    assert done.stdout.split()[1] != "0"
    assert farm("enter", "true").returncode == 0
    named = farm("hosts").stdout.splitlines()
    assert named[0].split() == [f"{NET}.1", "sim-plc1", "plc1", "plc1.works"]
    assert "127." in farm("hosts", "--outside").stdout


@pytest.mark.parametrize("target", ["gw1", "cell"])
def test_packets_of_a_container_and_of_its_network(works: DockerFarm, target: str, tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    command = [sys.executable, "-m", "farm", "pcap", target, "-w", str(file)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    give_up = time.monotonic() + 60
    while not (file.exists() and file.stat().st_size) and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.02)
    read = farm("read", "gw1", "Level")  # which is not published, so that it is asked on its network
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, read.returncode) == (0, 0), said + read.stderr
    found = dissect(file)
    assert found.complaints == []
    assert found.frames["cip"] >= 2
    assert any(packet.data[47] & 2 for packet in decode(file.read_bytes()) if packet.data[23:24] == b"\x06")


def test_its_dashboard_sees_and_changes_them(works: DockerFarm, docker_root: Path) -> None:
    served = Served(docker_root, "works")
    served.farm("dashboard")
    try:
        line = until(lambda: (found := served.get("/api/v1/farm"))["t"] and found)
        assert (line["backend"], line["reach_kind"], line["nodes"]) == ("docker", "docker", 3)
        rows = {row["name"]: row for row in served.get("/api/v1/nodes")["nodes"]}
        assert {name: row["condition"] for name, row in rows.items()} == {"plc1": "up", "rtu1": "up", "gw1": "up"}
        assert rows["plc1"]["address"] == f"{NET}.1"
        assert served.change("PUT", "/api/v1/nodes/plc1/tags/Level[1]", {"value": 99}).status == 200
        assert farm("read", "plc1", "Level[1]").stdout.split()[-1] == "99"
        fault = {"fault": {"kind": "status", "code": 8, "tag": "Level"}, "nodes": ["plc1"]}
        assert served.change("POST", "/api/v1/faults", fault).status == 201
        assert served.get("/api/v1/nodes?filter=condition:fault&fields=name")["nodes"] == [{"name": "plc1"}]
        assert farm("read", "plc1", "Level[1]").returncode != 0
        assert served.change("DELETE", "/api/v1/faults").status == 200
        assert farm("read", "plc1", "Level[1]").stdout.split()[-1] == "99"
        assert served.change("PUT", "/api/v1/nodes/plc1/tags/Level[1]", {"value": 22}).status == 200
    finally:
        served.farm("dashboard", "--stop")


def test_what_a_lost_farm_left_is_found_by_its_label(works: DockerFarm) -> None:
    status = json.loads(farm("clean", "--dry-run", "--json").stdout)
    mark = run_mark(works.run.run_id)
    assert not [found for found in status if found["run"] in (works.run.run_id, mark)], "it runs"
    pids = [row["pid"] for row in works.rows().values()]
    supervisor = int(Link.open(works.run).ask("status")["pid"])
    os.kill(supervisor, signal.SIGKILL)
    give_up = time.monotonic() + 60
    while Path(f"/proc/{supervisor}").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    left = json.loads(farm("clean", "--dry-run", "--json").stdout)
    names = {found["what"]: found["names"] for found in left if found["run"] == works.run.run_id}
    assert labels.container_name(works.run.run_id, "plc1") in names["container"]
    assert labels.network_name(works.run.run_id, "cell") in names["Docker network"]
    assert all(Path(f"/proc/{pid}").exists() for pid in pids), "a dry run changes nothing"
    works.down()
    assert not [thing for thing in things() if mark in thing]
