"""Names and numbers to attributes: what every protocol looks tags up in.

Names compare without case, as a controller's do. A tag is of the controller, or of a program when it is called
`Program:NAME.TAG`. Each scope numbers its symbols from 1 in the order they were added, and a program is a symbol of the
controller (Rockwell 1756-PM020). Whoever prepares replies from what was found here asks to be told of changes
(`watch`), or compares `version`.
"""

from collections.abc import Callable, Iterator, Sequence

from node.errors import NodeError
from node.memory.attribute import Attribute
from node.memory.member import element_of
from node.memory.place import Place
from node.record import dataclass

Address = tuple[int, int, int]
"""Class, instance, attribute."""

CONTROLLER = ""
"""The scope of tags that belong to no program."""

PROGRAM_PREFIX = "Program:"
"""How the symbol of a program is called, before its name."""

_PREFIX = PROGRAM_PREFIX.casefold()


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name in its scope: `instance` its number there, `place` what it names (None for a program), `alias` whether
    that is within another tag."""

    instance: int
    name: str
    place: Place | None
    alias: bool = False


class _Scope:
    """The symbols of the controller, or of one program."""

    __slots__ = ("by_name", "name", "symbols")

    def __init__(self, name: str) -> None:
        self.name = name
        self.symbols: list[Symbol] = []
        self.by_name: dict[str, Symbol] = {}

    def add(self, name: str, place: Place | None, alias: bool = False) -> None:
        symbol = Symbol(len(self.symbols) + 1, name, place, alias)
        self.symbols.append(symbol)
        self.by_name[name.casefold()] = symbol


class TagTable:
    """Tags in the order they were added; iteration gives (name as it was written, attribute), without aliases.

    `version` moves with every change, `edition` when a name is added, `depth` is the most parts between dots that a
    name has within its scope.
    """

    def __init__(self) -> None:
        self.version = 0
        self.edition = 0
        self.depth = 1
        self._tags: list[tuple[str, Attribute]] = []
        self._scopes = {CONTROLLER: _Scope(CONTROLLER)}
        self._addresses: dict[Address, Attribute] = {}
        self._watchers: list[Callable[[], None]] = []

    def add(self, name: str, attribute: Attribute, address: Address | None = None) -> None:
        """Raises `NodeError` when the name or the address is taken, or the name is a program's."""
        scope, local = self._free(name)
        if address is not None and address in self._addresses:
            other = self._addresses[address].name
            raise NodeError(f"tag {name!r}: address @{'/'.join(map(str, address))} is taken by {other!r}")
        attribute.name = attribute.name or name
        self._tags.append((name, attribute))
        if address is not None:
            self._addresses[address] = attribute
        attribute.watch(self._changed)
        self._enter(scope, local, Place(attribute), False)

    def add_alias(self, name: str, place: Place) -> None:
        """Another name for a tag that is there, or for what is within one. Raises `NodeError` as `add` does."""
        scope, local = self._free(name)
        attribute = place.attribute
        if place.indexed and attribute.dimensions and attribute.size:
            place = Place(element_of(attribute, place.start, place.name))
        self._enter(scope, local, place, True)

    def add_program(self, name: str) -> None:
        """A program called `name` (`Main`); nothing happens when it is there. Raises `NodeError` for a name that is
        none."""
        if not name or "." in name:
            raise NodeError(f"{name!r} is no name of a program; wanted one as Main")
        if self._scopes.setdefault(name.casefold(), scope := _Scope(name)) is scope:
            self._enter(CONTROLLER, PROGRAM_PREFIX + name, None, False)

    def by_name(self, name: str) -> Attribute | None:
        """The attribute called `name` in any case, with its program's name before it where it has one. An alias of one
        SSTRING of several has none."""
        symbol = self.find(*split_program(name))
        return symbol.place.attribute if symbol and symbol.place and not symbol.place.indexed else None

    def __getitem__(self, name: str) -> Attribute:
        """The same. Raises `KeyError` where there is none."""
        found = self.by_name(name)
        if found is None:
            raise KeyError(name)
        return found

    def find(self, scope: str, name: str) -> Symbol | None:
        """The symbol called `name` in any case, in the program `scope` or the controller ("")."""
        found = self._scopes.get(scope.casefold())
        return found.by_name.get(name.casefold()) if found else None

    def symbol(self, scope: str, instance: int) -> Symbol | None:
        """The symbol with that number."""
        symbols = self.symbols(scope)
        return symbols[instance - 1] if 0 < instance <= len(symbols) else None

    def symbols(self, scope: str = CONTROLLER) -> Sequence[Symbol]:
        """All symbols of a scope, ascending: number n stands at n - 1. None at all for a program that is not there."""
        found = self._scopes.get(scope.casefold())
        return found.symbols if found else ()

    def programs(self) -> list[str]:
        """The names of all programs, as they were first written."""
        return [scope.name for scope in self._scopes.values() if scope.name]

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
        return iter(self._tags)

    def __len__(self) -> int:
        return len(self._tags)

    def watch(self, changed: Callable[[], None]) -> None:
        """Has `changed` called whenever a tag is added, or a source or gate of one comes or goes."""
        self._watchers.append(changed)

    def _free(self, name: str) -> tuple[str, str]:
        """The scope and the name in it, when they can be given to a tag."""
        scope, local = split_program(name)
        if not local or (scope == CONTROLLER and local.casefold().startswith(_PREFIX)):
            raise NodeError(f"tag {name!r}: a tag of a program is called {PROGRAM_PREFIX}NAME.TAG")
        taken = self.find(scope, local)
        if taken is not None:
            before = f"{PROGRAM_PREFIX}{scope}." if scope else ""
            raise NodeError(
                f"tag {name!r} is there already, as {before + taken.name!r}: names differ by more than case"
            )
        return scope, local

    def _enter(self, scope: str, name: str, place: Place | None, alias: bool) -> None:
        if scope:
            self.add_program(scope)
        self._scopes[scope.casefold()].add(name, place, alias)
        self.depth = max(self.depth, 1 + name.count("."))
        self.edition += 1
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        for changed in self._watchers:
            changed()


def split_program(name: str) -> tuple[str, str]:
    """The program a tag belongs to ("" for none), and its name there: `Program:Main.Level` is ("Main", "Level")."""
    if name[: len(_PREFIX)].casefold() != _PREFIX:
        return CONTROLLER, name
    program, dot, local = name[len(_PREFIX) :].partition(".")
    return (program, local) if dot and program else (CONTROLLER, name)
