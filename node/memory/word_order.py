"""The four orders in which devices put a wide value into 16-bit registers.

No standard says how a 32-bit value travels in Modbus registers, so every maker chose, and a wrong choice gives
numbers that look like noise. For a value whose big-endian bytes are A B C D (1234.5 is 44 9A 50 00):

    ABCD  big-endian             449A 5000      64 bits: ABCDEFGH
    CDAB  words swapped          5000 449A               GHEFCDAB
    BADC  bytes swapped          9A44 0050               BADCFEHG
    DCBA  little-endian          0050 9A44               HGFEDCBA

Memory holds little-endian bytes, as CIP sends them. Each order is then some of two reversals: of each whole element,
and of each pair of bytes. Both undo themselves and they commute, so one function serves both directions.
"""

from array import array
from collections.abc import Callable

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")

Permute = Callable[[bytes], bytes]


def _reverse_each(typecode: str) -> Permute:
    def reverse(data: bytes) -> bytes:
        elements = array(typecode, data)
        elements.byteswap()
        return elements.tobytes()

    return reverse


_REVERSE = {2: _reverse_each("H"), 4: _reverse_each("I"), 8: _reverse_each("Q")}


def permutation(size: int, order: str) -> Permute:
    """Little-endian bytes of whole elements to register bytes as they travel, and back; `size` is 2, 4 or 8 bytes an
    element. Raises `KeyError` for another size and `ValueError` for an order that is none of `ORDERS`."""
    pairs, elements = _REVERSE[2], _REVERSE[size]
    if order not in ORDERS:
        raise ValueError(f"word order {order!r}; there are {', '.join(ORDERS)}")
    if order == "DCBA" or (order == "BADC" and size == 2):
        return bytes
    if order == "BADC":
        return lambda data: pairs(elements(data))
    return elements if order == "ABCD" else pairs


def reversed_elements(size: int, order: str) -> bool:
    """Is `order` nothing but each element's bytes reversed (so that an array's own byteswap does it)?"""
    return order == "ABCD" or (size == 2 and order == "CDAB")
