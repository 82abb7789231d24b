"""Symbol, class 0x6B: the tags of the controller, or of a program, by number (Rockwell 1756-PM020).

0x55 Get Instance Attribute List   all symbols from an instance on, in pages as large as the reply may be
0x03 0x0E                          attributes of one symbol (`node.cip.browse`), or of the class for instance 0
tag services                       on an instance that is a tag

A page is a join of entries made before: a client that uploads thousands of tags asks for every one of them, and most
clients ask for the same attributes. Lists that only a hostile client asks for are not kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from node.cip.attribute_services import decode_get_attribute_list
from node.cip.attribute_values import Raw
from node.cip.browse import (
    BASE_TAG,
    NO_ACCESS,
    PROGRAM_TYPE,
    READ_ONLY,
    READ_WRITE,
    SYMBOL_ATTRIBUTES,
    SymbolValues,
    encode_symbol,
    encode_symbol_attribute,
    symbol_type,
)
from node.cip.services import GET_INSTANCE_ATTRIBUTE_LIST, SYMBOL_CLASS
from node.cip.status import PARTIAL_TRANSFER, PATH_DESTINATION_UNKNOWN, REPLY_DATA_TOO_LARGE, CipError
from node.cip.text import TextType
from node.memory.attribute import Attribute
from node.memory.bit import BitAttribute
from node.memory.tags import CONTROLLER, Symbol, TagTable
from node.objects.attribute_access import ATTRIBUTE_SERVICES
from node.objects.object import AttributeRow, Call, Handler, Object, ObjectTarget, constant, success
from node.objects.tag_access import TAG_SERVICES, TagTarget
from node.record import dataclass

_HEAD = 4
"""Bytes of a reply before its data."""

_MAX_LISTINGS = 4
"""Lists of attributes whose entries are kept, for each scope."""

_ADDRESSES = 0x2000_0000
_OBJECTS = 0x4000_0000
"""Where made-up addresses begin."""


class SymbolObject(Object):
    """The symbols of `scope`, "" for the controller."""

    def __init__(self, tags: TagTable, scope: str = CONTROLLER) -> None:
        super().__init__(SYMBOL_CLASS, "Symbol", {}, SYMBOL_SERVICES)
        self._tags = tags
        self._scope = scope
        self._version = tags.version
        self._listings: dict[tuple[int, ...], list[bytes]] = {}

    def rows(self, instance: int) -> list[AttributeRow]:
        """The attributes of a symbol, or of the class. Raises `CipError` 0x05."""
        if instance == self.CLASS_INSTANCE:
            return super().rows(instance)
        symbol = self._tags.symbol(self._scope, instance)
        if symbol is None:
            raise CipError(PATH_DESTINATION_UNKNOWN, (0,))
        told = describe(symbol)
        rows = []
        for ident, name in SYMBOL_ATTRIBUTES.items():
            data = encode_symbol_attribute(told, ident)
            rows.append(constant(ident, name, data, codec=Raw(len(data))))
        return rows

    def extent(self) -> tuple[int, int, int]:
        """The last symbol's number, which is how many there are, and the highest attribute."""
        count = len(self._tags.symbols(self._scope))
        return count, count, max(SYMBOL_ATTRIBUTES)

    def page(self, start: int, attributes: Sequence[int], room: int) -> tuple[bytes, bool]:
        """The symbols from `start` on that fit `room`, and whether more remain.

        Raises `CipError`: 0x14 for an attribute that no symbol has, 0x11 when not even one symbol fits.
        """
        symbols = self._tags.symbols(self._scope)
        entries = self._listing(tuple(attributes), len(symbols))
        first = index = max(start, 1) - 1
        while index < len(symbols):
            entry = entries[index]
            if not entry:
                entry = entries[index] = encode_symbol(index + 1, describe(symbols[index]), attributes)
            room -= len(entry)
            if room < 0:
                break
            index += 1
        if index == first < len(symbols):
            raise CipError(REPLY_DATA_TOO_LARGE)
        return b"".join(entries[first:index]), index < len(symbols)

    def _listing(self, attributes: tuple[int, ...], count: int) -> list[bytes]:
        """The entries made so far for these attributes, empty ones for those that were not."""
        if self._version != self._tags.version:
            self._listings.clear()
            self._version = self._tags.version
        entries = self._listings.get(attributes)
        if entries is None:
            entries = [b""] * count
            if len(attributes) <= len(SYMBOL_ATTRIBUTES):
                if len(self._listings) >= _MAX_LISTINGS:
                    self._listings.clear()
                self._listings[attributes] = entries
        return entries


