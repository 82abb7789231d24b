"""One file on every backend: where its subnets, addresses, routes and ports are there, and what cannot be."""

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.topology import Plant, TopologyProblems, load_plant, territory
from tests.farm.topology.plants import problems, write


def on(backend: str, folder: Path, text: str, **options: object) -> Plant:
    return load_plant(write(folder, text), environ={}, backend=backend, **options)  # type: ignore[arg-type]


def refused(backend: str, folder: Path, text: str, **options: object) -> list[str]:
    with pytest.raises(TopologyProblems) as caught:
        on(backend, folder, text, **options)
    return [problem.headline for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "process", "netns"),
    [
        ("127.64.0.0/10", "127.64.0.0/10", "10.64.0.0/10"),
        ("127.0.0.0/16", "127.0.0.0/16", "10.0.0.0/16"),
        ("10.20.0.0/16", "127.20.0.0/16", "10.20.0.0/16"),
        ("192.168.1.0/24", "127.168.1.0/24", "192.168.1.0/24"),
        ("10.0.0.0/16", "127.255.0.0/16", "10.0.0.0/16"),
        ("10.0.7.0/24", "127.255.7.0/24", "10.0.7.0/24"),
        ("10.0.0.0/12", "127.240.0.0/12", "10.0.0.0/12"),
        ("10.16.0.0/12", "127.16.0.0/12", "10.16.0.0/12"),
        ("10.0.0.0/9", "127.128.0.0/9", "10.0.0.0/9"),
        ("10.0.0.0/8", "127.0.0.0/8", "10.0.0.0/8"),
    ],
)
def test_where_a_subnet_is(written: str, process: str, netns: str) -> None:
    subnet = ipaddress.IPv4Network(written)
    assert str(territory.image(subnet, "process")) == process
    assert str(territory.image(subnet, "netns")) == str(territory.image(subnet, "docker")) == netns


@given(st.integers(1 << 24, (224 << 24) - 1), st.integers(8, 30))
def test_a_subnet_keeps_its_size_and_goes_where_it_is_served(address: int, prefix: int) -> None:
    subnet = ipaddress.IPv4Network((address, prefix), strict=False)
    here, there = territory.image(subnet, "process"), territory.image(subnet, "netns")
    assert here.prefixlen == there.prefixlen == prefix
    assert here.subnet_of(territory.LOOPBACK) and not there.overlaps(territory.LOOPBACK)
    if prefix > 8 and not subnet.subnet_of(territory.LOOPBACK):
        assert not here.overlaps(territory.MACHINE)
    assert territory.image(here, "process") == here


FOREIGN = (
    "networks: {cell: {subnet: 10.20.0.0/16}, site: {subnet: 127.65.0.0/16}}\n"
    "nodes:\n  a: {kind: logix, network: cell}\n  b: {kind: gateway, network: site, address: 127.65.1.1}\n"
)


def test_the_same_file_everywhere_and_one_lock_file(tmp_path: Path) -> None:
    process = on("process", tmp_path, FOREIGN, write_lock=True)
    assert [node.address for node in process.nodes] == ["127.20.0.1", "127.65.1.1"]
    assert (tmp_path / "plant.lock").read_text().splitlines()[1:] == ["cell a 10.20.0.1"]
    before = (tmp_path / "plant.lock").stat().st_mtime_ns
    netns = on("netns", tmp_path, FOREIGN, write_lock=True)
    assert [node.address for node in netns.nodes] == ["10.20.0.1", "10.65.1.1"]
    assert (tmp_path / "plant.lock").stat().st_mtime_ns == before
    assert netns.written == process.written == {"a": {"cell": "10.20.0.1"}, "b": {"site": "127.65.1.1"}}
    assert process.networks == () and not any(node.interfaces for node in process.nodes)


def test_ports_are_the_real_ones_where_each_node_has_its_own(tmp_path: Path) -> None:
    assert on("process", tmp_path, FOREIGN, modbus_port=1502).nodes[1].ports == {"enip": 44818, "modbus": 1502}
    assert on("docker", tmp_path, FOREIGN, modbus_port=1502).nodes[1].ports == {"enip": 44818, "modbus": 502}


