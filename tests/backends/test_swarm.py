"""A plant over three engines of a Swarm: asked by real clients from other hosts, through what happens to hosts, and
taken down to the last trace."""

import io
import json
import sys
import tarfile
import time
from collections.abc import Iterator
from typing import Any

import pytest

from farm.backends.confinement import INSIDE
from farm.backends.docker_labels import container_name
from farm.backends.swarm_containers import put_files
from farm.backends.swarm_relay import FILE
from tests.backends.swarm_cluster import Cluster
from tests.backends.swarm_farm import LEVEL, SwarmFarm, plant
from tests.waiting import until

pytestmark = [pytest.mark.docker, pytest.mark.root, pytest.mark.timeout(300)]

RELAY = "farm.relay"
GROUPS = """
  plc: {kind: logix, count: 3, use: plc}
  rtu: {kind: modbus, count: 3, holding: {"@0-7": 7}}"""
NODES = """
  far: {kind: logix, use: plc, host: h3, address: 10.66.0.200, mac: "02:fa:00:00:00:c8", hostname: line-7}
  above: {kind: modbus, network: super, holding: {"@0-7": 7}, host: [h2, h3]}"""


@pytest.fixture(scope="module")
def clean(swarm_cluster: Cluster) -> dict[str, set[str]]:
    """What the engines have of their own before there is any farm."""
    return {host.name: host.things() for host in swarm_cluster.hosts}


