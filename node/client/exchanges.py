"""What takes more than one message, without a socket: generators that yield a request and are sent its reply.

    steps = read_steps(path, 1000)
    request = next(steps)               # a `Request`; StopIteration carries the result
    request = steps.send(reply)         # the `Reply` to it

`run` does so over a function that asks, `arun` over one that is awaited, and a pipeline for many at once, so that every
client reads, writes and browses by the same code.
"""

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import TypeVar

from node.cip.message import Reply, Request, decode_reply
from node.cip.services import READ_TAG, READ_TAG_FRAGMENTED, UNCONNECTED_SEND, WRITE_TAG, WRITE_TAG_FRAGMENTED
from node.cip.status import (
    PARTIAL_TRANSFER,
    REPLY_DATA_TOO_LARGE,
    RESPONSE_TOO_LARGE,
    SUCCESS,
    CipError,
)
from node.cip.tag_services import (
    decode_read_reply,
    encode_read_fragmented,
    encode_read_tag,
    encode_write_fragmented,
    encode_write_tag,
)
from node.cip.template import STRUCTURE, Template
from node.client.tag_values import (
    Known,
    Part,
    TagType,
    Value,
    cut,
    decode_values,
    encode_elements,
    named_type,
    tag_type,
    type_code,
)
from node.errors import LocalProtocolError, RemoteProtocolError

T = TypeVar("T")
Steps = Generator[Request, Reply, T]

Raw = tuple[int, int | None, bytes]
"""Type code, structure handle or None, the bytes of the values."""

MAX_READ = 1 << 25
"""Bytes of one read: more than 65535 elements of any type known here take."""

WRITE_HEAD = 14
"""Bytes of a fragmented write beside its path and values: service, path size, type, count, offset."""

_TOO_LARGE = (REPLY_DATA_TOO_LARGE, RESPONSE_TOO_LARGE)
_PIECE = 4
"""A structure is cut at multiples of this."""


def run(steps: Steps[T], ask: Callable[[Request], Reply]) -> T:
    """The result of `steps`, whose requests `ask` answers."""
    try:
        request = next(steps)
        while True:
            request = steps.send(ask(request))
    except StopIteration as done:
        result: T = done.value
        return result


async def arun(steps: Steps[T], ask: Callable[[Request], Awaitable[Reply]]) -> T:
    """The result of `steps`, whose requests `ask` answers."""
    try:
        request = next(steps)
        while True:
            request = steps.send(await ask(request))
    except StopIteration as done:
        result: T = done.value
        return result


def checked_reply(message: bytes, service: int) -> Reply:
    """The reply to a request of `service`. Raises `RemoteProtocolError` for one to another: only Unconnected Send may
    answer in its place, when it could not deliver."""
    reply = decode_reply(message)
    if reply.service != service and not (reply.service == UNCONNECTED_SEND and reply.status):
        raise RemoteProtocolError(f"a reply to service 0x{reply.service:02X}, asked was 0x{service:02X}")
    return reply


def successful(reply: Reply) -> Reply:
    """The reply, whole or partial (status 0x06). Raises `CipError` for any other status."""
    if reply.status not in (SUCCESS, PARTIAL_TRANSFER):
        raise CipError(reply.status, reply.extended, reply.data)
    return reply


def ask_steps(request: Request) -> Steps[bytes]:
    """The data of the reply to one request."""
    reply = yield request
    return successful(reply).data


def read_steps(path: bytes, elements: int, offset: int | None = None, fragment: bool = False) -> Steps[Raw]:
    """`elements` from `path` on, from byte `offset` of them if there is one; in as many fragments as it takes, and from
    the first on if `fragment`. Raises `CipError`, and `RemoteProtocolError` when fragments make no whole."""
    start = offset or 0
    if offset is None and not fragment:
        reply = yield Request(READ_TAG, path, encode_read_tag(elements))
        if reply.status in _TOO_LARGE:
            reply = yield Request(READ_TAG_FRAGMENTED, path, encode_read_fragmented(elements, 0))
    else:
        reply = yield Request(READ_TAG_FRAGMENTED, path, encode_read_fragmented(elements, start))
    code, handle, first = decode_read_reply(successful(reply).data)
    if reply.status == SUCCESS:
        return code, handle, first
    data = bytearray(first)
    part = first
    while reply.status == PARTIAL_TRANSFER:
        if not part or len(data) > MAX_READ:
            raise RemoteProtocolError(f"a read that does not end: {len(data)} bytes after a part of {len(part)}")
        reply = yield Request(READ_TAG_FRAGMENTED, path, encode_read_fragmented(elements, start + len(data)))
        code_now, handle_now, part = decode_read_reply(successful(reply).data)
        if (code_now, handle_now) != (code, handle):
            raise RemoteProtocolError(f"fragments of one read are of type 0x{code:02X} and of type 0x{code_now:02X}")
        data += part
    return code, handle, bytes(data)


