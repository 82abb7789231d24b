"""Read and write a tag, by name or by number (Rockwell 1756-PM020).

    0x4C Read Tag          0x4D Write Tag          0x4E Read Modify Write
    0x52 Read Fragmented   0x53 Write Fragmented   0x0E / 0x10 Get / Set Attribute Single: plain bytes

A read too large for its reply gives what fits with status 0x06, and the client goes on with 0x52 from there. Elements
stay whole but for structures, which are cut in steps of 4 bytes, or one larger than its connection could never be read.
On the wire a true BOOL is the byte that the device answers (`Attribute.bool_true`); any other byte than 0 makes one
true.

A tag, a member and a bit are served alike: the path led to an attribute and an element of it (`node.memory.place`).

Status of a tag fault: 0xFF with 0x2100 no right, 0x2104 offset, 0x2105 count or index, 0x2107 type.
"""

from collections.abc import Mapping
from typing import NoReturn

from node.cip.attribute_services import without_route
from node.cip.services import (
    GET_ATTRIBUTE_SINGLE,
    READ_MODIFY_WRITE,
    READ_TAG,
    READ_TAG_FRAGMENTED,
    SET_ATTRIBUTE_SINGLE,
    WRITE_TAG,
    WRITE_TAG_FRAGMENTED,
)
from node.cip.status import (
    ATTRIBUTE_NOT_SETTABLE,
    GENERAL_ERROR,
    INDEX_PAST_END,
    INVALID_PARAMETER_VALUE,
    NO_ACCESS,
    NOT_ENOUGH_DATA,
    OFFSET_PAST_END,
    PARTIAL_TRANSFER,
    REPLY_DATA_TOO_LARGE,
    TOO_MUCH_DATA,
    TYPE_MISMATCH,
    CipError,
)
from node.cip.tag_services import (
    decode_read_fragmented,
    decode_read_modify_write,
    decode_read_tag,
    decode_write_fragmented,
    decode_write_tag,
    encode_type,
)
from node.cip.types import BOOL, LREAL, REAL, Type
from node.memory.access import Access
from node.memory.attribute import Attribute
from node.memory.hooks import recalling
from node.memory.part import Part
from node.memory.structured import StructuredAttribute
from node.memory.view import stored
from node.objects.object import Call, Handler, success
from node.objects.plans import plan_read, to_wire
from node.objects.text_access import first_texts, place_texts, read_texts
from node.record import dataclass

_HEAD = 4
"""Bytes of a reply before its data."""

_STEP = 4
"""Bytes in whose steps a structure is cut."""

_NO_BITS = (BOOL, REAL, LREAL)


@dataclass(slots=True)
class TagTarget:
    """A tag from element `start` on; `indexed` when the path names that element."""

    attribute: Attribute
    start: int
    indexed: bool
    services: Mapping[int, Handler]


def read_tag(call: Call) -> bytes:
    """0x4C: the elements from the target's on, or as many as fit."""
    return _read(call, decode_read_tag(call.data), 0)


def read_tag_fragmented(call: Call) -> bytes:
    """0x52: the same from a byte offset on."""
    return _read(call, *decode_read_fragmented(call.data))


def write_tag(call: Call) -> bytes:
    """0x4D: all elements; bytes after them are ignored."""
    code, handle, count, data = decode_write_tag(call.data)
    attribute, start = _checked(call, count)
    _same_type(call, attribute, start, count, code, handle)
    if attribute.size == 0:
        data = first_texts(data, count)
    elif len(data) < count * attribute.size:
        raise CipError(NOT_ENOUGH_DATA)
    else:
        data = data[: count * attribute.size]
    _store(call, attribute, start, start + count, data)
    return success(call.service)


def write_tag_fragmented(call: Call) -> bytes:
    """0x53: part of a write of `count` elements, at a byte offset; elements may be cut anywhere, as pycomm3 does."""
    code, handle, count, offset, data = decode_write_fragmented(call.data)
    attribute, start = _checked(call, count)
    _same_type(call, attribute, start, count, code, handle)
    size = attribute.size
    if size and offset >= count * size:
        raise CipError(GENERAL_ERROR, (OFFSET_PAST_END,))
    if isinstance(attribute, StructuredAttribute):
        return _patch(call, attribute, start * size + offset, data[: count * size - offset])
    if size == 0:
        start, data = place_texts(attribute, start, count, offset, data, call.router.now)
        stop = start + len(attribute.decode(data))
    else:
        start += offset // size
        data = _widened(attribute, start, offset % size, data[: count * size - offset], call.router.now)
        stop = start + len(data) // size
    if not data:
        raise CipError(NOT_ENOUGH_DATA)
    _store(call, attribute, start, stop, data)
    return success(call.service)


