"""Common Packet Format: the typed items that SendRRData, SendUnitData and the List commands carry.

    item count u16 | per item: type u16 | length u16 | data

A message has an address item and a data item, and at most two more for socket addresses; counts and lengths are
checked against the bytes there are (CIP Vol 2, 2-6).
"""

import struct
from collections.abc import Sequence

from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

NULL_ADDRESS = 0x0000
LEGACY_ADDRESS = 0x0001
IDENTITY = 0x000C
CIP_SECURITY = 0x0086
CONNECTED_ADDRESS = 0x00A1
CONNECTED_DATA = 0x00B1
UNCONNECTED_DATA = 0x00B2
SERVICES = 0x0100
SOCKADDR_O_T = 0x8000
SOCKADDR_T_O = 0x8001
SEQUENCED_ADDRESS = 0x8002

MAX_ITEMS = 4

_COUNT = struct.Struct("<H")
_ITEM = struct.Struct("<HH")


@dataclass(slots=True)
class Item:
    """One item: `type` as the constants above."""

    type: int
    data: bytes = b""


def decode_cpf(data: bytes, offset: int = 0, limit: int = MAX_ITEMS) -> list[Item]:
    """The items from `offset` on; bytes after the last are ignored.

    Raises `RemoteProtocolError` when there are more than `limit`, or one is cut short.
    """
    size = len(data)
    if size - offset < 2:
        raise RemoteProtocolError(f"a packet of {max(size - offset, 0)} bytes where an item count was wanted")
    count = data[offset] | data[offset + 1] << 8
    if count > limit:
        raise RemoteProtocolError(f"{count} items in a packet; {limit} are taken here")
    items: list[Item] = []
    start = offset + 2
    for _ in range(count):
        body = start + 4
        if body > size:
            raise RemoteProtocolError(f"a packet of {count} items that ends after {len(items)}")
        kind, length = _ITEM.unpack_from(data, start)
        start = body + length
        if start > size:
            raise RemoteProtocolError(f"item 0x{kind:04X} of {length} bytes, of which {size - body} are there")
        items.append(Item(kind, data[body:start]))
    return items


def encode_cpf(items: Sequence[Item]) -> bytes:
    """Raises `LocalProtocolError` when an item is longer than 65535 bytes."""
    parts = [_COUNT.pack(len(items))]
    for item in items:
        if len(item.data) > 0xFFFF:
            raise LocalProtocolError(f"an item of {len(item.data)} bytes: 65535 fit")
        parts.append(_ITEM.pack(item.type, len(item.data)))
        parts.append(item.data)
    return b"".join(parts)
