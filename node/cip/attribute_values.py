"""Attribute values as people write them in JSON, and their bytes in both directions.

    USINT UINT UDINT REAL …   a number, or its text: 12 "0x3060"            as node.cip.types
    BOOL                      true or false                                 u8
    SHORT_STRING              a text                                        length u8 | characters
    STRING                    a text                                        length u16 | characters | pad to even
    revision                  "20.11", or major + minor / 256 as one
                              number, minor * 256 + major: 2836             major u8 | minor u8
    EPATH                     "@0xF6/1" or [{"class": 246}, …]              words u16 | padded path
    bytes                     hex, colons and blanks as one likes           as they are
    a list of numbers         [1, 2, 3]                                     back to back

Decoding refuses as a Set Attribute does: 0x13 for too few bytes, 0x15 for too many, 0x09 for a value out of range. A
value in JSON that does not fit is a `LocalProtocolError` with what was got and what was wanted (CIP Vol 1, appendix C).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from node.cip.epath import decode_epath, encode_epath
from node.cip.path_text import format_path, parse_path
from node.cip.status import INVALID_ATTRIBUTE_VALUE, NOT_ENOUGH_DATA, TOO_MUCH_DATA, CipError
from node.cip.text import decode_sstring, encode_sstring
from node.cip.types import BOOL, UINT, Type, decode_values, encode_values
from node.errors import LocalProtocolError

_SHOWN = 60
"""Characters of a value that a message quotes."""


class Codec(Protocol):
    """How one kind of value is written. `name` is its CIP type's, `size` its bytes, 0 where they vary."""

    @property
    def name(self) -> str:
        """The type's name."""

    @property
    def size(self) -> int:
        """Bytes, 0 where they vary."""

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """The bytes of a value in JSON; what it leaves open stays as it is in `before`, the bytes until now.

        Raises `LocalProtocolError`."""

    def decode(self, data: bytes) -> object:
        """The value of exactly these bytes. Raises `CipError`."""

    def measure(self, data: bytes) -> int:
        """How many bytes from the first on are one value. Raises `CipError` 0x13."""


