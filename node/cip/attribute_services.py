"""Get and Set Attribute List, and the request paths of Get and Set Attribute Single and All.

Single and All carry a value's plain bytes after the path, in both directions, so only their requests are built here.

                          request                                       reply
    Get Attribute List    count u16 | id u16 each                       count u16 | id u16, status u16, value each
    Set Attribute List    count u16 | id u16, value each                count u16 | id u16, status u16 each

A list does not say how long its values are: whoever decodes one gives their sizes, and after a status that is not
success there is no value (CIP Vol 1, appendix A-4).
"""

import struct
from collections.abc import Callable, Mapping, Sequence

from node.cip.epath import Attribute, Class, Instance, encode_epath
from node.cip.message import Request
from node.cip.services import GET_ATTRIBUTE_SINGLE, GET_ATTRIBUTES_ALL, SET_ATTRIBUTE_SINGLE
from node.cip.status import ATTRIBUTE_LIST_ERROR, NOT_ENOUGH_DATA, SUCCESS, CipError
from node.errors import RemoteProtocolError
from node.record import dataclass

_U16 = struct.Struct("<H")
_ENTRY = struct.Struct("<HH")


@dataclass(slots=True)
class AttributeStatus:
    """One entry of a list's reply; `value` is empty unless `status` is success."""

    id: int
    status: int = SUCCESS
    value: bytes = b""


def get_attribute_single(class_id: int, instance: int, attribute: int) -> Request:
    """The request whose reply is the attribute's bytes."""
    path = encode_epath((Class(class_id), Instance(instance), Attribute(attribute)))
    return Request(GET_ATTRIBUTE_SINGLE, path)


def set_attribute_single(class_id: int, instance: int, attribute: int, value: bytes) -> Request:
    """The request that writes the attribute's bytes; its reply is empty."""
    path = encode_epath((Class(class_id), Instance(instance), Attribute(attribute)))
    return Request(SET_ATTRIBUTE_SINGLE, path, value)


def get_attributes_all(class_id: int, instance: int) -> Request:
    """The request whose reply is the instance's attributes, back to back."""
    return Request(GET_ATTRIBUTES_ALL, encode_epath((Class(class_id), Instance(instance))))


def encode_get_attribute_list(ids: Sequence[int]) -> bytes:
    """`ids` in the order the values are wanted."""
    return struct.pack(f"<H{len(ids)}H", len(ids), *ids)


def decode_get_attribute_list(data: bytes) -> list[int]:
    """The ids asked for; bytes after them are ignored, for clients send their route there. Raises `CipError` when there
    are fewer than counted."""
    count = _count(data)
    end = 2 + 2 * count
    if end > len(data):
        raise CipError(NOT_ENOUGH_DATA)
    return list(struct.unpack_from(f"<{count}H", data, 2))


def encode_attribute_statuses(entries: Sequence[AttributeStatus]) -> bytes:
    """The reply of either list."""
    parts = [_U16.pack(len(entries))]
    parts += [_ENTRY.pack(entry.id, entry.status) + entry.value for entry in entries]
    return b"".join(parts)


def decode_attribute_statuses(data: bytes, sizes: Mapping[int, int]) -> list[AttributeStatus]:
    """The reply of a list; `sizes` maps an attribute's id to its bytes (none for the reply of a Set).

    Raises `RemoteProtocolError` when the reply is cut short.
    """
    if len(data) < 2:
        raise RemoteProtocolError(f"an attribute list reply of {len(data)} bytes, wanted 2 or more")
    (count,) = _U16.unpack_from(data)
    entries: list[AttributeStatus] = []
    offset = 2
    for _ in range(count):
        if offset + _ENTRY.size > len(data):
            raise RemoteProtocolError(f"an attribute list reply of {count} entries that ends after {len(entries)}")
        ident, status = _ENTRY.unpack_from(data, offset)
        offset += _ENTRY.size
        end = offset + (sizes.get(ident, 0) if status == SUCCESS else 0)
        if end > len(data):
            raise RemoteProtocolError(f"an attribute list reply that ends within attribute {ident}")
        entries.append(AttributeStatus(ident, status, data[offset:end]))
        offset = end
    return entries


def encode_set_attribute_list(values: Sequence[tuple[int, bytes]]) -> bytes:
    """(id, value) pairs in the order they are to be set."""
    return _U16.pack(len(values)) + b"".join([_U16.pack(ident) + value for ident, value in values])


def decode_set_attribute_list(
    data: bytes, sizes: Mapping[int, int | Callable[[bytes], int]]
) -> list[tuple[int, bytes]]:
    """(id, value) pairs; `sizes` maps an attribute's id to its bytes, or to what counts them from where they begin.
    Bytes after them are ignored.

    Raises `CipError`: attribute list error for an id without a size (what follows it cannot be found), not enough data.
    """
    count = _count(data)
    values: list[tuple[int, bytes]] = []
    offset = 2
    for _ in range(count):
        if offset + 2 > len(data):
            raise CipError(NOT_ENOUGH_DATA)
        (ident,) = _U16.unpack_from(data, offset)
        offset += 2
        size = sizes.get(ident)
        if size is None:
            raise CipError(ATTRIBUTE_LIST_ERROR)
        end = offset + (size if isinstance(size, int) else size(data[offset:]))
        if end > len(data):
            raise CipError(NOT_ENOUGH_DATA)
        values.append((ident, data[offset:end]))
        offset = end
    return values


def without_route(data: bytes, size: int) -> bytes:
    """`data` without the route that stands behind its first `size` bytes, if one does: words u8, 0, path. pycomm3
    leaves it there when a message is neither connected nor sent by Unconnected Send."""
    rest = data[size:]
    return data[:size] if len(rest) >= 2 and rest[1] == 0 and len(rest) == 2 + 2 * rest[0] else data


def _count(data: bytes) -> int:
    if len(data) < 2:
        raise CipError(NOT_ENOUGH_DATA)
    return data[0] | data[1] << 8
