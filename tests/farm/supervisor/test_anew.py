"""Which processes end for nodes that are started anew, and which are only told."""

from pathlib import Path

from farm.backends.observed import ObservedShard
from farm.plan.plan import START, STOP
from farm.supervisor.anew import plan_restart
from farm.supervisor.events import EventLog
from farm.supervisor.roster import Roster
from farm.supervisor.telemetry import Telemetry
from tests.farm.plan.plants import node

NODES = [node(name) for name in ("a", "b", "c", "d", "e")]
ALONE = ObservedShard("a", 10, 1, alive=True, nodes=(NODES[0],))
SHARED = ObservedShard("shard-001", 20, 1, alive=True, nodes=tuple(NODES[1:4]))
RUNNING = {"a": ALONE, "shard-001": SHARED}


def planned(tmp_path: Path, *names: str, running: dict[str, ObservedShard] = RUNNING) -> tuple[list[str], list[str]]:
    """The plan as it prints, and the nodes that are told."""
    events = EventLog(tmp_path / "events")
    roster = Roster(events, Telemetry())
    roster.want(NODES)
    for shard in RUNNING.values():
        roster.serve(shard)
    plan, told = plan_restart([roster.members[name] for name in names], roster, running)
    assert all(operation.verb in (STOP, START) for operation in plan)
    events.close()
    return plan.lines(), [member.config.name for members in told.values() for member in members]


def test_a_process_of_its_own_is_replaced(tmp_path: Path) -> None:
    assert planned(tmp_path, "a") == (
        ["[1] stop shard a (a): restarted by command", "[2] start shard a (a), after 1: restarted by command"],
        [],
    )


def test_neighbours_in_a_process_are_left_alone(tmp_path: Path) -> None:
    lines, told = planned(tmp_path, "b", "a", "d")
    assert (len(lines), told) == (2, ["b", "d"])


def test_a_process_all_of_whose_nodes_are_meant_is_replaced(tmp_path: Path) -> None:
    lines, told = planned(tmp_path, "d", "c", "b")
    assert told == []
    assert [line.split(":")[0] for line in lines] == [
        "[1] stop shard shard-001 (b, c, d)", "[2] start shard shard-001 (b, c, d), after 1",
    ]  # fmt: skip


def test_what_is_dead_is_only_started(tmp_path: Path) -> None:
    assert planned(tmp_path, "a", "e", running={}) == (
        ["[1] start shard a (a): restarted by command", "[2] start shard e (e): restarted by command"],
        [],
    )
    lines, told = planned(tmp_path, "b", running={})
    assert (lines, told) == (["[1] start shard shard-001 (b, c, d): restarted by command"], [])