def read_modify_write(call: Call) -> bytes:
    """0x4E: one integer element, new = (old or OR mask) and AND mask; the mask may be shorter than the element."""
    size, or_mask, and_mask = decode_read_modify_write(call.data)
    attribute, start = _checked(call, 1)
    if not isinstance(attribute.type, Type) or attribute.type in _NO_BITS:
        raise CipError(GENERAL_ERROR, (TYPE_MISMATCH,))
    if size > attribute.size:
        raise CipError(INVALID_PARAMETER_VALUE)
    access = Access(attribute, start, start + 1, True)
    try:
        if not attribute.settable:
            raise CipError(GENERAL_ERROR, (NO_ACCESS,))
        access.data = attribute.modify(start, or_mask, and_mask, call.router.now)
    except CipError as exc:
        access.status = exc.general
        raise
    finally:
        _note(call, access)
    return success(call.service)


def get_attribute_single(call: Call) -> bytes:
    """0x0E: the bytes of all elements, or of the one in the path; no type before them."""
    attribute, start, stop = _whole(call)
    data = attribute.dump(start, stop, call.router.now)
    _note(call, Access(attribute, start, stop, False, data))
    return success(call.service, to_wire(attribute, data))


def set_attribute_single(call: Call) -> bytes:
    """0x10: exactly those bytes; a route may stand behind them."""
    attribute, start, stop = _whole(call)
    data = without_route(call.data, (stop - start) * attribute.size) if attribute.size else call.data
    if not attribute.settable:
        raise CipError(ATTRIBUTE_NOT_SETTABLE)
    if attribute.size == 0:
        count = len(attribute.decode(data))
        wanted, got = stop - start, count
    else:
        wanted, got = (stop - start) * attribute.size, len(data)
    if got != wanted:
        raise CipError(NOT_ENOUGH_DATA if got < wanted else TOO_MUCH_DATA)
    _store(call, attribute, start, stop, data)
    return success(call.service)


TAG_SERVICES: dict[int, Handler] = {
    READ_TAG: read_tag,
    READ_TAG_FRAGMENTED: read_tag_fragmented,
    WRITE_TAG: write_tag,
    WRITE_TAG_FRAGMENTED: write_tag_fragmented,
    READ_MODIFY_WRITE: read_modify_write,
    GET_ATTRIBUTE_SINGLE: get_attribute_single,
    SET_ATTRIBUTE_SINGLE: set_attribute_single,
}


READS = frozenset((READ_TAG, READ_TAG_FRAGMENTED, GET_ATTRIBUTE_SINGLE))
"""Services that write nothing."""


def _aim(call: Call) -> TagTarget:
    assert isinstance(call.target, TagTarget)
    return call.target


def _checked(call: Call, count: int) -> tuple[Attribute, int]:
    target = _aim(call)
    if count == 0:
        raise CipError(INVALID_PARAMETER_VALUE)
    if target.start + count > target.attribute.length:
        _refuse(call, target.attribute, target.start, count, CipError(GENERAL_ERROR, (INDEX_PAST_END,)))
    return target.attribute, target.start


def _whole(call: Call) -> tuple[Attribute, int, int]:
    target = _aim(call)
    stop = target.start + 1 if target.indexed else target.attribute.length
    return target.attribute, target.start, stop


def _same_type(call: Call, attribute: Attribute, start: int, count: int, code: int, handle: int | None) -> None:
    if encode_type(code, handle) != attribute.type_bytes:
        _refuse(call, attribute, start, count, CipError(GENERAL_ERROR, (TYPE_MISMATCH,)))


def _refuse(call: Call, attribute: Attribute, start: int, count: int, error: CipError) -> NoReturn:
    """Raises `error`, noted as an access that failed."""
    writing = call.service not in (READ_TAG, READ_TAG_FRAGMENTED)
    _note(call, Access(attribute, start, start + count, writing, b"", error.general))
    raise error


