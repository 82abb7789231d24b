"""Values of tags as plain JSON, and back.

One place turns them into JSON and back, so that what is shown can be given to a write. A REAL is shown with as few
digits as tell it from its neighbours, a float that is not a number as null, a structure as a map of its members. What
is given may be text as a person types it, and of a structure some members only.
"""

import math
from array import array

from node.cip.template import Kind, Member, Template
from node.cip.types import BOOL, REAL, Type
from node.commands.errors import CommandError
from node.config.model import Json
from node.config.tag_check import misfit
from node.memory.attribute import Value

_WORDS: dict[str, bool] = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


def shown(kind: Kind, value: Value) -> Json:
    """An element's value for people and scripts."""
    if isinstance(value, list):
        return [shown(kind, item) for item in value]
    if isinstance(value, dict):
        assert isinstance(kind, Template)
        return {member.name: shown(member.type, value[member.name]) for member in kind.visible}
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    if kind is REAL:
        for digits in range(6, 9):
            short = float(f"{value:.{digits}g}")
            if array("f", [short])[0] == value:
                return short
    return value


def value_of(kind: Kind, given: Json, name: str) -> Value:
    """`given` as a value of `kind`, for the tag or member `name`. Raises `CommandError`."""
    if isinstance(kind, Template) and not kind.capacity and isinstance(given, dict):
        return {member: _member_value(kind, member, item, name) for member, item in given.items()}
    value = _parsed(kind, given) if isinstance(given, str) and isinstance(kind, Type) else given
    if value is None or isinstance(value, list | dict):
        raise CommandError(f"{name}: {given!r} is no value of {kind.name}")
    wanted = misfit(kind, value)
    if wanted:
        raise CommandError(f"{name}: {given!r} does not fit {kind.name}; wanted {wanted}")
    return value


def _member_value(template: Template, name: str, given: Json, inside: str) -> Value:
    member = template.member(name)
    if member is None or member.hidden:
        known = ", ".join(each.name for each in template.visible)
        raise CommandError(f"{inside}: {template.name} has no member {name!r}; it has {known}")
    path = f"{inside}.{member.name}"
    if not member.length:
        return value_of(member.type, given, path)
    length = member.bits or member.length
    if not isinstance(given, list) or len(given) != length:
        raise CommandError(f"{path}: {given!r} where a list of {length} was wanted")
    return [value_of(_element_kind(member), item, f"{path}[{index}]") for index, item in enumerate(given)]


def _element_kind(member: Member) -> Kind:
    return BOOL if member.bits else member.type


def _parsed(kind: Type, text: str) -> bool | int | float | str:
    if kind is BOOL:
        return _WORDS.get(text.lower(), text)
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
