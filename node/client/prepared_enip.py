"""Tags of an EtherNet/IP controller as requests that are encoded once: alone, or as many in a Multiple Service Packet
as request and reply have room for.

The controller answers what it has in a reply of its own for each tag; one that it refuses does not spoil the others,
but the packet counts as refused (CIP Vol 1, A-4.10).
"""

import re
from collections.abc import Iterable, Sequence

from node.cip.epath import Class, Instance, encode_epath
from node.cip.message import Request, encode_request
from node.cip.multiple import decode_multiple_reply, encode_multiple
from node.cip.path_text import parse_path, parse_route, route_segments
from node.cip.services import (
    CONNECTION_MANAGER_CLASS,
    MESSAGE_ROUTER_CLASS,
    MULTIPLE_SERVICE_PACKET,
    READ_TAG,
    REPLY,
    UNCONNECTED_SEND,
    WRITE_TAG,
)
from node.cip.status import EMBEDDED_SERVICE_ERROR, PARTIAL_TRANSFER, SUCCESS, describe
from node.cip.tag_services import encode_read_tag, encode_write_tag
from node.cip.unconnected import UnconnectedSend, encode_unconnected_send
from node.client.aio import MESSAGE_LIMIT
from node.client.prepared import MALFORMED, READ, WRITE, Fault
from node.enip.commands import encode_unconnected
from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

ROUTER = encode_epath((Class(MESSAGE_ROUTER_CLASS), Instance(1)))
MANAGER = encode_epath((Class(CONNECTION_MANAGER_CLASS), Instance(1)))
REPLY_HEAD, TYPE = 4, 4
"""Bytes before a reply's data; most that a type takes before the values."""
SEND_OVERHEAD = 16
"""Bytes of an Unconnected Send around its message, beside the route."""

_ELEMENTS = re.compile(r"(?P<path>.+)\[(?P<first>\d{1,9})-(?P<last>\d{1,9})\]")


@dataclass(frozen=True, slots=True)
class TagItem:
    """`count` elements from `path` on, in words `name`; `size` the bytes of their values, 0 where nobody knows."""

    name: str
    path: str
    count: int = 1
    size: int = 0


@dataclass(frozen=True, slots=True)
class EnipRequest:
    """`message` for the Message Router, and `body` the same as SendRRData carries it, route included. `services` are
    those of the messages within, of a request that is no packet its own."""

    kind: str
    names: tuple[str, ...]
    message: bytes
    body: bytes
    services: tuple[int, ...]
    packed: bool


def parse_tag(text: str) -> TagItem:
    """`Level`, `SCADA[3]`, `SCADA[0-9]`, `Tank1.Level`, `@22/1/1`. Raises `LocalProtocolError`."""
    found = _ELEMENTS.fullmatch(text)
    if found is None:
        parse_path(text)
        return TagItem(text, text)
    first, last = int(found["first"]), int(found["last"])
    if last < first:
        raise LocalProtocolError(f"{text}: the elements end ({last}) before they start ({first})")
    path = f"{found['path']}[{first}]"
    parse_path(path)
    return TagItem(text, path, last - first + 1)


def encoded_route(text: str | None) -> bytes | None:
    """A route as a person types it, as port segments; None stays None. Raises `LocalProtocolError`."""
    return None if text is None else encode_epath(route_segments(parse_route(text)))


def prepare_reads(
    items: Iterable[TagItem], *, multiple: bool, limit: int = MESSAGE_LIMIT, route: bytes | None = None
) -> list[EnipRequest]:
    """Reads of all items, in their order; with `multiple` as few packets as hold them, request and reply of at most
    `limit` bytes. Raises `LocalProtocolError` for a path that is none."""
    messages = [(item, encode_request(_read(item))) for item in items]
    room = limit - (0 if route is None else SEND_OVERHEAD + len(route))
    groups = _packed(messages, room) if multiple else [[message] for message in messages]
    return [_together(READ, READ_TAG, group, route) for group in groups]


def prepare_write(
    item: TagItem, code: int, handle: int | None, values: bytes, route: bytes | None = None
) -> EnipRequest:
    """A write of `values`, as a read has them, to the item. Raises `LocalProtocolError` when they do not fit."""
    data = encode_write_tag(code, handle, item.count, values)
    message = encode_request(Request(WRITE_TAG, encode_epath(parse_path(item.path)), data))
    if len(message) > MESSAGE_LIMIT:
        raise LocalProtocolError(f"{item.name}: a write of {len(message)} bytes; one message carries {MESSAGE_LIMIT}")
    return _together(WRITE, WRITE_TAG, [(item, message)], route)


