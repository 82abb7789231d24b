"""Modbus registers as the values they carry, for a client that knows a tag's type and word order.

A Modbus reply is 16-bit numbers; whether two of them are a REAL, and which comes first, only the device's manual says.
Without one place for it, each reader of a meter guesses anew. The four orders, for a value whose big-endian bytes are
A B C D (8 bytes likewise): ABCD as it stands, CDAB words swapped, BADC bytes swapped in each word, DCBA backwards.
Values of one byte and BOOL take a register each, texts two characters a register.
"""

import struct
from collections.abc import Sequence

from node.cip.text import text_by_name
from node.cip.types import BOOL, Type, by_name
from node.errors import LocalProtocolError
from node.modbus.ranges import register_number

__all__ = ["decode_bits", "decode_registers", "encode_bits", "encode_registers", "register_number", "registers_each"]

Value = bool | int | float | str


def registers_each(type_name: str, registers: int, length: int) -> int:
    """Registers of one element, in a block of `registers` over `length` elements. A text takes its share of them."""
    if text_by_name(type_name) is not None:
        return max(1, registers // length)
    return max(1, _elementary(type_name).size // 2)


def decode_registers(registers: Sequence[int], type_name: str, order: str, each: int) -> list[Value]:
    """The elements in `registers`, `each` registers to one. `type_name` is a CIP type name."""
    data = _ordered(struct.pack(f">{len(registers)}H", *registers), order, type_name, each)
    if text_by_name(type_name) is not None:
        size = 2 * each
        return [data[at : at + size].rstrip(b"\0").decode("latin-1") for at in range(0, len(data), size)]
    kind = _elementary(type_name)
    values = struct.unpack(f">{len(registers) // each}{_code(kind)}", data)
    return [bool(value) for value in values] if kind is BOOL else list(values)


def encode_registers(values: Sequence[Value], type_name: str, order: str, each: int) -> list[int]:
    """The registers of `values`. Raises `LocalProtocolError` for one that the type, or a text's room, cannot hold."""
    if text_by_name(type_name) is not None:
        data = b"".join(_text(str(value), 2 * each) for value in values)
    else:
        kind = _elementary(type_name)
        try:
            data = struct.pack(f">{len(values)}{_code(kind)}", *values)
        except (struct.error, OverflowError) as exc:
            raise LocalProtocolError(f"{list(values)} do not fit {kind.name} ({kind.low} to {kind.high})") from exc
    data = _ordered(data, order, type_name, each)
    return list(struct.unpack(f">{len(data) // 2}H", data))


def decode_bits(bits: Sequence[bool], type_name: str) -> list[Value]:
    """The elements in coils or discrete inputs: one a BOOL, else 8 to 64 of them, the lowest bit first."""
    kind = _elementary(type_name)
    if kind is BOOL:
        return [bool(bit) for bit in bits]
    size = 8 * kind.size
    unsigned = [sum(bit << at for at, bit in enumerate(bits[k : k + size])) for k in range(0, len(bits), size)]
    return [value - (1 << size) if value > kind.high else value for value in unsigned]


def encode_bits(values: Sequence[Value], type_name: str) -> list[bool]:
    """The coils of `values`. Raises `LocalProtocolError` for one that the type cannot hold."""
    kind = _elementary(type_name)
    if kind is BOOL:
        return [bool(value) for value in values]
    bits = []
    for value in values:
        if not isinstance(value, int) or not kind.low <= value <= kind.high:
            raise LocalProtocolError(f"{value!r} does not fit {kind.name} ({kind.low} to {kind.high})")
        bits += [bool(value >> at & 1) for at in range(8 * kind.size)]
    return bits


def _elementary(type_name: str) -> Type:
    kind = by_name(type_name)
    if kind is None:
        raise LocalProtocolError(f"{type_name!r} is no type that registers can carry")
    return kind


def _code(kind: Type) -> str:
    """The `struct` letter of the type in registers: what has one byte travels in two."""
    if kind.size == 1:
        return "h" if kind.low < 0 else "H"
    return kind.typecode


def _text(text: str, size: int) -> bytes:
    data = text.encode("latin-1", "replace")
    if len(data) > size:
        raise LocalProtocolError(f"{text!r} has {len(data)} characters, its registers hold {size}")
    return data.ljust(size, b"\0")


def _ordered(data: bytes, order: str, type_name: str, each: int) -> bytes:
    """Big-endian elements to `order`, or back: each order undoes itself."""
    swapped_bytes = order in ("BADC", "DCBA")
    swapped_words = order in ("CDAB", "DCBA") and text_by_name(type_name) is None
    words = [data[at : at + 2] for at in range(0, len(data), 2)]
    if swapped_bytes:
        words = [word[::-1] for word in words]
    if swapped_words:
        words = [word for at in range(0, len(words), each) for word in reversed(words[at : at + each])]
    return b"".join(words)
