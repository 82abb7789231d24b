"""Aliases: what they name among the tags of their node, and so of which type they are.

Found when all tags of a node are known; the same alias of a tag of the same type is looked up once for all nodes.
"""

from dataclasses import dataclass, field, replace

from farm.topology.document import Node, Scalar
from farm.topology.problem import Report
from farm.topology.types import Types
from node.config.model import TagConfig
from node.config.schema import Spot, find, root, target_of
from node.errors import ConfigError

Tags = dict[str, tuple[TagConfig, Node]]
"""Name in lower case to (tag, its place): the tags of one node so far."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A tag that is another name: what it names as `written`, and `prefix`, which the names of its program have."""

    name: str
    written: Scalar
    prefix: str


@dataclass(slots=True)
class AliasResolver:
    """Gives aliases their types."""

    types: Types
    report: Report
    _spots: dict[tuple[str, tuple[int, ...], bool, str], Spot] = field(default_factory=dict)

    def resolve(self, found: Tags, aliases: list[Alias]) -> None:
        """Give the aliases among a node's tags the type of what they name; one that names nothing is taken out, with
        an error noted. In a program, its own tags come first."""
        tags = {lower: tag for lower, (tag, _) in found.items()}
        for alias in aliases:
            lower = alias.name.casefold()
            tag = tags[lower]
            first = tag.alias.replace("[", ".").partition(".")[0].casefold()
            if alias.prefix and alias.prefix.casefold() + first in tags:
                tags[lower] = replace(tag, alias=alias.prefix + tag.alias)
        for alias in aliases:
            lower = alias.name.casefold()
            tag = tags[lower]
            try:
                spot = self.spot(*target_of(tag.alias, tags))
            except ConfigError as exc:
                self.report.error("F054", alias.written, f"alias '{alias.name}': {exc.message}")
                found.pop(lower, None)
                continue
            resolved = replace(tag, type=spot.kind.name, dimensions=spot.dimensions, packed=spot.packed)
            found[lower] = (resolved, found[lower][1])

    def spot(self, tag: TagConfig, path: str) -> Spot:
        """What `path` behind a tag means. Raises `ConfigError`."""
        asked = (tag.type, tag.dimensions, tag.packed, path)
        if asked not in self._spots:
            whole = root(tag, self.types.templates)
            if whole is None:
                raise ConfigError(path, 0, f"tag {tag.name!r} is of no type that is known")
            self._spots[asked] = find(whole, path)
        return self._spots[asked]
