"""Controllers in containers, on a real daemon: asked by real clients, killed, adopted, taken down to the last trace."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pylogix import PLC
from pymodbus.client import ModbusTcpClient

from farm.backends.docker_engine import Engine
from farm.backends.docker_images import NODE_IMAGE, Images
from farm.errors import BackendError, FarmError
from farm.supervisor.run_directory import RunDirectory, run_directory
from farm.topology.wiring import GOOD, LinkQuality, NetworkSpec, RouterSpec
from node.control.messages import start_time
from tests.backends.contract import DockerRun
from tests.backends.docker_daemon import Daemon, links
from tests.backends.docker_farm import CELL, NET, OTHER, OUTSIDE, WORKS, DockerFarm, another, files, things
from tests.waiting import until

pytestmark = [pytest.mark.docker, pytest.mark.root]

PATIENCE = 60.0


@pytest.fixture(scope="module")
def works(docker_root: Path) -> Iterator[DockerFarm]:
    """Three nodes that are up, for tests that leave them so."""
    farm = DockerFarm(run_directory("works", docker_root))
    try:
        done = farm.up()
        assert {row["state"] for row in done["rows"]} == {"up"}
        yield farm
    finally:
        farm.down()


def level(address: str, port: int = 44818) -> list[int]:
    """What pylogix reads of the tag Level."""
    with PLC(address) as client:
        client.conn.Port = port
        answer = client.Read("Level", 4)
        assert answer.Status == "Success", answer
        found = list(answer.Value)
    client.conn.msg_socket.close()  # made by pylogix, and never closed by it
    return found


def registers(address: str, port: int = 502) -> list[int]:
    """What pymodbus reads of the first registers."""
    with ModbusTcpClient(address, port=port) as client:
        assert client.connected
        return list(client.read_holding_registers(0, count=8, device_id=1).registers)


def test_real_clients_read_them_at_their_own_addresses_and_ports(works: DockerFarm) -> None:
    assert level(f"{NET}.1") == level(f"{NET}.3") == [11, 22, 33, 44]
    assert registers(f"{NET}.2") == registers(f"{NET}.3") == [7] * 8


def test_published_ports_lead_to_them_from_the_machine(works: DockerFarm) -> None:
    assert level(f"{OUTSIDE}.1") == [11, 22, 33, 44]
    assert registers(f"{OUTSIDE}.2") == [7] * 8
    rows = works.rows()
    assert rows["plc1"]["outside"] == [f"{OUTSIDE}.1:44818"]
    assert rows["rtu1"]["outside"] == [f"{OUTSIDE}.2:502"]
    assert rows["gw1"]["outside"] == []
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.settimeout(PATIENCE)
    udp.sendto(struct.pack("<HHIIQI", 0x63, 0, 0, 0, 0, 0), (f"{OUTSIDE}.1", 44818))
    assert struct.unpack_from("<H", udp.recv(1024)) == (0x63,)
    udp.close()


def test_a_broadcast_finds_them(works: DockerFarm) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        udp.bind((str(CELL.host), 0))
        udp.settimeout(PATIENCE)
        udp.sendto(struct.pack("<HHIIQI", 0x63, 0, 0, 0, 0, 0), (f"{NET}.255", 44818))
        assert {udp.recvfrom(1024)[1][0] for _ in range(2)} == {f"{NET}.1", f"{NET}.3"}


def test_a_container_has_the_privileges_promised_and_no_more(works: DockerFarm) -> None:
    found = works.inspect("rtu1")
    host, config = found["HostConfig"], found["Config"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert host["PidsLimit"] == 64
    assert host["Memory"] == 256 << 20
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}}
    assert host["RestartPolicy"]["Name"] in ("", "no")
    assert config["User"] == "65534:65534"
    assert not any("docker.sock" in mount["Source"] for mount in found["Mounts"])
    assert {mount["Destination"]: mount["RW"] for mount in found["Mounts"]} == {
        "/run/plcfarm/shard.json": False,
        "/run/plcfarm/control": False,
        "/run/plcfarm/node.log": True,
    }
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{found['State']['Pid']}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Uid"].split()[0]) == ("1", "65534")


def test_a_container_has_the_network_of_the_file(works: DockerFarm) -> None:
    found = works.inspect("gw1")
    (endpoint,) = found["NetworkSettings"]["Networks"].values()
    assert (endpoint["IPAddress"], endpoint["IPPrefixLen"]) == (f"{NET}.3", 24)
    assert endpoint["MacAddress"] == "02:fa:0a:00:00:03"
    assert found["Config"]["Hostname"] == "sim-gw1"
    net = Path(f"/proc/{found['State']['Pid']}/root/sys/class/net/eth0")
    assert ((net / "mtu").read_text(), (net / "address").read_text()) == ("1400\n", "02:fa:0a:00:00:03\n")
    engine = Engine()
    (network,) = engine.api.networks(filters={"label": [f"plcfarm.run={works.run.run_id}", "plcfarm.network=cell"]})
    engine.close()
    assert network["Internal"]
    assert network["IPAM"]["Config"] == [{"Subnet": CELL.subnet, "Gateway": CELL.host}]


def test_labels_are_on_all_of_it(works: DockerFarm) -> None:
    found = works.inspect("plc1")["Config"]["Labels"]
    wanted = {"plcfarm.run": works.run.run_id, "plcfarm.farm": "works", "plcfarm.node": "plc1"}
    assert wanted.items() <= found.items()
    assert len(found["plcfarm.digest"]) == 16


def test_a_killed_container_is_back_and_the_others_notice_nothing(works: DockerFarm) -> None:
    before = works.rows()
    os.kill(before["plc1"]["pid"], signal.SIGKILL)
    began = time.monotonic()
    until(lambda: works.rows()["plc1"]["state"] != "up")
    until(lambda: works.rows()["plc1"]["state"] == "up")
    assert time.monotonic() - began >= 0.9, "after its back-off"
    after = works.rows()
    assert (after["plc1"]["restarts"], after["rtu1"]["restarts"]) == (1, 0)
    assert after["plc1"]["pid"] != before["plc1"]["pid"]
    assert after["rtu1"]["pid"] == before["rtu1"]["pid"]
    assert level(f"{NET}.1") == [11, 22, 33, 44]


def supervisor_of(run: RunDirectory) -> int:
    """The pid of whoever listens on the run's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.connect(str(run.farm_socket))
        return int(struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])


