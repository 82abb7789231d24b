"""Where each value of a node came from: made when asked, since one asks about one node of thousands."""

from collections.abc import Iterator, Mapping

from farm.topology.addresses import Given
from farm.topology.document import MapNode, Node, origin
from farm.topology.groups import Member
from farm.topology.plant import Origin


class Origins(Mapping[str, Mapping[str, Origin]]):
    """Node name to dotted path of a value (`tags.Level.type`, `holding.40001-40010.init`) to its place. Paths are the
    keys of the file, with short forms written out."""

    def __init__(self, members: list[Member], addresses: dict[str, Given]) -> None:
        self._members = {member.name: member for member in members}
        self._addresses = addresses

    def __getitem__(self, name: str) -> Mapping[str, Origin]:
        member = self._members[name]
        found = dict(_paths("", member.body))
        if member.units is not None:
            found.update(_paths("units.", member.units))
        if name in self._addresses:
            found["address"] = self._addresses[name].origin
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def _paths(prefix: str, node: Node) -> Iterator[tuple[str, Origin]]:
    """The single values under a node, by dotted path; a list is one value."""
    if not isinstance(node, MapNode):
        yield prefix.rstrip("."), origin(node)
        return
    for name, key, value in node.items():
        if isinstance(value, MapNode) and not value.entries:
            yield f"{prefix}{name}", origin(key)
        else:
            yield from _paths(f"{prefix}{name}.", value)