@pytest.fixture(scope="module")
def works(
    swarm_cluster: Cluster, clean: dict[str, set[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SwarmFarm]:
    """A farm of eight nodes that are up. When all is done it goes down, and leaves nothing."""
    farm = SwarmFarm(swarm_cluster, tmp_path_factory.mktemp("pf"))
    farm.folder.chmod(0o711)
    farm.write(plant(swarm_cluster, groups=GROUPS, nodes=NODES))
    try:
        farm.farm("up", str(farm.folder / "plant.yaml"), "--timeout", "100")
        yield farm
    finally:
        for host in swarm_cluster.hosts:
            if not host.answers():
                host.start()
                host.wait()
        if (farm.folder / "works" / "run.json").exists():
            farm.farm("down", "works")
    assert farm.things() == clean


def can_connect(works: SwarmFarm, address: str) -> bool:
    """Whether a Logix node answers at an address of the first host's."""
    code = f"from pylogix import PLC\nwith PLC({address!r}) as plc: print(plc.Read('Level').Status)"
    done = works.cluster.hosts[0].run([sys.executable, "-c", code], capture_output=True, timeout=60)
    return done.stdout.strip() == "Success"


def lead_nowhere(works: SwarmFarm) -> None:
    """Has the relay be as it is when whoever made it was killed before it had said where the nodes are."""
    with works.cluster.engine(works.cluster.hosts[0]) as engine:
        relay = container_name(works.run_id(), RELAY)
        parts, _ = engine.api.get_archive(relay, f"{INSIDE}/{FILE}")
        with tarfile.open(fileobj=io.BytesIO(b"".join(parts))) as packed:
            file = packed.extractfile(FILE)
            assert file is not None
            body = json.load(file)
        put_files(engine.api, relay, INSIDE, {FILE: json.dumps({**body, "forwards": []}).encode()})
        engine.api.kill(relay, "SIGHUP")
    until(lambda: not can_connect(works, "127.66.0.200"))


def speaks(row: dict[str, Any]) -> str:
    """The kind of client that a node wants."""
    return "modbus" if row["kind"] == "modbus" else "logix"


def test_each_is_at_its_address_for_real_clients_on_another_host(works: SwarmFarm) -> None:
    rows = works.rows()
    assert {row["state"] for row in rows.values()} == {"up"}
    assert rows["far"]["address"] == "10.66.0.200"
    wanted: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for host in works.cluster.hosts[1:]:
        asked = [row for row in rows.values() if row["network"] == "cell" and row["host"] != host.name]
        wanted |= {row["name"]: [7] * 8 if row["kind"] == "modbus" else LEVEL for row in asked}
        found |= works.ask(host, "cell", [(row["name"], speaks(row), row["address"]) for row in asked])
    assert len(wanted) == 7
    assert found == wanted


def test_zones_stay_apart(works: SwarmFarm) -> None:
    row = works.rows()["plc-1"]
    above = works.rows()["above"]["address"]
    found = works.ask(
        works.cluster.hosts[0], "super", [("above", "modbus", above), ("plc-1", "connect", row["address"])]
    )
    assert found["above"] == [7] * 8
    assert "reached" not in found["plc-1"]
    assert "unreachable" in found["plc-1"] or "timed out" in found["plc-1"]


def test_nodes_are_on_the_hosts_of_the_file_and_else_balanced(works: SwarmFarm) -> None:
    hosts = {name: row["host"] for name, row in works.rows().items()}
    assert hosts["far"] == "h3"
    assert hosts["above"] in ("h2", "h3")
    load = sorted(list(hosts.values()).count(name) for name in ("h1", "h2", "h3"))
    assert load[-1] - load[0] <= 1
    again = works.farm("up", str(works.folder / "plant.yaml"))
    assert "nothing to do, 8 nodes up" in again.stderr
    assert {name: row["host"] for name, row in works.rows().items()} == hosts


def test_a_node_is_to_move_when_the_file_says_so(works: SwarmFarm) -> None:
    path = works.folder / "moved.yaml"
    path.write_text((works.folder / "plant.yaml").read_text().replace("host: h3, address", "host: h2, address"))
    done = works.farm("up", str(path), "--dry-run")
    assert "stop shard far (far): it may not stay on host h3" in done.stdout
    assert len(done.stdout.splitlines()) == 2
    assert works.rows()["far"]["host"] == "h3", "that was only asked"


def test_an_up_that_is_refused_leaves_the_farm_as_it_was(works: SwarmFarm) -> None:
    before = {name: (row["state"], row["host"], row["error"]) for name, row in works.rows().items()}
    path = works.folder / "wrong.yaml"
    path.write_text((works.folder / "plant.yaml").read_text().replace(works.cluster.hosts[1].url, "unix:///nowhere"))
    done = works.farm("up", str(path), fails=True)
    assert "error: h2: reach: no engine answers at unix:///nowhere: see to it, or take it out" in done.stderr
    assert {name: (row["state"], row["host"], row["error"]) for name, row in works.rows().items()} == before


def test_a_container_has_the_privileges_promised_and_the_identity_of_the_file(works: SwarmFarm) -> None:
    found = works.container(works.cluster.hosts[2], "far")
    host, config = found["HostConfig"], found["Config"]
    assert (host["CapDrop"], host["CapAdd"], host["SecurityOpt"]) == (["ALL"], None, ["no-new-privileges"])
    assert (host["ReadonlyRootfs"], host["PidsLimit"], host["Memory"]) == (True, 64, 256 << 20)
    assert (config["User"], config["Hostname"]) == ("65534:65534", "line-7")
    assert host["Binds"] is None
    assert [(mount["Type"], mount["Destination"]) for mount in found["Mounts"]] == [("volume", "/run/plcfarm")]
    endpoint = next(each for name, each in found["NetworkSettings"]["Networks"].items() if name.endswith("-cell-net"))
    assert (endpoint["IPAddress"], endpoint["MacAddress"]) == ("10.66.0.200", "02:fa:00:00:00:c8")
    with works.cluster.engine(works.cluster.hosts[0]) as engine:
        (network,) = engine.api.networks(filters={"label": ["plcfarm.network=cell"]})
    assert (network["Driver"], network["Internal"], network["Attachable"]) == ("overlay", True, True)
    assert network["Options"]["com.docker.network.driver.mtu"] == "1400"


def test_the_relay_leads_to_them_from_its_host_and_is_started_again_when_it_ends(works: SwarmFarm) -> None:
    assert works.rows()["far"]["outside"] == ["127.66.0.200:44818"]
    assert can_connect(works, "127.66.0.200")
    with works.cluster.engine(works.cluster.hosts[0]) as engine:
        relay = container_name(works.run_id(), RELAY)
        engine.api.kill(relay, "SIGKILL")
        until(lambda: engine.api.inspect_container(relay)["State"]["Running"])
    until(lambda: {row["condition"] for row in works.rows().values()} == {"up"})
    assert works.farm("read", "far", "Level").stdout.split() == [str(value) for value in LEVEL]
    assert sum(row["restarts"] for row in works.rows().values()) == 0


def test_what_a_node_prints_is_fetched_also_after_it_died(works: SwarmFarm) -> None:
    rows = works.rows()
    name = next(name for name, row in rows.items() if row["host"] == "h2" and name.startswith("plc"))
    host = works.cluster.hosts[1]
    with works.cluster.engine(host) as engine:
        container = container_name(works.run_id(), name)
        says = engine.api.exec_create(container, ["sh", "-c", "echo its last words > /proc/1/fd/2"])
        engine.api.exec_start(says["Id"])
        engine.api.kill(container, "SIGKILL")
    until(lambda: works.rows()[name]["restarts"] == 1 and works.rows()[name]["state"] == "up")
    assert sum(row["restarts"] for row in works.rows().values()) == 1
    assert works.rows()[name]["host"] == "h2"
    assert works.farm("logs", name).stdout.count("its last words") == 1


def test_the_next_supervisor_finds_all_of_them(works: SwarmFarm) -> None:
    def containers() -> set[str]:
        return {name for each in works.things().values() for name in each if name.startswith("container")}

    before, restarts = containers(), {name: row["restarts"] for name, row in works.rows().items()}
    lead_nowhere(works)
    works.kill_supervisor()
    assert "127.66.0.200:44818" in works.farm("ps").stdout
    until(lambda: {row["state"] for row in works.rows().values()} == {"up"})
    assert containers() == before
    assert {name: row["restarts"] for name, row in works.rows().items()} == restarts
    until(lambda: can_connect(works, "127.66.0.200"))


def test_a_host_that_is_gone_is_shown_and_nothing_waits_for_it(works: SwarmFarm, clean: dict[str, set[str]]) -> None:
    rows = works.rows()
    gone = works.cluster.hosts[2]
    there = next(name for name, row in rows.items() if row["host"] == "h1" and row["kind"] == "logix")
    other, before = next((name, row["restarts"]) for name, row in rows.items() if row["host"] == "h2")
    gone.kill()
    until(lambda: works.rows()["far"]["state"] == "down")
    works.kill_supervisor()
    works.farm("ps")
    with works.cluster.engine(works.cluster.hosts[1]) as engine:
        engine.api.kill(container_name(works.run_id(), other), "SIGKILL")
    until(lambda: works.rows()[other]["restarts"] == before + 1 and works.rows()[other]["state"] == "up")
    until(lambda: works.rows()["far"]["state"] == "down")
    began = time.monotonic()
    rows = works.rows()
    assert f"host h3: no engine answers at {gone.url}" in rows["far"]["error"]
    assert {row["state"] for row in rows.values() if row["host"] != "h3"} == {"up"}
    assert works.farm("read", there, "Level").stdout.split() == [str(value) for value in LEVEL]
    assert time.monotonic() - began < 15
    refused = works.farm("up", str(works.folder / "plant.yaml"), fails=True)
    assert f"error: h3: reach: no engine answers at {gone.url}" in refused.stderr
    down = works.farm("down", "works", fails=True)
    assert f"no engine answers at {gone.url}; what it has of this farm stays there" in down.stderr
    gone.start()
    gone.wait()
    works.farm("down", "works")
    until(lambda: works.things() == clean)


def test_doctor_looks_at_every_host(works: SwarmFarm) -> None:
    path = works.write(plant(works.cluster, groups=GROUPS))
    checks = {each["what"]: each for each in json.loads(works.farm("doctor", str(path), "--json").stdout)}
    assert checks["swarm"]["found"] == "3 hosts, managed by h1"
    assert checks["host h3"]["found"].endswith(f"a worker at {works.cluster.hosts[2].address}")
    assert {checks[what]["state"] for what in ("host h1", "host h2", "host h3", "swarm", "overlay ports")} == {"ok"}
    assert checks["swarm image"]["found"].endswith("is on every host")
    path.write_text(path.read_text().replace(works.cluster.hosts[2].url, "unix:///nowhere"))
    checks = {each["what"]: each for each in json.loads(works.farm("doctor", str(path), "--json", fails=True).stdout)}
    assert (checks["host h3"]["state"], checks["host h3"]["found"]) == (
        "missing",
        "no engine answers at unix:///nowhere",
    )


def test_an_engine_that_refuses_is_named_and_leaves_nothing(works: SwarmFarm, clean: dict[str, set[str]]) -> None:
    text = plant(works.cluster, "refused", groups=GROUPS)
    for before, after, line in (
        (
            works.cluster.hosts[1].url,
            "unix:///nowhere/sock",
            "error: h2: reach: no engine answers at unix:///nowhere/sock",
        ),
        (works.cluster.hosts[1].url, works.cluster.hosts[0].url, "error: h2: prepare: it is the engine of host h1 too"),
    ):
        path = works.write(text.replace(before, after, 1))
        done = works.farm("up", str(path), fails=True)
        assert [each for each in done.stderr.splitlines() if each.startswith(line)], done.stderr
        assert works.things() == clean