def _note(call: Call, access: Access) -> None:
    if call.trace is not None:
        call.trace.append(access)


def _read(call: Call, count: int, offset: int) -> bytes:
    attribute, start = _checked(call, count)
    room = call.limit - _HEAD - len(attribute.type_bytes)
    try:
        first, stop, data, more = _piece(attribute, start, count, offset, room, call.router.now)
    except CipError as exc:
        _note(call, Access(attribute, start, start + count, False, b"", exc.general))
        raise
    head = success(call.service, attribute.type_bytes, PARTIAL_TRANSFER if more else 0)
    if call.trace is not None:
        whole = data if isinstance(attribute.type, Type) else _again(attribute, first, stop, call.router.now)
        call.trace.append(Access(attribute, first, stop, False, whole, head[2]))
    elif attribute.size and not more:
        plan_read(call, attribute, first, stop, head, offset % attribute.size)
    return head + to_wire(attribute, data)


def _piece(
    attribute: Attribute, start: int, count: int, offset: int, room: int, now: float
) -> tuple[int, int, bytes, bool]:
    """First and last element touched, the bytes from `offset` on that fit `room`, and whether more remain."""
    size = attribute.size
    if size == 0:
        return start, start + count, *read_texts(attribute, start, count, offset, room, now)
    if isinstance(attribute, StructuredAttribute):
        return _cut(attribute, start, count, offset, room, now)
    if offset % size or offset >= count * size:
        raise CipError(GENERAL_ERROR, (OFFSET_PAST_END,))
    first = start + offset // size
    left = start + count - first
    fits = min(left, room // size)
    if fits < 1:
        raise CipError(REPLY_DATA_TOO_LARGE)
    return first, first + fits, attribute.dump(first, first + fits, now), fits < left


def _again(attribute: Attribute, start: int, stop: int, now: float) -> bytes:
    """Whole elements of which a part was just read."""
    with recalling(attribute.root if isinstance(attribute, Part) else attribute):
        return attribute.dump(start, stop, now)


def _cut(
    attribute: Attribute, start: int, count: int, offset: int, room: int, now: float
) -> tuple[int, int, bytes, bool]:
    """The same of structures."""
    size = attribute.size
    left = count * size - offset
    if offset % _STEP or left <= 0:
        raise CipError(GENERAL_ERROR, (OFFSET_PAST_END,))
    first, within = start + offset // size, offset % size
    fits = left if left <= room else room // _STEP * _STEP
    if fits < _STEP:
        raise CipError(REPLY_DATA_TOO_LARGE)
    stop = first - (-(within + fits) // size)
    return first, stop, attribute.dump(first, stop, now)[within : within + fits], fits < left


def _store(call: Call, attribute: Attribute, start: int, stop: int, data: bytes) -> None:
    access = Access(attribute, start, stop, True, data)
    try:
        if not attribute.settable:
            raise CipError(GENERAL_ERROR, (NO_ACCESS,))
        attribute.load(start, data, call.router.now)
    except CipError as exc:
        access.data = b""
        access.status = exc.general
        raise
    finally:
        _note(call, access)


def _widened(attribute: Attribute, start: int, head: int, data: bytes, now: float) -> bytes:
    """Bytes from `head` bytes into element `start` on, as whole elements: what lacks before and behind is what is
    there."""
    tail = -(head + len(data)) % attribute.size
    if not data or not (head or tail):
        return data
    old = stored(attribute, start, start + (head + len(data) + tail) // attribute.size, now)
    return old[:head] + data + old[len(old) - tail :]


def _patch(call: Call, attribute: StructuredAttribute, offset: int, data: bytes) -> bytes:
    """Writes bytes from byte `offset` of all structures on."""
    if not data:
        raise CipError(NOT_ENOUGH_DATA)
    size, now = attribute.size, call.router.now
    access = Access(attribute, offset // size, -(-(offset + len(data)) // size), True)
    try:
        if not attribute.settable:
            raise CipError(GENERAL_ERROR, (NO_ACCESS,))
        access.data = attribute.patch(offset, data, now)
    except CipError as exc:
        access.status = exc.general
        raise
    finally:
        _note(call, access)
    return success(call.service)
