"""A vector of structures: bytes as they travel, values as dicts of members (`node.cip.structure_values`).

What a client writes is kept byte for byte, hidden members and a string's LEN that is out of range too, as a controller
keeps it. A member is reached by its path: `node.memory.place`.
"""

from collections.abc import Sequence

from node.cip.status import GENERAL_ERROR, INDEX_PAST_END, INVALID_ATTRIBUTE_VALUE, CipError
from node.cip.structure_values import decode_structures, encode_structure, lay_over
from node.cip.template import Template
from node.errors import LocalProtocolError
from node.memory.attribute import Attribute, Value


class StructuredAttribute(Attribute):
    """`type` is a `Template`; a value is a dict with every member, or a str for a string structure."""

    type: Template

    def item(self, index: int) -> Value:
        """One structure's value. Raises `IndexError`."""
        start = index + self.length if index < 0 else index
        if not 0 <= start < self.length:
            raise IndexError(f"element {index} of {self.length}")
        return self.decode(self._take(start, start + 1))[0]

    def encode(self, values: Sequence[Value]) -> bytes:
        """Raises `CipError` 0x09 for a structure that lacks a member, has one too many, or one that does not fit."""
        try:
            return b"".join([encode_structure(self.type, value) for value in values])
        except LocalProtocolError as exc:
            raise CipError(INVALID_ATTRIBUTE_VALUE) from exc

    def decode(self, data: bytes) -> "list[Value]":
        """Raises `CipError` when the last structure is cut short."""
        return decode_structures(self.type, data)

    def overlay(self, data: bytes, values: Sequence[Value]) -> bytes:
        """The structures `data` with `values` laid over them, which may lack members. Raises `CipError` 0x09."""
        size = self.size
        try:
            return b"".join(
                [lay_over(self.type, data[at * size : (at + 1) * size], value) for at, value in enumerate(values)]
            )
        except LocalProtocolError as exc:
            raise CipError(INVALID_ATTRIBUTE_VALUE) from exc

    def dump(self, start: int, stop: int, now: float = 0.0) -> bytes:
        """Structures [start, stop) as a client sees them. Raises `CipError`."""
        if not self._direct or self._gate is None:
            return super().dump(start, stop, now)
        self._before(start, stop, now, False)
        held = self._take(start, stop)
        return self.overlay(held, self._gate.shown(self, now, start, self.decode(held)))

    def write_part(self, index: int, value: Value, now: float = 0.0) -> None:
        """Writes the members that `value`, a dict, names, and no others. Raises `CipError` as `write` does."""
        if not 0 <= index < self.length:
            raise CipError(GENERAL_ERROR, (INDEX_PAST_END,))
        self.load(index, self.overlay(self._take(index, index + 1), [value]), now)

    def patch(self, offset: int, data: bytes, now: float = 0.0) -> bytes:
        """Writes bytes that may begin and end inside a structure, and gives the structures they touch as they are
        then. Raises `CipError` as `load` does."""
        start, stop = offset // self.size, -(-(offset + len(data)) // self.size)
        self._before(start, stop, now, True)
        whole = bytearray(self._take(start, stop) if self._direct else self.encode(self.held(start, stop)))
        within = offset - start * self.size
        whole[within : within + len(data)] = data
        touched = bytes(whole)
        if self._direct_set:
            self._store(start, touched)
        else:
            self._put(start, self.decode(touched))
        if self._source is not None:
            self._source.wrote(self, now, start, stop)
        return touched

    def _take(self, start: int, stop: int) -> bytes:
        return self.array[start * self.size : stop * self.size].tobytes()
