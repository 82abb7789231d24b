"""The structures of a node: templates made of what its configuration declares.

    own types      instances 0x101, 0x102, … in the order they are declared, each after those it is made of
    string types   LEN and DATA, as the predefined STRING, but of their own length

A configuration may be hostile, and a structure can nest: sixteen structures of ten members each are more than a memory
holds. So what a structure comes to is counted before it is laid out.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from node.cip.predefined import predefined_by_name
from node.cip.template import (
    HOST_PREFIX,
    TEMPLATES,
    Declared,
    Kind,
    Template,
    lay_out,
    string_template,
)
from node.cip.text import TextType, text_by_name
from node.cip.types import BOOL, by_name
from node.config.model import MemberConfig, TypeConfig
from node.config.tagspec import OTHER_NAMES
from node.errors import ConfigError

MAX_IDENTIFIER = 40
"""Characters of the name of a type, a member or a program (Rockwell 1756-PM008)."""

MAX_STRING = 65_535
"""Characters of a string type; what an array in a structure can have."""

MAX_MEMBERS = 512
"""Members of one structure."""

MAX_PARTS = 4096
"""Members of a structure and of all it is made of."""

MAX_TYPES = len(TEMPLATES)
"""Structures of one node; there are no more numbers for their templates."""

MAX_ALL_PARTS = 50_000
"""`MAX_PARTS` for all types together."""

MAX_SIZE = 1 << 21
"""Bytes of a structure."""


def tag_kind(name: str, templates: Mapping[str, Template]) -> Kind | None:
    """What a type's name means, in any case: an elementary type, a text, a predefined structure or one of `templates`
    (by name without case); None when there is none."""
    own = templates.get(name.casefold())
    return by_name(name) or text_by_name(name) or predefined_by_name(name) or own


def build_templates(types: Sequence[TypeConfig]) -> dict[str, Template]:
    """Name without case to template. Raises `ConfigError` naming the first type that cannot be."""
    templates, faults = lay_out_types(tuple(types))
    for place, message in faults:
        raise ConfigError(place, 0, message)
    return dict(templates)


@lru_cache(maxsize=64)
def lay_out_types(types: tuple[TypeConfig, ...]) -> tuple[Mapping[str, Template], tuple[tuple[str, str], ...]]:
    """The templates that can be made of `types`, by name without case, and (dotted path, message) of everything that
    is wrong with the others: `types.Motor.members.Speed`."""
    layout = _Layout()
    faults = tuple(layout.lay_out(types))
    return layout.templates, faults


class _Layout:
    """Lays types out one after another. `templates` are those that could be, `parts` how many members each has with
    all it is made of."""

    def __init__(self) -> None:
        self.templates: dict[str, Template] = {}
        self._parts: dict[str, int] = {}
        self._all_parts = 0

    def lay_out(self, types: Sequence[TypeConfig]) -> Iterator[tuple[str, str]]:
        """A template for each type that can have one; (place, message) for each fault."""
        for index, config in enumerate(types):
            faults = list(self._faults(config))
            if index >= MAX_TYPES:
                faults.append(("", f"more than {MAX_TYPES} types in one node"))
            if self._all_parts > MAX_ALL_PARTS:
                faults.append(("", f"the types together have more than {MAX_ALL_PARTS} members"))
            for member, message in faults:
                yield f"types.{config.name}" + (f".members.{member}" if member else ""), message
            if not faults:
                self.templates[config.name.casefold()] = self._template(config, TEMPLATES[index])

    def _template(self, config: TypeConfig, instance: int) -> Template:
        if config.string:
            self._parts[config.name.casefold()] = 2
            return string_template(config.name, instance, config.string)
        declared = []
        for member in config.members:
            kind = tag_kind(member.type, self.templates)
            assert kind is not None and not isinstance(kind, TextType)
            declared.append(Declared(member.name, kind, member.length))
        weight = self._weight(config.members)
        self._parts[config.name.casefold()] = weight
        self._all_parts += weight
        return lay_out(config.name, instance, declared)

    def _weight(self, members: Sequence[MemberConfig]) -> int:
        weight = 0
        for member in members:
            predefined = predefined_by_name(member.type)
            inner = len(predefined.members) if predefined else self._parts.get(member.type.casefold(), 0)
            weight += 1 + inner
        return weight

    def _faults(self, config: TypeConfig) -> Iterator[tuple[str, str]]:
        """(member, message) of a type's faults, the member "" for the type itself."""
        message = type_name_fault(config.name)
        if message:
            yield "", message
        if config.name.casefold() in self.templates:
            yield "", "there is a type of that name already, and case makes no difference"
        if config.string:
            if config.members or not 0 < config.string <= MAX_STRING:
                yield "", f"a string type has no members, and 1 to {MAX_STRING} characters, not {config.string}"
            return
        if not 0 < len(config.members) <= MAX_MEMBERS:
            yield "", f"{len(config.members)} members; wanted 1 to {MAX_MEMBERS}"
            return
        yield from self._member_faults(config)
        if self._weight(config.members) > MAX_PARTS:
            yield "", f"more than {MAX_PARTS} members, with those of the structures it is made of"
        elif self._size(config) > MAX_SIZE:
            yield "", f"is larger than {MAX_SIZE} bytes"

    def _member_faults(self, config: TypeConfig) -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        for member in config.members:
            message = identifier_fault(member.name, "member")
            if message:
                yield member.name, message
            if member.name.casefold() in seen:
                yield member.name, "the member is there twice, and case makes no difference"
            seen.add(member.name.casefold())
            kind = tag_kind(member.type, self.templates)
            if kind is None:
                yield member.name, f"type {member.type!r} is none that was declared before"
            elif isinstance(kind, TextType):
                yield member.name, f"{kind.name} varies in length; a member is a STRING or a string type of your own"
            elif not 0 <= member.length <= MAX_STRING:
                yield member.name, f"an array of {member.length}; wanted 1 to {MAX_STRING} elements"

    def _size(self, config: TypeConfig) -> int:
        size = 0
        for member in config.members:
            kind = tag_kind(member.type, self.templates)
            each = 8 if kind is None else 1 / 8 if kind is BOOL else kind.size
            size += int(each * max(1, member.length)) + 1
        return size


def type_name_fault(name: str) -> str:
    """Why a type cannot be called `name`; "" when it can."""
    if tag_kind(name, {}) is not None:
        return f"{name!r} is a type that every controller has; give yours another name"
    if name.upper() in OTHER_NAMES:
        return f"{name!r} is what others call a type that is there ({OTHER_NAMES[name.upper()]}); take another name"
    return identifier_fault(name, "type")


def identifier_fault(name: str, what: str) -> str:
    """Why a type, member or program cannot be called `name`; "" when it can."""
    plain = name.isascii() and name.isidentifier() and not name.startswith(HOST_PREFIX)
    if plain and len(name) <= MAX_IDENTIFIER and "__" not in name and not name.endswith("_"):
        return ""
    return (
        f"{name!r} is no name for a {what}; wanted a letter or _, then letters, digits and single _, "
        f"at most {MAX_IDENTIFIER}, not ending with _"
    )
