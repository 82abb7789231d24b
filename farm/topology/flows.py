"""What the rules of gateways mean: names of networks, nodes and groups as the subnets and addresses they have here."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from farm.topology.addresses import Addresses
from farm.topology.document import Scalar, shown
from farm.topology.gateways import Gateway
from farm.topology.groups import Member
from farm.topology.lock import ROUTER
from farm.topology.networks import Network
from farm.topology.problem import Report, TooManyError, suggestion
from farm.topology.wiring import FlowRule

MAX_FLOWS = 20_000
"""Pairs of addresses of all rules together."""

_KINDS = ("network", "node", "group")

IPv4 = ipaddress.IPv4Network
IPv6 = ipaddress.IPv6Network
Spot = tuple[Network, int]
"""A network and an address on it, in the file's terms."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What one end of a rule is, in subnets and addresses of both kinds."""

    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()


@dataclass(slots=True)
class Flows:
    """Resolves the rules of one plant's gateways."""

    networks: Mapping[str, Network]
    members: Sequence[Member]
    addresses: Addresses
    report: Report
    left: int = MAX_FLOWS
    _nodes: dict[str, list[Spot]] = field(init=False)
    _groups: dict[str, list[Spot]] = field(init=False)
    _known: dict[str, Ends] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._nodes, self._groups = {}, {}
        for (network, owner), given in self.addresses.given.items():
            if not owner.startswith(ROUTER):
                self._nodes.setdefault(owner, []).append((self.networks[network], given.address))
        for member in self.members:
            if member.group:
                self._groups.setdefault(member.group, []).extend(self._nodes.get(member.name, ()))

    def rules(self, gateway: Gateway) -> tuple[FlowRule, ...]:
        """What a gateway lets through; a rule that names nothing is an error."""
        found: dict[FlowRule, None] = {}
        for rule, place in gateway.rules:
            source, target = self.ends(rule.source, place), self.ends(rule.target, place)
            self.left -= len(source.ipv4) * len(target.ipv4) + len(source.ipv6) * len(target.ipv6)
            if self.left < 0:
                hint = "name networks, or let the nodes' addresses follow one another"
                message = f"the rules are about more than {MAX_FLOWS:,} pairs of addresses"
                self.report.error("F037", place, message, hint)
                raise TooManyError
            pairs = [*product(source.ipv4, target.ipv4), *product(source.ipv6, target.ipv6)]
            found.update(dict.fromkeys(FlowRule(start, end, rule.protocol, rule.ports) for start, end in pairs))
        return tuple(found)

    def ends(self, text: str, place: Scalar) -> Ends:
        """The subnets or addresses of what a rule names; adjacent addresses are joined to subnets."""
        if text not in self._known:
            self._known[text] = self._ends(text, place)
        return self._known[text]

    def _ends(self, text: str, place: Scalar) -> Ends:
        kind, colon, name = text.rpartition(":")
        places: dict[str, Mapping[str, object]] = {
            "network": self.networks,
            "node": self._nodes,
            "group": self._groups,
        }
        kinds = [each for each in _KINDS if name in places[each] and kind in ("", each)]
        if not kinds or (colon and kind not in _KINDS):
            known = [*self.networks, *self._groups, *self._nodes]
            hint = suggestion(name, known) or "names are of networks, nodes and groups"
            self.report.error("F049", place, f"{shown(text)} names nothing in a rule", hint)
            return Ends()
        if len(kinds) > 1:
            hint = " or ".join(f"'{each}:{name}'" for each in kinds)
            self.report.error("F049", place, f"{shown(text)} names a {' and a '.join(kinds)}", f"say {hint}")
            return Ends()
        if kinds[0] == "network":
            network = self.networks[name]
            ipv6 = network.traits.ipv6
            return Ends((str(network.image),), () if ipv6 is None else (str(ipv6),))
        found = self._nodes.get(name, []) if kinds[0] == "node" else self._groups[name]
        joined = ipaddress.collapse_addresses([IPv4(network.here(address)) for network, address in found])
        joined6 = ipaddress.collapse_addresses(
            [
                IPv6(int(network.traits.ipv6.network_address) | network.here(address))
                for network, address in found
                if network.traits.ipv6 is not None
            ]
        )
        return Ends(
            tuple(str(subnet).removesuffix("/32") for subnet in joined),
            tuple(str(subnet).removesuffix("/128") for subnet in joined6),
        )
