"""What this machine allows: descriptors for a shard's nodes, and port 502 for this user.

Asked before anything is started, so that a farm that cannot fit is refused with the figure and not half-way up.
"""

import os
import resource
import socket
from collections.abc import Sequence

from farm.errors import BackendError
from node.config.model import NodeConfig
from node.config.schema import PROFILES

RESERVE = 64
"""Descriptors of a shard that are nobody's connection: its log, loop and control stream, and room for modules."""
PROMISED = 64
"""Connections that a node is sure to get when its file does not say how many. Its profile may take more: they come out
of what is left, and wait where nothing is."""

UDP_LISTENERS = 1
BROADCAST_LISTENERS = 2
"""Of a node that has an address in a segment with broadcasts: the segment's own and 255.255.255.255. Loopback has
none."""


def hard_limit() -> int:
    """Descriptors a process of this user may raise itself to."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 30 if hard == resource.RLIM_INFINITY else hard


def descriptors(node: NodeConfig) -> int:
    """Descriptors a node must be able to hold at once: its listeners, and the connections that its file names or that
    it is promised."""
    count = 0
    if node.enip is not None:
        count += 1 + UDP_LISTENERS + (node.enip.max_connections or _promised(node.profile))
        if node.address and not node.address.startswith("127."):
            count += BROADCAST_LISTENERS
    if node.modbus is not None:
        count += 1 + node.modbus.max_connections
    return count


def _promised(profile: str) -> int:
    """Connections of a node whose file does not say how many; a small device takes no more than it has sessions."""
    found = PROFILES.get(profile)
    return PROMISED if found is None else min(PROMISED, found.sessions)


def auto_size(nodes: Sequence[NodeConfig], limit: int, cores: int | None = None) -> int:
    """Nodes a shard for `shard: auto`: a shard for each core, or as many as `limit` descriptors make necessary.

    Raises `BackendError` naming the node that alone needs more than `limit`.
    """
    if not nodes:
        return 1
    greediest = max(nodes, key=descriptors)
    fitting = (limit - RESERVE) // max(1, descriptors(greediest))
    if fitting < 1:
        needed = descriptors(greediest) + RESERVE
        raise BackendError(
            greediest.name, "create", f"needs {needed} descriptors, this user may have {limit}: raise `ulimit -Hn`"
        )
    return _spread(len(nodes), fitting, cores)


def auto_size_of(count: int, limit: int, cores: int | None = None) -> int:
    """The same for so many controllers that are not known yet."""
    return _spread(count, (limit - RESERVE) // (1 + UDP_LISTENERS + PROMISED), cores)


def _spread(count: int, fitting: int, cores: int | None) -> int:
    each_core = -(-count // (cores or os.cpu_count() or 1))
    return max(1, min(fitting, each_core))


def check_size(nodes: Sequence[NodeConfig], limit: int) -> None:
    """Refuse nodes that cannot share one shard. Raises `BackendError` with both figures."""
    needed = RESERVE + sum(descriptors(node) for node in nodes)
    if needed > limit:
        first = nodes[0].name if nodes else "shard"
        raise BackendError(
            first,
            "create",
            f"a shard of {len(nodes)} nodes needs {needed} descriptors, this user may have {limit}: "
            "use a smaller `shard`, or raise `ulimit -Hn`",
        )


def can_bind(address: str, port: int) -> bool:
    """Whether this user may listen on `port`. One that is taken is allowed all the same."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except PermissionError:
            return False
        except OSError:
            return True
    return True


def can_bind_modbus(address: str = "127.64.0.1") -> bool:
    """Whether this user may listen on Modbus's own port, 502."""
    return can_bind(address, 502)
