"""Plans with networks, routers and links: what is made before nodes, taken away after them, and shaped last."""

import asyncio
from dataclasses import replace

import pytest

from farm.backends.memory import MemoryBackend
from farm.backends.observed import Observed
from farm.errors import BackendError
from farm.plan.execute import Execution
from farm.plan.reconcile import reconcile
from farm.topology.plant import Plant
from farm.topology.wiring import LinkQuality, NetworkSpec, RouterSpec, Shaping
from node.config.model import InterfaceConfig, NodeConfig
from tests.farm.plan.plants import node, plant, running

CELL = NetworkSpec("cell", "10.20.0.0/16", "10.20.255.253")
SUPER = NetworkSpec("super", "10.30.0.0/24", "10.30.0.253")
ROUTER = RouterSpec(
    "fw",
    (
        InterfaceConfig("cell", "10.20.255.252", 16, "02:fa:00:00:00:f1"),
        InterfaceConfig("super", "10.30.0.252", 24, "02:fa:00:00:00:f2"),
    ),
)
SLOW = LinkQuality(delay=0.2)


def on(network: str, name: str) -> NodeConfig:
    made = node(name)
    return replace(made, interfaces=(InterfaceConfig(network, made.address, 16, "02:fa:00:00:00:01"),))


PUMP, SCADA = on("cell", "pump-1"), on("super", "scada-2")
WORKS = replace(plant(PUMP, SCADA), networks=(CELL, SUPER), routers=(ROUTER,))


def seen(wanted: Plant, links: dict[str, Shaping] | None = None) -> Observed:
    shards = tuple(running(each.name, each, pid=100 + i) for i, each in enumerate(wanted.nodes))
    return Observed(shards, (), wanted.segments, links or {})


def test_networks_come_before_routers_and_nodes() -> None:
    assert str(reconcile(WORKS, Observed())) == (
        "[1] create network cell: not there\n"
        "[2] create network super: not there\n"
        "[3] create router fw, after 1, 2: not there\n"
        "[4] start shard pump-1 (pump-1), after 1, 2, 3: not running\n"
        "[5] start shard scada-2 (scada-2), after 1, 2, 3: not running"
    )


def test_what_is_there_needs_nothing() -> None:
    assert not reconcile(WORKS, seen(WORKS))


def test_down_takes_nodes_then_routers_then_networks() -> None:
    assert str(reconcile(plant(), seen(WORKS))) == (
        "[1] stop shard pump-1 (pump-1): not in the plant\n"
        "[2] stop shard scada-2 (scada-2): not in the plant\n"
        "[3] remove router fw, after 1, 2: not in the plant\n"
        "[4] remove network cell, after 1, 2, 3: not in the plant\n"
        "[5] remove network super, after 1, 2, 3, 4: not in the plant"
    )


def test_a_network_that_changes_takes_its_nodes_and_routers_with_it_and_no_others() -> None:
    wanted = replace(WORKS, networks=(replace(CELL, mtu=1400), SUPER))
    assert str(reconcile(wanted, seen(WORKS))) == (
        "[1] stop shard pump-1 (pump-1): its network changes\n"
        "[2] remove router fw, after 1: it changes\n"
        "[3] remove network cell, after 1, 2: it changes\n"
        "[4] create network cell, after 2, 3: not there\n"
        "[5] create router fw, after 2, 3, 4: not there\n"
        "[6] start shard pump-1 (pump-1), after 1, 4, 5: its network changes"
    )


def test_a_link_is_shaped_when_its_shard_runs() -> None:
    wanted = replace(WORKS, links={"pump-1": SLOW})
    lines = reconcile(wanted, Observed()).lines()
    assert lines[-1] == "[6] shape link of pump-1, after 4: wanted delay 0.2 s"
    assert str(reconcile(wanted, seen(WORKS))) == "[1] shape link of pump-1: wanted delay 0.2 s"
    shaped = {"pump-1": Shaping(SLOW, left=SLOW)}
    assert not reconcile(wanted, seen(WORKS, shaped))
    assert str(reconcile(WORKS, seen(WORKS, shaped))) == "[1] shape link of pump-1: made good"


def test_a_shard_that_is_replaced_has_its_link_shaped_anew() -> None:
    changed = replace(PUMP, delay=(0.1, 0.1))
    wanted = replace(WORKS, nodes=(changed, SCADA), links={"pump-1": SLOW})
    lines = reconcile(wanted, seen(WORKS, {"pump-1": Shaping(SLOW)})).lines()
    assert lines[-1] == "[3] shape link of pump-1, after 2: wanted delay 0.2 s"


def carried_out(wanted: Plant, backend: MemoryBackend) -> Execution:
    execution = Execution(reconcile(wanted, backend.observe()), backend)
    asyncio.run(execution.run())
    return execution


def test_a_plan_is_carried_out_and_its_opposite() -> None:
    backend = MemoryBackend()
    execution = carried_out(replace(WORKS, links={"pump-1": SLOW}), backend)
    assert execution.shaped == {"pump-1": Shaping(SLOW, "in a dict", SLOW)}
    found = backend.observe()
    assert set(found.networks) == {CELL, SUPER, ROUTER}
    assert found.links["pump-1"].quality == SLOW
    carried_out(plant(), backend)
    assert backend.observe().networks == ()


@pytest.mark.parametrize("failing", range(1, 11))
def test_whatever_fails_what_was_before_is_back(failing: int) -> None:
    backend = MemoryBackend()
    carried_out(replace(WORKS, links={"scada-2": SLOW}), backend)
    before = backend.observe()
    wanted = replace(WORKS, networks=(replace(CELL, mtu=1400), SUPER), links={"pump-1": SLOW})
    execution = Execution(reconcile(wanted, before), backend)
    backend.fail_at = failing
    try:
        asyncio.run(execution.run())
    except BackendError:
        assert asyncio.run(execution.roll_back()) == []
        after = backend.observe()
        assert set(after.networks) == set(before.networks)
        assert {shard.nodes for shard in after.shards if shard.alive} == {shard.nodes for shard in before.shards}
        assert {name: shaping.quality for name, shaping in after.links.items()} == {"scada-2": SLOW}
    else:
        assert backend.fail_at, "nothing failed"
