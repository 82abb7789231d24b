"""Multiple Service Packet: several Message Router messages in one.

    count u16 | offset u16 each, from the start of the count | messages

The reply has the same shape and holds whole replies, each with its own status. Offsets are a peer's word: count and
offsets are checked against the bytes there are before anything is cut (CIP Vol 1, A-4.10).
"""

import struct
from collections.abc import Sequence

from node.cip.status import INVALID_PARAMETER_VALUE, NOT_ENOUGH_DATA, CipError
from node.errors import LocalProtocolError, RemoteProtocolError


def encode_multiple(messages: Sequence[bytes]) -> bytes:
    """Requests, or replies, as one. Raises `LocalProtocolError` when the last would begin past 65535 bytes."""
    count = len(messages)
    offset = 2 + 2 * count
    offsets = []
    for message in messages:
        offsets.append(offset)
        offset += len(message)
    if offsets and offsets[-1] > 0xFFFF:
        raise LocalProtocolError(f"{count} messages of {offset} bytes together: one packet holds some 65535")
    return struct.pack(f"<H{count}H", count, *offsets) + b"".join(messages)


def decode_multiple(data: bytes) -> list[bytes]:
    """The requests of a packet, in order.

    Raises `CipError`: not enough data when an offset lies outside, invalid parameter value when they do not ascend.
    """
    if len(data) < 2:
        raise CipError(NOT_ENOUGH_DATA)
    count = data[0] | data[1] << 8
    head = 2 + 2 * count
    size = len(data)
    if head > size:
        raise CipError(NOT_ENOUGH_DATA)
    bounds = [*struct.unpack_from(f"<{count}H", data, 2), size]
    previous = head
    for bound in bounds:
        if bound > size:
            raise CipError(NOT_ENOUGH_DATA)
        if bound < previous:
            raise CipError(INVALID_PARAMETER_VALUE)
        previous = bound
    return [data[bounds[index] : bounds[index + 1]] for index in range(count)]


def decode_multiple_reply(data: bytes) -> list[bytes]:
    """The replies of a packet, in order. Raises `RemoteProtocolError` when the packet is malformed."""
    try:
        return decode_multiple(data)
    except CipError as exc:
        raise RemoteProtocolError(f"a Multiple Service Packet reply of {len(data)} bytes: {exc}") from exc