@dataclass(slots=True)
class SymbolTarget(TagTarget):
    """A tag that is named by its number: `symbol` is the instance of the class."""

    symbol: ObjectTarget


def describe(symbol: Symbol) -> SymbolValues:
    """The attributes of a symbol. Its addresses are made up, and stay the same."""
    address = _ADDRESSES + 16 * symbol.instance
    objects = _OBJECTS + 16 * symbol.instance
    if symbol.place is None:
        return SymbolValues(symbol.name, PROGRAM_TYPE, address, objects)
    attribute = symbol.place.attribute
    lengths = () if symbol.place.indexed else attribute.dimensions
    bit = attribute.begin if isinstance(attribute, BitAttribute) else 0
    return SymbolValues(
        symbol.name,
        symbol_type(attribute.type, len(lengths), bit),
        address,
        objects,
        0 if symbol.alias else BASE_TAG,
        _size(attribute),
        lengths,
        _access(attribute),
    )


def target_of(
    found: SymbolObject, instance: int, number: int | None, symbol: Symbol | None
) -> ObjectTarget | SymbolTarget:
    """What a path of class, `instance` and perhaps attribute `number` means; `symbol` is the one of that instance.

    An instance that is not there is a target too: the place that a list may begin at.
    """
    services = SYMBOL_SERVICES if symbol or instance == Object.CLASS_INSTANCE else _NOWHERE_SERVICES
    target = ObjectTarget(found, instance, number, services)
    if number is not None or symbol is None or symbol.place is None:
        return target
    place = symbol.place
    return SymbolTarget(place.attribute, place.start, place.indexed, _TAG_SERVICES, target)


def get_instance_attribute_list(call: Call) -> bytes:
    """0x55: a page of symbols, with status 0x06 when there are more after it."""
    target = call.target
    assert isinstance(target, ObjectTarget)
    assert isinstance(target.object, SymbolObject)
    attributes = decode_get_attribute_list(call.data)
    data, more = target.object.page(target.instance, attributes, call.limit - _HEAD)
    return success(call.service, data, PARTIAL_TRANSFER if more else 0)


def _access(attribute: Attribute) -> int:
    if not attribute.readable:
        return NO_ACCESS
    return READ_WRITE if attribute.writable else READ_ONLY


def _size(attribute: Attribute) -> int:
    """Bytes of one element; of a text that varies, the most there can be."""
    kind = attribute.type
    return kind.capacity + 1 if isinstance(kind, TextType) else attribute.size


def _of_symbol(handler: Handler) -> Handler:
    """`handler`, for a call whose target is a tag that is named by its number."""

    def handle(call: Call) -> bytes:
        assert isinstance(call.target, SymbolTarget)
        return handler(replace(call, target=call.target.symbol))

    return handle


def _nowhere(call: Call) -> bytes:
    raise CipError(PATH_DESTINATION_UNKNOWN, (0,))


SYMBOL_SERVICES: dict[int, Handler] = {
    **ATTRIBUTE_SERVICES,
    GET_INSTANCE_ATTRIBUTE_LIST: get_instance_attribute_list,
}

_TAG_SERVICES: Mapping[int, Handler] = {
    **TAG_SERVICES,
    **{code: _of_symbol(handler) for code, handler in SYMBOL_SERVICES.items()},
}

_NOWHERE_SERVICES: Mapping[int, Handler] = {
    **dict.fromkeys((*TAG_SERVICES, *ATTRIBUTE_SERVICES), _nowhere),
    GET_INSTANCE_ATTRIBUTE_LIST: get_instance_attribute_list,
}
