"""Nodes that are ended and started again by command: whole shards by a plan, single nodes of a shard by telling it.

A shard that serves one node, or whose nodes are all to be started anew, gets a new process. Of any other shard the
nodes are replaced in place, so that their neighbours keep their clients.
"""

from collections.abc import Mapping, Sequence

from farm.backends.observed import ObservedShard, ShardSpec
from farm.plan.plan import START, STOP, Operation, Plan
from farm.supervisor.roster import Member, Roster

CAUSE = "restarted by command"


def plan_restart(
    members: Sequence[Member], roster: Roster, running: Mapping[str, ObservedShard]
) -> tuple[Plan, dict[str, list[Member]]]:
    """The stops and starts of whole shards, and by shard the members that a running one is to be told to start anew."""
    chosen: dict[str, list[Member]] = {}
    for member in members:
        chosen.setdefault(member.shard or member.config.name, []).append(member)
    operations: list[Operation] = []
    told: dict[str, list[Member]] = {}
    for shard, wanted in chosen.items():
        served = roster.of_shard(shard) or wanted
        if shard in running and len(wanted) < len(served):
            told[shard] = wanted
            continue
        after: tuple[int, ...] = ()
        if shard in running:
            after = (len(operations) + 1,)
            operations.append(Operation(after[0], STOP, shard, CAUSE, running=running[shard]))
        spec = ShardSpec(shard, tuple(member.config for member in served))
        operations.append(Operation(len(operations) + 1, START, shard, CAUSE, after, spec=spec))
    return Plan(tuple(operations)), told
