"""Networks as a backend makes them: their traits, the addresses of this machine and the farm, and what contradicts."""

from pathlib import Path

import pytest

from farm.topology import Plant, load_plant
from farm.topology.wiring import NetworkSpec
from tests.farm.topology.plants import HEAD, headlines, load, write

NETNS = "backend: netns\n"


def network(
    folder: Path, traits: str = "", nodes: str = "p: {kind: logix}", subnet: str = "10.1.0.0/24"
) -> NetworkSpec:
    text = f"{NETNS}networks: {{default: {{subnet: {subnet}{traits}}}}}\nnodes: {{{nodes}}}\n"
    (found,) = load(folder, text).networks
    return found


def test_a_network_with_every_key(tmp_path: Path) -> None:
    traits = ", purdue: 3.5, internal: true, mtu: 1400, ipv6: 'fd00:1::/64', oui: siemens"
    assert network(tmp_path, traits) == NetworkSpec(
        "default", "10.1.0.0/24", watch="10.1.0.253", host="", purdue=3.5, internal=True, mtu=1400, ipv6="fd00:1::/64"
    )
    uplinked = network(tmp_path, ", uplink: eth1, driver: macvlan")
    assert (uplinked.uplink, uplinked.driver, uplinked.host) == ("eth1", "macvlan", "10.1.0.254")


def test_this_machine_and_the_farm_have_the_last_free_addresses(tmp_path: Path) -> None:
    plain = network(tmp_path)
    assert (plain.host, plain.watch) == ("10.1.0.254", "10.1.0.253")
    hand = network(tmp_path, nodes="p: {kind: logix, address: 10.1.0.254}, q: {kind: logix, address: 10.1.0.252}")
    assert (hand.host, hand.watch) == ("10.1.0.253", "10.1.0.251")
    wide = network(tmp_path, subnet="10.64.0.0/10")
    assert (wide.host, wide.watch) == ("10.127.255.254", "10.127.255.253")


def test_the_farm_stays_where_it_is_when_the_machine_leaves(tmp_path: Path) -> None:
    assert network(tmp_path, ", internal: true").watch == network(tmp_path).watch


def test_no_node_is_given_an_address_of_those(tmp_path: Path) -> None:
    text = f"{NETNS}networks: {{default: {{subnet: 10.1.0.0/29}}}}\ngroups: {{g: {{count: 4, kind: logix}}}}\n"
    plant = load(tmp_path, text)
    assert [node.address for node in plant.nodes] == ["10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4"]
    assert (plant.networks[0].host, plant.networks[0].watch) == ("10.1.0.6", "10.1.0.5")
    (found,) = headlines(tmp_path, HEAD + text.replace("count: 4", "count: 5"))
    assert "network 'default', 10.1.0.0/29, has no free address left [F043]" in found


def test_an_address_that_the_lock_file_kept_is_not_taken_from_its_node(tmp_path: Path) -> None:
    text = "networks: {default: {subnet: 10.1.0.0/29}}\ngroups: {g: {count: 6, kind: logix}}\n"
    full = load_plant(write(tmp_path, text), write_lock=True)
    assert full.nodes[5].address == "127.1.0.6"
    fewer = load_plant(write(tmp_path, text.replace("count: 6", "count: 6").replace("g:", "g:")), counts={"g": 6})
    assert fewer.nodes[5].address == "127.1.0.6"
    text = text.replace("groups: {g: {count: 6, kind: logix}}", "nodes: {g-6: {kind: logix}, g-1: {kind: logix}}")
    netns = load_plant(write(tmp_path, text), backend="netns")
    assert [node.address for node in netns.nodes] == ["10.1.0.6", "10.1.0.1"]
    assert (netns.networks[0].host, netns.networks[0].watch) == ("10.1.0.5", "10.1.0.4")


def test_adding_nodes_moves_neither_machine_nor_farm(tmp_path: Path) -> None:
    def wired(count: int) -> Plant:
        text = (
            f"{NETNS}networks: {{default: {{subnet: 10.1.0.0/24}}}}\ngroups: {{g: {{count: {count}, kind: logix}}}}\n"
        )
        return load_plant(write(tmp_path, text), write_lock=True)

    few, many = wired(3), wired(200)
    assert few.networks == many.networks
    assert many.nodes[:3] == few.nodes


