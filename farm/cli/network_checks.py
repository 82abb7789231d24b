"""Checks of what namespaces and networks need: rights, the kernel's tables and queues, and what shapes links."""

import getpass
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from farm.backends.netns_holder import FORBIDDEN, subordinate_ids
from farm.backends.netns_means import NETEM_CURE, TBF_CURE, find_means
from farm.cli.checks import BAD, GOOD, LIMITED, Check, Need

SYSCTL = Path("/proc/sys")
BRIDGE_PORTS = 1023
NAMESPACE_SLACK = 16
FLAGS = {"user namespace": 0x10000000 | 0x40000000 | 0x00020000, "network namespace": 0x40000000}
"""What is unshared to try whether it may be: CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWNS."""


def networks(need: Need) -> Iterator[Check]:
    """Every check of networks."""
    yield namespaces(need)
    if os.geteuid():
        yield subordinate(need)
    yield namespace_count(need)
    yield from tables(need)
    yield firewall()
    yield from shaping()


def tables(need: Need) -> Iterator[Check]:
    """What the kernel has room for in one network."""
    yield neighbours(need)
    yield backlog(need)
    yield bridge_ports(need)


def namespaces(need: Need) -> Check:
    """Whether this user may make network namespaces: it is tried, for every distribution forbids it in its own way."""
    root = os.geteuid() == 0
    what = "network namespace" if root else "user namespace"
    if _may_unshare(FLAGS[what]):
        return Check("namespaces", GOOD, "root" if root else "this user may make them")
    state = BAD if need.backend == "netns" else LIMITED
    for name, bad, cure in FORBIDDEN:
        if not root and _setting(name) == bad:
            return Check("namespaces", state, f"{name.replace('/', '.')} is {bad}", cure)
    cure = "" if root else "run it as root, or on backend process"
    return Check("namespaces", state, f"no {what} may be made here", cure)


def subordinate(need: Need) -> Check:
    """Ids of their own for the nodes of an ordinary user."""
    if subordinate_ids() is not None:
        return Check("subordinate ids", GOOD, "each node gets an id of its own")
    if shutil.which("newuidmap") is None:
        return Check("subordinate ids", LIMITED, "no newuidmap: nodes share your id", "apt-get install uidmap")
    user = getpass.getuser()
    cure = f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"
    return Check("subordinate ids", LIMITED, "none are yours in /etc/subuid and /etc/subgid: nodes share your id", cure)


def namespace_count(need: Need) -> Check:
    """How many network namespaces a user may have."""
    limit = _whole("user/max_net_namespaces")
    wanted = need.nodes + need.routers + NAMESPACE_SLACK if need.nodes and need.on("netns") else 0
    if limit is None:
        return Check("namespace count", GOOD, "no limit")
    if wanted > limit:
        cure = f"sysctl user.max_net_namespaces={wanted + 1000}"
        return Check("namespace count", BAD, f"{limit} a user, {wanted} are needed", cure)
    return Check("namespace count", GOOD, f"{limit} a user")


def neighbours(need: Need) -> Check:
    """The table of neighbours, one for all namespaces together. A plant's own are permanent entries, which do not
    count; those that a client learns do."""
    limit = _whole("net/ipv4/neigh/default/gc_thresh3")
    if limit is None:
        return Check("neighbour table", GOOD, "not to be seen from this namespace; a plant's own entries do not count")
    found = f"{limit} entries that are learned; a plant's own do not count"
    if need.largest > limit:
        first, second, third = need.largest, need.largest * 2, need.largest * 4
        keys = " ".join(f"net.ipv4.neigh.default.gc_thresh{at}={n}" for at, n in ((1, first), (2, second), (3, third)))
        found = f"{found}: a client that learns may not reach all"
        return Check("neighbour table", LIMITED, found, f"sysctl {keys}")
    return Check("neighbour table", GOOD, found)


def backlog(need: Need) -> Check:
    """Packets that wait for a processor: a broadcast on a network is one for each node."""
    limit = _whole("net/core/netdev_max_backlog")
    if limit is None:
        return Check("packet backlog", GOOD, "not to be seen from this namespace")
    if need.largest > limit:
        found = f"{limit}, and {need.largest} nodes are on one network: the last would miss broadcasts"
        return Check("packet backlog", LIMITED, found, f"sysctl net.core.netdev_max_backlog={need.largest * 4}")
    return Check("packet backlog", GOOD, f"{limit}: broadcasts reach so many nodes on one network")


def bridge_ports(need: Need) -> Check:
    """Ports of one bridge. Backend netns joins bridges, Docker cannot."""
    if need.largest <= BRIDGE_PORTS:
        return Check("bridge ports", GOOD, f"{BRIDGE_PORTS} nodes on one bridge")
    found = f"{BRIDGE_PORTS} nodes on one bridge, {need.largest} are on one network"
    if need.backend == "docker":
        return Check("bridge ports", BAD, found, "backend netns, which joins bridges, or smaller networks")
    return Check("bridge ports", GOOD, f"{found}: bridges are joined")


def firewall() -> Check:
    """nftables, for routers and for loss without netem."""
    if shutil.which("nft") is None:
        found = "nft is not installed: no routers, and no loss where the kernel has no netem"
        return Check("nftables", LIMITED, found, "apt-get install nftables")
    return Check("nftables", GOOD, "routers and loss can be had")


def shaping() -> Iterator[Check]:
    """What the kernel has for links that are slow, late or lossy. Without netem nodes play delays themselves."""
    found = find_means()
    if found is None:
        yield Check("links", LIMITED, "cannot be tried without namespaces")
        return
    if "netem" in found:
        yield Check("netem", GOOD, "delay, jitter and loss by the kernel")
    else:
        played = "not in this kernel: nodes play delay and jitter themselves, nftables loses packets"
        yield Check("netem", LIMITED, played, NETEM_CURE)
    if "tbf" in found:
        yield Check("tbf", GOOD, "rates by the kernel")
    else:
        yield Check("tbf", LIMITED, "not in this kernel: links have no rate", TBF_CURE)


def _may_unshare(flags: int) -> bool:
    """Tried by a process of its own, for this one would be changed by it."""
    program = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(int(sys.argv[1])) != 0)"
    command = [sys.executable, "-I", "-c", program, str(flags)]
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _setting(name: str) -> str | None:
    try:
        return (SYSCTL / name).read_text().strip()
    except OSError:
        return None


def _whole(name: str) -> int | None:
    text = _setting(name) or ""
    return int(text) if text.isdecimal() else None
