"""Where each value of a node came from: made when asked, since one asks about one node of thousands."""

from collections.abc import Iterator, Mapping

from farm.topology.build import NodeBuilder
from farm.topology.document import MapNode, Node, origin
from farm.topology.groups import Member
from farm.topology.interfaces import networks_of
from farm.topology.links import LinkBuilder
from farm.topology.plant import Origin
from farm.topology.seating import Seating

_TAG_FIELDS = {
    "type": ("type", "dimensions"),
    "init": ("initial",),
    "signal": ("signal",),
    "on_write": ("signal.on_write",),
    "writable": ("access",),
    "access": ("access",),
    "constant": ("constant",),
    "alias": ("alias", "type", "dimensions"),
    "unit": ("unit",),
    "address": ("address",),
    "class": ("code",),
}
"""Key of a tag in the file to fields of `TagConfig`."""

_SECTIONS = {"identity": "enip.identity", "enip": "enip", "modbus": "modbus"}


class Origins(Mapping[str, Mapping[str, Origin]]):
    """Node name to dotted path of a value to its place. Paths are those of `NodeConfig`, with tags by name and units by
    number: `tags.Level.type`, `enip.identity.vendor`, `modbus.units.1.blocks.0`, interfaces by network, and `link.` and
    a key of the node's link. A path may stand for all below it; what no file says is not there."""

    def __init__(self, members: list[Member], seating: Seating, links: LinkBuilder, builder: NodeBuilder) -> None:
        self._members = {member.name: member for member in members}
        self._seating = seating
        self._links = links
        self._builder = builder
        self._tags: dict[tuple[str, int], tuple[MapNode, dict[str, Origin]]] = {}
        """By path, and entry of the file, which most members of a group share: its fields."""

    def __getitem__(self, name: str) -> Mapping[str, Origin]:
        member = self._members[name]
        found = {"name": origin(member.place), **dict(_of_body(member.body))}
        for path, node in self._builder.traced(member).items():
            found[path] = origin(node)
            if isinstance(node, MapNode):
                found.update(self._of_tag(path, node))
        found.update(self._of_wiring(member))
        found.update({f"link.{key}": origin(value) for key, value in self._links.values(member).items()})
        return found

    def _of_tag(self, path: str, entry: MapNode) -> dict[str, Origin]:
        known = self._tags.get((path, id(entry)))
        if known is None:
            known = self._tags[path, id(entry)] = entry, dict(_of_tag(path, entry))
        return known[1]

    def _of_wiring(self, member: Member) -> Iterator[tuple[str, Origin]]:
        """Where the node's addresses and interfaces come from."""
        gateway = member.body.get("gateway")
        for number, (network, body) in enumerate(networks_of(member, self._seating.networks)):
            given = self._seating.addresses.of(member.name, network.name)
            if given is None:
                continue
            if not number:
                yield "address", given.origin
            if not self._seating.own:
                return
            path = f"interfaces.{network.name}"
            yield path, network.origin
            yield f"{path}.address", given.origin
            for key in ("mtu", "ipv6", "oui"):
                if network.body is not None and (written := network.body.get(key)) is not None:
                    yield f"{path}.{'mac' if key == 'oui' else key}", origin(written)
            if body is not None and (written := body.get("mac")) is not None:
                yield f"{path}.mac", origin(written)
            if gateway is not None:
                yield f"{path}.gateway", origin(gateway)

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def _of_body(body: MapNode) -> Iterator[tuple[str, Origin]]:
    """What stands in a node's body apart from its tags and blocks."""
    for key in ("kind", "profile", "programs", "delay", "hostname"):
        if (written := body.get(key)) is not None:
            yield key, origin(written)
    if (written := body.get("profile")) is not None:
        yield "enip.identity", origin(written)
        yield "modbus.device_id", origin(written)
    if (written := body.get("device_id")) is not None:
        yield "modbus.device_id", origin(written)
    for section, path in _SECTIONS.items():
        entries = body.map(section)
        for key, _, value in entries.items() if entries is not None else ():
            yield f"{path}.{key}", origin(value)
    objects = body.map("objects")
    for section, _, attributes in objects.items() if objects is not None else ():
        for name, place, _ in attributes.items() if isinstance(attributes, MapNode) else ():
            yield f"enip.objects.{section}.{name}", origin(place)


def _of_tag(path: str, entry: MapNode) -> Iterator[tuple[str, Origin]]:
    """The fields of one tag, or of a member of one."""
    for key, _, value in entry.items():
        place = _first(value)
        for name in _TAG_FIELDS.get(key, ()):
            yield f"{path}.{name}", origin(place)
    members = entry.map("members")
    for member, written, body in members.items() if members is not None else ():
        yield f"{path}.parts.{member}", origin(written)
        if isinstance(body, MapNode):
            yield from _of_tag(f"{path}.parts.{member}", body)


def _first(node: Node) -> Node:
    """The place of a value: of a map, its first key."""
    if isinstance(node, MapNode) and node.entries:
        return next(iter(node.entries.values()))[0]
    return node
