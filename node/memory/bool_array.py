"""BOOL[n] as Logix lays it out: DWORDs of 32 flags, the lowest bit first (Rockwell 1756-PM020).

On the wire it is an array of DWORDs, type 0xD3, whose elements and counts are words. People and Modbus count flags:
`unpacked` is the same memory as n BOOLs. What writes BOOLs before they are read, a signal, is given those.
"""

from collections.abc import Sequence

from node.cip.types import DWORD
from node.memory.attribute import Attribute, Source, Value
from node.memory.bit import BitAttribute
from node.memory.part import attach, tell_flags

WORD_BITS = 32


class BoolArray(Attribute):
    """`bits` BOOLs; `initial` is one for all, or one each.

    Raises `NodeError` as `Attribute` does.
    """

    def __init__(
        self,
        bits: int,
        initial: Value | Sequence[Value] | None = None,
        name: str = "",
        writable: bool = True,
    ) -> None:
        super().__init__(DWORD, (-(-bits // WORD_BITS),), None, name, writable)
        self.bits = bits
        self._flags = BitAttribute(self, 0, (bits,), name)
        if initial is not None:
            self._flags._start_with(initial)

    @property
    def unpacked(self) -> Attribute:
        """The BOOLs, as people count them."""
        self._flags.name = self.name
        return self._flags

    def _put_source(self, source: Source | None) -> None:
        self._source = None
        if source is None:
            self._changed()
        else:
            attach(self._flags, 0, self.bits, source)

    def _modified(self, index: int, touched: int, now: float) -> None:
        tell_flags(self, index, touched, now)
