"""Strings of varying length: SSTRING (SHORT_STRING). The STRING of Logix is a structure: `node.cip.predefined`.

    SSTRING   length u8 | characters                                     type DA 00

Characters are ISO-8859-1, one byte each, so that any byte a client writes reads back as it was (CIP Vol 1, C-5.2).
"""

from collections.abc import Sequence

from node.cip.status import NOT_ENOUGH_DATA, CipError
from node.errors import LocalProtocolError
from node.record import dataclass

SSTRING_CAPACITY = 255


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

_BY_NAME = {"SSTRING": SSTRING, "SHORT_STRING": SSTRING}


def text_by_name(name: str) -> TextType | None:
    """The text type called `name` in any case, None when there is none."""
    return _BY_NAME.get(name.upper())


def encode_sstring(text: str) -> bytes:
    """Raises `LocalProtocolError` over 255 characters, or for one outside ISO-8859-1."""
    try:
        raw = text.encode("iso-8859-1")
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(f"{text!r} has a character outside ISO-8859-1, all that SSTRING can hold") from exc
    if len(raw) > SSTRING_CAPACITY:
        raise LocalProtocolError(f"a text of {len(raw)} characters: SSTRING holds {SSTRING_CAPACITY}")
    return bytes((len(raw),)) + raw


def decode_sstring(data: bytes, offset: int = 0) -> tuple[str, int]:
    """The text at `offset`, and the offset after it. Raises `CipError` when it is cut short."""
    if offset >= len(data):
        raise CipError(NOT_ENOUGH_DATA)
    end = offset + 1 + data[offset]
    if end > len(data):
        raise CipError(NOT_ENOUGH_DATA)
    return data[offset + 1 : end].decode("iso-8859-1"), end


def encode_texts(values: Sequence[str]) -> bytes:
    """Texts one after another, as a write of an array carries them."""
    return b"".join([encode_sstring(value) for value in values])


def decode_texts(data: bytes) -> list[str]:
    """All texts of `data`. Raises `CipError` when the last one is cut short."""
    texts = []
    offset = 0
    while offset < len(data):
        text, offset = decode_sstring(data, offset)
        texts.append(text)
    return texts
