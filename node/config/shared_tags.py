"""Tags that the nodes of a plant have alike: written, read and checked once, however many nodes have them.

Most nodes of a large plant are members of a group, and most of their tags the same in all of them. In JSON that bears
many nodes such tags stand in a table of their own (`fold`), and `tags` of a node are numbers of its entries. What comes
back (`unfold`) are the same nodes as before, with one object for each entry, by which it is known here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from node.config.model import Json, TagConfig

Body = dict[str, Any]


class SharedTags:
    """What is known of tags so far: of one plant, or of one shard. `passed` are those in which nothing was found wrong,
    by id, and held so that nothing else comes to have it."""

    def __init__(self) -> None:
        self.passed: dict[int, TagConfig] = {}
        self._written: dict[tuple[TagConfig, str], Body] = {}
        self._read: dict[int, tuple[Json, TagConfig]] = {}

    def written(self, tag: TagConfig) -> Body | None:
        """What the same tag was written as before."""
        return self._written.get(_key(tag))

    def write(self, tag: TagConfig, body: Body) -> None:
        """Keeps what a tag was written as."""
        self._written[_key(tag)] = body

    def known(self, body: Json) -> TagConfig | None:
        """What the very object `body` was read as before."""
        found = self._read.get(id(body))
        return found[1] if found is not None else None

    def read(self, body: Json, tag: TagConfig) -> None:
        """Keeps what a body was read as, and the body, so that nothing else comes to be at its place."""
        self._read[id(body)] = body, tag


def _key(tag: TagConfig) -> tuple[TagConfig, str]:
    """Tags are equal where 1 and true are."""
    return tag, repr(tag.initial) + repr(tag.parts) if tag.parts else repr(tag.initial)


def fold(nodes: Iterable[Body]) -> tuple[list[Body], list[Body]]:
    """Nodes as `load.dump` gives them, with numbers for their tags, and the table of the tags."""
    numbers: dict[int, int] = {}
    table: list[Body] = []
    folded = []
    for node in nodes:
        tags = []
        for tag in node.get("tags", ()):
            number = numbers.setdefault(id(tag), len(table))
            if number == len(table):
                table.append(tag)
            tags.append(number)
        folded.append({**node, "tags": tags} if tags else node)
    return folded, table


def unfold(nodes: Sequence[Mapping[str, Any]], table: Sequence[Json]) -> list[Body]:
    """The nodes back. Raises IndexError, KeyError, TypeError or ValueError when either is damaged."""
    unfolded = []
    for node in nodes:
        body = dict(node)
        if "tags" in body:
            body["tags"] = [table[_number(tag, table)] for tag in body["tags"]]
        unfolded.append(body)
    return unfolded


def _number(value: object, table: Sequence[Json]) -> int:
    if type(value) is not int or not 0 <= value < len(table):
        raise ValueError(f"{value!r:.40} is no entry of the table of {len(table)} tags")
    return value
