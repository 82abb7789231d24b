"""A tag's values between Python and the wire, and cut into writes that fit a message.

A reply names its type by a code, and by a handle for structures; what is not known here is given as bytes, so that a
read of any tag succeeds. `known` are the structures that are, by handle.
"""

from collections.abc import Mapping, Sequence

from node.cip.predefined import STRING
from node.cip.status import CipError
from node.cip.structure_values import StructureValue, decode_structures, encode_structure, encode_text
from node.cip.template import STRUCTURE, Template
from node.cip.text import SSTRING, TextType, decode_texts, encode_sstring, text_by_name
from node.cip.types import BOOL, Type, by_code, by_name, encode_values, parse_value
from node.cip.types import decode_values as decode_numbers
from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

Value = StructureValue | bytes
"""A structure's is a dict of its members, or a str where it is a string."""

TagType = Type | TextType | Template
Known = Mapping[int, Template]


@dataclass(slots=True)
class Part:
    """Bytes of a write that begin at byte `offset` of all of them."""

    offset: int
    data: bytes


def tag_type(code: int, handle: int | None, known: Known) -> TagType | None:
    """The type of a reply, None for a structure or a code unknown here."""
    if handle is not None:
        return known.get(handle)
    return SSTRING if code == SSTRING.code else by_code(code)


def named_type(name: str) -> TagType:
    """The type called `name`. Raises `LocalProtocolError` when there is none."""
    kind = by_name(name) or text_by_name(name) or (STRING if name.upper() == STRING.name else None)
    if kind is None:
        raise LocalProtocolError(f"{name!r} is no type; wanted one like DINT, REAL, BOOL or STRING")
    return kind


def type_code(kind: TagType) -> tuple[int, int | None]:
    """Code and structure handle, as a write carries them."""
    return (STRUCTURE, kind.handle) if isinstance(kind, Template) else (kind.code, None)


def decode_values(code: int, handle: int | None, data: bytes, known: Known) -> list[Value]:
    """The values of a whole read; of a type unknown here, its bytes as the only one.

    Raises `RemoteProtocolError` when the bytes are no whole values.
    """
    kind = tag_type(code, handle, known)
    try:
        if isinstance(kind, Type):
            return list(decode_numbers(kind, data))
        if isinstance(kind, Template):
            return [*decode_structures(kind, data)]
        return list(decode_texts(data)) if kind is not None else [data]
    except CipError as exc:
        raise RemoteProtocolError(f"{len(data)} bytes of type 0x{code:02X} that are no values: {exc}") from exc


def encode_elements(kind: TagType, values: Sequence[Value]) -> list[bytes]:
    """Each value's bytes; a text for a number is read as a person types it.

    Raises `LocalProtocolError` for a value that is not of the type.
    """
    if isinstance(kind, TextType):
        return [encode_sstring(value if isinstance(value, str) else str(value)) for value in values]
    if isinstance(kind, Template):
        if not kind.capacity:
            return [encode_structure(kind, value) for value in values]
        return [encode_text(kind, value if isinstance(value, str) else str(value)) for value in values]
    numbers = []
    for value in values:
        if isinstance(value, bytes | list | dict):
            raise LocalProtocolError(f"{value!r} where a value of {kind.name} was wanted")
        numbers.append(parse_value(kind, value) if isinstance(value, str) else value)
    data = encode_values(kind, numbers)
    return [data[start : start + kind.size] for start in range(0, len(data), kind.size)]


def parse_truths(texts: Sequence[str]) -> list[bool]:
    """BOOLs as a person types them. Raises `LocalProtocolError` for what is none."""
    return [bool(parse_value(BOOL, text)) for text in texts]


def cut(elements: Sequence[bytes], room: int) -> list[Part]:
    """The elements in parts of at most `room` bytes, whole elements each, or one alone that is larger."""
    parts: list[Part] = []
    held: list[bytes] = []
    offset = size = 0
    for element in elements:
        if held and size + len(element) > room:
            parts.append(Part(offset, b"".join(held)))
            offset += size
            held, size = [], 0
        held.append(element)
        size += len(element)
    if held:
        parts.append(Part(offset, b"".join(held)))
    return parts
