"""The routers of a plant: `gateways` read, each with the networks it is between and what it lets through.

gateways:
  fw1: {between: [super, cell], allow: ["super -> cell tcp 44818,502", "scada -> cell any"]}
"""

from collections.abc import Iterable
from dataclasses import dataclass

from farm.topology.addresses import Wish
from farm.topology.document import ListNode, MapNode, Node, Scalar, is_null, shown
from farm.topology.groups import Member
from farm.topology.lock import ROUTER
from farm.topology.network_values import Rule
from farm.topology.networks import Network, network_of
from farm.topology.problem import Report, TooManyError
from farm.topology.shapes import read
from farm.topology.territory import KUBERNETES
from farm.topology.wiring_keys import RULE

ROUTING = ("netns", KUBERNETES)
"""Backends that can part networks and let through what rules allow; a cluster does by policies."""

MAX_GATEWAYS = 500
MAX_BETWEEN = 4000
"""Interfaces of all gateways together."""
MAX_RULES = 1000
"""Of one gateway."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A router as the file has it: `key` is its name there, `wishes` an interface on each of its networks, `rules` what
    it lets through with the place of each."""

    name: str
    key: Scalar
    wishes: tuple[Wish, ...]
    rules: tuple[tuple[Rule, Scalar], ...]


def sound_names(gateways: list[Gateway], members: Iterable[Member], report: Report) -> None:
    """Find gateways that are called as a node is: a verb that takes either could not tell them apart."""
    names = {member.name for member in members}
    for gateway in gateways:
        if gateway.name in names:
            message = f"gateway '{gateway.name}' is called as a node is"
            report.error("F045", gateway.key, message, "give it another name")


def read_gateways(head: MapNode, networks: dict[str, Network], backend: str, report: Report) -> list[Gateway]:
    """The gateways of a plant, in the order of the file; none, with errors noted, where the backend has none."""
    declared = head.map("gateways")
    gateways: list[Gateway] = []
    for name, key, body in declared.items() if declared is not None else ():
        if not isinstance(body, MapNode):
            continue
        if backend not in ROUTING:
            hint = "use --backend netns, or leave gateways out"
            report.error("F071", key, f"backend {backend} cannot route between networks", hint)
            return []
        if len(gateways) >= MAX_GATEWAYS:
            report.error("F037", key, f"the plant has more than {MAX_GATEWAYS:,} gateways")
            raise TooManyError
        if name in networks:
            report.error("F045", key, f"gateway '{name}' is called as a network is", "give it another name")
            continue
        wishes = _wishes(name, key, body, networks, report)
        if sum(len(each.wishes) for each in gateways) + len(wishes) > MAX_BETWEEN:
            report.error("F037", key, f"the gateways are on more than {MAX_BETWEEN:,} networks together")
            raise TooManyError
        gateways.append(Gateway(name, key, tuple(wishes), tuple(_rules(body, report))))
    return gateways


def _items(body: MapNode, name: str) -> list[Scalar]:
    node = body.get(name)
    items: list[Node] = node.items if isinstance(node, ListNode) else [node] if node is not None else []
    return [item for item in items if isinstance(item, Scalar) and not item.is_null]


def _wishes(name: str, key: Scalar, body: MapNode, networks: dict[str, Network], report: Report) -> list[Wish]:
    """An interface on each network that a gateway is between."""
    written = body.map("addresses")
    wishes: dict[str, Wish] = {}
    for item in _items(body, "between"):
        network = network_of(item, networks, report)
        if network is None:
            continue
        if network.name in wishes:
            report.error("F045", item, f"gateway '{name}' is on network '{network.name}' already")
            continue
        address = written.scalar(network.name) if written is not None else None
        wishes[network.name] = Wish(ROUTER + name, network, item, address)
    if len(_items(body, "between")) < 2:
        report.error("F045", key, f"gateway '{name}' is between fewer than two networks", "name two or more")
    for text, place, value in written.items() if written is not None else ():
        if text not in wishes and not is_null(value):
            known = ", ".join(wishes)
            message = f"gateway '{name}' has an address on {shown(text)}, which it is not on"
            report.error("F045", place, message, f"it is on {known}")
    return list(wishes.values())


def _rules(body: MapNode, report: Report) -> list[tuple[Rule, Scalar]]:
    """What a gateway lets through, as written."""
    items = _items(body, "allow")
    if len(items) > MAX_RULES:
        report.error("F037", items[MAX_RULES], f"a gateway has more than {MAX_RULES:,} rules")
        raise TooManyError
    found = [(read(item, RULE, "a rule", report), item) for item in items if not item.dollar]
    return [(rule, item) for rule, item in found if rule is not None]