def test_the_next_supervisor_adopts_them(works: DockerFarm) -> None:
    before = works.rows()
    supervisor = supervisor_of(works.run)
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: start_time(supervisor) == 0)
    assert level(f"{NET}.1") == [11, 22, 33, 44], "they serve on"
    assert supervisor_of_next(works) != supervisor
    until(lambda: {row["state"] for row in works.rows().values()} == {"up"})
    after = works.rows()
    assert {name: row["pid"] for name, row in after.items()} == {name: row["pid"] for name, row in before.items()}
    os.kill(after["gw1"]["pid"], signal.SIGKILL)
    until(lambda: works.rows()["gw1"]["restarts"] == 1 and works.rows()["gw1"]["state"] == "up")


def supervisor_of_next(farm: DockerFarm) -> int:
    """The same of one that is started now."""
    farm.rows()
    return supervisor_of(farm.run)


def test_up_again_does_nothing_and_a_change_replaces_one(works: DockerFarm) -> None:
    assert works.up()["changes"] == 0
    pids = {name: row["pid"] for name, row in works.rows().items()}
    changed = replace(WORKS, nodes=(*WORKS.nodes[:2], replace(WORKS.nodes[2], hostname="another")))
    assert works.up(changed)["changes"] == 2
    assert works.inspect("gw1")["Config"]["Hostname"] == "another"
    assert {name for name, row in works.rows().items() if row["pid"] != pids[name]} == {"gw1"}
    works.up()


