"""Get and Set Attribute services that any object can list, over its rows.

0x01 Get Attributes All      the listed rows, back to back
0x03 Get Attribute List      count | (id, status, value) …
0x04 Set Attribute List      in order; each has its own status
0x0E Get Attribute Single    the row's bytes
0x10 Set Attribute Single    (CIP Vol 1, appendix A)

Rows of fixed size are answered from plans when they are asked for again.
"""

from collections.abc import Sequence
from struct import Struct

from node.cip.attribute_services import (
    AttributeStatus,
    decode_get_attribute_list,
    decode_set_attribute_list,
    encode_attribute_statuses,
    without_route,
)
from node.cip.services import (
    GET_ATTRIBUTE_LIST,
    GET_ATTRIBUTE_SINGLE,
    GET_ATTRIBUTES_ALL,
    SET_ATTRIBUTE_LIST,
    SET_ATTRIBUTE_SINGLE,
)
from node.cip.status import (
    ATTRIBUTE_LIST_ERROR,
    ATTRIBUTE_NOT_SETTABLE,
    ATTRIBUTE_NOT_SUPPORTED,
    REPLY_DATA_TOO_LARGE,
    CipError,
)
from node.objects.object import AttributeRow, Call, Handler, Object, ObjectTarget, success
from node.objects.plans import RowsPlan

_HEAD = 6
"""Bytes of a list's reply before its entries."""

_ENTRY = Struct("<HH")
_STATUS = _ENTRY.size
"""Bytes of an entry's id and status."""


def _aim(call: Call) -> ObjectTarget:
    assert isinstance(call.target, ObjectTarget)
    return call.target


def _row(call: Call) -> AttributeRow:
    target = _aim(call)
    if target.attribute is None:
        target.object.rows(target.instance)
        raise CipError(ATTRIBUTE_NOT_SUPPORTED)
    return target.object.row(target.instance, target.attribute)


def get_attribute_single(call: Call) -> bytes:
    """The attribute's bytes."""
    row = _row(call)
    head = success(call.service)
    _plan(call, head, [(b"", row)])
    return head + row.get()


def set_attribute_single(call: Call) -> bytes:
    """Writes it, where its row can be written."""
    row = _row(call)
    if row.set is None:
        raise CipError(ATTRIBUTE_NOT_SETTABLE)
    row.set(without_route(call.data, row.codec.measure(call.data)))
    return success(call.service)


def get_attributes_all(call: Call) -> bytes:
    """All listed attributes of the instance."""
    target = _aim(call)
    rows = target.object.rows(target.instance)
    return success(call.service, b"".join([row.get() for row in rows if row.listed]))


def get_attribute_list(call: Call) -> bytes:
    """The attributes asked for, each with its own status; 0x0A over all when one has no value."""
    target = _aim(call)
    rows = {row.id: row for row in target.object.rows(target.instance)}
    entries = []
    parts: list[tuple[bytes, AttributeRow]] = []
    failed = False
    asked = decode_get_attribute_list(call.data)
    used = _HEAD + _STATUS * len(asked)
    for ident in asked:
        entry = AttributeStatus(ident, ATTRIBUTE_NOT_SUPPORTED)
        if ident in rows:
            entry = AttributeStatus(ident, 0, rows[ident].get())
            parts.append((_ENTRY.pack(ident, 0), rows[ident]))
        if used + len(entry.value) > call.limit:
            entry = AttributeStatus(ident, REPLY_DATA_TOO_LARGE)
        failed = failed or entry.status != 0
        used += len(entry.value)
        entries.append(entry)
    if not failed:
        _plan(call, success(call.service, len(asked).to_bytes(2, "little")), parts)
    return success(call.service, encode_attribute_statuses(entries), ATTRIBUTE_LIST_ERROR if failed else 0)


def set_attribute_list(call: Call) -> bytes:
    """Sets the attributes in order, each with its own status; 0x0A over all when one was not set. An attribute that is
    not there, of which nobody knows the length, refuses the whole list."""
    target = _aim(call)
    rows = {row.id: row for row in target.object.rows(target.instance)}
    pairs = decode_set_attribute_list(call.data, {ident: row.codec.measure for ident, row in rows.items()})
    entries = [AttributeStatus(ident, _set(rows[ident], value)) for ident, value in pairs]
    failed = any(entry.status for entry in entries)
    return success(call.service, encode_attribute_statuses(entries), ATTRIBUTE_LIST_ERROR if failed else 0)


def _set(row: AttributeRow, value: bytes) -> int:
    """The status of setting it."""
    if row.set is None:
        return ATTRIBUTE_NOT_SETTABLE
    try:
        row.set(value)
    except CipError as exc:
        return exc.general
    return 0


def _plan(call: Call, head: bytes, parts: Sequence[tuple[bytes, AttributeRow]]) -> None:
    """Has the router remember the reply: `head`, then of each part its bytes and the row's. The class itself has no
    plan: what it says may change."""
    size = len(head) + sum(len(before) + row.codec.size for before, row in parts)
    whole = _aim(call).instance != Object.CLASS_INSTANCE and all(row.codec.size for _, row in parts)
    if whole and call.trace is None and size <= call.limit:
        call.router.keep(call.message, RowsPlan(head, [(before, row.get) for before, row in parts], size))


READ_SERVICES: dict[int, Handler] = {
    GET_ATTRIBUTES_ALL: get_attributes_all,
    GET_ATTRIBUTE_LIST: get_attribute_list,
    GET_ATTRIBUTE_SINGLE: get_attribute_single,
}
"""For objects whose attributes are only read: a Set is no service of theirs."""

ATTRIBUTE_SERVICES: dict[int, Handler] = {
    **READ_SERVICES,
    SET_ATTRIBUTE_LIST: set_attribute_list,
    SET_ATTRIBUTE_SINGLE: set_attribute_single,
}
