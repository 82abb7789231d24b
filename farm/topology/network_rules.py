"""What a plant file says of a network beside its subnet, and which of it contradicts itself."""

import bisect
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from farm.topology import territory
from farm.topology.document import MapNode
from farm.topology.problem import Report
from farm.topology.shapes import take
from farm.topology.wiring import BRIDGE, MACVLAN
from farm.topology.wiring_keys import DRIVER, MTU, OUI, PURDUE, SUBNET6, TRUTH, UPLINK

MTU_DEFAULT = 1500
SMALLEST_IPV6_MTU = 1280
"""Bytes of a packet that IPv6 needs (RFC 8200, 5)."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What else a network is, see `NetworkSpec`; `oui` is the first half of its MAC addresses, "" for our own."""

    purdue: float | None = None
    internal: bool = False
    mtu: int = MTU_DEFAULT
    ipv6: ipaddress.IPv6Network | None = None
    uplink: str = ""
    driver: str = BRIDGE
    oui: str = ""

    @property
    def closed(self) -> bool:
        """Whether nothing but the plant is ever on it, so that MAC addresses of real makers can do no harm."""
        return self.internal and not self.uplink


PLAIN = Traits()


def read_traits(name: str, body: MapNode, backend: str, report: Report) -> Traits:
    """The traits of network `name`, contradictions noted."""
    traits = Traits(
        take(body, "purdue", PURDUE, None, report),
        take(body, "internal", TRUTH, False, report),
        take(body, "mtu", MTU, MTU_DEFAULT, report),
        take(body, "ipv6", SUBNET6, None, report),
        take(body, "uplink", UPLINK, "", report),
        take(body, "driver", DRIVER, BRIDGE, report),
        take(body, "oui", OUI, "", report),
    )
    if traits.oui and not traits.closed:
        message = f"network '{name}' is not closed, and a maker's MAC addresses could be there twice"
        report.error("F046", body.entries["oui"][1], message, "say 'internal: true', and no uplink")
    if traits.driver == MACVLAN and not traits.uplink:
        report.error(
            "F046", body.entries["driver"][1], "driver macvlan stands on an uplink", "say which: 'uplink: eth1'"
        )
    if traits.ipv6 is not None and traits.mtu < SMALLEST_IPV6_MTU:
        message = f"IPv6 needs packets of {SMALLEST_IPV6_MTU} bytes, and 'mtu' is {traits.mtu}"
        report.error("F046", body.entries["ipv6"][1], message)
    if traits.uplink:
        _check_uplink(name, body, backend, report)
    return traits


def _check_uplink(name: str, body: MapNode, backend: str, report: Report) -> None:
    place = body.entries["uplink"][1]
    if backend not in territory.OWN_NETWORKS:
        message = f"backend {backend} has no networks of its own, so network '{name}' cannot have an uplink"
        report.error("F071", place, message, "use --backend netns")
    if backend == "swarm":
        message = f"network '{name}' spans hosts on backend swarm, and cannot have an uplink of one of them"
        report.error("F071", place, message, "use --backend netns or docker")
    subnet = body.scalar("subnet")
    if subnet is not None and subnet.text.startswith("127."):
        message = f"subnet {subnet.text} cannot be on the real network of an uplink"
        report.error("F046", place, message, "give the subnet as it is there")


@dataclass(slots=True)
class Ranges:
    """Subnets that do not overlap, by name: finds the one that another overlaps without looking at them all."""

    starts: list[int] = field(default_factory=list)
    taken: list[tuple[int, str]] = field(default_factory=list)

    def add(self, name: str, subnet: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
        """Add a subnet, unless it overlaps one: the name of that, else ""."""
        first, last = int(subnet.network_address), int(subnet.broadcast_address)
        at = bisect.bisect_right(self.starts, first)
        if at and self.taken[at - 1][0] >= first:
            return self.taken[at - 1][1]
        if at < len(self.starts) and self.starts[at] <= last:
            return self.taken[at][1]
        self.starts.insert(at, first)
        self.taken.insert(at, (last, name))
        return ""

    def within(self, first: int, last: int) -> Iterator[str]:
        """The names of those that share any address with `first` to `last`."""
        at = bisect.bisect_right(self.starts, first) - 1
        if at >= 0 and self.taken[at][0] >= first:
            yield self.taken[at][1]
        for following in range(at + 1, len(self.starts)):
            if self.starts[following] > last:
                return
            yield self.taken[following][1]


@dataclass(slots=True)
class Shared:
    """What networks of one plant may not share: IPv6 subnets, and an interface that can be in one bridge only."""

    report: Report
    uplinks: dict[str, str] = field(default_factory=dict)
    subnets: Ranges = field(default_factory=Ranges)

    def check(self, name: str, traits: Traits, body: MapNode) -> None:
        """Note what network `name` shares with those before it."""
        if traits.uplink and traits.driver == BRIDGE:
            other = self.uplinks.setdefault(traits.uplink, name)
            if other != name:
                message = f"interface {traits.uplink} is joined to network '{other}' already"
                self.report.error("F046", body.entries["uplink"][1], message)
        if traits.ipv6 is not None:
            other = self.subnets.add(name, traits.ipv6)
            if other:
                message = f"subnet {traits.ipv6} overlaps that of network '{other}'"
                self.report.error("F040", body.entries["ipv6"][1], message)
