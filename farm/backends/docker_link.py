"""A container's links, made better and worse by the kernel where root runs the farm: as those of namespaces are
(`netns_shape`), for a container is one, and the outer ends of its interfaces are this machine's.

A cable that is pulled at its outer end leaves the container its addresses, routes and MACs; Docker itself can only take
an interface away and make another. On a macvlan there is no such end. Whatever is made goes with the container.
"""

import os
from pathlib import Path

from farm.backends import netns_shape
from farm.backends.netns_spaces import inside
from farm.backends.rtnetlink import Link, Rtnetlink
from farm.errors import BackendError
from farm.topology.wiring import LinkQuality, Shaping

MACHINE = Path("/proc/self/ns/net")


def left_to_node(quality: LinkQuality) -> bool:
    """Whether the node itself can play all of it, so that it needs no kernel and no rights."""
    return quality == LinkQuality(delay=quality.delay, jitter=quality.jitter)


def played(quality: LinkQuality) -> Shaping:
    """What is made of such a link."""
    return Shaping(quality, left=quality)


def shape_link(node: str, pid: int, quality: LinkQuality) -> Shaping:
    """Makes the links of the process `pid`'s container as `quality` says. Raises `BackendError`, without root too."""
    if os.geteuid() != 0:
        raise BackendError(
            node, "shape", "root alone can do more to a container's link than delay it: run the farm with sudo"
        )
    space = Path(f"/proc/{pid}/ns/net")
    try:
        ours = {link.index: link.name for link in _veths()}
        pairs = [(ours[link.peer], link.name) for link in inside(space, _veths)]
    except (OSError, KeyError) as exc:
        raise BackendError(node, "shape", f"its links cannot be found: {exc}") from exc
    if not pairs:
        raise BackendError(node, "shape", "its container is on no bridge, and has no cable: a delay is all it can have")
    ports, interfaces = zip(*pairs, strict=True)
    try:
        return netns_shape.shape(MACHINE, ports, space, interfaces, quality, losing_inside=True)
    except BackendError as exc:
        raise BackendError(node, "shape", exc.message) from exc


def _veths() -> list[Link]:
    """The links of the calling thread's namespace that have an outer end, or are one."""
    with Rtnetlink() as kernel:
        return [link for link in kernel.links() if link.kind == "veth"]
