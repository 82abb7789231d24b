"""Which shard serves which node: always the same one, as long as it can.

A node that changes its shard must go down in one process and up in another, and its neighbours gain nothing; so what
was observed stays, room in a shard is filled before another is made, and numbers are not handed out again. A shard of
the name of its node was made for that node alone, and stays only where shards have one node, or where the node runs
code of somebody's own: what that does to its process is to befall no other node.
"""

from collections.abc import Sequence

from farm.backends.observed import ObservedShard, ShardSpec
from node.config.model import NodeConfig


def assign(nodes: Sequence[NodeConfig], shards: Sequence[ObservedShard], size: int) -> list[ShardSpec]:
    """`nodes` (in plant order) in shards of at most `size` nodes, given the shards that are there."""
    if size <= 1:
        return [ShardSpec(node.name, (node,)) for node in nodes]
    alone = [ShardSpec(node.name, (node,)) for node in nodes if node.has_code]
    nodes = [node for node in nodes if not node.has_code]
    shared = [shard for shard in shards if shard.name not in [node.name for node in shard.nodes]]
    homes = {node.name: shard.name for shard in shared for node in shard.nodes}
    members: dict[str, list[NodeConfig]] = {shard.name: [] for shard in shared}
    homeless = []
    for node in nodes:
        home = homes.get(node.name)
        if home is not None and len(members[home]) < size:
            members[home].append(node)
        else:
            homeless.append(node)
    _house(homeless, members, size, {shard.name for shard in shards})
    return [ShardSpec(name, tuple(served)) for name, served in members.items() if served] + alone


def _house(nodes: list[NodeConfig], members: dict[str, list[NodeConfig]], size: int, seen: set[str]) -> None:
    """Puts `nodes` where there is room, then in new shards of names that were not `seen`."""
    open_shards = [served for served in members.values() if 0 < len(served) < size][::-1]
    number = 0
    for node in nodes:
        while open_shards and len(open_shards[-1]) >= size:
            open_shards.pop()
        if not open_shards:
            number = _next_number(seen, number)
            open_shards.append(members.setdefault(f"shard-{number:03d}", []))
        open_shards[-1].append(node)


def _next_number(seen: set[str], last: int) -> int:
    number = last + 1
    while f"shard-{number:03d}" in seen:
        number += 1
    return number
