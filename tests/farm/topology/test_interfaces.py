"""Interfaces of nodes: addresses on several networks, MACs that stay, gateways and routes, IPv6."""

import re
from pathlib import Path

import pytest

from farm.topology import load_plant
from farm.topology.wiring import ipv6_of
from node.config.model import InterfaceConfig, NodeConfig
from tests.farm.topology.plants import HEAD, headlines, load, write

NETS = (
    "backend: netns\n"
    "networks:\n  cell: {subnet: 10.1.0.0/16, ipv6: 'fd00:1::/64'}\n  super: {subnet: 10.2.0.0/24, mtu: 1400}\n"
    "  dmz: {subnet: 10.3.0.0/24, ipv6: 'fd00:3::/64'}\n  far: {subnet: 10.4.0.0/24}\n"
)
ROUTERS = (
    "gateways:\n  fw1: {between: [cell, super], addresses: {cell: 10.1.0.1, super: 10.2.0.1}}\n"
    "  fw2: {between: [super, dmz], addresses: {super: 10.2.0.2, dmz: 10.3.0.1}}\n"
    "  fw3: {between: [dmz, far], addresses: {dmz: 10.3.0.2, far: 10.4.0.1}}\n"
)
EVERYWHERE = (
    "  z1: {kind: logix, network: super}\n  z2: {kind: logix, network: dmz}\n  z3: {kind: logix, network: far}\n"
)


def nodes(folder: Path, text: str) -> dict[str, NodeConfig]:
    return {node.name: node for node in load(folder, text).nodes}


def on(node: NodeConfig, network: str) -> InterfaceConfig:
    return next(each for each in node.interfaces if each.network == network)


def test_an_address_on_each_network(tmp_path: Path) -> None:
    text = NETS + (
        "defaults: {kind: logix, network: cell}\nnodes:\n"
        "  a: {interfaces: {super: 10.2.0.9, dmz: {}}}\n  b: {interfaces: {super: {address: 10.2.0.8}, far: {}}}\n"
        "  c: {network: super}\n"
    )
    found = nodes(tmp_path, text)
    assert [(each.network, each.address, each.prefix, each.mtu) for each in found["a"].interfaces] == [
        ("cell", "10.1.0.1", 16, 1500),
        ("super", "10.2.0.9", 24, 1400),
        ("dmz", "10.3.0.1", 24, 1500),
    ]
    assert [each.address for each in found["b"].interfaces] == ["10.1.0.2", "10.2.0.8", "10.4.0.1"]
    assert all(node.address == node.interfaces[0].address for node in found.values())


def test_interfaces_have_lines_in_the_lock_file(tmp_path: Path) -> None:
    text = NETS + "nodes:\n  b: {kind: logix, network: cell, interfaces: {super: {}, dmz: {}, far: {}}}\n"
    load_plant(write(tmp_path, text), write_lock=True)
    kept = (tmp_path / "plant.lock").read_text().splitlines()[1:]
    assert kept == ["cell b 10.1.0.1", "dmz b 10.3.0.1", "far b 10.4.0.1", "super b 10.2.0.1"]
    more = text.replace("nodes:\n", "nodes:\n  a: {kind: logix, network: cell, interfaces: {super: {}}}\n")
    found = {node.name: node for node in load_plant(write(tmp_path, more)).nodes}
    assert [each.address for each in found["b"].interfaces] == ["10.1.0.1", "10.2.0.1", "10.3.0.1", "10.4.0.1"]
    assert [each.address for each in found["a"].interfaces] == ["10.1.0.2", "10.2.0.2"]


def test_inherited_interfaces_can_be_taken_away(tmp_path: Path) -> None:
    text = (
        NETS
        + (
            "templates: {two: {interfaces: {super: {}, dmz: {}}}}\ndefaults: {kind: logix, network: cell, use: null}\n"
        ).replace(", use: null", "")
        + "nodes: {a: {use: two}, b: {use: two, interfaces: {dmz: null}}, c: {network: far}}\n"
    )
    found = nodes(tmp_path, text)
    assert [len(found[name].interfaces) for name in "abc"] == [3, 2, 1]


