"""A vector of texts that vary in length, with the interface of `Attribute`, and which attribute a type wants.

Texts are kept as Python strings, so that short ones waste no memory and a write can never leave half a text behind;
`array` is empty, and `dump` builds the bytes (`node.cip.text` knows their layout).
"""

from array import array
from collections.abc import Sequence
from typing import Any, TypeVar

from node.cip.status import INVALID_ATTRIBUTE_VALUE, CipError
from node.cip.template import Kind, Template
from node.cip.text import TextType, decode_texts, encode_texts
from node.cip.types import BOOL
from node.errors import LocalProtocolError
from node.memory.attribute import Attribute, Value
from node.memory.bool_array import BoolArray
from node.memory.structured import StructuredAttribute

Made = TypeVar("Made", bound=Attribute)


class TextAttribute(Attribute):
    """`type` is `SSTRING`; values are str of ISO-8859-1 characters."""

    type: TextType

    def __init__(
        self,
        type: TextType,
        dimensions: Sequence[int] = (),
        initial: Value | Sequence[Value] | None = None,
        name: str = "",
        writable: bool = True,
    ) -> None:
        self._texts: list[str] = []
        super().__init__(type, dimensions, initial, name, writable)

    def _allocate(self) -> "array[int] | array[float]":
        self._texts = [""] * self.length
        return array(self.typecode)

    def encode(self, values: Sequence[Value]) -> bytes:
        """Raises `CipError` 0x09 for what is no text, too long, or outside ISO-8859-1."""
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) != len(values):
            raise CipError(INVALID_ATTRIBUTE_VALUE)
        try:
            return encode_texts(texts)
        except LocalProtocolError as exc:
            raise CipError(INVALID_ATTRIBUTE_VALUE) from exc

    def decode(self, data: bytes) -> "list[Value]":
        """Raises `CipError` when the last text is cut short."""
        return [*decode_texts(data)]

    def load(self, start: int, data: bytes, now: float = 0.0) -> None:
        """Texts from bytes that hold whole ones. Raises `CipError`."""
        self.write(start, self.decode(data), now)

    def view(self, start: int, stop: int) -> memoryview | None:
        """None: there are no bytes to look at."""
        return None

    def item(self, index: int) -> Value:
        """One text."""
        return self._texts[index]

    def _items(self, start: int, stop: int) -> "list[Value]":
        return [*self._texts[start:stop]]

    def _take(self, start: int, stop: int) -> bytes:
        return encode_texts(self._texts[start:stop])

    def _store(self, start: int, data: bytes) -> None:
        texts = decode_texts(data)
        self._texts[start : start + len(texts)] = texts


def create_attribute(
    type: Kind,
    dimensions: Sequence[int] = (),
    initial: Value | Sequence[Value] | None = None,
    name: str = "",
    writable: bool = True,
    *,
    packed: bool = False,
    own: type[Attribute] | None = None,
) -> Attribute:
    """The attribute that holds values of `type`; `packed` lays BOOL[n] out in DWORDs, which a BOOL of no or several
    dimensions never is. `own` is a class whose hooks it has. Raises `NodeError` as `Attribute` does."""
    if isinstance(type, TextType):
        return _made_of(TextAttribute, own)(type, dimensions, initial, name, writable)
    if isinstance(type, Template):
        return _made_of(StructuredAttribute, own)(type, dimensions, initial, name, writable)
    if packed and type is BOOL and len(dimensions) == 1:
        return _made_of(BoolArray, own)(dimensions[0], initial, name, writable)
    return _made_of(Attribute, own)(type, dimensions, initial, name, writable)


_MADE: dict[tuple[object, object], Any] = {}


def _made_of(memory: type[Made], own: type[Attribute] | None) -> type[Made]:
    """`memory` with the hooks of `own` before it."""
    if own is None:
        return memory
    if issubclass(own, memory):
        return own
    if (own, memory) not in _MADE:
        names = {"__module__": own.__module__, "__doc__": own.__doc__}
        _MADE[own, memory] = type(own.__name__, (own, memory), names)
    made: type[Made] = _MADE[own, memory]
    return made
