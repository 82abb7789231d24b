"""Every case of a plan, as the plan prints itself."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.backends.observed import Observed, ObservedShard
from farm.errors import PlanError
from farm.plan.plan import CHANGE, REMOVE, START, STOP, Plan
from farm.plan.reconcile import reconcile
from farm.topology.plant import Origin, Plant
from tests.farm.plan.plants import alone, node, plant, running


def printed(wanted: Plant, observed: Observed) -> str:
    return str(reconcile(wanted, observed))


def test_from_nothing_every_shard_is_started() -> None:
    assert printed(plant(node("pump-1"), node("pump-2")), Observed()) == (
        "[1] start shard pump-1 (pump-1): not running\n"  #
        "[2] start shard pump-2 (pump-2): not running"
    )


def test_what_runs_as_wanted_needs_nothing() -> None:
    nodes = node("pump-1"), node("pump-2")
    assert printed(plant(*nodes), alone(*nodes)) == "nothing to do"
    assert not reconcile(plant(*nodes), alone(*nodes))


def test_what_no_node_sees_changes_nothing() -> None:
    nodes = node("pump-1"), node("pump-2")
    told = replace(
        plant(*nodes), file="other.yaml", warnings=("a line",), origins={"pump-1": {"tags": Origin("other.yaml", 3, 1)}}
    )
    assert printed(told, alone(*nodes)) == "nothing to do"


def test_a_changed_node_alone_is_replaced() -> None:
    old, same = node("pump-1"), node("pump-2")
    assert printed(plant(node("pump-1", tags=("Level", "Flow")), same), alone(old, same)) == (
        "[1] stop shard pump-1 (pump-1): tags changed\n[2] start shard pump-1 (pump-1), after 1: tags changed"
    )


def test_what_is_no_longer_wanted_is_stopped_or_its_files_removed() -> None:
    seen = Observed((running("pump-1", node("pump-1")), running("pump-2", node("pump-2"), alive=False)))
    assert printed(plant(), seen) == (
        "[1] stop shard pump-1 (pump-1): not in the plant\n"
        "[2] remove shard pump-2 (pump-2): not in the plant, and its process is gone"
    )


def test_a_dead_shard_is_started_again() -> None:
    one = node("pump-1")
    assert printed(plant(one), Observed((running("pump-1", one, alive=False),))) == (
        "[1] start shard pump-1 (pump-1): its process is gone"
    )


def test_strays_are_killed_before_anything_starts() -> None:
    assert printed(plant(node("pump-1")), Observed(strays=(4711, 4712))) == (
        "[1] kill process 4711: of this farm, but of none of its shards\n"
        "[2] kill process 4712: of this farm, but of none of its shards\n"
        "[3] start shard pump-1 (pump-1), after 1, 2: not running"
    )


def test_an_address_is_given_up_before_it_is_taken() -> None:
    one, two = node("pump-1", "127.64.1.1"), node("pump-2", "127.64.1.2")
    swapped = replace(one, address="127.64.1.2"), replace(two, address="127.64.1.1")
    assert printed(plant(*swapped), alone(one, two)) == (
        "[1] stop shard pump-1 (pump-1): address 127.64.1.1 -> 127.64.1.2\n"
        "[2] stop shard pump-2 (pump-2): address 127.64.1.2 -> 127.64.1.1\n"
        "[3] start shard pump-1 (pump-1), after 1, 2: address 127.64.1.1 -> 127.64.1.2\n"
        "[4] start shard pump-2 (pump-2), after 1, 2: address 127.64.1.2 -> 127.64.1.1"
    )


def test_a_new_node_waits_for_the_address_of_one_that_goes() -> None:
    assert printed(plant(node("new", "127.64.1.7")), alone(node("old", "127.64.1.7"))) == (
        "[1] stop shard old (old): not in the plant\n"  #
        "[2] start shard new (new), after 1: not running"
    )


def test_a_shard_whose_process_serves_something_else_is_replaced() -> None:
    assert printed(plant(node("pump-1")), Observed((running("pump-1"),))) == (
        "[1] stop shard pump-1: serves something else than its file says\n"
        "[2] start shard pump-1 (pump-1), after 1: serves something else than its file says"
    )


def test_many_nodes_fill_shards_in_plant_order() -> None:
    nodes = [node(f"pump-{number}") for number in range(1, 12)]
    assert printed(plant(*nodes, shard=5), Observed()) == (
        "[1] start shard shard-001 (pump-1, pump-2, pump-3 and 2 more): not running\n"
        "[2] start shard shard-002 (pump-6, pump-7, pump-8 and 2 more): not running\n"
        "[3] start shard shard-003 (pump-11): not running"
    )


@pytest.mark.parametrize("size", [0, -1, "auto"])
def test_a_shard_size_must_be_a_number_by_now(size: int | str) -> None:
    with pytest.raises(PlanError, match=f"shard: got {size!r}, wanted"):
        reconcile(plant(node("pump-1"), shard=size), Observed())


def test_a_changed_node_of_a_full_shard_leaves_its_neighbours_alone() -> None:
    nodes = [node(f"pump-{number}") for number in range(1, 5)]
    seen = Observed((running("shard-001", *nodes[:2]), running("shard-002", *nodes[2:])))
    nodes[2] = replace(nodes[2], tags=())
    assert printed(plant(*nodes, shard=2), seen) == (
        "[1] change shard shard-002 (pump-3, pump-4): pump-3: tags changed"
    )


def test_new_nodes_take_the_room_that_is_there_and_then_new_shards() -> None:
    nodes = [node(f"pump-{number}") for number in range(1, 8)]
    seen = Observed((running("shard-001", nodes[1], nodes[2]), running("shard-004", nodes[4])))
    assert printed(plant(*nodes, shard=3), seen) == (
        "[1] change shard shard-001 (pump-2, pump-3, pump-1): pump-1: new\n"
        "[2] change shard shard-004 (pump-5, pump-4, pump-6): pump-4: new; pump-6: new\n"
        "[3] start shard shard-002 (pump-7): not running"
    )


def test_a_node_that_goes_from_a_shard_leaves_its_address_to_a_new_one() -> None:
    nodes = [node(f"pump-{number}") for number in range(1, 5)]
    seen = Observed((running("shard-001", *nodes[:2]), running("shard-002", *nodes[2:])))
    wanted = [nodes[0], *nodes[2:], node("pump-9"), node("pump-10", nodes[1].address)]
    assert printed(plant(*wanted, shard=2), seen) == (
        "[1] change shard shard-001 (pump-1, pump-9): pump-2: no longer in this shard; pump-9: new\n"
        "[2] start shard shard-003 (pump-10), after 1: not running"
    )


def test_addresses_that_move_between_running_shards_replace_both() -> None:
    nodes = [node(f"pump-{number}") for number in range(1, 5)]
    seen = Observed((running("shard-001", *nodes[:2]), running("shard-002", *nodes[2:])))
    nodes[0], nodes[2] = replace(nodes[0], address="127.64.1.3"), replace(nodes[2], address="127.64.1.1")
    plan = reconcile(plant(*nodes, shard=2), seen)
    assert [operation.verb for operation in plan] == [STOP, STOP, START, START]
    assert [operation.after for operation in plan] == [(), (), (1, 2), (1, 2)]


def test_another_shard_size_replaces_what_was_made_for_one_node() -> None:
    nodes = node("pump-1"), node("pump-2")
    assert printed(plant(*nodes, shard=2), alone(*nodes)) == (
        "[1] stop shard pump-1 (pump-1): not in the plant\n"
        "[2] stop shard pump-2 (pump-2): not in the plant\n"
        "[3] start shard shard-001 (pump-1, pump-2), after 1, 2: not running"
    )


def test_two_nodes_of_one_address_are_refused() -> None:
    with pytest.raises(PlanError, match=r"pump-2 and pump-1 both want 127\.64\.1\.1:44818"):
        reconcile(plant(node("pump-1"), node("pump-2", "127.64.1.1")), Observed())
    both = plant(node("pump-1"), node("meter-1", "127.64.1.1", modbus=True))
    assert len(reconcile(both, Observed())) == 2, "other ports of one address are free to use"


NAMES = [f"n-{number}" for number in range(1, 9)]
PLANTS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(1, 9), st.sampled_from([("A",), ("B",)])),
    unique_by=(lambda entry: entry[0], lambda entry: entry[1]),
    max_size=8,
).map(lambda entries: [node(name, f"127.64.2.{number}", tags) for name, number, tags in entries])


def carry_out(plan: Plan, observed: Observed) -> Observed:
    """What there is after `plan`, with every rule of order checked on the way."""
    shards = {shard.name: shard for shard in observed.shards}
    done: set[int] = set()
    for operation in plan:
        assert set(operation.after) <= done, "operations stand in an order in which they can be done"
        done.add(operation.number)
        if operation.verb in (STOP, REMOVE):
            del shards[operation.target]
        elif operation.verb in (START, CHANGE):
            assert operation.spec is not None
            old = shards.get(operation.target)
            assert (old is not None and old.alive) == (operation.verb == CHANGE)
            shards[operation.target] = ObservedShard(operation.target, 1, 1, True, operation.spec.nodes)
        held = [(n.address, port) for s in shards.values() if s.alive for n in s.nodes for port in n.ports.values()]
        assert len(held) == len(set(held)), "no address is taken before it is given up"
    return Observed(tuple(shards.values()))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(PLANTS, st.integers(1, 4)), min_size=2, max_size=5))
def test_any_plant_can_follow_any_other(steps: list[tuple[list[object], int]]) -> None:
    observed = Observed()
    for nodes, size in steps:
        wanted = plant(*nodes, shard=size)  # type: ignore[arg-type]
        observed = carry_out(reconcile(wanted, observed), observed)
        served = {each.name: each for shard in observed.shards for each in shard.nodes}
        assert served == {each.name: each for each in wanted.nodes}
        assert all(len(shard.nodes) <= size for shard in observed.shards)
        assert not reconcile(wanted, observed)
