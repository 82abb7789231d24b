"""Single values that say how nodes are wired: subnets of IPv6, MAC addresses, names of hosts, links and rules."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from farm.errors import FarmError
from farm.topology.document import Scalar
from farm.topology.link_text import parse_delay, parse_loss, parse_rate, parse_time
from farm.topology.problem import suggestion
from farm.topology.scalars import SUBSTITUTED, BadValueError, JsonSchema, ScalarShape, whole

VENDORS = {
    "rockwell": "00:00:bc",
    "schneider": "00:80:f4",
    "siemens": "00:0e:8c",
    "omron": "00:00:0a",
    "beckhoff": "00:01:05",
    "wago": "00:30:de",
    "phoenix": "00:a0:45",
    "moxa": "00:90:e8",
    "hirschmann": "00:80:63",
}
"""Makers to the first half of their devices' MAC addresses (the IEEE's public list)."""

T = TypeVar("T")

PROTOCOLS = ("tcp", "udp", "icmp", "any")
MAX_PORTS = 64

_MULTICAST = 0x01
_OCTETS = re.compile(r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2})*")
_RULE = re.compile(r"(\S{1,72}) ?-> ?(\S{1,72}) ([a-z]{1,8})(?: ([0-9, ]{1,512}))?", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
MAX_HOST_NAME = 64
"""Characters: what the kernel takes, and the TCP/IP Interface object."""


@dataclass(frozen=True)
class Subnet6(ScalarShape[ipaddress.IPv6Network]):
    """An IPv6 subnet with room for an IPv4 address at its end."""

    wanted: str = "an IPv6 subnet from /16 to /96 such as fd00:20::/64"

    def read(self, scalar: Scalar) -> ipaddress.IPv6Network:
        try:
            subnet = ipaddress.IPv6Network(scalar.text)
        except ValueError as exc:
            try:
                meant = f"did you mean {ipaddress.IPv6Network(scalar.text, strict=False)}?"
            except ValueError:
                meant = ""
            raise self.bad(scalar, meant, "F040") from exc
        first = subnet.network_address
        if not 16 <= subnet.prefixlen <= 96 or first.is_multicast or first.is_link_local or not int(first):
            raise self.bad(scalar, "fd00::/8 is for networks of one's own", "F040")
        return subnet

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "string", "pattern": "^[0-9A-Fa-f:.]+/[0-9]+$"}, SUBSTITUTED]}


@dataclass(frozen=True)
class Mac(ScalarShape[str]):
    """The MAC address of one device, in lower case with colons."""

    wanted: str = "a MAC address of one device such as 02:fa:00:00:00:01"

    def read(self, scalar: Scalar) -> str:
        text = _octets(scalar.text, 6)
        if not text or int(text[:2], 16) & _MULTICAST or text == "00:00:00:00:00:00":
            raise self.bad(scalar, code="F047")
        return text

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "string", "pattern": "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$"}, SUBSTITUTED]}


@dataclass(frozen=True)
class Oui(ScalarShape[str]):
    """The first half of a maker's MAC addresses, in lower case with colons, or the maker's name."""

    @property
    def wanted(self) -> str:  # type: ignore[override]
        return f"an OUI such as 00:00:BC, or one of {', '.join(VENDORS)}"

    def read(self, scalar: Scalar) -> str:
        text = VENDORS.get(scalar.text.lower()) or _octets(scalar.text, 3)
        if not text or int(text[:2], 16) & _MULTICAST:
            raise self.bad(scalar, suggestion(scalar.text, VENDORS), "F047")
        return text

    def schema(self) -> JsonSchema:
        octets = {"type": "string", "pattern": "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){2}$"}
        return {"anyOf": [octets, {"enum": list(VENDORS)}, SUBSTITUTED]}


def _octets(text: str, count: int) -> str:
    """So many octets in lower case with colons, "" when the text is something else."""
    found = _OCTETS.fullmatch(text) if len(text) == 3 * count - 1 else None
    return text.replace("-", ":").lower() if found is not None else ""


@dataclass(frozen=True)
class HostName(ScalarShape[str]):
    """What a machine calls itself: labels of letters, digits and -, with dots between them."""

    wanted: str = "a host name: letters, digits, - and dots, at most 64 characters"

    def read(self, scalar: Scalar) -> str:
        labels = scalar.text.split(".") if len(scalar.text) <= MAX_HOST_NAME else [""]
        if not all(map(_LABEL.fullmatch, labels)):
            raise self.bad(scalar, code="F016")
        return scalar.text

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "string", "pattern": r"^[A-Za-z0-9.-]{1,64}$"}, {"type": "number"}, SUBSTITUTED]}


@dataclass(frozen=True)
class LinkValue(ScalarShape[T], Generic[T]):
    """What a parser of `farm.topology.link_text` reads; `numbers` says whether a number alone is more than 0."""

    wanted: str
    parse: Callable[[str], T]
    pattern: str
    numbers: bool = False

    def read(self, scalar: Scalar) -> T:
        try:
            return self.parse(scalar.text)
        except FarmError:
            raise self.bad(scalar, code="F066") from None

    def schema(self) -> JsonSchema:
        number: JsonSchema = {"type": "number", "minimum": 0} if self.numbers else {"const": 0}
        return {"anyOf": [number, {"type": "string", "pattern": self.pattern}, SUBSTITUTED]}


_TIME = r"[0-9]+(\.[0-9]+)? ?(us|ms|s|min|m)?"

LINK_TIME = LinkValue("a time such as 10ms, at most 60 s", parse_time, f"^{_TIME}$", numbers=True)
LINK_DELAY = LinkValue(
    "a time such as 40ms or 40ms±10ms, at most 60 s", parse_delay, rf"^{_TIME}( ?(±|\+-) ?{_TIME})?$", numbers=True
)
LOSS = LinkValue("per cent such as 2%", parse_loss, r"^[0-9]+(\.[0-9]+)? ?%$")
RATE = LinkValue("bits a second such as 9600bit, 64kbit or 1mbit", parse_rate, r"^[0-9.]+ ?[kKmMgG]?[bB][iI][tT](/s)?$")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a router lets through, by names; no `ports` are all of them."""

    source: str
    target: str
    protocol: str
    ports: tuple[int, ...] = ()


@dataclass(frozen=True)
class RuleText(ScalarShape[Rule]):
    """`super -> cell tcp 44818,502`: from, to, a protocol, and for tcp and udp ports."""

    wanted: str = 'a rule such as "super -> cell tcp 44818,502", with tcp, udp, icmp or any'

    def read(self, scalar: Scalar) -> Rule:
        found = _RULE.fullmatch(scalar.text)
        if found is None:
            raise self.bad(scalar, code="F049")
        source, target, protocol, listed = found.groups(default="")
        if protocol not in PROTOCOLS:
            raise self.bad(scalar, suggestion(protocol, PROTOCOLS), "F049")
        ports = [whole(part.strip()) for part in listed.split(",")] if listed else []
        if ports and protocol not in ("tcp", "udp"):
            raise BadValueError(f"gives ports to {protocol}", "tcp and udp have ports", "F049")
        known = sorted({port for port in ports if port is not None and 1 <= port <= 65535})
        if len(known) != len(ports) or len(known) > MAX_PORTS:
            hint = f"ports are different numbers from 1 to 65535, {MAX_PORTS} at most, with commas"
            raise self.bad(scalar, hint, "F049")
        return Rule(source, target, protocol, tuple(known))

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "string", "pattern": r"^\S+ ?-> ?\S+ [a-z]+( [0-9, ]+)?$"}, SUBSTITUTED]}