def test_outside_a_node_is_where_it_would_be_on_loopback(tmp_path: Path) -> None:
    found = on("netns", tmp_path, FOREIGN, modbus_port=1502, outside=True)
    assert [node.outside for node in found.nodes] == [
        (("enip", "127.20.0.1", 44818),),
        (("enip", "127.65.1.1", 44818), ("modbus", "127.65.1.1", 1502)),
    ]
    own = FOREIGN.replace("address: 127.65.1.1", "modbus: {port: 5020}, enip: {port: 5021}")
    assert on("netns", tmp_path, own, modbus_port=1502, outside=True).nodes[1].outside == (
        ("enip", "127.65.0.1", 5021),
        ("modbus", "127.65.0.1", 5020),
    )
    assert not any(node.outside for node in on("netns", tmp_path, FOREIGN).nodes)
    assert not any(node.outside for node in on("process", tmp_path, FOREIGN, outside=True).nodes)


def test_nobody_outside_reaches_an_internal_network(tmp_path: Path) -> None:
    text = FOREIGN.replace("subnet: 10.20.0.0/16", "subnet: 10.20.0.0/16, internal: true")
    assert [bool(node.outside) for node in on("docker", tmp_path, text, outside=True).nodes] == [False, True]
    both = text.replace("network: cell}", "network: cell, interfaces: {site: {}}}")
    assert [bool(node.outside) for node in on("docker", tmp_path, both, outside=True).nodes] == [True, True]


def test_subnets_that_meet_on_a_backend_are_named_both(tmp_path: Path) -> None:
    text = (
        "networks:\n  a: {subnet: 10.168.1.0/24}\n  b: {subnet: 192.168.1.0/24}\n"
        "nodes: {p: {kind: logix, network: a}, q: {kind: logix, network: b}}\n"
    )
    found = refused("process", tmp_path, text)[0]
    assert "plant.yaml:5:15: error: subnet 192.168.1.0/24 is 127.168.1.0/24 on backend process, and so is" in found
    assert "10.168.1.0/24 of network 'a'" in found and "line 4) [F040]" in found
    assert len(on("netns", tmp_path, text).networks) == 2
    found = refused("netns", tmp_path, text, outside=True)[0]
    assert "subnet 192.168.1.0/24 is 127.168.1.0/24 for this machine, and so is" in found


def test_a_network_inside_the_default_one_is_told_where_both_are_real(tmp_path: Path) -> None:
    text = "networks: {cell: {subnet: 10.70.0.0/16}}\nnodes: {p: {kind: logix, network: cell}, q: {kind: logix}}\n"
    (found,) = refused("netns", tmp_path, text.replace("10.70", "127.70"))
    assert "subnet 127.70.0.0/16 overlaps 127.64.0.0/10 of network 'default'" in found
    assert refused("netns", tmp_path, text)[0].endswith("or declare 'default' with another subnet [F040]")
    assert [node.address for node in on("process", tmp_path, text).nodes] == ["127.70.0.1", "127.64.0.1"]
    alone = "networks: {cell: {subnet: 10.70.0.0/16}}\nnodes: {p: {kind: logix, network: cell}}\n"
    assert on("netns", tmp_path, alone).nodes[0].address == "10.70.0.1"


def test_the_machines_own_address_is_nobodys(tmp_path: Path) -> None:
    text = "networks: {default: {subnet: 10.0.0.0/8}}\nnodes: {a: {kind: logix, address: 10.0.0.1}, b: {kind: logix}}\n"
    (found,) = refused("process", tmp_path, text)
    assert "address 10.0.0.1 of 'a' would be 127.0.0.1 here, which is this machine's own" in found
    assert [node.address for node in on("netns", tmp_path, text).nodes] == ["10.0.0.1", "10.1.0.1"]