def test_a_network_without_anybody_is_not_made(tmp_path: Path) -> None:
    text = f"{NETNS}networks: {{a: {{subnet: 10.1.0.0/24}}, b: {{subnet: 10.2.0.0/24}}}}\n"
    plant = load(tmp_path, text + "nodes: {p: {kind: logix, network: b}}\n")
    assert [each.name for each in plant.networks] == ["b"]
    assert "no node is on network 'a'" in plant.warnings[0]


def test_traits_are_taken_on_loopback_and_make_nothing(tmp_path: Path) -> None:
    traits = "purdue: 1, internal: true, mtu: 1400, ipv6: 'fd00:1::/64', oui: '00-00-BC'"
    plant = load(tmp_path, f"networks: {{default: {{subnet: 10.1.0.0/24, {traits}}}}}\nnodes: {{p: {{kind: logix}}}}\n")
    assert plant.networks == () and plant.nodes[0].interfaces == ()


@pytest.mark.parametrize(
    ("traits", "wanted"),
    [
        ("oui: rockwell", "network 'default' is not closed, and a maker's MAC addresses could be there twice"),
        ("oui: rockwell, internal: true, uplink: eth1", "is not closed"),
        ("oui: siemans, internal: true", "'siemans'; wanted an OUI such as 00:00:BC, or one of rockwell, schneider"),
        ("oui: siemans, internal: true", "did you mean 'siemens'?"),
        ("oui: '01:00:5e', internal: true", "[F047]"),
        ("driver: macvlan", "driver macvlan stands on an uplink - say which: 'uplink: eth1' [F046]"),
        ("driver: ipvlan", "wanted one of bridge, macvlan"),
        ("uplink: 'eth0; rm'", "wanted the name of a network interface"),
        ("uplink: ..", "wanted the name of a network interface"),
        ("uplink: averyveryverylongname", "wanted the name of a network interface"),
        ("mtu: 20", "is '20'; wanted a whole number from 576 to 9216"),
        ("mtu: 1000, ipv6: 'fd00::/64'", "IPv6 needs packets of 1280 bytes, and 'mtu' is 1000 [F046]"),
        ("ipv6: 'fd00::1/64'", "did you mean fd00::/64?"),
        ("ipv6: 'fd00::/112'", "wanted an IPv6 subnet from /16 to /96 such as fd00:20::/64"),
        ("ipv6: 'ff00::/64'", "fd00::/8 is for networks of one's own"),
        ("ipv6: 'fe80::/64'", "[F040]"),
        ("ipv6: 10.0.0.0/8", "wanted an IPv6 subnet"),
        ("internal: yes", "write true"),
        ("purdue: high", "wanted a number"),
        ("vlan: 20", "VLANs are not there yet"),
        ("host: true", "it reaches every network that is not 'internal: true'"),
        ("gateway: 10.1.0.1", "unknown key 'gateway' in network 'default'"),
    ],
)
def test_what_is_refused(tmp_path: Path, traits: str, wanted: str) -> None:
    text = f"{NETNS}networks: {{default: {{subnet: 10.1.0.0/24, {traits}}}}}\nnodes: {{p: {{kind: logix}}}}\n"
    assert any(wanted in line for line in headlines(tmp_path, HEAD + text))


def test_two_networks_may_not_share_an_interface_or_ipv6(tmp_path: Path) -> None:
    text = (
        "networks:\n  a: {subnet: 10.1.0.0/24, uplink: eth1, ipv6: 'fd00::/64'}\n"
        "  b: {subnet: 10.2.0.0/24, uplink: eth1, ipv6: 'fd00::/48'}\n"
        "nodes: {p: {kind: logix, network: a}, q: {kind: logix, network: b}}\n"
    )
    found = headlines(tmp_path, HEAD + NETNS + text)
    assert any("interface eth1 is joined to network 'a' already" in line for line in found)
    assert any("subnet fd00::/48 overlaps that of network 'a'" in line for line in found)


def test_an_uplink_needs_a_backend_with_networks_and_real_addresses(tmp_path: Path) -> None:
    text = "networks: {default: {subnet: 10.1.0.0/24, uplink: eth1}}\nnodes: {p: {kind: logix}}\n"
    (found,) = headlines(tmp_path, text)
    assert "backend process has no networks of its own, so network 'default' cannot have an uplink" in found
    local = NETNS + text.replace("10.1.0.0", "127.1.0.0")
    assert any(
        "subnet 127.1.0.0/24 cannot be on the real network" in line for line in headlines(tmp_path, HEAD + local)
    )
