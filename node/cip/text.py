"""Strings: SSTRING (SHORT_STRING) and the Logix STRING structure.

    SSTRING   length u8 | characters                                     type DA 00
    STRING    LEN i32 | DATA 82 characters, NUL padded | 2 pad bytes     type A0 02 CE 0F, always 88 bytes

Characters are ISO-8859-1, one byte each, so that any byte a client writes reads back as it was (CIP Vol 1, C-5.2;
Rockwell 1756-PM020 for STRING, whose template is 0xFCE).
"""

import struct
from dataclasses import dataclass

from node.cip.status import INVALID_ATTRIBUTE_VALUE, NOT_ENOUGH_DATA, CipError
from node.errors import LocalProtocolError

STRUCTURE = 0xA0
"""Type code of an abbreviated structure; its second byte is 2 and a 16-bit handle follows."""

STRING_HANDLE = 0x0FCE
STRING_SIZE = 88
STRING_CAPACITY = 82
SSTRING_CAPACITY = 255

_LENGTH = struct.Struct("<i")


@dataclass(frozen=True, slots=True)
class TextType:
    """A string type: `size` in bytes on the wire (0 where it varies), `capacity` in characters, `type_bytes` as a
    Read Tag reply or a Write Tag request carries them."""

    name: str
    code: int
    size: int
    capacity: int
    type_bytes: bytes


SSTRING = TextType("SSTRING", 0xDA, 0, SSTRING_CAPACITY, b"\xda\x00")
STRING = TextType("STRING", STRUCTURE, STRING_SIZE, STRING_CAPACITY, b"\xa0\x02\xce\x0f")

TEXT: tuple[TextType, ...] = (SSTRING, STRING)

_BY_NAME = {kind.name: kind for kind in TEXT} | {"SHORT_STRING": SSTRING}


def text_by_name(name: str) -> TextType | None:
    """The text type called `name` in any case, None when there is none."""
    return _BY_NAME.get(name.upper())


def encode_sstring(text: str) -> bytes:
    """Raises `LocalProtocolError` over 255 characters, or for one outside ISO-8859-1."""
    raw = _characters(SSTRING, text)
    return bytes((len(raw),)) + raw


def decode_sstring(data: bytes, offset: int = 0) -> tuple[str, int]:
    """The text at `offset`, and the offset after it. Raises `CipError` when it is cut short."""
    if offset >= len(data):
        raise CipError(NOT_ENOUGH_DATA)
    end = offset + 1 + data[offset]
    if end > len(data):
        raise CipError(NOT_ENOUGH_DATA)
    return data[offset + 1 : end].decode("iso-8859-1"), end


def encode_string(text: str) -> bytes:
    """The 88 bytes of a STRING. Raises `LocalProtocolError` over 82 characters, or for one outside ISO-8859-1."""
    raw = _characters(STRING, text)
    return (_LENGTH.pack(len(raw)) + raw).ljust(STRING_SIZE, b"\0")


def decode_string(data: bytes, offset: int = 0) -> str:
    """The text of the 88 bytes at `offset`. Raises `CipError` when they are not all there or LEN is out of range."""
    if len(data) - offset < STRING_SIZE:
        raise CipError(NOT_ENOUGH_DATA)
    (length,) = _LENGTH.unpack_from(data, offset)
    if not 0 <= length <= STRING_CAPACITY:
        raise CipError(INVALID_ATTRIBUTE_VALUE)
    start = offset + _LENGTH.size
    return data[start : start + length].decode("iso-8859-1")


def encode_texts(kind: TextType, values: list[str]) -> bytes:
    """Texts one after another, as a write of an array carries them."""
    encode = encode_string if kind is STRING else encode_sstring
    return b"".join(encode(value) for value in values)


def decode_texts(kind: TextType, data: bytes) -> list[str]:
    """All texts of `data`. Raises `CipError` when the last one is cut short."""
    if kind is STRING:
        if len(data) % STRING_SIZE:
            raise CipError(NOT_ENOUGH_DATA)
        return [decode_string(data, offset) for offset in range(0, len(data), STRING_SIZE)]
    texts = []
    offset = 0
    while offset < len(data):
        text, offset = decode_sstring(data, offset)
        texts.append(text)
    return texts


def _characters(kind: TextType, text: str) -> bytes:
    try:
        raw = text.encode("iso-8859-1")
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(f"{text!r} has a character outside ISO-8859-1, all that {kind.name} can hold") from exc
    if len(raw) > kind.capacity:
        raise LocalProtocolError(f"a text of {len(raw)} characters: {kind.name} holds {kind.capacity}")
    return raw
