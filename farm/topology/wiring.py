"""How the nodes of a plant are wired: networks, the routers between them, and how good each node's link is.

Plain data that a backend makes real, complete and resolved: every address, MAC and rule stands in it, so that a plan
can compare what is wanted with what was made. Subnets are text as in `10.20.0.0/16`, times seconds, rates bits a
second, losses per cent of all packets.
"""

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from farm.errors import FarmError
from node.config.model import InterfaceConfig

BRIDGE = "bridge"
MACVLAN = "macvlan"


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A segment of its own. `host` is this machine's address in it, "" where the machine does not reach it
    (`internal`); `watch` the one that the farm itself asks nodes from. `uplink` names a real interface that is joined
    to it by `driver`, "" for none. `ipv6` is a subnet, "" for no IPv6 at all. `purdue` is its level, for people."""

    name: str
    subnet: str
    watch: str
    host: str = ""
    purdue: float | None = None
    internal: bool = False
    mtu: int = 1500
    ipv6: str = ""
    uplink: str = ""
    driver: str = BRIDGE


@dataclass(frozen=True, slots=True)
class FlowRule:
    """What a router lets through: from one subnet or address (`10.30.0.0/24`) to another. `protocol` is tcp, udp, icmp
    or any; no `ports` are all of them. Answers come back by themselves."""

    source: str
    target: str
    protocol: str
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RouterSpec:
    """A router between networks, with an interface on each. What no rule of `allow` lets through is dropped. `routes`
    are (subnet, next hop) beyond its own networks."""

    name: str
    interfaces: tuple[InterfaceConfig, ...]
    allow: tuple[FlowRule, ...] = ()
    routes: tuple[tuple[str, str], ...] = ()


Segment = NetworkSpec | RouterSpec
"""What a backend makes before nodes, by name: networks and routers share their names' space."""


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """How a node's link is: the default is a good one. `delay` and `jitter` are seconds one way towards the client,
    `loss` per cent, `rate` bits a second (0: no limit). `kernel` forbids that the node itself plays the delay."""

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    rate: int = 0
    up: bool = True
    kernel: bool = False


GOOD = LinkQuality()


@dataclass(frozen=True, slots=True)
class Shaping:
    """What a backend made of a wanted `quality`: `kernel` says by which means ("rate by tbf, loss by nft"), `left` is
    what the node has to play itself (only delay and jitter can be)."""

    quality: LinkQuality
    kernel: str = ""
    left: LinkQuality = GOOD


def changed_quality(quality: LinkQuality, changes: Mapping[str, Any]) -> LinkQuality:
    """`quality` with some of its fields changed; no changes at all make it good. Raises `FarmError` for what no link
    can be."""
    if not changes:
        return GOOD
    found = decode_quality({**encode_quality(quality), **changes})
    numbers = (found.delay, found.jitter, found.loss, found.rate)
    if not all(isinstance(number, int | float) and 0 <= number < math.inf for number in numbers) or found.loss > 100:
        raise FarmError(f"a link cannot be {changes}: wanted times and rates from 0 on, and a loss of 0 to 100 %")
    return found


def ipv6_of(subnet: str, address: str) -> str:
    """The IPv6 address, with its prefix length, of who has the IPv4 `address` in a network with this IPv6 `subnet`: the
    IPv4 address is its last 32 bits. So a next hop, and `host` and `watch`, have theirs too."""
    prefix = ipaddress.IPv6Network(subnet)
    low = int(ipaddress.IPv4Address(address))
    return f"{ipaddress.IPv6Address(int(prefix.network_address) | low)}/{prefix.prefixlen}"


def encode_segment(segment: Segment) -> dict[str, Any]:
    """A network or router as plain JSON."""
    return {"kind": "router" if isinstance(segment, RouterSpec) else "network", **_encode(segment)}


def decode_segment(body: dict[str, Any]) -> Segment:
    """The network or router back. Raises `FarmError` when something is missing or wrong."""
    try:
        rest = {name: value for name, value in body.items() if name != "kind"}
        if not isinstance(body["name"], str):
            raise TypeError(f"its name is {body['name']!r}")
        if body["kind"] == "network":
            return NetworkSpec(**rest)
        interfaces = tuple(decode_interface(item) for item in rest.pop("interfaces"))
        allow = tuple(FlowRule(**{**rule, "ports": tuple(rule.get("ports", ()))}) for rule in rest.pop("allow", ()))
        routes = tuple((str(subnet), str(hop)) for subnet, hop in rest.pop("routes", ()))
        return RouterSpec(interfaces=interfaces, allow=allow, routes=routes, **rest)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise FarmError(f"not a network or router: {exc}") from exc


def encode_quality(quality: LinkQuality) -> dict[str, Any]:
    """A link's quality as plain JSON."""
    return _encode(quality)


def decode_quality(body: dict[str, Any]) -> LinkQuality:
    """The quality back. Raises `FarmError` when something is wrong."""
    try:
        return LinkQuality(**body)
    except TypeError as exc:
        raise FarmError(f"not a link quality: {exc}") from exc


def decode_interface(body: dict[str, Any]) -> InterfaceConfig:
    """An interface of a router back from JSON. Raises TypeError, KeyError or ValueError."""
    routes = tuple((str(subnet), str(hop)) for subnet, hop in body.get("routes", ()))
    return InterfaceConfig(**{**body, "routes": routes})


def _encode(record: Any) -> dict[str, Any]:
    """A flat record as JSON; tuples become lists, records in them objects."""
    return {field.name: _plain(getattr(record, field.name)) for field in fields(record)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return _encode(value) if hasattr(value, "__dataclass_fields__") else value