def fault_of(request: EnipRequest, data: bytes) -> Fault | None:
    """What is wrong with the Message Router reply `data`; None for nothing."""
    if not request.packed:
        return _part_fault(data, request.services[0], request.names[0])
    return packed_parts(request, data)[1]


def packed_parts(request: EnipRequest, data: bytes) -> tuple[list[bytes], Fault | None]:
    """The replies in a packet's reply, and what is wrong with the first that is not right; None for nothing."""
    if len(data) < REPLY_HEAD or data[0] != MULTIPLE_SERVICE_PACKET | REPLY:
        return [], Fault(MALFORMED, f"{data[:8].hex()} to a Multiple Service Packet")
    if data[2] not in (SUCCESS, EMBEDDED_SERVICE_ERROR):
        return [], Fault(_status_text(data))
    try:
        parts = decode_multiple_reply(data[REPLY_HEAD + 2 * data[3] :])
    except RemoteProtocolError as exc:
        return [], Fault(MALFORMED, str(exc))
    if len(parts) != len(request.services):
        return [], Fault(MALFORMED, f"{len(parts)} replies to {len(request.services)} requests in one packet")
    for part, service, name in zip(parts, request.services, request.names, strict=True):
        fault = _part_fault(part, service, name)
        if fault is not None:
            return parts, fault
    return parts, None


@dataclass(frozen=True, slots=True)
class Shape:
    """A packet's reply that was right, without its values: one of `size` bytes that has the bits `head` under `mask` is
    right as well, for it has the same services, statuses and offsets in the same places."""

    size: int
    mask: int
    head: int

    def fits(self, data: bytes) -> bool:
        """Whether `data` is such a reply."""
        return len(data) == self.size and int.from_bytes(data, "little") & self.mask == self.head


def shape_of(data: bytes, parts: Sequence[bytes]) -> Shape:
    """The shape of a reply, and of all that are right in the same way."""
    offsets = REPLY_HEAD + 2 * data[3] + 2 + 2 * len(parts)
    mask = b"\xff" * offsets
    for part in parts:
        mask += b"\xff" * REPLY_HEAD + bytes(len(part) - REPLY_HEAD)
    number = int.from_bytes(mask, "little")
    return Shape(len(data), number, int.from_bytes(data, "little") & number)


def _part_fault(reply: bytes, service: int, name: str) -> Fault | None:
    if len(reply) < REPLY_HEAD or reply[0] != service | REPLY:
        return Fault(MALFORMED, f"{name}: {reply[:8].hex()} to service 0x{service:02X}")
    status = reply[2]
    if status not in (SUCCESS, PARTIAL_TRANSFER):
        return Fault(_status_text(reply), name)
    if service == READ_TAG and len(reply) <= REPLY_HEAD + 2:
        return Fault(MALFORMED, f"{name}: a read reply of {len(reply)} bytes without a value")
    return None


def _status_text(reply: bytes) -> str:
    words = min(reply[3], (len(reply) - REPLY_HEAD) // 2)
    extended = [int.from_bytes(reply[at : at + 2], "little") for at in range(4, 4 + 2 * words, 2)]
    return f"CIP {describe(reply[2], tuple(extended))}"


def _read(item: TagItem) -> Request:
    return Request(READ_TAG, encode_epath(parse_path(item.path)), encode_read_tag(item.count))


def _packed(messages: Sequence[tuple[TagItem, bytes]], room: int) -> list[list[tuple[TagItem, bytes]]]:
    """Messages in groups whose packet and its reply have room."""
    head = 2 + len(ROUTER) + 2
    groups: list[list[tuple[TagItem, bytes]]] = []
    out = back = 0
    for item, message in messages:
        asked = 2 + len(message)
        answered = 2 + REPLY_HEAD + TYPE + item.size
        if not groups or out + asked > room or back + answered > room:
            groups.append([])
            out, back = head, REPLY_HEAD + 2
        groups[-1].append((item, message))
        out += asked
        back += answered
    return groups


def _together(kind: str, service: int, group: Sequence[tuple[TagItem, bytes]], route: bytes | None) -> EnipRequest:
    message = group[0][1]
    if len(group) > 1:
        packet = encode_multiple([message for _, message in group])
        message = encode_request(Request(MULTIPLE_SERVICE_PACKET, ROUTER, packet))
    plain = message
    if route is not None:
        send = encode_unconnected_send(UnconnectedSend(message, route))
        plain = encode_request(Request(UNCONNECTED_SEND, MANAGER, send))
    names = tuple(item.name for item, _ in group)
    return EnipRequest(kind, names, message, encode_unconnected(plain), (service,) * len(group), len(group) > 1)
