"""Structures as dataclasses, made for each template when they are first wanted.

A field is named as its member; what is no name in Python gets an underscore: `class` is `class_`, `2nd` is `_2nd`.
"""

import dataclasses
import keyword
from typing import Any

from node.cip.structure_values import StructureValue
from node.cip.template import Template

_MEMBERS = "_members"
"""What a class made here has beside its fields: the member's name of each."""


def dataclass_of(template: Template) -> type[Any]:
    """A dataclass with a field for each member, in their order; members that are structures are dataclasses too."""
    names = {member.name: _field_name(member.name) for member in template.visible}
    fields: list[tuple[str, Any]] = [(name, object) for name in names.values()]
    made = dataclasses.make_dataclass(_field_name(template.name), fields, slots=False)
    setattr(made, _MEMBERS, {field: member for member, field in names.items()})
    made.__doc__ = f"{template.name}: {', '.join(names)}"
    return made


class Structures:
    """The classes of templates, each made once."""

    def __init__(self) -> None:
        self._classes: dict[int, type[Any]] = {}

    def instance(self, template: Template, value: StructureValue) -> Any:
        """`value`, as `node.cip.structure_values` decodes it, with dataclasses in place of dicts."""
        if not isinstance(value, dict):
            return value
        made = self._classes.get(template.handle)
        if made is None:
            made = self._classes[template.handle] = dataclass_of(template)
        values = []
        for member in template.visible:
            item: Any = value[member.name]
            kind = member.type
            if isinstance(kind, Template):
                item = [self.instance(kind, each) for each in item] if member.length else self.instance(kind, item)
            values.append(item)
        return made(*values)


def as_members(value: Any) -> Any:
    """A dataclass as the dict of members that a write takes; anything else as it is."""
    if isinstance(value, list | tuple):
        return [as_members(item) for item in value]
    if isinstance(value, dict):
        return {name: as_members(item) for name, item in value.items()}
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    members = getattr(value, _MEMBERS, {})
    return {
        members.get(field.name, field.name): as_members(getattr(value, field.name))
        for field in dataclasses.fields(value)
    }


def _field_name(name: str) -> str:
    word = "".join(char if char.isalnum() or char == "_" else "_" for char in name)
    if not word or word[0].isdigit() or word.startswith("__") or word == _MEMBERS:
        word = f"_{word}"
    return f"{word}_" if keyword.iskeyword(word) else word