class Fixed:
    """What values of fixed size share."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size

    def measure(self, data: bytes) -> int:
        """Its size."""
        if len(data) < self.size:
            raise CipError(NOT_ENOUGH_DATA)
        return self.size

    def exactly(self, data: bytes) -> None:
        """Raises `CipError` for another number of bytes."""
        if len(data) > self.measure(data):
            raise CipError(TOO_MUCH_DATA)


class Number(Fixed):
    """A number of an elementary type."""

    def __init__(self, kind: Type) -> None:
        super().__init__(kind.name, kind.size)
        self.kind = kind
        whole = isinstance(kind.low, int)
        self._wanted = f"a number of {kind.low} to {kind.high}" if whole else "a number"

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """From a number, or a text that is one."""
        number = _number(value, isinstance(self.kind.low, int))
        if number is None or not self.kind.low <= number <= self.kind.high:
            raise misfit(value, self._wanted)
        return encode_values(self.kind, (number,))

    def decode(self, data: bytes) -> object:
        """The number."""
        self.exactly(data)
        return decode_values(self.kind, data)[0]


class Flag(Fixed):
    """A BOOL in a byte, 1 for true."""

    def __init__(self) -> None:
        super().__init__(BOOL.name, 1)

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """From true, false, 1, 0 or their text."""
        text = value.strip().lower() if isinstance(value, str) else value
        if text in ("true", "on", "1") or (text == 1 and not isinstance(text, float)):
            return b"\1"
        if text in ("false", "off", "0") or (text == 0 and not isinstance(text, float)):
            return b"\0"
        raise misfit(value, "true or false")

    def decode(self, data: bytes) -> object:
        """Any byte but 0 is true."""
        self.exactly(data)
        return data[0] != 0


class ShortString:
    """A SHORT_STRING of at most `capacity` characters."""

    name = "SHORT_STRING"
    size = 0

    def __init__(self, capacity: int = 255) -> None:
        self.capacity = capacity

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """From a text."""
        return encode_sstring(_text(value, self.capacity))

    def decode(self, data: bytes) -> object:
        """The text."""
        _whole(data, self.measure(data), data[0] if data else 0, self.capacity)
        return decode_sstring(data)[0]

    def measure(self, data: bytes) -> int:
        """Length and characters."""
        return decode_sstring(data)[1]


class PaddedString:
    """A STRING of at most `capacity` characters, padded to an even number of bytes."""

    name = "STRING"
    size = 0

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """From a text."""
        raw = _text(value, self.capacity).encode("iso-8859-1")
        return len(raw).to_bytes(2, "little") + raw + b"\0" * (len(raw) & 1)

    def decode(self, data: bytes) -> object:
        """The text."""
        length = int.from_bytes(data[:2], "little")
        _whole(data, self.measure(data), length, self.capacity)
        return data[2 : 2 + length].decode("iso-8859-1")

    def measure(self, data: bytes) -> int:
        """Length, characters, pad."""
        length = int.from_bytes(data[:2], "little")
        end = 2 + length + (length & 1)
        if len(data) < end:
            raise CipError(NOT_ENOUGH_DATA)
        return end


class Revision(Fixed):
    """Major and minor."""

    def __init__(self) -> None:
        super().__init__("revision", 2)

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """From "20.11", [20, 11], or 2836."""
        wanted = 'a revision as "20.11", or minor * 256 + major as one number'
        parts: Sequence[object] | None = None
        if isinstance(value, list | tuple):
            parts = value
        elif isinstance(value, float) or (isinstance(value, str) and "." in value):
            parts = str(value).split(".")
        if parts is None:
            number = _number(value, True)
            if number is None or not 0 <= number <= UINT.high:
                raise misfit(value, wanted)
            return int(number).to_bytes(2, "little")
        numbers = [_number(part, True) for part in parts]
        if len(numbers) != 2 or any(number is None or not 0 <= number <= 0xFF for number in numbers):
            raise misfit(value, wanted)
        return bytes(int(number) for number in numbers if number is not None)

    def decode(self, data: bytes) -> object:
        """As "20.11"."""
        self.exactly(data)
        return f"{data[0]}.{data[1]}"


class Path:
    """An EPATH behind its length in words."""

    name = "EPATH"
    size = 0

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """From "@0xF6/1" or a list of segments as JSON has them."""
        text = value
        if isinstance(value, list):
            text = "@" + "/".join(json.dumps(part) for part in value)
        if not isinstance(text, str):
            raise misfit(value, "a path as @0xF6/1")
        path = encode_epath(parse_path(text))
        return (len(path) >> 1).to_bytes(2, "little") + path

    def decode(self, data: bytes) -> object:
        """As "@0xF6/1"."""
        end = self.measure(data)
        if len(data) > end:
            raise CipError(TOO_MUCH_DATA)
        return format_path(decode_epath(data[2:]))

    def measure(self, data: bytes) -> int:
        """Length and path."""
        end = 2 + 2 * int.from_bytes(data[:2], "little")
        if len(data) < end:
            raise CipError(NOT_ENOUGH_DATA)
        return end


class Raw:
    """Bytes without a meaning here; `size` of them, or any number for 0."""

    name = "bytes"

    def __init__(self, size: int = 0) -> None:
        self.size = size

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """From hex."""
        wanted = f"{self.size} bytes in hex" if self.size else "bytes in hex"
        if not isinstance(value, str):
            raise misfit(value, wanted)
        try:
            data = bytes.fromhex(value.replace(":", "").removeprefix("0x"))
        except ValueError as exc:
            raise misfit(value, wanted) from exc
        if self.size and len(data) != self.size:
            raise misfit(value, wanted)
        return data

    def decode(self, data: bytes) -> object:
        """As hex."""
        if len(data) > self.measure(data):
            raise CipError(TOO_MUCH_DATA)
        return data.hex()

    def measure(self, data: bytes) -> int:
        """Its size, or all there is."""
        if len(data) < self.size:
            raise CipError(NOT_ENOUGH_DATA)
        return self.size or len(data)


class Numbers:
    """`count` numbers of one type, or any number of them for 0."""

    def __init__(self, kind: Type, count: int = 0) -> None:
        self.kind = kind
        self.count = count
        self.name = f"{kind.name}[{count or ''}]"
        self.size = count * kind.size

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """From a list."""
        wanted = f"a list of {self.count} numbers" if self.count else "a list of numbers"
        if not isinstance(value, list | tuple) or (self.count and len(value) != self.count):
            raise misfit(value, wanted)
        one = Number(self.kind)
        return b"".join([one.encode(item) for item in value])

    def decode(self, data: bytes) -> object:
        """The list."""
        if len(data) > self.measure(data):
            raise CipError(TOO_MUCH_DATA)
        return decode_values(self.kind, data)

    def measure(self, data: bytes) -> int:
        """All of them."""
        if len(data) < self.size or (len(data) % self.kind.size and not self.count):
            raise CipError(NOT_ENOUGH_DATA)
        return self.size or len(data)


def misfit(value: object, wanted: str) -> LocalProtocolError:
    """The error for a value that does not fit."""
    text = json.dumps(value) if isinstance(value, bool | int | float | str | list | dict | None) else repr(value)
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return LocalProtocolError(f"got {shown}, wanted {wanted}")


def _number(value: object, whole: bool) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and not whole):
        return value
    if not isinstance(value, str):
        return None
    try:
        return int(value, 0) if whole else float(value)
    except ValueError:
        return None


def _text(value: object, capacity: int) -> str:
    plain = isinstance(value, str) and len(value) <= capacity and all(ord(character) < 256 for character in value)
    if not isinstance(value, str) or not plain:
        raise misfit(value, f"a text of at most {capacity} ISO-8859-1 characters")
    return value


def _whole(data: bytes, end: int, length: int, capacity: int) -> None:
    if length > capacity:
        raise CipError(INVALID_ATTRIBUTE_VALUE)
    if len(data) > end:
        raise CipError(TOO_MUCH_DATA)