def whole_values(raw: Raw, elements: int, offset: int, known: Known) -> list[Value]:
    """The values of a read of `elements` from byte `offset` on; of a structure unknown here, its bytes, an item each.

    Raises `RemoteProtocolError` when there are more or fewer than were asked for.
    """
    code, handle, data = raw
    kind = tag_type(code, handle, known)
    size = kind.size if kind is not None else 0
    if kind is None:
        size, odd = divmod(offset + len(data), elements)
        if odd or not size:
            raise RemoteProtocolError(f"{len(data)} bytes of type 0x{code:02X}, which are no {elements} elements")
        return [data[at : at + size] for at in range(0, len(data), size)]
    if size and offset + len(data) != elements * size:
        there = f"{len(data)} bytes of {kind.name}" + (f" from byte {offset} on" if offset else "")
        raise RemoteProtocolError(f"{there}, asked were {elements} elements of {size}")
    values = decode_values(code, handle, data, known)
    if not size and not offset and len(values) != elements:
        raise RemoteProtocolError(f"{len(values)} values of {kind.name}, asked were {elements}")
    return values


def kind_steps(path: bytes, known: Known, tag: str) -> Steps[TagType]:
    """The type of what `path` leads to, by reading one element. Raises `LocalProtocolError`, which names `tag`, when it
    is not known."""
    code, handle, _ = yield from read_steps(path, 1)
    kind = tag_type(code, handle, known)
    if kind is None:
        what = f"a structure (handle 0x{handle:04X})" if handle is not None else f"of type 0x{code:02X}"
        raise LocalProtocolError(f"{tag} is {what} that is not known here; browse first, or write its members")
    return kind


def encoded(kind: TagType, values: Sequence[Value]) -> list[bytes]:
    """Each value's bytes. Raises `LocalProtocolError` for what is not of the type, or nothing."""
    if not values:
        raise LocalProtocolError("no values to write; give one or more")
    return encode_elements(kind, values)


def write_steps(
    path: bytes,
    kind: TagType,
    values: Sequence[Value],
    limit: int,
    offset: int | None = None,
    elements: int | None = None,
    fragment: bool = False,
) -> Steps[bool]:
    """Writes `values`: at once if a message of `limit` bytes can hold them, else in fragments. With `offset` they are a
    part of a write of `elements`. Another client may see a write in fragments half done. The result is True."""
    code, handle = type_code(kind)
    pieces = encoded(kind, values)
    total = len(pieces) if elements is None else elements
    parts = _parts(kind, pieces, limit - WRITE_HEAD - len(path))
    if len(parts) == 1 and offset is None and not fragment:
        reply = yield Request(WRITE_TAG, path, encode_write_tag(code, handle, total, parts[0].data))
        _written(reply)
        return True
    for part in parts:
        data = encode_write_fragmented(code, handle, total, (offset or 0) + part.offset, part.data)
        _written((yield Request(WRITE_TAG_FRAGMENTED, path, data)))
    return True


def _written(reply: Reply) -> None:
    if reply.status != SUCCESS:
        raise CipError(reply.status, reply.extended, reply.data)
    if reply.data:
        raise RemoteProtocolError(f"{len(reply.data)} bytes in the reply to a write, which has none")


def _parts(kind: TagType, pieces: Sequence[bytes], room: int) -> list[Part]:
    """The pieces in parts that fit: whole elements, and structures that alone are too large cut within."""
    if room < _PIECE:
        raise LocalProtocolError("the path leaves no room for values in a message")
    parts: list[Part] = []
    for part in cut(pieces, room):
        if len(part.data) > room and isinstance(kind, Template):
            step = room // _PIECE * _PIECE
            for at in range(0, len(part.data), step):
                parts.append(Part(part.offset + at, part.data[at : at + step]))
        else:
            parts.append(part)
    return parts


def kind_of(type: "str | int | TagType", known: Known) -> TagType:
    """A type by its name, by an operation's `tag_type`, or as it is. Raises `LocalProtocolError` when there is none."""
    if isinstance(type, str):
        by_name = {template.name.upper(): template for template in known.values()}
        return by_name.get(type.upper()) or named_type(type)
    if not isinstance(type, int):
        return type
    handle = type >> 16 if type & 0xFFFF == STRUCTURE | 2 << 8 else None
    kind = tag_type(type & 0xFF, handle, known)
    if kind is None or (handle is None and type > 0xFF):
        raise LocalProtocolError(f"0x{type:02X} is no type that can be written; 0xC3 is INT, 0xCA is REAL")
    return kind
