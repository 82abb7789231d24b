"""Nodes that a Swarm places: found where it has put them, and again elsewhere when a host dies."""

import json
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from docker.types import ContainerSpec, Placement, TaskTemplate

from farm.backends.docker_labels import MACHINE, RUN, container_name, run_labels
from farm.backends.swarm_leftovers import end_services, find_services
from tests.backends.swarm_cluster import Cluster
from tests.backends.swarm_farm import LEVEL, ROOT, SwarmFarm, plant
from tests.waiting import until

pytestmark = [pytest.mark.docker, pytest.mark.root, pytest.mark.timeout(300)]

HEARTBEAT = 1_000_000_000
"""Nanoseconds between two signs of life of a host: a fifth of what a Swarm has by itself, for the test's sake."""
GROUPS = """
  plc: {kind: logix, count: 3, use: plc, host: [h2, h3]}
  rtu: {kind: modbus, count: 2, holding: {"@0-7": 7}, host: h2}"""
IDENTITY = """
import socket, struct, sys
with socket.create_connection((sys.argv[1], 44818), 10) as sock:
    sock.sendall(struct.pack("<HHIIQI", 0x63, 0, 0, 0, 0, 0))
    print(socket.inet_ntoa(sock.recv(1024)[36:40]))
"""
"""What address a device says it has: ListIdentity, the sin_addr of its first item (CIP Vol 2, 2-4.2)."""


@pytest.fixture(scope="module")
def placed(swarm_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwarmFarm]:
    """Five nodes that the engine has placed. When all is done nothing is left of them."""
    clean = {host.name: host.things() for host in swarm_cluster.hosts}
    with swarm_cluster.engine(swarm_cluster.hosts[0]) as engine:
        swarm = engine.api.inspect_swarm()
        quick = {**swarm["Spec"], "Dispatcher": {"HeartbeatPeriod": HEARTBEAT}}
        engine.api.update_swarm(swarm["Version"]["Index"], swarm_spec=quick)
    farm = SwarmFarm(swarm_cluster, tmp_path_factory.mktemp("pf"))
    farm.folder.chmod(0o711)
    farm.write(engine_plant(swarm_cluster))
    with swarm_cluster.engine(swarm_cluster.hosts[0]) as engine:  # what an `up` leaves that is killed at that moment
        name, marks = container_name(farm.run_id("placed"), "plc-1"), run_labels(farm.run_id("placed"), "placed")
        engine.api.create_config(name, b"of another day", marks)
        engine.api.create_secret(name, b"of another day", marks)
    try:
        farm.farm("up", str(farm.folder / "plant.yaml"), "--timeout", "90")
        yield farm
    finally:
        for host in swarm_cluster.hosts:
            if not host.answers():
                host.start()
                host.wait()
        farm.farm("down", "--all")  # which is no error where a test has done it
    until(lambda: farm.things() == clean)
    with swarm_cluster.engine(swarm_cluster.hosts[0]) as engine:
        assert (engine.api.services(), engine.api.configs(), engine.api.secrets()) == ([], [], [])


def engine_plant(cluster: Cluster, groups: str = GROUPS, nodes: str = "") -> str:
    """The plant file."""
    text = plant(cluster, "placed", groups=groups, nodes=nodes)
    return text.replace("hosts:", "placement: engine\nhosts:", 1)


def rows(placed: SwarmFarm) -> dict[str, dict[str, Any]]:
    """`farm ps`, by node."""
    return placed.rows("placed")


def answer(placed: SwarmFarm, host: int = 0) -> None:
    """All nodes do, to real clients in a container on that host, where `farm ps` says they are."""
    found = rows(placed)
    asked = [(name, "modbus" if row["kind"] == "modbus" else "logix", row["address"]) for name, row in found.items()]
    wanted = {name: [7] * 8 if row["kind"] == "modbus" else LEVEL for name, row in found.items()}
    assert placed.ask(placed.cluster.hosts[host], "cell", asked, "placed") == wanted


def places(placed: SwarmFarm) -> dict[str, tuple[Any, ...]]:
    """How often each was started, where it is, and at which address: what is another when it was started anew."""
    return {name: (row["restarts"], row["host"], row["address"]) for name, row in rows(placed).items()}


def containers(placed: SwarmFarm) -> list[str]:
    """The nodes of all containers of all hosts, each as often as it has one."""
    found = []
    for host in placed.cluster.hosts:
        with placed.cluster.engine(host) as engine:
            listed = engine.api.containers(all=True, filters={"label": ["plcfarm.node"]})
            found += [str(each["Labels"]["plcfarm.node"]) for each in listed if each["State"] == "running"]
    return sorted(found)


def test_they_are_found_where_the_engine_has_put_them(placed: SwarmFarm) -> None:
    found = rows(placed)
    assert {row["state"] for row in found.values()} == {"up"}
    assert {row["host"] for name, row in found.items() if name.startswith("rtu")} == {"h2"}
    assert {row["host"] for row in found.values()} <= {"h2", "h3"}
    assert len({row["address"] for row in found.values()}) == 5
    answer(placed)
    hosts = placed.farm("hosts", "--name", "placed").stdout
    assert all(f"{row['address']}  {name}" in hosts.replace("   ", "  ") for name, row in found.items()), hosts
    show = ("exec", "--name", "placed", "rtu-2", "--", "python3", "-c", "import os; print(os.uname().nodename)")
    assert placed.farm(*show).stdout == "rtu-2\n"
    assert placed.farm("read", "plc-2", "Level").stdout.split() == [str(value) for value in LEVEL]


