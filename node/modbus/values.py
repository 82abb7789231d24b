"""Typed values in registers, for whoever asks a device: the client's end of what `node.memory.view` shows.

registers of a type      1 for one or two bytes, 2 for four, 4 for eight; a text has as many as its device gives it
one-byte types           in the low byte of a register, SINT sign-extended, BOOL 0 or 1
texts                    two characters a register, NULs after the text
"""

from array import array
from collections.abc import Sequence

from node.cip.types import BOOL, INT, SINT, UINT, Type, Value, decode_values, encode_values
from node.errors import LocalProtocolError, RemoteProtocolError
from node.memory.word_order import permutation


def registers_of(kind: Type) -> int:
    """Registers of one element."""
    return max(1, kind.size // 2)


def encode_registers(kind: Type, values: Sequence[Value], order: str = "ABCD") -> bytes:
    """Values as they travel in registers. Raises `LocalProtocolError` when one does not fit the type."""
    if kind is BOOL:
        data = array("H", [bool(value) for value in values]).tobytes()
    else:
        data = encode_values(kind, values)
        if kind.size == 1:
            data = encode_values(_wide(kind), values)
    return permutation(max(2, kind.size), order)(data)


def decode_registers(kind: Type, data: bytes, order: str = "ABCD") -> list[Value]:
    """The values in whole registers. Raises `RemoteProtocolError` when they are not whole elements, or a register
    holds more than a one-byte type can."""
    if len(data) % (2 * registers_of(kind)):
        raise RemoteProtocolError(f"{len(data)} bytes of registers are no whole number of {kind.name}")
    raw = permutation(max(2, kind.size), order)(data)
    values = decode_values(_wide(kind) if kind.size == 1 else kind, raw)
    if kind is BOOL:
        return [value != 0 for value in values]
    if kind.size == 1 and not all(kind.low <= value <= kind.high for value in values):
        raise RemoteProtocolError(f"a register that holds more than {kind.name} can ({kind.low} to {kind.high})")
    return values


def encode_text(text: str, registers: int, order: str = "ABCD") -> bytes:
    """A text in `registers` registers. Raises `LocalProtocolError` when it is longer or not ISO-8859-1."""
    try:
        data = text.encode("iso-8859-1")
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(f"{text!r} has a character outside ISO-8859-1") from exc
    if len(data) > 2 * registers:
        raise LocalProtocolError(f"a text of {len(data)} characters; {registers} registers hold {2 * registers}")
    return _characters(order, data.ljust(2 * registers, b"\0"))


def decode_text(data: bytes, order: str = "ABCD") -> str:
    """The text in whole registers, without the NULs that fill them up. Raises `RemoteProtocolError` for half a
    register."""
    if len(data) % 2:
        raise RemoteProtocolError(f"{len(data)} bytes are no whole number of registers")
    return _characters(order, data).rstrip(b"\0").decode("iso-8859-1")


def _wide(kind: Type) -> Type:
    return INT if kind is SINT else UINT


def _characters(order: str, data: bytes) -> bytes:
    """Characters in order to registers and back: the first of two is in the high byte, or the low one for the orders
    that swap bytes."""
    return data if order in ("ABCD", "CDAB") else permutation(2, "ABCD")(data)