def test_macs_follow_from_names_and_nothing_else(tmp_path: Path) -> None:
    text = "backend: netns\ngroups: {g: {count: 300, kind: logix}}\n"
    first = {name: node.interfaces[0].mac for name, node in nodes(tmp_path, text).items()}
    assert len(set(first.values())) == 300
    assert all(re.fullmatch("02:fa(:[0-9a-f]{2}){4}", mac) for mac in first.values())
    more = "backend: docker\nnodes: {a: {kind: logix}}\n" + text.partition("\n")[2].replace("300", "20")
    again = {name: node.interfaces[0].mac for name, node in nodes(tmp_path, more).items()}
    assert {name: mac for name, mac in again.items() if name != "a"} == {
        f"g-{i}": first[f"g-{i}"] for i in range(1, 21)
    }
    other = nodes(tmp_path, "farm: 1\nname: other\n" + text)
    assert other["g-1"].interfaces[0].mac != first["g-1"]


def test_a_makers_macs_in_a_closed_network(tmp_path: Path) -> None:
    text = (
        "backend: netns\nnetworks: {default: {subnet: 10.1.0.0/16, internal: true, oui: schneider}}\n"
        "groups: {g: {count: 2000, kind: modbus}}\n"
        "nodes: {p: {kind: logix, mac: 00-00-BC-00-00-01}}\n"
    )
    found = nodes(tmp_path, text)
    macs = [node.interfaces[0].mac for node in found.values()]
    assert len(set(macs)) == len(macs) == 2001
    assert all(mac.startswith("00:80:f4:") for mac in macs[:-1]) and macs[-1] == "00:00:bc:00:00:01"


def test_the_only_router_of_a_network_is_the_gateway(tmp_path: Path) -> None:
    found = nodes(tmp_path, NETS + ROUTERS + "nodes:\n  a: {kind: logix, network: cell}\n" + EVERYWHERE)
    assert on(found["a"], "cell").gateway == "10.1.0.1" and on(found["z3"], "far").gateway == "10.4.0.1"
    assert on(found["z1"], "super").gateway == on(found["z2"], "dmz").gateway == ""
    assert set(on(found["z1"], "super").routes) == {
        ("10.1.0.0/16", "10.2.0.1"),
        ("10.3.0.0/24", "10.2.0.2"),
        ("10.4.0.0/24", "10.2.0.2"),
    }


def test_a_gateway_that_is_named(tmp_path: Path) -> None:
    text = (
        NETS
        + ROUTERS
        + (
            "defaults: {kind: logix, network: super}\n"
            "nodes:\n  a: {gateway: fw2}\n  b: {gateway: 10.2.0.1}\n  c: {gateway: none}\n  d: {gateway: 10.2.0.77}\n"
            "  e: {network: cell, interfaces: {dmz: {}}, gateway: fw3}\n  f: {network: far}\n"
        )
    )
    found = nodes(tmp_path, text)
    assert on(found["a"], "super").gateway == "10.2.0.2"
    assert on(found["a"], "super").routes == (("10.1.0.0/16", "10.2.0.1"),)
    assert on(found["b"], "super").gateway == "10.2.0.1"
    assert on(found["b"], "super").routes == (("10.3.0.0/24", "10.2.0.2"), ("10.4.0.0/24", "10.2.0.2"))
    assert on(found["c"], "super").gateway == "" and len(on(found["c"], "super").routes) == 3
    assert on(found["d"], "super").gateway == "10.2.0.77" and len(on(found["d"], "super").routes) == 3
    assert (on(found["e"], "cell").gateway, on(found["e"], "dmz").gateway) == ("", "10.3.0.2")
    assert on(found["e"], "cell").routes == (("10.2.0.0/24", "10.1.0.1"),)


def test_ipv6_where_the_network_has_it(tmp_path: Path) -> None:
    text = NETS + (
        "gateways: {fw: {between: [cell, dmz, super], addresses: {cell: 10.1.0.1, dmz: 10.3.0.1}}}\n"
        "defaults: {kind: logix}\nnodes: {a: {network: cell, interfaces: {super: {}}},"
        " b: {network: dmz, gateway: none}, c: {network: far}}\n"
    )
    found = nodes(tmp_path, text)
    assert on(found["a"], "cell").ipv6 == "fd00:1::a01:2/64" and on(found["a"], "super").ipv6 == ""
    assert on(found["a"], "cell").routes == (("::/0", "fd00:1::a01:1"),)
    assert on(found["b"], "dmz").routes == (
        ("10.1.0.0/16", "10.3.0.1"),
        ("fd00:1::/64", "fd00:3::a03:1"),
        ("10.2.0.0/24", "10.3.0.1"),
    )
    assert ipv6_of("fd00:1::/64", "10.1.0.1") == "fd00:1::a01:1/64"


