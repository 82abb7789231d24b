"""Where each value of a node came from: made when asked, since one asks about one node of thousands."""

from collections.abc import Iterator, Mapping

from farm.topology.addresses import Given
from farm.topology.build import NodeBuilder
from farm.topology.document import MapNode, Node, origin
from farm.topology.groups import Member
from farm.topology.plant import Origin

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
}
"""Key of a tag in the file to fields of `TagConfig`."""

_SECTIONS = {"identity": "enip.identity", "enip": "enip", "modbus": "modbus"}


class Origins(Mapping[str, Mapping[str, Origin]]):
    """Node name to dotted path of a value to its place. Paths are those of `NodeConfig`, with tags by name and units by
    number: `tags.Level.type`, `enip.identity.vendor`, `modbus.units.1.blocks.0`. A path may stand for all below it;
    what no file says is not there."""

    def __init__(self, members: list[Member], addresses: dict[str, Given], builder: NodeBuilder) -> None:
        self._members = {member.name: member for member in members}
        self._addresses = addresses
        self._builder = builder

    def __getitem__(self, name: str) -> Mapping[str, Origin]:
        member = self._members[name]
        found = {"name": origin(member.place), **dict(_of_body(member.body))}
        for path, node in self._builder.traced(member).items():
            found[path] = origin(node)
            if isinstance(node, MapNode):
                found.update(_of_tag(path, node))
        if name in self._addresses:
            found["address"] = self._addresses[name].origin
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def _of_body(body: MapNode) -> Iterator[tuple[str, Origin]]:
    """What stands in a node's body apart from its tags and blocks."""
    for key in ("kind", "profile", "programs", "delay"):
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