def test_a_pulled_cable_is_felt_and_outlives_a_restart(works: DockerFarm) -> None:
    works.up(replace(WORKS, links={"rtu1": LinkQuality(up=False)}))
    with pytest.raises(OSError, match=r"timed out|No route"):
        socket.create_connection((f"{NET}.2", 502), 1.0)
    assert "down" in works.rows()["rtu1"]["link"]
    os.kill(works.rows()["rtu1"]["pid"], signal.SIGKILL)
    until(lambda: works.rows()["rtu1"]["restarts"] == 1 and works.rows()["rtu1"]["state"] == "up")
    with pytest.raises(OSError, match=r"timed out|No route"):
        socket.create_connection((f"{NET}.2", 502), 1.0)
    works.up()
    assert registers(f"{NET}.2") == [7] * 8


def test_links_are_made_worse_by_the_kernel_and_well_again(works: DockerFarm) -> None:
    bad = {"rtu1": LinkQuality(loss=100.0), "plc1": LinkQuality(rate=200_000), "gw1": LinkQuality(delay=0.3)}
    works.up(replace(WORKS, links=bad))
    with pytest.raises(OSError, match=r"timed out|No route"):
        socket.create_connection((f"{NET}.2", 502), 1.0)
    rows = works.rows()
    assert "loss by " in rows["rtu1"]["link"]
    assert "rate by tbf" in rows["plc1"]["link"]
    began = time.monotonic()
    assert registers(f"{NET}.3") == [7] * 8
    assert time.monotonic() - began >= 0.25
    works.up()
    assert registers(f"{NET}.2") == [7] * 8
    assert not any(row["link"] for row in works.rows().values())
    rules = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    assert "link_" not in rules, "they stand in the container's own namespace"


def test_logs_are_in_a_file_of_the_run(works: DockerFarm) -> None:
    command = [sys.executable, "-m", "farm", "logs", "plc1"]
    os.kill(works.rows()["plc1"]["pid"], signal.SIGSTOP)  # what is asked of the file needs no living container
    try:
        assert subprocess.run(command, capture_output=True, text=True, timeout=60).returncode == 0
    finally:
        os.kill(works.rows()["plc1"]["pid"], signal.SIGCONT)
    assert (works.run.path / "logs" / "plc1.log").exists()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["enip_server", "--version"], "plcfarm"),
        (["modbus_sim", "--version"], "plcfarm"),
        (["python3", "-m", "node", "--help"], "usage: python -m node"),
        (["id", "-u"], "65534"),
        (["python3", "-c", "import farm"], "No module named 'farm'"),
    ],
)
def test_any_command_runs_in_the_image(docker_root: Path, command: list[str], expected: str) -> None:
    engine = Engine()
    try:
        container = engine.api.create_container(
            NODE_IMAGE, command, host_config=engine.api.create_host_config(network_mode="none")
        )
        engine.api.start(container)
        engine.api.wait(container, timeout=60)
        assert expected in engine.api.logs(container).decode()
    finally:
        engine.api.remove_container(container, force=True)
        engine.close()


def test_down_leaves_nothing_and_decoys_survive(docker_root: Path) -> None:
    farm = DockerFarm(run_directory("clean", docker_root))
    before_links = links()
    mark = f"pf-{'0' * 8}"
    engine = Engine()
    decoy = engine.api.create_container(NODE_IMAGE, ["id"], name=f"{mark}-plc1", labels={"plcfarm.run": "another"})
    net = engine.api.create_network(f"{mark}.cell", labels={"plcfarm.farm": "clean"})
    try:
        before, before_files = things(), set(files(docker_root))
        farm.up(another("clean", 1, outside=True))
        assert len(things() - before) == 3, "a container, its network, and the one for what is published"
        farm.down()
        assert things() == before
        assert set(files(docker_root)) == before_files
    finally:
        engine.api.remove_container(decoy, force=True)
        engine.api.remove_network(net["Id"])
        engine.close()
    assert links() <= before_links


@pytest.fixture
def uplink() -> Iterator[tuple[str, str]]:
    """A veth pair that stands for a real interface and the cable on it: the name of our end, and a namespace at the
    other with the last address but one of OTHER."""
    names = ("pfup0", "pfup1", "pf-beyond")
    end, peer, beyond = names
    commands = [
        ["ip", "netns", "add", beyond],
        ["ip", "link", "add", end, "up", "type", "veth", "peer", "name", peer, "netns", beyond],
        ["ip", "-n", beyond, "address", "add", f"{OTHER}.253/24", "dev", peer],
        ["ip", "-n", beyond, "link", "set", peer, "up"],
    ]
    try:
        for command in commands:
            subprocess.run(command, check=True)
        yield end, beyond
    finally:
        subprocess.run(["ip", "netns", "delete", beyond], check=False)
        subprocess.run(["ip", "link", "delete", end], check=False, stderr=subprocess.DEVNULL)


