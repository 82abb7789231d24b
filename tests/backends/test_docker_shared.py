"""Nodes that share containers, on a real daemon: each answers at its own address of this machine."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farm.backends.docker_engine import Engine
from farm.errors import FarmError
from farm.supervisor.link import Link
from farm.supervisor.run_directory import run_directory
from farm.topology import load_plant
from farm.topology.plant import Plant
from tests.backends.docker_farm import OUTSIDE, DockerFarm, things
from tests.backends.test_docker import level, registers
from tests.farm_command import ROOT, farm
from tests.waiting import until

pytestmark = [pytest.mark.docker, pytest.mark.root]

PLC = 'plc: {count: COUNT, address: "NET.${100 + i}", tags: {Level: {type: "DINT[4]", init: [11, 22, 33, 44]}}}'
RTU = 'rtu: {kind: modbus, count: 2, address: "NET.${110 + i}", holding: {"40001": {type: "uint16[8]", init: 7}}}'


def plant(folder: Path, controllers: int) -> Plant:
    """Controllers and two Modbus devices, two to a container."""
    text = f"farm: 1\nname: shared\nbackend: docker\nshard: 2\nnetworks: {{default: {{subnet: {OUTSIDE}.0/24}}}}\n"
    path = folder / "plant.yaml"
    groups = f"defaults: {{kind: logix}}\ngroups:\n  {PLC.replace('COUNT', str(controllers))}\n  {RTU}\n"
    path.write_text(text + groups.replace("NET", OUTSIDE))
    return load_plant(path)


@pytest.fixture(scope="module")
def shared(docker_root: Path) -> Iterator[DockerFarm]:
    """Five nodes in three containers."""
    there = things()
    found = DockerFarm(run_directory("shared", docker_root))
    try:
        done = found.up(plant(docker_root, 3))
        assert {row["state"] for row in done["rows"]} == {"up"}
        yield found
    finally:
        found.down()
    assert things() == there


def containers(shared: DockerFarm) -> dict[str, dict[str, Any]]:
    """Those of the farm, by shard."""
    engine = Engine()
    try:
        listed = engine.api.containers(filters={"label": [f"plcfarm.run={shared.run.run_id}"]})
        return {each["Labels"]["plcfarm.node"]: engine.api.inspect_container(each["Id"]) for each in listed}
    finally:
        engine.close()


def answer(shared: DockerFarm) -> None:
    """Every node does, at its address, to a real client."""
    for number in (1, 2, 3):
        assert level(f"{OUTSIDE}.{100 + number}") == [11, 22, 33, 44]
    for number in (1, 2):
        assert registers(f"{OUTSIDE}.{110 + number}") == [7] * 8


def test_each_answers_at_its_own_address_and_the_verbs_say_so(shared: DockerFarm, docker_root: Path) -> None:
    answer(shared)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(10)
        udp.sendto(struct.pack("<HHIIQI", 0x63, 0, 0, 0, 0, 0), (f"{OUTSIDE}.102", 44818))
        data, peer = udp.recvfrom(1024)
        assert (struct.unpack_from("<H", data), peer) == ((0x63,), (f"{OUTSIDE}.102", 44818))
    assert sorted(containers(shared)) == ["shard-001", "shard-002", "shard-003"]
    said = farm(docker_root, "ps")
    assert [line.split()[:2] for line in said.splitlines()[1:]] == [
        *([f"plc-{number}", f"{OUTSIDE}.{100 + number}:44818"] for number in (1, 2, 3)),
        *([f"rtu-{number}", f"{OUTSIDE}.{110 + number}:502"] for number in (1, 2)),
    ]
    assert f"{OUTSIDE}.111" in farm(docker_root, "hosts")
    assert farm(docker_root, "read", "plc-3", "Level").split() == ["11", "22", "33", "44"]
    show = ("python3", "-c", "import os; print(os.uname().nodename, os.environ['PLCFARM_NODE_ADDRESS'])")
    assert farm(docker_root, "exec", "plc-2", "--", *show).split() == ["shard-001", f"{OUTSIDE}.102"]


def test_their_container_has_no_network_and_no_privilege(shared: DockerFarm) -> None:
    for found in containers(shared).values():
        host = found["HostConfig"]
        assert (host["NetworkMode"], host["CapDrop"], host["CapAdd"]) == ("none", ["ALL"], None)
        assert (host["ReadonlyRootfs"], host["PidsLimit"], host["PortBindings"]) == (True, 64, None)
        assert found["Config"]["User"] == "65534:65534"
    interfaces = Path(f"/proc/{containers(shared)['shard-001']['State']['Pid']}/net/dev").read_text()
    assert [line.split(":")[0].strip() for line in interfaces.splitlines()[2:]] == ["lo"]


def test_the_client_that_a_node_sees_is_the_client(shared: DockerFarm) -> None:
    with socket.create_connection((f"{OUTSIDE}.101", 44818)) as client:
        client.sendall(struct.pack("<HHIIQIHH", 0x65, 4, 0, 0, 0, 0, 1, 0))
        assert client.recv(1024)
        host, port = client.getsockname()
        known = Link.open(shared.run).ask("command", node="plc-1", path="connections", value=None)["value"]
        assert f"{host}:{port}" in str(known)


def test_one_that_is_killed_comes_back_with_all_its_nodes_and_the_others_do_not_notice(shared: DockerFarm) -> None:
    before = containers(shared)
    os.kill(before["shard-001"]["State"]["Pid"], signal.SIGKILL)
    until(lambda: shared.rows()["plc-1"]["restarts"] == 1 and shared.rows()["plc-1"]["state"] == "up")
    until(lambda: {row["state"] for row in shared.rows().values()} == {"up"})
    after = containers(shared)
    assert before["shard-001"]["Id"] != after["shard-001"]["Id"]
    assert before["shard-002"]["Id"] == after["shard-002"]["Id"]
    assert shared.rows()["rtu-2"]["restarts"] == 0
    answer(shared)


def test_nodes_serve_on_without_a_supervisor_and_the_next_one_hands_out_ports_too(
    shared: DockerFarm, docker_root: Path
) -> None:
    before = {name: found["Id"] for name, found in containers(shared).items()}
    os.kill(Link.open(shared.run).ask("status")["pid"], signal.SIGKILL)
    answer(shared)
    assert "nothing to do" in (said := up(docker_root)), said
    for verb in ("stop", "start"):  # its port is closed, and asked for anew
        farm(docker_root, verb, "plc-2")
    until(lambda: shared.rows()["plc-2"]["state"] == "up")
    answer(shared)
    assert before == {name: found["Id"] for name, found in containers(shared).items()}


def up(root: Path) -> str:
    """`farm up` of the plant, from a shell; what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "farm", "up", str(root / "plant.yaml")],
        cwd=ROOT,
        env={**os.environ, "PLCFARM_RUN": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_change_begins_the_shard_that_has_it_anew_and_no_other(shared: DockerFarm, docker_root: Path) -> None:
    before = {name: found["Id"] for name, found in containers(shared).items()}
    text = (docker_root / "plant.yaml").read_text()
    (docker_root / "plant.yaml").write_text(text + "nodes:\n  plc-2: {tags: {Level: {init: [1, 2, 3, 4]}}}\n")
    shared.up(load_plant(docker_root / "plant.yaml"))
    assert level(f"{OUTSIDE}.102") == [1, 2, 3, 4]
    assert level(f"{OUTSIDE}.101") == [11, 22, 33, 44]
    after = {name: found["Id"] for name, found in containers(shared).items()}
    assert [name for name in sorted(before) if before[name] != after[name]] == ["shard-001"]
    (docker_root / "plant.yaml").write_text(text)
    shared.up(load_plant(docker_root / "plant.yaml"))
    answer(shared)


def test_a_node_is_started_anew_where_it_is_and_all_of_a_container_in_another(
    shared: DockerFarm, docker_root: Path
) -> None:
    before = {name: found["Id"] for name, found in containers(shared).items()}
    farm(docker_root, "restart", "plc-2")
    answer(shared)
    assert before == {name: found["Id"] for name, found in containers(shared).items()}
    farm(docker_root, "restart", "plc-1", "plc-2")
    answer(shared)
    after = {name: found["Id"] for name, found in containers(shared).items()}
    assert [name for name in sorted(before) if before[name] != after[name]] == ["shard-001"]


def test_nodes_that_come_to_be_in_another_container_take_their_addresses_with_them(
    shared: DockerFarm, docker_root: Path
) -> None:
    farm(docker_root, "scale", "plc=4")
    assert level(f"{OUTSIDE}.104") == [11, 22, 33, 44]
    answer(shared)
    farm(docker_root, "scale", "plc=3")
    assert sorted(containers(shared)) == ["shard-001", "shard-002", "shard-003"]
    answer(shared)


def test_a_link_can_be_slow_and_no_worse(shared: DockerFarm, docker_root: Path) -> None:
    farm(docker_root, "link", "plc-1", "--delay", "200ms")
    began = time.monotonic()
    assert level(f"{OUTSIDE}.101") == [11, 22, 33, 44]
    assert time.monotonic() - began >= 0.2
    with pytest.raises(AssertionError, match="nodes that share a container share one link"):
        farm(docker_root, "link", "plc-1", "--loss", "5%")
    assert "200 ms" in shared.rows()["plc-1"]["link"], "what was refused changed nothing"
    farm(docker_root, "link", "plc-1", "--reset")
    assert shared.rows()["plc-1"]["link"] == ""


def test_an_address_that_somebody_else_has_is_said_by_the_node(shared: DockerFarm, docker_root: Path) -> None:
    with (
        socket.create_server((f"{OUTSIDE}.104", 44818)),
        pytest.raises(FarmError, match=rf"{OUTSIDE}.104:44818 of the machine: .*in use"),
    ):
        shared.up(plant(docker_root, 4))
    assert sorted(shared.rows()) == ["plc-1", "plc-2", "plc-3", "rtu-1", "rtu-2"]
    until(lambda: {row["state"] for row in shared.rows().values()} == {"up"})
    answer(shared)
