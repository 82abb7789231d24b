"""What a Swarm tells of its tasks: which is the node, where it is, and whose end is told to whom."""

import asyncio
from typing import Any

from farm.backends.observed import ObservedShard
from farm.backends.swarm_services import constraints
from farm.backends.swarm_tasks import Task, TaskWatches, current, read_task
from node.control.messages import instance_number


def told(
    task: str, node: str, state: str, wanted: str, made: str = "2026-11-27T08:00:00Z", member: str = "m1"
) -> dict[str, Any]:
    """A task as Docker 20.10 tells it, with what is of interest here."""
    return {
        "ID": task,
        "CreatedAt": made,
        "Spec": {"ContainerSpec": {"Labels": {"plcfarm.run": "r", "plcfarm.node": node}}},
        "NodeID": member,
        "Status": {"State": state, "ContainerStatus": {"ContainerID": "c" + task, "PID": 7}},
        "DesiredState": wanted,
        "NetworksAttachments": [
            {"Network": {"Spec": {"Name": "pf-1-cell-net"}}, "Addresses": ["10.61.0.9/24"]},
            {"Network": {"Spec": {"Name": "pf-1-control"}}, "Addresses": ["100.64.0.4/16"]},
        ],
    }


def test_a_task_says_where_a_node_is() -> None:
    task = read_task(told("t1", "plc-1", "running", "running"))
    assert (task.node, task.member, task.container, task.runs) == ("plc-1", "m1", "ct1", True)
    assert task.addresses == {"pf-1-cell-net": "10.61.0.9", "pf-1-control": "100.64.0.4"}
    assert task.number == instance_number("t1")


def test_one_that_has_just_been_made_knows_little() -> None:
    task = read_task({"ID": "t", "Status": {"State": "new", "Err": "no suitable node"}, "DesiredState": "running"})
    assert (task.node, task.member, task.addresses, task.runs, task.error) == ("", "", {}, False, "no suitable node")


def test_the_one_that_the_engine_wants_is_the_node_and_not_what_a_lost_host_had() -> None:
    lost = told("old", "plc-1", "running", "shutdown", "2026-11-27T08:00:00Z", "gone")
    later = told("new", "plc-1", "running", "running", "2026-11-27T08:05:00Z")
    other = told("x", "plc-2", "failed", "shutdown")
    for order in ([lost, later, other], [other, later, lost]):
        found = current(order)
        assert (found["plc-1"].id, found["plc-1"].runs) == ("new", True)
        assert (found["plc-2"].id, found["plc-2"].runs) == ("x", False)
    assert current([told("relay", "", "running", "running")]) == {}


def test_who_waits_is_told_of_the_end_of_its_task_and_of_no_other() -> None:
    rung: list[str] = []
    tasks: dict[str, Task] = {}
    newcomers = ["plc-4"]

    def look() -> dict[str, Task]:
        seen = dict(tasks)
        while newcomers:  # who comes while the engine answers, with a task that it did not know yet
            wait(newcomers.pop(), "t4")
        return seen

    def wait(node: str, task: str) -> None:
        shard = ObservedShard(node, instance_number(task), 0, alive=True, nodes=())
        watches.add(shard, lambda: rung.append(node))

    watches = TaskWatches(look)

    async def main() -> None:
        for task, node in (("t1", "plc-1"), ("t2", "plc-2"), ("t3", "plc-3")):
            wait(node, task)
        told_of = [told("t1", "plc-1", "running", "running"), told("t9", "plc-2", "running", "running")]
        tasks.update({**current(told_of), "plc-3": Task("t3", "plc-3", "m1", "running", wanted=True)})
        watches.see()
        await asyncio.sleep(0)
        assert rung == ["plc-2"]
        tasks.clear()
        watches.see()
        await asyncio.sleep(0)
        watches.close()
        assert sorted(rung) == ["plc-1", "plc-2", "plc-3", "plc-4"]

    asyncio.run(main())


def test_where_a_node_may_be_is_said_by_where_it_may_not() -> None:
    members = {"north": "a", "south": "b", "west": "c", "d": "d"}
    assert constraints(["south"], members) == ("node.id!=a", "node.id!=c", "node.id!=d")
    assert constraints(["north", "south", "west"], members) == ("node.id!=d",)
    assert constraints(["north"], {"north": "a"}) == ()
