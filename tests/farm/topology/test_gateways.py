"""Gateways: routers with their addresses, their routes, and what their rules let through."""

from pathlib import Path

import pytest

from farm.topology import Plant, load_plant
from farm.topology.wiring import FlowRule
from tests.farm.topology.plants import HEAD, headlines, load, write

PLANT = """backend: netns
networks: {cell: {subnet: 10.1.0.0/16}, super: {subnet: 127.2.0.0/24}, dmz: {subnet: 10.3.0.0/24}}
defaults: {kind: logix, network: cell}
groups: {mix: {count: 6, address: "10.1.0.${1 + i}"}}
nodes:
  scada: {network: super, address: 127.2.0.10}
  both: {address: 10.1.0.100, interfaces: {super: 127.2.0.11}}
  web: {network: dmz, address: 10.3.0.10}
"""


def rules(folder: Path, allow: str) -> tuple[FlowRule, ...]:
    text = f"{PLANT}gateways: {{fw: {{between: [cell, super, dmz], allow: {allow}}}}}\n"
    (router,) = load(folder, text).routers
    return router.allow


def test_what_rules_mean(tmp_path: Path) -> None:
    assert rules(tmp_path, '["super -> cell tcp 44818,502", "cell -> super icmp", "dmz -> super any"]') == (
        FlowRule("10.2.0.0/24", "10.1.0.0/16", "tcp", (502, 44818)),
        FlowRule("10.1.0.0/16", "10.2.0.0/24", "icmp"),
        FlowRule("10.3.0.0/24", "10.2.0.0/24", "any"),
    )
    assert rules(tmp_path, "scada -> web udp 2222") == (FlowRule("10.2.0.10", "10.3.0.10", "udp", (2222,)),)
    assert rules(tmp_path, "scada -> mix tcp") == (
        FlowRule("10.2.0.10", "10.1.0.2/31", "tcp"),
        FlowRule("10.2.0.10", "10.1.0.4/30", "tcp"),
    )
    assert [rule.source for rule in rules(tmp_path, "both -> dmz any")] == ["10.1.0.100", "10.2.0.11"]
    assert rules(tmp_path, "[]") == () == rules(tmp_path, "null")


def test_a_name_that_means_two_things_must_say_which(tmp_path: Path) -> None:
    text = PLANT + "  dmz: {address: 10.1.0.99}\ngateways: {fw: {between: [cell, dmz], allow: RULE}}\n"
    found = headlines(tmp_path, HEAD + text.replace("RULE", "cell -> dmz any"))
    assert any("'dmz' names a network and a node - say 'network:dmz' or 'node:dmz' [F049]" in line for line in found)
    (router,) = load(tmp_path, text.replace("RULE", '["cell -> node:dmz any", "cell -> network:dmz icmp"]')).routers
    assert [rule.target for rule in router.allow] == ["10.1.0.99", "10.3.0.0/24"]


def test_rules_of_ipv6_go_with_the_others(tmp_path: Path) -> None:
    text = (
        "backend: netns\nnetworks: {a: {subnet: 10.1.0.0/24, ipv6: 'fd00:a::/64'},"
        " b: {subnet: 10.2.0.0/24, ipv6: 'fd00:b::/64'}, c: {subnet: 10.3.0.0/24}}\n"
        "gateways: {fw: {between: [a, b, c], allow: ['a -> b tcp 502', 'a -> c any', 'p -> b icmp']}}\n"
        "nodes: {p: {kind: logix, network: a, address: 10.1.0.7}, q: {kind: logix, network: b}}\n"
    )
    (router,) = load(tmp_path, text).routers
    assert router.allow == (
        FlowRule("10.1.0.0/24", "10.2.0.0/24", "tcp", (502,)),
        FlowRule("fd00:a::/64", "fd00:b::/64", "tcp", (502,)),
        FlowRule("10.1.0.0/24", "10.3.0.0/24", "any"),
        FlowRule("10.1.0.7", "10.2.0.0/24", "icmp"),
        FlowRule("fd00:a::a01:7", "fd00:b::/64", "icmp"),
    )
    assert [each.ipv6 for each in router.interfaces] == ["fd00:a::a01:fc/64", "fd00:b::a02:fc/64", ""]


def wired(folder: Path, gateways: str) -> Plant:
    return load_plant(write(folder, PLANT + gateways), write_lock=True)


