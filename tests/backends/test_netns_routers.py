"""Networks that a router joins, and those that nothing does: asked with real connections."""

import json
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from farm.backends.netns import NetnsBackend
from farm.backends.netns_routers import encode_rule, encode_rules
from farm.backends.netns_spaces import inside
from farm.backends.observed import ShardSpec
from farm.errors import BackendError
from farm.topology.wiring import FlowRule, RouterSpec
from node.config.model import InterfaceConfig
from tests.backends.contract import Run
from tests.backends.networks import CELL, FIRST, LAB, a_network, interface, networked
from tests.machine_routes import leads_into_a_plant

pytestmark = [pytest.mark.net, pytest.mark.root]

SITE = a_network("site", FIRST + 100)
GATES = interface(CELL, 999), interface(SITE, 999)
"""The router's own interfaces."""


def a_shard(number: int, own: InterfaceConfig) -> ShardSpec:
    node = networked(number, own)
    return ShardSpec(node.name, (node,))


def behind(number: int, gate: InterfaceConfig) -> InterfaceConfig:
    network = CELL if gate.network == CELL.name else SITE
    return interface(network, number, gateway=gate.address)


CELL_NODE, SITE_NODE = behind(1, GATES[0]), behind(2, GATES[1])


def a_router(*allow: FlowRule) -> RouterSpec:
    return RouterSpec("gate", GATES, allow)


@pytest.fixture
def run(netns_run: Run) -> Run:
    """Two networks that the machine does not reach."""
    for network in (CELL, SITE):
        netns_run.backend.create_network(network)
    return netns_run


def reaches(run: Run, space: str, address: str, port: int, seconds: float = 0.5) -> bool:
    """Whether a connection can be made from a namespace of the run."""
    assert isinstance(run.backend, NetnsBackend)

    def connect() -> bool:
        try:
            socket.create_connection((address, port), seconds).close()
        except OSError:
            return False
        return True

    return inside(run.backend.spaces.pin(space), connect)


def test_networks_are_not_joined_by_themselves(run: Run) -> None:
    run.up(a_shard(1, CELL_NODE), a_shard(2, SITE_NODE), a_shard(3, interface(CELL, 3)))
    assert reaches(run, "node.plc-1", interface(CELL, 3).address, 502), "neighbours meet"
    assert not reaches(run, "node.plc-1", SITE_NODE.address, 502)
    assert not leads_into_a_plant(CELL_NODE.address)
    assert reaches(run, "switch", CELL_NODE.address, 502), "the farm itself asks every node"


def test_a_router_lets_through_what_its_rules_name(run: Run) -> None:
    allow = FlowRule(CELL.subnet, f"{SITE_NODE.address}/32", "tcp", (502,))
    run.backend.create_network(a_router(allow))
    run.up(a_shard(1, CELL_NODE), a_shard(2, SITE_NODE))
    assert reaches(run, "node.plc-1", SITE_NODE.address, 502, 5.0)
    assert not reaches(run, "node.plc-1", SITE_NODE.address, 44818), "another port"
    assert not reaches(run, "node.plc-2", CELL_NODE.address, 502), "the other way round"
    assert not reaches(run, "switch", SITE_NODE.address, 9, 0.2), "nor does the farm forward"
    assert run.again().observe().networks == (CELL, SITE, a_router(allow))
    neighbours = space_neighbours(run, "node.plc-1")
    assert neighbours[GATES[0].address] == GATES[0].mac
    assert (
        space_neighbours(run, "router.gate").items()
        >= {CELL_NODE.address: CELL_NODE.mac, SITE_NODE.address: SITE_NODE.mac}.items()
    )


def space_neighbours(run: Run, space: str) -> dict[str, str]:
    """Address to MAC of those that are known for good."""
    assert isinstance(run.backend, NetnsBackend)
    command = ["nsenter", f"--net={run.backend.spaces.pin(space)}", "ip", "-j", "neigh"]
    found = json.loads(subprocess.check_output(command))
    return {entry["dst"]: entry["lladdr"] for entry in found if entry["state"] == ["PERMANENT"]}


