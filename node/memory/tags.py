"""Names and numbers to attributes: what every protocol looks tags up in.

Names compare without case, as a controller's do (Rockwell 1756-PM020). Whoever prepares replies from what was found
here asks to be told of changes (`watch`), or compares `version`.
"""

from collections.abc import Callable, Iterator

from node.errors import NodeError
from node.memory.attribute import Attribute

Address = tuple[int, int, int]
"""Class, instance, attribute."""


class TagTable:
    """Tags in the order they were added; iteration gives (name as it was written, attribute)."""

    def __init__(self) -> None:
        self.version = 0
        self._tags: dict[str, tuple[str, Attribute]] = {}
        self._addresses: dict[Address, Attribute] = {}
        self._watchers: list[Callable[[], None]] = []

    def add(self, name: str, attribute: Attribute, address: Address | None = None) -> None:
        """Raises `NodeError` when the name or the address is taken."""
        key = name.casefold()
        if key in self._tags:
            raise NodeError(f"tag {name!r} is there already, as {self._tags[key][0]!r}: names differ by more than case")
        if address is not None and address in self._addresses:
            other = self._addresses[address].name
            raise NodeError(f"tag {name!r}: address @{'/'.join(map(str, address))} is taken by {other!r}")
        attribute.name = attribute.name or name
        self._tags[key] = (name, attribute)
        if address is not None:
            self._addresses[address] = attribute
        attribute.watch(self._changed)
        self._changed()

    def by_name(self, name: str) -> Attribute | None:
        """The attribute called `name` in any case."""
        found = self._tags.get(name.casefold())
        return found[1] if found else None

    def by_address(self, class_id: int, instance: int, attribute: int) -> Attribute | None:
        """The attribute at a numeric address."""
        return self._addresses.get((class_id, instance, attribute))

    def address_of(self, attribute: Attribute) -> Address | None:
        """The numeric address of an attribute that has one."""
        for address, found in self._addresses.items():
            if found is attribute:
                return address
        return None

    def addresses(self) -> Iterator[Address]:
        """All numeric addresses in use."""
        return iter(self._addresses)

    def __iter__(self) -> Iterator[tuple[str, Attribute]]:
        return iter(self._tags.values())

    def __len__(self) -> int:
        return len(self._tags)

    def watch(self, changed: Callable[[], None]) -> None:
        """Has `changed` called whenever a tag is added, or a source or gate of one comes or goes."""
        self._watchers.append(changed)

    def _changed(self) -> None:
        self.version += 1
        for changed in self._watchers:
            changed()