def test_a_routers_addresses_are_the_last_free_ones_and_stay(tmp_path: Path) -> None:
    plant = wired(
        tmp_path,
        "gateways: {fw2: {between: [cell, super]}, fw1: {between: [dmz, super], addresses: {super: 127.2.0.1}}}\n",
    )
    found = {router.name: [each.address for each in router.interfaces] for router in plant.routers}
    assert found == {"fw2": ["10.1.255.252", "10.2.0.252"], "fw1": ["10.3.0.252", "10.2.0.1"]}
    kept = (tmp_path / "plant.lock").read_text().splitlines()[1:]
    assert kept == ["cell router:fw2 10.1.255.252", "dmz router:fw1 10.3.0.252", "super router:fw2 127.2.0.252"]
    more = wired(tmp_path, "gateways: {fw0: {between: [cell, super]}, fw2: {between: [cell, super]}}\n")
    assert [each.address for each in more.routers[1].interfaces] == found["fw2"]
    assert [each.address for each in more.routers[0].interfaces] == ["10.1.255.251", "10.2.0.251"]
    assert more.networks[0] == plant.networks[0]


def test_routers_know_ways_beyond_each_other_and_macs_of_their_own(tmp_path: Path) -> None:
    plant = wired(tmp_path, "gateways: {fw1: {between: [cell, super]}, fw2: {between: [super, dmz]}}\n")
    routes = {router.name: router.routes for router in plant.routers}
    assert routes == {"fw1": (("10.3.0.0/24", "10.2.0.251"),), "fw2": (("10.1.0.0/16", "10.2.0.252"),)}
    macs = [each.mac for holder in (*plant.routers, *plant.nodes) for each in holder.interfaces]
    assert len(set(macs)) == len(macs) == 14


def test_a_network_that_only_routers_are_on_is_made(tmp_path: Path) -> None:
    text = PLANT.replace("dmz: {subnet", "transit: {subnet: 10.9.0.0/29}, dmz: {subnet")
    plant = load(tmp_path, text + "gateways: {a: {between: [cell, transit]}, b: {between: [transit, dmz]}}\n")
    assert [network.name for network in plant.networks] == ["cell", "super", "transit", "dmz"]
    assert plant.warnings == ()


@pytest.mark.parametrize(
    ("gateway", "wanted"),
    [
        ("fw: {between: [cell]}", "gateway 'fw' is between fewer than two networks - name two or more [F045]"),
        ("fw: {between: []}", "gateway 'fw' is between fewer than two networks"),
        ("fw: {between: [cell, cell]}", "gateway 'fw' is on network 'cell' already"),
        ("fw: {between: [cell, supr]}", "network 'supr' is unknown - did you mean 'super'? [F033]"),
        ("fw: {allow: cell -> super any}", "gateway 'fw' has no 'between'"),
        ("super: {between: [cell, super]}", "gateway 'super' is called as a network is"),
        ("scada: {between: [cell, super]}", "gateway 'scada' is called as a node is"),
        ("fw: {between: [cell, super], addresses: {dmz: 10.3.0.1}}", "has an address on 'dmz', which it is not on"),
        (
            "fw: {between: [cell, super], addresses: {cell: 10.3.0.1}}",
            "address 10.3.0.1 of 'fw' is outside network 'cell'",
        ),
        ("fw: {between: [cell, super], addresses: {cell: 10.1.0.2}}", "is already given to 'mix-1'"),
        ("fw: {between: [cell, super], allow: 'cell > super any'}", "wanted a rule such as"),
        ("fw: {between: [cell, super], allow: 'cell -> super'}", "wanted a rule such as"),
        ("fw: {between: [cell, super], allow: 'cell -> super sctp'}", "wanted a rule such as"),
        (
            "fw: {between: [cell, super], allow: 'cell -> super icmp 5'}",
            "gives ports to icmp - tcp and udp have ports [F049]",
        ),
        ("fw: {between: [cell, super], allow: 'cell -> super tcp 0'}", "ports are different numbers from 1 to 65535"),
        ("fw: {between: [cell, super], allow: 'cell -> super tcp 502,502'}", "ports are different numbers"),
        ("fw: {between: [cell, super], allow: 'cell -> super tcp 70000'}", "ports are different numbers"),
        (
            "fw: {between: [cell, super], allow: 'cell -> scda tcp'}",
            "'scda' names nothing in a rule - did you mean 'scada'?",
        ),
        ("fw: {between: [cell, super], allow: 'router:fw -> cell any'}", "'router:fw' names nothing in a rule"),
        ("fw: {between: [cell, super], rules: []}", "unknown key 'rules' in gateway 'fw'"),
    ],
)
def test_what_is_refused(tmp_path: Path, gateway: str, wanted: str) -> None:
    assert any(wanted in line for line in headlines(tmp_path, f"{HEAD}{PLANT}gateways: {{{gateway}}}\n"))


@pytest.mark.parametrize("backend", ["process", "docker"])
def test_other_backends_cannot_route(tmp_path: Path, backend: str) -> None:
    text = PLANT.replace("netns", backend) + "  x: {gateway: fw}\ngateways: {fw: {between: [cell, super]}}\n"
    (found,) = headlines(tmp_path, HEAD + text)
    assert f"backend {backend} cannot route between networks - use --backend netns, or leave gateways out" in found
