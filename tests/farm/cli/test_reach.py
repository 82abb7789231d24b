"""What is said of nodes that are on other machines' networks: by `farm read`, `load`, `enter` and `hosts --outside`."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.cli import enter
from farm.supervisor.api import Api
from farm.supervisor.link import Link
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.state import Identity
from farm.supervisor.wire import encode_plant, pack
from farm.topology.plant import Plant
from farm.topology.wiring import NetworkSpec
from node.config.model import InterfaceConfig, NodeConfig
from tests.farm.plan.plants import node
from tests.farm.supervisor.platform import Platform, new_platform, supervisor
from tests.farm_command import Said, here

pytestmark = pytest.mark.net

OUT = "127.64.7.1"
CELL = NetworkSpec("cell", "10.64.7.0/24", "10.64.7.254", host="10.64.7.253")
CLOSED = NetworkSpec("closed", "10.64.8.0/24", "10.64.8.254")
SEEN = replace(
    node("plc-1", "10.64.7.1"),
    interfaces=(InterfaceConfig("cell", "10.64.7.1", 24, "02:fa:00:00:00:01"),),
    outside=(("enip", OUT, 44818),),
)
HIDDEN = replace(
    node("plc-2", "10.64.8.2"), interfaces=(InterfaceConfig("closed", "10.64.8.2", 24, "02:fa:00:00:00:02"),)
)


class Far(Platform):
    """One whose nodes are on other machines' networks."""

    inside = False


class Spread(Far):
    """One whose nodes are on several machines, this one among them if it `led`."""

    led = False

    def prepare(self, plant: Plant, say: Callable[[str], None], *, changing: bool, patient: bool) -> None:
        """They are ready."""

    def release(self) -> None:
        """They stay."""

    def host_of(self, node: str) -> str:
        return "north"

    def address_of(self, node: str) -> str:
        return ""

    def leads(self) -> bool:
        return self.led

    def absent(self, node: str) -> str:
        return ""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PLCFARM_RUN", str(tmp_path))
    yield tmp_path


def asked(platform: Platform, backend: str, nodes: tuple[NodeConfig, ...], work: Callable[[], Any]) -> Any:
    """What `work` returns, done beside a supervisor of a farm on `backend`, whose platform is that one."""
    platform.name = backend
    Identity.new(platform.run, backend).write(platform.run)
    plant = Plant("works", "plant.yaml", backend, 1, nodes, networks=(CELL, CLOSED))

    async def whole() -> Any:
        async with supervisor(platform) as farm:
            api = Api(farm)
            await api.start()
            try:
                await farm.apply(
                    plant, lambda event: None, dry_run=False, seconds=10, encoded=pack(encode_plant(plant))
                )
                return await asyncio.to_thread(work)
            finally:
                await api.stop()

    try:
        return asyncio.run(whole())
    finally:
        platform.close()


def farm(platform: Platform, backend: str, *arguments: str, nodes: tuple[NodeConfig, ...] = (SEEN, HIDDEN)) -> Said:
    found: Said = asked(platform, backend, nodes, lambda: here(*arguments))
    return found


def spread(root: Path, led: bool) -> Platform:
    platform = new_platform(root, Spread)
    platform.led = led
    return platform


READS = [("read", "plc-1", "Level"), ("write", "plc-1", "Level", "1"), ("load", "plc-1", "--duration", "1s")]


@pytest.mark.parametrize("arguments", READS, ids=" ".join)
def test_a_node_whose_addresses_are_the_relays_hosts_is_said_to_be_there(
    root: Path, arguments: tuple[str, ...]
) -> None:
    code, _, error = farm(spread(root, led=False), "swarm", *arguments, nodes=(SEEN,))
    where = f"{OUT}:44818 is an address of the relay's host"
    assert (code, error.count("\n")) == (1, 1)
    assert error.startswith(f"error: plc-1 is not reached from here: {where}; `ssh -L {OUT}:44818:{OUT}:44818 HOST` ")
    assert "hosts --relay ADDRESS:PORT` leads others to it, and `" in error
    assert error.endswith(" tags plc-1` shows its values\n")


@pytest.mark.parametrize("led", [False, True])
def test_a_node_of_closed_networks_alone_is_not_waited_for(root: Path, led: bool) -> None:
    code, _, error = farm(spread(root, led), "swarm", "read", "plc-2", "Level")
    assert (code, error.count("\n")) == (1, 1)
    said = "plc-2 is not reached from here: it is on network closed alone; ask it from a container on its network"
    assert error.startswith(f"error: {said}; ")


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("kubernetes", "within the cluster; ask it from a pod in it"),
        ("docker", "on the engine's machine; ask it there"),
    ],
)
def test_an_address_of_a_cluster_or_of_an_engine_elsewhere_is_said_to_be_one(
    root: Path, backend: str, said: str
) -> None:
    near = replace(HIDDEN, address="127.64.7.9")
    code, _, error = farm(new_platform(root, Far), backend, "read", "plc-2", "Level", nodes=(near,))
    assert (code, error.count("\n")) == (1, 1)
    assert error.startswith(f"error: plc-2 is not reached from here: 127.64.7.9:44818 is an address {said}; ")


def test_a_tunnel_that_leads_to_a_node_is_used(root: Path) -> None:
    with socket.create_server((OUT, 44818)):
        code, _, error = farm(spread(root, led=False), "swarm", "read", "plc-1", "Level", "--timeout", "0.2")
    assert (code, "is not reached from here" in error) == (1, False)
    assert "no answer within 0.2 s" in error


@pytest.mark.parametrize(
    ("make", "backend", "said"),
    [
        (Platform, "memory", "this machine reaches the nodes itself"),
        (Platform, "docker", "this machine reaches the nodes itself"),
        (Platform, "netns", "this machine does not reach network closed, which `"),
        (Far, "docker", "this machine reaches the nodes at their OUTSIDE addresses alone (`"),
        (Far, "kubernetes", "this machine does not reach the nodes: their addresses are within the cluster"),
        (Spread, "swarm", "this machine does not reach the nodes: their OUTSIDE addresses are of the relay's host"),
    ],
)
def test_enter_says_what_is_reached(
    root: Path, make: Callable[[RunDirectory], Platform], backend: str, said: str
) -> None:
    nodes = (SEEN, HIDDEN) if backend != "kubernetes" else (HIDDEN,)
    platform = new_platform(root, make)
    found = asked(platform, backend, nodes, lambda: enter.standing(Link.open(platform.run)))
    assert found.startswith(said)


@pytest.mark.parametrize(
    ("led", "whose"),
    [
        (True, "this machine: append it to /etc/hosts, as in `"),
        (False, "the relay's host: append it to /etc/hosts there\n"),
    ],
)
def test_hosts_says_whose_the_outside_addresses_are(root: Path, led: bool, whose: str) -> None:
    code, said, note = farm(spread(root, led), "swarm", "hosts", "--outside")
    assert (code, said) == (0, f"{OUT}  plc-1 plc-1.works\n")
    assert note.startswith(f"# works, at addresses of {whose}")


def test_a_relays_file_says_where_it_is_for(root: Path) -> None:
    code, said, note = farm(spread(root, led=False), "swarm", "hosts", "--relay", "10.0.0.1:20001", nodes=(SEEN,))
    assert (code, OUT in said) == (0, True)
    first = "# works: for `python -m node relay` on the relay's host, whose addresses the nodes have"
    assert note.splitlines() == [first, "# 10.0.0.1:20001  plc-1 enip"]
