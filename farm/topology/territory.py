"""Where the subnets of a plant file are on a backend: one file serves every platform.

    backend          serves                 rule
    process          127.0.0.0/8 alone      the first byte becomes 127      10.20.0.0/16 is 127.20.0.0/16
    all others       all but 127.0.0.0/8    a first byte 127 becomes 10     127.65.0.0/16 is 10.65.0.0/16

127.0.x.x belongs to the machine. So on process a subnet that would begin there has, of its second byte, the bits that
the subnet fixes set: 10.0.0.0/16 is 127.255.0.0/16, and 10.0.0.0/12 is 127.240.0.0/12. Only a /8 fixes none: it is all
of 127.0.0.0/8, where nobody gets 127.0.x.x by itself. The file, the lock file and messages keep the file's own terms.
Nodes that share a container are where those on process are.
"""

from ipaddress import IPv4Network

LOOPBACK = IPv4Network("127.0.0.0/8")
MACHINE = IPv4Network("127.0.0.0/16")
"""Where programs of the machine itself listen."""

PROCESS, DOCKER = "process", "docker"
KUBERNETES = "kubernetes"
OWN_NETWORKS = ("netns", "docker", "swarm", KUBERNETES)
"""Backends on which each node has network interfaces of its own."""


def ground(backend: str, shard: int | str) -> str:
    """The backend whose addresses nodes have: nodes that share a container are on this machine's, as processes are."""
    return PROCESS if backend == DOCKER and shard not in (1, "auto") else backend


def image(subnet: IPv4Network, backend: str) -> IPv4Network:
    """Where a subnet of the file is on a backend."""
    return outside(subnet) if backend in OWN_NETWORKS else inside(subnet)


def inside(subnet: IPv4Network) -> IPv4Network:
    """Where it is in 127.0.0.0/8; one that is there already stays."""
    if subnet.subnet_of(LOOPBACK):
        return subnet
    moved = _with_first_byte(subnet, 127)
    if moved.prefixlen == 8 or not moved.overlaps(MACHINE):
        return moved
    fixed = min(moved.prefixlen, MACHINE.prefixlen) - 8
    second_byte = 0xFF << (8 - fixed) & 0xFF
    return IPv4Network((int(moved.network_address) | second_byte << 16, moved.prefixlen))


def outside(subnet: IPv4Network) -> IPv4Network:
    """Where it is out of 127.0.0.0/8; one that is not in there stays."""
    return _with_first_byte(subnet, 10) if subnet.subnet_of(LOOPBACK) else subnet


def _with_first_byte(subnet: IPv4Network, byte: int) -> IPv4Network:
    return IPv4Network((int(subnet.network_address) & 0x00FFFFFF | byte << 24, subnet.prefixlen))