def test_a_node_says_that_it_is_where_it_is(placed: SwarmFarm) -> None:
    row = rows(placed)["plc-1"]
    (outside,) = row["outside"]
    command = [sys.executable, "-c", IDENTITY, outside.partition(":")[0]]
    said = placed.cluster.hosts[0].run(command, cwd=ROOT, capture_output=True, timeout=60).stdout.strip()
    assert said == row["address"]
    assert socket.inet_aton(said)


def test_a_service_is_what_was_promised(placed: SwarmFarm) -> None:
    with placed.cluster.engine(placed.cluster.hosts[0]) as engine:
        spec = engine.api.inspect_service(container_name(placed.run_id("placed"), "plc-1"))["Spec"]
    task, container = spec["TaskTemplate"], spec["TaskTemplate"]["ContainerSpec"]
    assert spec["EndpointSpec"]["Mode"] == "dnsrr"
    assert (container["User"], container["ReadOnly"], container["CapabilityDrop"]) == ("65534:65534", True, ["ALL"])
    assert task["Resources"]["Limits"] == {"MemoryBytes": 256 << 20, "Pids": 64}
    assert container["Hostname"] == "plc-1"
    assert [each["File"]["Name"] for each in container["Secrets"]] == ["token"]
    assert not any("TOKEN" in variable for variable in container["Env"])


def test_what_ends_is_started_anew_by_the_engine_and_followed(placed: SwarmFarm) -> None:
    with placed.cluster.engine(placed.cluster.hosts[1]) as engine:
        (found,) = engine.api.containers(filters={"label": ["plcfarm.node=rtu-1"]})
        engine.api.kill(found["Id"], "SIGKILL")
    until(lambda: rows(placed)["rtu-1"]["restarts"] == 1 and rows(placed)["rtu-1"]["state"] == "up")
    assert rows(placed)["rtu-1"]["host"] == "h2"
    answer(placed)


def test_when_a_host_dies_its_nodes_are_on_another_and_nothing_is_doubled_when_it_is_back(placed: SwarmFarm) -> None:
    before = rows(placed)
    gone = placed.cluster.hosts[2]
    lost = [name for name, row in before.items() if row["host"] == "h3"]
    assert lost, "the engine has put all on one host"
    gone.kill()
    until(lambda: all(row["state"] == "up" and row["host"] == "h2" for row in rows(placed).values()))
    after = rows(placed)
    assert {name for name, row in after.items() if row["restarts"] > before[name]["restarts"]} == set(lost)
    answer(placed)
    again = placed.farm("up", str(placed.folder / "plant.yaml"))
    assert f"host h3: no engine answers at {gone.url}; nothing is put there" in again.stderr
    assert "nothing to do, 5 nodes up" in again.stderr
    placed.write(engine_plant(placed.cluster, nodes="\n  there: {kind: logix, use: plc, host: h3}"))
    refused = placed.farm("up", str(placed.folder / "plant.yaml"), fails=True)
    assert f"error: there: place: it may be on h3 only: no engine answers at {gone.url}" in refused.stderr
    assert set(rows(placed)) == set(after)
    gone.start()
    gone.wait()
    with placed.cluster.engine(placed.cluster.hosts[0]) as engine:
        until(lambda: {node["Status"]["State"] for node in engine.api.nodes()} == {"ready"})
    known = places(placed)
    until(lambda: containers(placed) == sorted(after))
    assert places(placed) == known
    answer(placed, 2)


def test_a_second_up_moves_nothing_where_nodes_may_be_elsewhere_too(placed: SwarmFarm) -> None:
    before = places(placed)
    placed.write(engine_plant(placed.cluster, groups=GROUPS.replace("host: h2}", "host: [h1, h2]}")))
    again = placed.farm("up", str(placed.folder / "plant.yaml"))
    assert "nothing to do, 5 nodes up" in again.stderr
    with placed.cluster.engine(placed.cluster.hosts[0]) as engine:
        spec = engine.api.inspect_service(container_name(placed.run_id("placed"), "rtu-1"))["Spec"]
        (third,) = [each["ID"] for each in engine.api.nodes() if each["Status"]["Addr"].endswith("13")]
    assert spec["TaskTemplate"]["Placement"]["Constraints"] == [f"node.id!={third}"]
    time.sleep(2)  # an engine that was about to start them anew would have begun
    assert places(placed) == before
    answer(placed)


def test_services_of_a_run_whose_folder_is_lost_are_found_and_no_others(placed: SwarmFarm) -> None:
    lost = "lost-0123456789abcdef"
    with placed.cluster.engine(placed.cluster.hosts[0]) as engine:
        nowhere = TaskTemplate(ContainerSpec("none"), placement=Placement(constraints=["node.id==none"]))
        for name, marks in (("lost", run_labels(lost, "lost")), ("theirs", {RUN: "theirs", MACHINE: "another"})):
            engine.api.create_service(nowhere, name=name, labels=marks)
            engine.api.create_config(name, b"x", marks)
        url = placed.cluster.hosts[0].url
        found = {left.run: left for left in find_services(url)}
        assert set(found) == {lost, placed.run_id("placed")}
        assert (found[lost].farm, found[lost].names) == ("lost", ("lost",))
        assert find_services(placed.cluster.hosts[1].url) == [], "a worker knows of none"
        end_services(found[lost], url)
        left = {each["Spec"]["Name"] for each in (*engine.api.services(), *engine.api.configs())}
        engine.api.remove_service("theirs")
        engine.api.remove_config("theirs")
    assert "lost" not in left
    assert {"theirs", container_name(placed.run_id("placed"), "plc-1")} <= left


def test_down_takes_the_services_away(placed: SwarmFarm) -> None:
    down = placed.farm("down", "placed")
    assert "5 nodes down" in down.stdout + down.stderr
    with placed.cluster.engine(placed.cluster.hosts[0]) as engine:
        assert engine.api.services() == []
    assert json.loads(placed.farm("ps", "--json").stdout or "[]") == []
