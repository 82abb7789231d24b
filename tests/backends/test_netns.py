"""Nodes in real namespaces: what they have there, what they are without, and that it comes back and goes whole."""

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.backends import netns_leftovers, pids
from farm.backends.forked import FIRST_USER, USERS
from farm.backends.netns import NetnsBackend, space_of
from farm.backends.netns_spaces import inside
from farm.backends.netns_switch import SWITCH
from farm.backends.netns_wiring import bridge_name, host_port, port_name
from farm.backends.observed import ShardSpec
from farm.backends.rtnetlink import Rtnetlink, delete_link
from farm.errors import BackendError
from farm.topology.wiring import GOOD, LinkQuality
from node.client.aio import probe_enip
from node.client.modbus_aio import probe_modbus
from node.config.model import InterfaceConfig, NodeConfig
from tests.backends.contract import Run, dead
from tests.backends.networks import CELL, LAB, a_network, interface, networked

pytestmark = [pytest.mark.net, pytest.mark.root]


@pytest.fixture
def run(netns_run: Run) -> Run:
    """With the network LAB."""
    backend_of(netns_run).create_network(LAB)
    return netns_run


def backend_of(run: Run) -> NetnsBackend:
    assert isinstance(run.backend, NetnsBackend)
    return run.backend


def a_shard(number: int, *interfaces: InterfaceConfig) -> ShardSpec:
    node = networked(number, *interfaces)
    return ShardSpec(node.name, (node,))


def ip(run: Run, space: str, *arguments: str) -> Any:
    """What `ip -j` says in a namespace of the run."""
    pin = backend_of(run).spaces.pin(space)
    done = subprocess.run(
        ["nsenter", f"--net={pin}", "ip", "-j", "-d", *arguments], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout or "[]")


def setting(run: Run, space: str, name: str) -> str:
    return inside(backend_of(run).spaces.pin(space), lambda: Path("/proc/sys/net", name).read_text().strip())


def answers(node: NodeConfig) -> bool:
    """Whether it answers both protocols at its own address, from here."""

    async def ask() -> None:
        await probe_enip(node.address, 44818, 5.0)
        await probe_modbus(node.address, 502, 255, 5.0)

    asyncio.run(ask())
    return True


def reaches(run: Run, space: str, address: str, port: int = 44818, seconds: float = 5.0) -> bool:
    """Whether a connection can be made from a namespace."""

    def connect() -> bool:
        try:
            socket.create_connection((address, port), seconds).close()
        except OSError:
            return False
        return True

    return inside(backend_of(run).spaces.pin(space), connect)


def test_a_node_has_what_its_interface_says(run: Run) -> None:
    lan = interface(LAB, 7, mtu=1400, gateway=LAB.host, routes=(("10.99.0.0/16", LAB.watch),))
    spec = a_shard(7, lan)
    run.up(spec)
    assert answers(spec.nodes[0])
    lo, eth0 = ip(run, "node.plc-7", "addr")
    assert (lo["ifname"], lo["operstate"]) == ("lo", "UNKNOWN")
    assert (eth0["ifname"], eth0["mtu"], eth0["address"], eth0["operstate"]) == ("eth0", 1400, lan.mac, "UP")
    assert [(info["local"], info["prefixlen"]) for info in eth0["addr_info"]] == [(lan.address, 16)]
    routes = {(route["dst"], route.get("gateway")) for route in ip(run, "node.plc-7", "route")}
    assert routes == {("default", LAB.host), ("10.99.0.0/16", LAB.watch), (LAB.subnet, None)}
    assert {entry["dst"]: entry["state"] for entry in ip(run, "node.plc-7", "neigh")} == {
        LAB.host: ["PERMANENT"],
        LAB.watch: ["PERMANENT"],
    }
    port = next(link for link in ip(run, SWITCH, "link") if link["ifname"] == port_name("node.plc-7", 0))
    assert (port["master"], port["mtu"]) == (bridge_name("lab", 0), 1400)
    assert port["ifalias"].startswith("node.plc-7 eth0 lab ")


