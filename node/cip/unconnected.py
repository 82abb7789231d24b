"""Unconnected Send: a message with the route it is to take.

    priority/tick u8 | timeout ticks u8 | message length u16 | message | pad u8 if the length is odd |
    route size u8 (words) | reserved u8 | route path

On success the reply is the embedded message's own. A routing failure is a reply of Unconnected Send itself with the
words of route left u8 and a reserved u8 behind its status, as Logix controllers send it. Real clients send a route of
no words too, and surplus bytes after the route are ignored (CIP Vol 1, 3-5.5.4).
"""

import struct

from node.cip.message import MAX_PATH
from node.cip.status import NOT_ENOUGH_DATA, PATH_SIZE_INVALID, CipError
from node.cip.ticks import decode_ticks
from node.errors import LocalProtocolError
from node.record import dataclass

_HEAD = struct.Struct("<BBH")

UNCONNECTED_LIMIT = 504
"""Bytes of the largest CIP reply outside a connection, as in Logix controllers."""

PRIORITY_TICK = 0x0A
TIMEOUT_TICKS = 0x05
"""With the tick above, some five seconds: what clients send."""


@dataclass(slots=True)
class UnconnectedSend:
    """`message` is a whole Message Router request, `route` the padded EPATH of hops, empty for none."""

    message: bytes
    route: bytes = b""
    priority_tick: int = PRIORITY_TICK
    timeout_ticks: int = TIMEOUT_TICKS

    @property
    def patience(self) -> float:
        """Seconds that a router may take to get the answer."""
        return decode_ticks(self.priority_tick, self.timeout_ticks)


def encode_unconnected_send(send: UnconnectedSend) -> bytes:
    """Raises `LocalProtocolError` when the message or the route is too long."""
    message, route = send.message, send.route
    if len(message) > 0xFFFF or len(route) > MAX_PATH or len(route) & 1:
        raise LocalProtocolError(f"an Unconnected Send of {len(message)} bytes over a route of {len(route)}: too long")
    head = _HEAD.pack(send.priority_tick, send.timeout_ticks, len(message))
    pad = b"\0" if len(message) & 1 else b""
    return b"".join((head, message, pad, bytes((len(route) >> 1, 0)), route))


def decode_unconnected_send(data: bytes) -> UnconnectedSend:
    """Raises `CipError`: not enough data when message or route head are cut short, path size invalid for the route."""
    size = len(data)
    if size < _HEAD.size:
        raise CipError(NOT_ENOUGH_DATA)
    priority_tick, timeout_ticks, length = _HEAD.unpack_from(data)
    end = 4 + length
    head = end + (length & 1)
    start = head + 2
    if start > size:
        raise CipError(NOT_ENOUGH_DATA)
    stop = start + 2 * data[head]
    if stop > size:
        raise CipError(PATH_SIZE_INVALID)
    return UnconnectedSend(data[4:end], data[start:stop], priority_tick, timeout_ticks)
