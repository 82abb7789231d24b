"""What the rules of gateways mean: names of networks, nodes and groups as the subnets and addresses they have here."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from farm.topology.addresses import Addresses
from farm.topology.document import Scalar, shown
from farm.topology.gateways import Gateway
from farm.topology.groups import Member
from farm.topology.networks import Network
from farm.topology.problem import Report, TooManyError, suggestion
from farm.topology.wiring import FlowRule

MAX_FLOWS = 20_000
"""Pairs of addresses of all rules together."""

_KINDS = ("network", "node", "group")

Ends = tuple[str, ...]
"""Subnets and addresses."""


@dataclass(slots=True)
class Flows:
    """Resolves the rules of one plant's gateways."""

    networks: Mapping[str, Network]
    members: Sequence[Member]
    addresses: Addresses
    report: Report
    left: int = MAX_FLOWS
    _nodes: dict[str, list[str]] = field(init=False)
    _groups: dict[str, list[str]] = field(init=False)
    _known: dict[str, Ends] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._nodes, self._groups = {}, {}
        for (network, owner), given in self.addresses.given.items():
            here = str(ipaddress.IPv4Address(self.networks[network].here(given.address)))
            self._nodes.setdefault(owner, []).append(here)
        for member in self.members:
            if member.group:
                self._groups.setdefault(member.group, []).extend(self._nodes.get(member.name, ()))

    def rules(self, gateway: Gateway) -> tuple[FlowRule, ...]:
        """What a gateway lets through; a rule that names nothing is an error."""
        found: dict[FlowRule, None] = {}
        for rule, place in gateway.rules:
            sources, targets = self.ends(rule.source, place), self.ends(rule.target, place)
            self.left -= len(sources) * len(targets)
            if self.left < 0:
                hint = "name networks, or let the nodes' addresses follow one another"
                message = f"the rules are about more than {MAX_FLOWS:,} pairs of addresses"
                self.report.error("F037", place, message, hint)
                raise TooManyError
            for source in sources:
                found.update(dict.fromkeys(FlowRule(source, target, rule.protocol, rule.ports) for target in targets))
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
            return ()
        if len(kinds) > 1:
            hint = " or ".join(f"'{each}:{name}'" for each in kinds)
            self.report.error("F049", place, f"{shown(text)} names a {' and a '.join(kinds)}", f"say {hint}")
            return ()
        if kinds[0] == "network":
            return (str(self.networks[name].image),)
        found = self._nodes.get(name, []) if kinds[0] == "node" else self._groups[name]
        joined = ipaddress.collapse_addresses([ipaddress.IPv4Network(address) for address in found])
        return tuple(str(subnet).removesuffix("/32") for subnet in joined)