def test_a_router_that_changes_is_known_to_the_nodes_that_stay(run: Run) -> None:
    run.up(a_shard(1, CELL_NODE), a_shard(2, SITE_NODE))
    run.backend.create_network(a_router())
    assert not reaches(run, "node.plc-1", SITE_NODE.address, 502)
    other = tuple(
        InterfaceConfig(gate.network, gate.address, gate.prefix, gate.mac.replace("02:fa", "02:fc")) for gate in GATES
    )
    run.backend.remove_network("gate")
    run.backend.create_network(RouterSpec("gate", other, (FlowRule(CELL.subnet, SITE.subnet, "any"),)))
    assert reaches(run, "node.plc-1", SITE_NODE.address, 502, 5.0)
    assert reaches(run, "node.plc-1", SITE_NODE.address, 44818, 5.0)


def test_a_router_may_lead_beyond_its_networks(run: Run) -> None:
    run.backend.create_network(LAB)
    far, near = interface(LAB, 998), interface(SITE, 998)
    beyond = RouterSpec(
        "edge", (far, near), (FlowRule(CELL.subnet, LAB.subnet, "tcp"),), ((CELL.subnet, GATES[1].address),)
    )
    first = RouterSpec(
        "gate", GATES, (FlowRule(CELL.subnet, LAB.subnet, "tcp", (502,)),), ((LAB.subnet, near.address),)
    )
    run.backend.create_network(first)
    run.backend.create_network(beyond)
    run.up(a_shard(1, CELL_NODE), a_shard(4, interface(LAB, 4, gateway=far.address)))
    assert reaches(run, "node.plc-1", interface(LAB, 4).address, 502, 5.0)
    assert not reaches(run, "node.plc-1", interface(LAB, 4).address, 44818), "the first router says no"


def test_a_router_is_there_or_not(run: Run) -> None:
    run.backend.create_network(a_router())
    assert isinstance(run.backend, NetnsBackend)
    run.backend.spaces.drop("router.gate")
    assert run.backend.observe().networks == (CELL, SITE)
    run.backend.create_network(a_router())
    run.backend.remove_network("cell")
    assert run.backend.observe().networks == (SITE,), "a router on a network that is gone is no router"
    run.backend.remove_network("gate")
    run.backend.remove_network("gate")
    assert run.again().observe().networks == (SITE,)


def test_no_router_without_nft(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert shutil.which("nft")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendError, match="gate: create: routers need the program nft: apt-get install nftables"):
        run.backend.create_network(a_router())


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (FlowRule("10.1.0.0/24", "10.2.0.7", "tcp", (502, 44818)), "tcp dport { 502, 44818 } accept"),
        (FlowRule("10.1.0.0/24", "10.2.0.7", "udp"), "meta l4proto udp accept"),
        (FlowRule("10.1.0.0/24", "10.2.0.7", "icmp"), "meta l4proto icmp accept"),
        (FlowRule("10.1.0.0/24", "10.2.0.7", "any"), "accept"),
        (FlowRule("10.1.0.0/24", "10.2.0.7", "any", (80,)), "meta l4proto { tcp, udp } th dport { 80 } accept"),
    ],
)
def test_rules(run: Run, rule: FlowRule, text: str) -> None:
    assert encode_rule(rule) == f"ip saddr 10.1.0.0/24 ip daddr 10.2.0.7/32 {text}"
    checked = subprocess.run(
        ["nft", "-c", "-f", "-"], input=encode_rules([rule]), capture_output=True, text=True, check=False
    )
    assert checked.stderr == ""


@pytest.mark.parametrize(
    "rule",
    [
        FlowRule("10.1.0.0/24; flush ruleset", "10.2.0.7", "tcp"),
        FlowRule("10.1.0.0/24", "fd00::1", "tcp"),
        FlowRule("10.1.0.0/24", "10.2.0.7", "tcp; accept"),
        FlowRule("10.1.0.0/24", "10.2.0.7", "tcp", (0,)),
        FlowRule("10.1.0.5/24", "10.2.0.7", "tcp"),
    ],
)
def test_text_of_a_file_never_becomes_a_rule(rule: FlowRule) -> None:
    with pytest.raises(BackendError, match="a rule that cannot be"):
        encode_rule(rule)