def test_what_names_addresses_goes_with_them(tmp_path: Path) -> None:
    text = FOREIGN + (
        "  c: {kind: logix, network: cell, enip: {onward: 10.20.4.0/24, route_path: '1/0,2/127.65.1.1'}}\n"
        "  d: {kind: logix, network: cell, enip: {onward: 192.168.7.0/24, route_path: '2/127.65.1.1:44818'}}\n"
        "  e: {kind: logix, network: cell, enip: {onward: 0.0.0.0/0, route_path: '2/192.168.7.1'}}\n"
    )
    enip = {node.name: node.enip for node in on("process", tmp_path, text).nodes}
    assert [enip[name].onward for name in "cde" if enip[name]] == ["127.20.4.0/24", "192.168.7.0/24", "0.0.0.0/0"]  # type: ignore[union-attr]
    there = {node.name: node.enip for node in on("netns", tmp_path, text).nodes}
    assert [there[name].route_path for name in "cde"] == [  # type: ignore[union-attr]
        ((1, 0), (2, "10.65.1.1")),
        ((2, "10.65.1.1:44818"),),
        ((2, "192.168.7.1"),),
    ]


def test_onward_may_not_lose_a_network(tmp_path: Path) -> None:
    text = (
        "networks: {a: {subnet: 10.0.0.0/16}, b: {subnet: 10.1.0.0/16}}\ndefaults: {kind: logix}\n"
        "nodes: {p: {network: a, enip: {onward: 10.0.0.0/12}}, q: {network: b}}\n"
    )
    (found,) = refused("process", tmp_path, text)
    assert "10.0.0.0/12 is 127.240.0.0/12 on backend process, where network 'b' is not in it" in found
    wide = on("process", tmp_path, text.replace("10.0.0.0/12", "10.0.0.0/8")).nodes[0].enip
    assert wide is not None and wide.onward == "127.0.0.0/8"


def test_one_node_a_worker_where_each_has_a_namespace_of_its_own(tmp_path: Path) -> None:
    text = "shard: 4\nnodes: {p: {kind: logix}}\n"
    (found,) = refused("netns", tmp_path, text)
    wanted = "shard 4 on backend netns: each node has a network namespace of its own, so a worker serves 1"
    assert "plant.yaml:3:8: error: " in found and wanted in found and found.endswith("or say --shard 1 [F071]")
    assert refused("netns", tmp_path, "nodes: {p: {kind: logix}}\n", shard=7)[0].startswith("--shard: error: shard 7")
    assert on("netns", tmp_path, text, shard=1).shard == 1
    assert on("netns", tmp_path, "shard: auto\nnodes: {p: {kind: logix}}\n").shard == 1
    assert on("process", tmp_path, text).shard == 4


def test_nodes_that_share_a_container_are_where_processes_are(tmp_path: Path) -> None:
    text = "networks: {a: {subnet: 10.20.0.0/16}}\nnodes: {p: {kind: logix, network: a}, q: {kind: logix}}\n"
    alone, shared, process = (
        on("docker", tmp_path, text),
        on("docker", tmp_path, text, shard=2),
        on("process", tmp_path, text, shard=2),
    )
    assert [node.address for node in alone.nodes] == ["10.20.0.1", "10.64.0.1"]
    assert [node.address for node in shared.nodes] == ["127.20.0.1", "127.64.0.1"]
    assert (shared.nodes, shared.networks, shared.shard) == (process.nodes, (), 2)
    assert on("docker", tmp_path, text, shard="auto").nodes == alone.nodes


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("nodes: {p: {kind: logix, enip: {onward: 127.64.0.0/10}}}\n", "'p' sends messages onward, and a container of"),
        ("nodes: {p: {kind: logix, link: {loss: 5%}}}\n", "all nodes share one link, of which only a delay can be had"),
        ("networks: {a: {subnet: 10.1.0.0/16, uplink: eth9}}\nnodes: {p: {kind: logix, network: a}}\n", "no networks"),
        ("nodes: {p: {kind: logix, tags: {A: {type: INT, class: a:B}}}}\n", "have to be in the image"),
    ],
)
def test_what_a_node_that_shares_a_container_cannot_have(tmp_path: Path, text: str, wanted: str) -> None:
    (found,) = refused("docker", tmp_path, text, shard=2)
    assert wanted in found and found.endswith("[F071]")


def test_backends_of_later_releases_are_told(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "backend: kubernetes\nnodes: {p: {kind: logix}}\n")
    assert found.headline.endswith("which is not there yet - this release has process, netns, docker, swarm [F014]")