def test_host_names(tmp_path: Path) -> None:
    text = "groups: {g: {count: 2, kind: logix, hostname: '${name}.works'}}\nnodes: {p: {kind: logix}}\n"
    assert [node.hostname for node in load(tmp_path, text).nodes] == ["g-1.works", "g-2.works", ""]


def test_origins_of_interfaces(tmp_path: Path) -> None:
    text = NETS + (
        "nodes:\n  a: {kind: logix, network: cell, mac: '02:fa:00:00:00:01', hostname: h, gateway: 10.1.0.9,"
        " interfaces: {super: 10.2.0.9, dmz: {}, far: {}}}\n"
    )
    places = {path: place.line for path, place in load(tmp_path, text).origins["a"].items()}
    assert places["hostname"] == places["interfaces.cell.mac"] == places["interfaces.super.address"] == 10
    assert places["address"] == places["interfaces.cell.address"] == places["interfaces.cell.ipv6"] == 5
    assert places["interfaces.super.mtu"] == 6 and places["interfaces.dmz.address"] == 7
    assert "interfaces.dmz.mac" not in places


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        ("interfaces: {cell: {}}", "'p' is on network 'cell' already - 'interfaces' are further ones"),
        ("interfaces: {sup: {}}", "network 'sup' is unknown (in 'p') - did you mean 'super'? [F033]"),
        ("interfaces: {super: 10.9.0.1}", "address 10.9.0.1 of 'p' is outside network 'super', 10.2.0.0/24"),
        ("interfaces: {super: here}", "wanted an IPv4 address"),
        (
            "interfaces: {super: {adress: 10.2.0.1}}",
            "unknown key 'adress' in network 'super' - did you mean 'address'?",
        ),
        ("mac: '02:fa:00:00:00'", "wanted a MAC address of one device such as 02:fa:00:00:00:01"),
        ("mac: '03:fa:00:00:00:01'", "wanted a MAC address of one device"),
        ("mac: '00:00:00:00:00:00'", "wanted a MAC address of one device"),
        ("mac: '00:00:bc:00:00:01'", "may be that of a device that was made, and network 'cell' is not closed"),
        ("hostname: a_b", "wanted a host name: letters, digits, - and dots"),
        ("hostname: " + "a" * 64, "[F016]"),
        ("hostname: -a", "[F016]"),
        ("hostname: 'a\\nb'", "[F016]"),
        ("gateway: fw9", "gateway 'fw9' of 'p' is no address, and no router of its networks - did you mean 'fw1'?"),
        ("gateway: fw3", "gateway 'fw3' of 'p' is no address, and no router of its networks"),
        ("gateway: 10.9.0.1", "gateway 10.9.0.1 of 'p' is on no network of it"),
        ("gateway: 10.1.0.7, address: 10.1.0.7", "gateway 10.1.0.7 of 'p' is its own address"),
    ],
)
def test_what_is_refused(tmp_path: Path, node: str, wanted: str) -> None:
    text = f"{HEAD}{NETS}{ROUTERS}nodes:\n  p: {{kind: logix, network: cell, {node}}}\n{EVERYWHERE}"
    assert any(wanted in line for line in headlines(tmp_path, text))


def test_one_mac_for_two_is_refused(tmp_path: Path) -> None:
    text = f"{HEAD}backend: netns\ngroups: {{g: {{count: 2, kind: logix, mac: '02:fa:00:00:00:01'}}}}\n"
    (found,) = headlines(tmp_path, text)
    assert "MAC address 02:fa:00:00:00:01 of 'g-2' is already that of 'g-1' [F047]" in found


def test_a_made_up_mac_gives_way_to_one_by_hand(tmp_path: Path) -> None:
    text = "backend: netns\nnodes: {a: {kind: logix}}\n"
    made = nodes(tmp_path, text)["a"].interfaces[0].mac
    both = nodes(tmp_path, text.replace("}}", f"}}, b: {{kind: logix, mac: '{made}'}}}}"))
    assert both["b"].interfaces[0].mac == made != both["a"].interfaces[0].mac
