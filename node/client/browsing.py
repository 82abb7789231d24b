"""A controller's tags, and how its structures are made: Symbol objects (class 0x6B) and templates (0x6C).

    tags = browse(plc)                  # [Tag("SCADA", type="DINT", …), Tag("Program:Main.Step", …), …]

What was browsed is known from then on: structures are read as dicts of their members and written from them, whole or
in arrays (Rockwell 1756-PM020).
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from node.cip.attribute_services import decode_attribute_statuses, encode_get_attribute_list
from node.cip.browse import (
    NO_ACCESS,
    READ_ONLY,
    READ_WRITE,
    SymbolType,
    SymbolValues,
    decode_symbol_type,
    decode_symbols,
)
from node.cip.definition import MemberInfo, decode_definition, encode_template_read
from node.cip.epath import Class, Instance, Symbolic, encode_epath
from node.cip.message import Request
from node.cip.predefined import PREDEFINED
from node.cip.services import (
    GET_ATTRIBUTE_LIST,
    GET_INSTANCE_ATTRIBUTE_LIST,
    READ_TAG,
    SYMBOL_CLASS,
    TEMPLATE_CLASS,
)
from node.cip.status import PARTIAL_TRANSFER, SUCCESS, CipError
from node.cip.template import HOST_PREFIX, Member, Template
from node.cip.types import BOOL, DWORD, SINT, Type, by_code
from node.client.exchanges import Steps, successful
from node.client.tag_values import tag_type
from node.errors import RemoteProtocolError
from node.record import dataclass

T = TypeVar("T")

TEMPLATE_READ = READ_TAG
"""The same code, on another class."""

NEWER, OLDER = (1, 2, 8, 10), (1, 2, 8)
"""Attributes of symbols: name, type, lengths, and the access that controllers know since revision 18."""

HIDDEN = ("__", HOST_PREFIX, "Task:", "Routine:", "Map:", "Cxn:", "Module:")
"""How names begin that no program gave."""

PROGRAM = "Program:"

_SURPLUS = 23
_PIECE = 400
_MAX_DEFINITION = 1 << 20
_MAX_SYMBOLS = 1 << 20
_DEEPEST = 32
_ACCESS = {READ_WRITE: "read/write", READ_ONLY: "read only", NO_ACCESS: "none"}
_SIZES = {1: 2, 2: 2, 4: 4, 5: 4}
_BOOLS = 32


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag: `type` is a type's or a structure's name, `dimensions` the lengths of an array, () for none; `template` is
    there for structures; `access` "read/write", "read only" or "none". A program's tag has its name in front."""

    name: str
    type: str
    dimensions: tuple[int, ...] = ()
    template: Template | None = None
    access: str = "read/write"
    instance: int = 0


class Asks(Protocol):
    """What a client has to be able to: to answer steps."""

    known: dict[int, Template]

    def run(self, steps: Steps[T], timeout: float | None = None) -> T:
        """The result of steps."""
        ...


def browse(client: Asks, programs: bool = True, timeout: float | None = None) -> list[Tag]:
    """The tags of a controller, and of its programs, sorted by name; their structures are known to `client` afterwards.

    `timeout` is for all of it. Raises `CipError` of a device that has no symbols.
    """
    return client.run(browse_steps(client.known, programs), timeout)


def browse_steps(known: dict[int, Template], programs: bool = True) -> Steps[list[Tag]]:
    """As `browse`; the structures are put into `known`, by their handles."""
    symbols = yield from symbol_steps()
    found = [("", *symbol) for symbol in symbols]
    if programs:
        for _, values in symbols:
            if values.name.startswith(PROGRAM):
                inner = yield from symbol_steps(values.name)
                found += [(f"{values.name}.", *symbol) for symbol in inner]
    templates: dict[int, Template] = {template.instance: template for template in PREDEFINED}
    refused: set[int] = set()
    tags = []
    for prefix, instance, values in found:
        kind = decode_symbol_type(values.type)
        if kind.system or values.name.startswith((*HIDDEN, PROGRAM)):
            continue
        template = None
        if kind.structure and kind.number not in refused:
            try:
                template = yield from template_steps(kind.number, templates)
                known[template.handle] = template
            except (CipError, RemoteProtocolError):
                refused.add(kind.number)  # one that makes no sense here does not cost the others
        tags.append(_tag(prefix, instance, values, kind, template))
    return sorted(tags, key=lambda tag: tag.name.casefold())


