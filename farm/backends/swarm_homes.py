"""Which host each node is on: always the same one, as long as it may stay there. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from farm.topology.placement import Placement


def settle(
    nodes: Sequence[str], placement: Placement, hosts: Sequence[str], before: Mapping[str, str]
) -> dict[str, str]:
    """The host of each node. Those that have one `before` which is still a host, and which the plant still allows them,
    stay; of the others, in the order of the plant, each goes to the one that has fewest of those it may be on, the
    first of several."""
    homes = {node: before[node] for node in nodes if before.get(node) in hosts and placement.allows(node, before[node])}
    load = Counter(dict.fromkeys(hosts, 0))
    load.update(homes.values())
    for node in nodes:
        if node not in homes:
            allowed = [host for host in hosts if placement.allows(node, host)] or list(hosts)
            homes[node] = min(allowed, key=lambda host: (load[host], hosts.index(host)))
            load[homes[node]] += 1
    return homes