def test_the_machine_and_the_farm_know_each_node_for_good(run: Run) -> None:
    run.up(a_shard(1))
    mac, address = interface(LAB, 1).mac, interface(LAB, 1).address

    def known(neighbours: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
        return [(entry["lladdr"], entry["state"]) for entry in neighbours if entry["dst"] == address]

    assert known(ip(run, SWITCH, "neigh")) == [(mac, ["PERMANENT"])]
    assert known(json.loads(subprocess.check_output(["ip", "-j", "neigh"]))) == [(mac, ["PERMANENT"])]
    backend_of(run).remove("plc-1")
    assert known(ip(run, SWITCH, "neigh")) == []
    assert known(json.loads(subprocess.check_output(["ip", "-j", "neigh"]))) == []


def test_nothing_is_forwarded_and_low_ports_are_free(run: Run) -> None:
    run.up(a_shard(1))
    for space in (SWITCH, "node.plc-1"):
        assert setting(run, space, "ipv4/ip_forward") == "0"
    assert setting(run, "node.plc-1", "ipv4/ip_unprivileged_port_start") == "0"
    host = next(
        link
        for link in json.loads(subprocess.check_output(["ip", "-j", "addr"]))
        if link["ifname"] == name_of_host_end(run)
    )
    assert [info["local"] for info in host["addr_info"]] == [LAB.host], "no IPv6 either"
    assert Path(f"/proc/sys/net/ipv4/conf/{host['ifname']}/forwarding").read_text().strip() == "0"


def name_of_host_end(run: Run) -> str:
    return f"{backend_of(run).spaces.mark}.0"


def test_no_ipv6_unless_it_is_asked_for(run: Run) -> None:
    six = replace(CELL, ipv6="fd00:77::/64")
    backend_of(run).create_network(six)
    run.up(a_shard(1), *(a_shard(n, interface(six, n, ipv6=f"fd00:77::{n}/64")) for n in (2, 3)))
    assert [info["family"] for link in ip(run, "node.plc-1", "addr") for info in link["addr_info"]] == ["inet", "inet"]
    assert setting(run, "node.plc-1", "ipv6/conf/all/disable_ipv6") == "1"
    assert reaches(run, "node.plc-2", "fd00:77::3", 44818)
    assert reaches(run, "node.plc-2", "fd00:77::3", 502)
    assert not reaches(run, "node.plc-2", "fd00:77::1", 502, 0.2)


def test_a_node_of_two_networks_listens_on_both(run: Run) -> None:
    backend_of(run).create_network(CELL)
    both = a_shard(1, interface(LAB, 1), interface(CELL, 1))
    run.up(both, a_shard(2, interface(CELL, 2)))
    assert answers(both.nodes[0])
    assert reaches(run, "node.plc-2", interface(CELL, 1).address, 44818)
    assert reaches(run, "node.plc-2", interface(CELL, 1).address, 502)
    assert not reaches(run, "node.plc-2", interface(LAB, 1).address, 502, 0.3), "networks are not joined by their nodes"


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_a_node_is_nobody(run: Run) -> None:
    shards = run.up(a_shard(1), a_shard(2))
    users = []
    for shard in shards:
        found = status(shard.pid)
        assert [found[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == ["0" * 16] * 5
        assert found["NoNewPrivs"] == "1"
        assert found["Groups"] == ""
        (user,) = {*found["Uid"].split(), *found["Gid"].split()}
        assert FIRST_USER <= int(user) < FIRST_USER + USERS
        users.append(user)
        limits = Path(f"/proc/{shard.pid}/limits").read_text()
        assert "Max core file size        0  " in limits
        assert "Max processes             64 " in limits
    assert users[0] != users[1]
    pids.end(shards[0].pid, shards[0].started, 0.0)
    run.farm.ready.clear()
    (again,) = run.up(a_shard(1))
    assert status(again.pid)["Uid"].split() == [users[0]] * 4


def test_it_reports_to_the_next_supervisor_and_remembers_what_it_serves(run: Run) -> None:
    (shard,) = run.up(a_shard(1))
    farm = run.another_farm()
    farm.wait_for(lambda: "plc-1" in farm.ready)
    assert run.again().observe().shards == (shard,)


def test_what_is_right_stays_and_what_is_not_is_made_anew(run: Run) -> None:
    (shard,) = run.up(a_shard(1))
    backend = backend_of(run)
    pin = backend.spaces.pin("node.plc-1")
    first = pin.stat().st_ino
    pids.end(shard.pid, shard.started, 0.0)
    run.up(a_shard(1))
    assert pin.stat().st_ino == first
    run.backend.stop(run.backend.observe().shards[0], 2.0)
    with inside(backend.switch.namespace, Rtnetlink) as kernel:
        kernel.send([delete_link(port_name("node.plc-1", 0))])
    spec = a_shard(1)
    run.farm.ready.clear()
    run.up(spec)
    assert answers(spec.nodes[0])


def test_namespaces_left_by_a_kill_are_in_nobodys_way(run: Run) -> None:
    backend = backend_of(run)
    backend.spaces.make("node.plc-1", lambda: None)
    backend.spaces.pin("node.plc-2").touch()
    specs = [a_shard(1), a_shard(2)]
    run.up(*specs)
    assert all(answers(spec.nodes[0]) for spec in specs)


def test_a_living_shard_without_its_port_or_network_has_to_be_replaced(run: Run) -> None:
    first, second = run.up(a_shard(1), a_shard(2))
    backend = backend_of(run)
    with inside(backend.switch.namespace, Rtnetlink) as kernel:
        kernel.send([delete_link(port_name("node.plc-1", 0))])
        assert backend.observe().shards == (replace(first, nodes=()), second)
        assert backend.observe().networks == (LAB,)
        kernel.send([delete_link(host_port("lab"))])
        assert backend.observe().networks == ()
        assert backend.observe().shards == (replace(first, nodes=()), replace(second, nodes=()))


def test_a_switch_that_was_unpinned_is_pinned_again(run: Run) -> None:
    spec = a_shard(1)
    run.up(spec)
    backend = backend_of(run)
    inode = backend.spaces.pin(SWITCH).stat().st_ino
    backend.spaces.drop(SWITCH)
    assert backend.observe().networks == (LAB,)
    assert backend.spaces.pin(SWITCH).stat().st_ino == inode
    assert answers(spec.nodes[0])


def test_a_switch_that_is_gone_takes_all_with_it(run: Run) -> None:
    (shard,) = run.up(a_shard(1))
    backend_of(run).switch.drop()
    heir = run.again()
    until_gone(name_of_host_end(run))
    assert heir.observe().networks == ()
    assert heir.observe().shards == (replace(shard, nodes=()),)
    heir.create_network(LAB)
    assert heir.observe().networks == (LAB,)


def until_gone(link: str) -> None:
    """Until the kernel has taken a link away, which it does when it comes to it."""
    while Path("/sys/class/net", link).exists() or link in [name for _, name in socket.if_nameindex()]:
        os.sched_yield()


def test_what_was_made_is_known_to_the_next_supervisor(run: Run) -> None:
    shards = run.up(a_shard(1), a_shard(2))
    heir = run.again()
    assert heir.observe().networks == run.backend.observe().networks == (LAB,)
    assert heir.observe().shards == run.backend.observe().shards == tuple(shards)


def test_links_go_down_and_up(run: Run) -> None:
    spec = a_shard(1)
    (shard,) = run.up(spec)
    down = LinkQuality(up=False)
    assert run.backend.shape("plc-1", down).quality == down
    with pytest.raises(OSError, match=r"timed out|No route"):
        socket.create_connection((spec.nodes[0].address, 502), 0.3)
    assert run.again().observe().links["plc-1"].quality == down
    assert run.backend.observe().shards == (shard,), "a link that is down on purpose is no damage"
    run.backend.shape("plc-1", GOOD)
    assert answers(spec.nodes[0])
    assert run.backend.observe().links == {}


def test_a_node_needs_its_network_and_a_namespace_of_its_own(run: Run) -> None:
    with pytest.raises(BackendError, match=r"cell: create: 10\..*: its network is not there"):
        run.backend.create(a_shard(1, interface(CELL, 1)))
    nodes = networked(1), networked(2)
    with pytest.raises(BackendError, match="a namespace is one node's, got 2"):
        run.backend.create(ShardSpec("shard-001", nodes))
    run.backend.create(a_shard(3))
    backend_of(run).spaces.drop(space_of("plc-3"))
    with pytest.raises(BackendError, match="is not there: create it first"):
        run.backend.start("plc-3")


def test_more_nodes_than_a_bridge_takes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farm.backends.netns_networks.PORTS", 2)
    specs = [a_shard(number) for number in range(1, 6)]
    run.up(*specs)
    bridges = [bridge_name("lab", number) for number in range(3)]
    links = ip(run, SWITCH, "link")
    assert {link["ifname"] for link in links if link.get("linkinfo", {}).get("info_kind") == "bridge"} == set(bridges)
    ports = [link["master"] for link in links if link["ifname"].startswith("p")]
    assert [ports.count(bridge) for bridge in bridges] == [2, 2, 1]
    assert all(answers(spec.nodes[0]) for spec in specs)
    assert reaches(run, "node.plc-1", specs[4].nodes[0].address)
    heir = run.again()
    assert heir.observe().networks == (LAB,)
    heir.create(a_shard(6))
    assert len(ip(run, SWITCH, "link", "show", "master", bridges[2])) == 3, "two nodes and the way to the first bridge"


DECOY = f"pf-decoy-{os.getpid() % 100_000}"
HEX = f"pf-{os.getpid():08x}"
"""Like a run's mark, with nothing behind it."""


@pytest.fixture
def decoys() -> Iterator[None]:
    """What others have under names like ours."""
    made = [("netns", DECOY), ("netns", HEX), ("link", DECOY)]
    for kind, name in made:
        subprocess.run(["ip", kind, "add", name, *(["type", "bridge"] if kind == "link" else [])], check=True)
    yield
    left = [path.name for path in Path("/run/netns").iterdir()], [name for _, name in socket.if_nameindex()]
    for kind, name in made:
        subprocess.run(["ip", kind, "del", name], check=True)
    assert {DECOY, HEX} <= set(left[0])
    assert DECOY in left[1]


def test_all_of_a_run_goes_without_any_file_and_others_stay(run: Run, decoys: None) -> None:
    before = machine()
    run.up(a_shard(1), a_shard(2))
    (run.folder / "networks.json").unlink()
    for file in (run.folder / "shards").iterdir():
        file.unlink()
    assert run.again().end_all(2.0) == 3
    after = machine()
    assert after["links"] == [name for name in before["links"] if name != name_of_host_end(run)]
    assert [name for name in after["namespaces"] if name.startswith(backend_of(run).spaces.mark)] == []
    assert after["rules"] == before["rules"]


def machine() -> dict[str, Any]:
    """What is there outside the plant."""
    return {
        "links": sorted(name for _, name in socket.if_nameindex()),
        "namespaces": sorted(path.name for path in Path("/run/netns").iterdir()),
        "rules": subprocess.check_output(["nft", "list", "ruleset"], text=True),
    }


def test_what_is_left_is_found_by_its_name_alone(run: Run, decoys: None) -> None:
    run.up(a_shard(1))
    mark = backend_of(run).spaces.mark
    (found,) = [left for left in netns_leftovers.find_leftovers() if left.mark == mark]
    assert found.namespaces == (f"{mark}.node.plc-1", f"{mark}.switch")
    assert found.links == (f"{mark}.0",)
    assert {left.mark for left in netns_leftovers.find_leftovers()}.isdisjoint({DECOY, HEX})


def test_a_subnet_that_the_machine_uses_is_refused(run: Run) -> None:
    subprocess.run(["ip", "addr", "add", "10.99.7.1/24", "dev", "lo"], check=True)
    try:
        with pytest.raises(BackendError, match=r"10\.99\.0\.0/16 is in use here: lo has 10\.99\.7\.1/24; give"):
            backend_of(run).create_network(a_network("taken", 99, host=True))
        backend_of(run).create_network(a_network("taken", 99))
    finally:
        subprocess.run(["ip", "addr", "del", "10.99.7.1/24", "dev", "lo"], check=True)


def test_a_dead_node_keeps_its_network(run: Run) -> None:
    (shard,) = run.up(a_shard(1))
    pids.end(shard.pid, shard.started, 0.0)
    assert run.backend.observe().shards == (dead(shard),)
    assert run.backend.start("plc-1").alive