def symbol_steps(program: str = "") -> Steps[list[tuple[int, SymbolValues]]]:
    """(instance, values) of the symbols of the controller, or of one program of it."""
    scope: tuple[Symbolic, ...] = (Symbolic(program),) if program else ()
    attributes: tuple[int, ...] = NEWER
    symbols: list[tuple[int, SymbolValues]] = []
    start = 0
    while True:
        path = encode_epath((*scope, Class(SYMBOL_CLASS), Instance(start)))
        reply = yield Request(GET_INSTANCE_ATTRIBUTE_LIST, path, encode_get_attribute_list(attributes))
        if reply.status not in (SUCCESS, PARTIAL_TRANSFER) and attributes == NEWER and not symbols:
            attributes = OLDER
            continue
        part = decode_symbols(successful(reply).data, attributes)
        symbols += part
        if reply.status == SUCCESS:
            return symbols
        if not part or part[-1][0] < start or len(symbols) > _MAX_SYMBOLS:
            raise RemoteProtocolError(f"a list of symbols that does not end: {len(symbols)} of them")
        start = part[-1][0] + 1


def template_steps(instance: int, templates: dict[int, Template], depth: int = 0) -> Steps[Template]:
    """The template `instance`, with those within it; `templates` has those that were asked for, and gets the others."""
    if instance in templates:
        return templates[instance]
    if depth > _DEEPEST:
        raise RemoteProtocolError(f"structures within structures, {depth} deep")
    path = encode_epath((Class(TEMPLATE_CLASS), Instance(instance)))
    reply = yield Request(GET_ATTRIBUTE_LIST, path, encode_get_attribute_list((4, 5, 2, 1)))
    entries = decode_attribute_statuses(successful(reply).data, _SIZES)
    values = {entry.id: int.from_bytes(entry.value, "little") for entry in entries if entry.status == SUCCESS}
    if values.keys() != _SIZES.keys():
        raise RemoteProtocolError(f"template 0x{instance:03X} with attributes {sorted(values)}, wanted 1, 2, 4 and 5")
    definition = yield from _definition_steps(path, 4 * values[4] - _SURPLUS)
    name, infos = decode_definition(definition + b"\0", values[2])
    nested: dict[int, Template] = {}
    for info in infos:
        if info.type.structure and info.type.number not in nested:
            nested[info.type.number] = yield from template_steps(info.type.number, templates, depth + 1)
    members = tuple(_member(info, nested) for info in infos)
    template = _built(name, instance, members, values[5], values[1])
    templates[instance] = template
    return template


def _definition_steps(path: bytes, size: int) -> Steps[bytes]:
    if not 0 < size <= _MAX_DEFINITION:
        raise RemoteProtocolError(f"the definition of a template has {size} bytes")
    data = bytearray()
    while len(data) < size:
        request = encode_template_read(len(data), min(_PIECE, size - len(data)))
        reply = yield Request(TEMPLATE_READ, path, request)
        part = successful(reply).data
        if not part:
            raise RemoteProtocolError(f"the definition of a template ends after {len(data)} of {size} bytes")
        data += part
    return bytes(data[:size])


def _member(info: MemberInfo, nested: dict[int, Template]) -> Member:
    kind: Type | Template | None = nested.get(info.type.number) if info.type.structure else by_code(info.type.number)
    hidden = info.name.startswith((HOST_PREFIX, "__"))
    if kind is None:
        raise RemoteProtocolError(f"member {info.name} is of type 0x{info.type.number:02X}, which is not known here")
    length = info.info if info.type.dimensions else 0
    if kind is BOOL and not length:
        return Member(info.name, BOOL, info.offset + (info.info >> 3), bit=info.info & 7)
    bits = length * _BOOLS if kind is DWORD else 0
    return Member(info.name, kind, info.offset, length, hidden=hidden, bits=bits)


def _built(name: str, instance: int, members: tuple[Member, ...], size: int, handle: int) -> Template:
    for member in members:
        if member.offset + max(member.size, 1) > size:
            raise RemoteProtocolError(f"member {member.name} of {name} is not within its {size} bytes")
    capacity = 0
    if len(members) == 2 and [member.name for member in members] == ["LEN", "DATA"] and members[1].type is SINT:
        capacity = members[1].length
    return Template(name, instance, members, size, handle, capacity)


def _tag(prefix: str, instance: int, values: SymbolValues, kind: SymbolType, template: Template | None) -> Tag:
    plain = None if kind.structure else tag_type(kind.number, None, {})
    if template is not None:
        name = template.name
    elif kind.structure:
        name = f"structure 0x{kind.number:03X}"
    else:
        name = plain.name if plain is not None else f"0x{kind.number:02X}"
    lengths = values.lengths[: kind.dimensions]
    access = _ACCESS.get(values.access, f"access {values.access}")
    return Tag(prefix + values.name, name, lengths, template, access, instance)
