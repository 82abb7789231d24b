"""Structures between their bytes and Python values: a dict of members, a str for a string structure.

    member              value
    number              bool, int or float
    array               a list; BOOL[n] a list of n bools
    string structure    str of ISO-8859-1 characters
    structure           a dict of its members

Hidden members have no value: their bytes are 0 in what is encoded, and stay as they were where values are laid over
bytes. A string's LEN that is out of range reads as the nearest one that is not, as controllers show it.
"""

import struct
from collections.abc import Mapping, Sequence

from node.cip.status import NOT_ENOUGH_DATA, CipError
from node.cip.template import Member, Template
from node.cip.types import Type, decode_values, encode_values
from node.errors import LocalProtocolError

StructureValue = bool | int | float | str | dict[str, "StructureValue"] | list["StructureValue"]
"""A member's value, or a whole structure's."""

_LENGTH, _SHORT_LENGTH = struct.Struct("<i"), struct.Struct("<h")


def encode_structure(template: Template, value: object) -> bytes:
    """The bytes of one structure. Raises `LocalProtocolError` for a member that is missing, unknown or does not fit."""
    return _laid(template, bytes(template.size), value, whole=True)


def lay_over(template: Template, data: bytes, value: object) -> bytes:
    """The structure's bytes `data` with the members that `value` names put in; nested dicts may be partial too.

    Raises `LocalProtocolError` as `encode_structure` does.
    """
    return _laid(template, data, value, whole=False)


def decode_structure(template: Template, data: bytes, offset: int = 0) -> StructureValue:
    """The value of the structure at `offset`. Raises `CipError` when its bytes are not all there."""
    if len(data) - offset < template.size:
        raise CipError(NOT_ENOUGH_DATA)
    if template.capacity:
        return decode_text(template, data, offset)
    return {member.name: _read(member, data, offset) for member in template.visible}


def encode_text(template: Template, value: object) -> bytes:
    """A string structure of `value`. Raises `LocalProtocolError` for what is no text, too long or not ISO-8859-1."""
    if not isinstance(value, str):
        raise LocalProtocolError(f"{value!r} where a text was wanted, for {template.name}")
    try:
        raw = value.encode("iso-8859-1")
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(
            f"{value!r} has a character outside ISO-8859-1, all that {template.name} can hold"
        ) from exc
    if len(raw) > template.capacity:
        raise LocalProtocolError(f"a text of {len(raw)} characters: {template.name} holds {template.capacity}")
    return (_length(template).pack(len(raw)) + raw).ljust(template.size, b"\0")


def decode_text(template: Template, data: bytes, offset: int = 0) -> str:
    """The text of the string structure at `offset`, all of whose bytes are there."""
    (length,) = _length(template).unpack_from(data, offset)
    start = offset + _length(template).size
    return bytes(data[start : start + max(0, min(length, template.capacity))]).decode("iso-8859-1")


def _length(template: Template) -> struct.Struct:
    """How LEN is laid out: a DINT, and an INT in the string of an SLC."""
    return _LENGTH if template.members[0].size == _LENGTH.size else _SHORT_LENGTH


def decode_structures(template: Template, data: bytes) -> list[StructureValue]:
    """All structures of `data`. Raises `CipError` when the last one is cut short."""
    return [decode_structure(template, data, offset) for offset in range(0, len(data), template.size)]


def _laid(template: Template, data: bytes, value: object, whole: bool) -> bytes:
    if template.capacity and not isinstance(value, Mapping):
        unchanged = not whole and decode_text(template, data) == value
        return data if unchanged else encode_text(template, value)
    members = _members(template, value)
    missing = [member.name for member in template.visible if whole and member.name not in members]
    if missing:
        raise LocalProtocolError(f"{template.name} without {', '.join(missing)}; wanted every member")
    laid = bytearray(data)
    for member, item in members.values():
        start = member.offset
        if member.bit is not None:
            mask = 1 << member.bit
            laid[start] = laid[start] | mask if _number(member, item) else laid[start] & ~mask
        else:
            stop = start + member.size
            laid[start:stop] = _member_bytes(member, item, bytes(laid[start:stop]), whole)
    return bytes(laid)


def _members(template: Template, value: object) -> dict[str, tuple[Member, object]]:
    if not isinstance(value, Mapping):
        raise LocalProtocolError(f"{value!r} where the members of {template.name} were wanted")
    found: dict[str, tuple[Member, object]] = {}
    for name, item in value.items():
        member = template.member(name) if isinstance(name, str) else None
        if member is None or member.hidden:
            known = ", ".join(member.name for member in template.visible)
            raise LocalProtocolError(f"{template.name} has no member {name!r}; it has {known}")
        found[member.name] = member, item
    return found


def _member_bytes(member: Member, value: object, held: bytes, whole: bool) -> bytes:
    values = [value]
    if member.length:
        wanted = member.bits or member.length
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != wanted:
            raise LocalProtocolError(f"{value!r} where a list of {wanted} was wanted, for {member.name}")
        values = list(value)
    kind = member.type
    if isinstance(kind, Template):
        size = kind.size
        return b"".join([_laid(kind, held[at * size : (at + 1) * size], item, whole) for at, item in enumerate(values)])
    numbers = [_number(member, item) for item in values]
    if member.bits:
        packed = sum(1 << at for at, number in enumerate(numbers) if number)
        return packed.to_bytes(member.size, "little")
    return encode_values(kind, numbers)


def _number(member: Member, value: object) -> bool | int | float:
    if not isinstance(value, bool | int | float):
        raise LocalProtocolError(f"{value!r} where a value of {member.type.name} was wanted, for {member.name}")
    return value


def _read(member: Member, data: bytes, base: int) -> StructureValue:
    start = base + member.offset
    if member.bit is not None:
        return bool(data[start] >> member.bit & 1)
    part = data[start : start + member.size]
    kind = member.type
    values: list[StructureValue]
    if member.bits:
        values = [*flags(part, member.bits)]
    elif isinstance(kind, Type):
        values = [*decode_values(kind, part)]
    else:
        values = decode_structures(kind, part)
    return values if member.length else values[0]


def flags(data: bytes, count: int) -> list[bool]:
    """The first `count` bits of `data`, the lowest of each byte first."""
    bits = f"{int.from_bytes(data, 'little'):0{8 * len(data)}b}"[::-1]
    return [bit == "1" for bit in bits[:count]]
