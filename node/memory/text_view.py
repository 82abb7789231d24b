"""A text tag seen as Modbus registers: two characters a register, NULs after the text.

The registers of a block are shared out evenly between the elements: 16 registers of one SSTRING show its first 32
characters, 160 registers of an SSTRING[10] show 32 of each. The first character is in the high byte, or in the low
one for the orders BADC and DCBA (as DirectLOGIC has it).

Registers behave as memory: what was written reads back. So a text ends at its last character that is not NUL, and a
client that means to shorten it writes NULs to the end of the element's registers. Characters beyond those registers
are dropped by a write, for nobody at this side can see them.
"""

from collections.abc import Sequence

from node.cip.status import INVALID_ATTRIBUTE_VALUE, CipError
from node.cip.template import Template
from node.cip.text import TextType
from node.memory.attribute import Attribute, Value
from node.memory.view import BlockError, Commit, Reader, Span, admit_write
from node.memory.word_order import ORDERS, permutation


class TextRegisterView:
    """`count` registers over all elements of `attribute`, whose type is `kind`. Raises `BlockError` when they cannot
    be shared out evenly, or are more than the texts can fill."""

    __slots__ = ("_attribute", "_capacity", "_each", "_permute", "count")

    def __init__(self, attribute: Attribute, kind: TextType | Template, count: int, order: str = "ABCD") -> None:
        each, left_over = divmod(count, len(attribute))
        longest = (kind.capacity + 1) // 2
        if left_over or not 1 <= each <= longest or order not in ORDERS:
            raise BlockError(
                f"{count} registers of tag {attribute.name!r}, {len(attribute)} {kind.name} in order {order}; "
                f"give each 1 to {longest} registers, and all the same"
            )
        self._attribute = attribute
        self._capacity = kind.capacity
        self._each = each
        self._permute = permutation(2, "DCBA" if order in ("ABCD", "CDAB") else "ABCD")
        self.count = count

    def span(self, start: int, stop: int) -> Span:
        return self._attribute, start // self._each, -(-stop // self._each)

    def read(self, start: int, stop: int, now: float) -> bytes:
        _, first, last = self.span(start, stop)
        whole = self._registers(self._attribute.read(first, last, now))
        skip = start - first * self._each
        return whole[2 * skip : 2 * (skip + stop - start)]

    def reader(self, start: int, stop: int) -> Reader:
        return lambda now: self.read(start, stop, now)

    def stage(self, start: int, data: bytes, now: float) -> Commit:
        attribute, first, last = self.span(start, start + len(data) // 2)
        size = 2 * self._each
        admit_write(attribute, first, last, now)
        held = attribute.read(first, last, now) if attribute.gate is None else attribute.held(first, last)
        whole = bytearray(self._registers(held))
        skip = 2 * (start - first * self._each)
        whole[skip : skip + len(data)] = data
        raw = self._permute(bytes(whole))
        texts = [raw[at : at + size].rstrip(b"\0") for at in range(0, len(raw), size)]
        if any(len(text) > self._capacity for text in texts):
            raise CipError(INVALID_ATTRIBUTE_VALUE)
        values = [text.decode("iso-8859-1") for text in texts]
        return lambda: attribute.write(first, values, now)

    def _registers(self, values: Sequence[Value]) -> bytes:
        size = 2 * self._each
        texts = [str(value).encode("iso-8859-1", "replace") for value in values]
        return self._permute(b"".join(text[:size].ljust(size, b"\0") for text in texts))