def test_a_macvlan_reaches_beyond_the_machine(docker_root: Path, uplink: tuple[str, str]) -> None:
    farm = DockerFarm(run_directory("beyond", docker_root))
    plant = another("beyond", 1)
    (network,) = plant.networks
    try:
        beyond = replace(plant, networks=(replace(network, driver="macvlan", uplink=uplink[0]),))
        done = farm.up(beyond)
        assert [row["state"] for row in done["rows"]] == ["up"], "it listens; it cannot be asked from here"
        with pytest.raises(FarmError, match="plc1: shape: its container is on no bridge"):
            farm.up(replace(beyond, links={"plc1": LinkQuality(up=False)}))
        script = f"import socket; socket.create_connection(('{OTHER}.1', 44818), 5)"
        subprocess.run(["ip", "netns", "exec", uplink[1], sys.executable, "-c", script], check=True, timeout=30)
    finally:
        farm.down()


def refused(run: DockerRun, act: Callable[[], Any]) -> str:
    """The line of what it raises, which leaves nothing."""
    with pytest.raises(BackendError) as caught:
        act()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_in_the_way_is_named(docker_run: DockerRun, daemon: Daemon) -> None:
    backend, engine = docker_run.backend, Engine()
    mine = NetworkSpec("lab", f"{OTHER}.128/25", f"{OTHER}.254")
    other = engine.api.create_network("somebodys", ipam={"Config": [{"Subnet": f"{OTHER}.192/26"}]}, internal=True)
    try:
        line = refused(docker_run, lambda: backend.create_network(mine))
        assert f"{OTHER}.128/25 is taken by the Docker network somebodys ({OTHER}.192/26)" in line
        router = RouterSpec("fw", ())
        assert "no routers between networks: use backend netns" in refused(
            docker_run, lambda: backend.create_network(router)
        )
        spec = docker_run.one("plc-1")
        backend.create(spec)
        name = docker_run.container("plc-1")
        engine.api.create_container(NODE_IMAGE, ["id"], name=name)
        assert f"a container {name} which is not this farm's" in refused(docker_run, lambda: backend.start("plc-1"))
        engine.api.remove_container(name)
        assert backend.shape("plc-1", LinkQuality(delay=0.1)).left == LinkQuality(delay=0.1)
        backend.shape("plc-1", GOOD)
    finally:
        engine.api.remove_network(other["Id"])
        engine.close()


def test_a_missing_image_is_built_or_said_to_be_missing(docker_run: DockerRun) -> None:
    engine = Engine()
    images = Images(engine)
    tag = images.ready()
    base = engine.api.inspect_image("plcfarm/base:latest")["Id"]
    docker_run.backend.create(docker_run.one("plc-1"))
    try:
        engine.api.remove_image(tag, force=True)
        engine.api.remove_image(f"{NODE_IMAGE}:latest", force=True)
        engine.api.tag(base, "kept", "latest")
        engine.api.remove_image("plcfarm/base:latest")
        line = refused(docker_run, lambda: docker_run.backend.start("plc-1"))
        assert f"there is no {tag} and no base" in line
        assert "`farm image base`" in line
    finally:
        engine.api.tag(base, "plcfarm/base", "latest")
        engine.api.remove_image("kept:latest")
        engine.close()
    assert docker_run.backend.start("plc-1").alive, "built"


def test_what_ends_at_once_says_why(docker_run: DockerRun) -> None:
    docker_run.backend.create(docker_run.one("plc-1"))
    docker_run.control.parent.rename(docker_run.folder / "elsewhere")
    try:
        assert "plc-1: start: " in refused(docker_run, lambda: docker_run.backend.start("plc-1"))
    finally:
        (docker_run.folder / "elsewhere").rename(docker_run.control.parent)
    assert docker_run.left() == []
