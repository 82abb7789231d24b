"""Requests and replies as trees, under the key paths of the manual of 2016.

    peer                                        (address, port) of who answered
    enip.command length session_handle status sender_context.input options input
    enip.CIP.send_data.interface timeout CPF.count CPF.item[0].type_id length …
    enip.CIP.send_data.CPF.item[1].unconnected_send.request.service status status_ext.size input
    … .request.read_tag.type data       read_frag, get_attribute_single.data, write_tag: True, multiple.request[0] …
    enip.CIP.list_identity.CPF.item[0].identity_object.…   list_services, list_interfaces, legacy likewise

Over a connection `connection_ID` is in the first item and `connection_data.request` with its `sequence` in the second.
They are for looking at: values and statuses are decoded elsewhere, without them.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

from node.cip.message import decode_reply, decode_request
from node.cip.multiple import decode_multiple, decode_multiple_reply
from node.cip.services import (
    GET_ATTRIBUTE_LIST,
    GET_ATTRIBUTE_SINGLE,
    GET_ATTRIBUTES_ALL,
    MULTIPLE_SERVICE_PACKET,
    READ_TAG,
    READ_TAG_FRAGMENTED,
    REPLY,
    SET_ATTRIBUTE_SINGLE,
    WRITE_TAG,
    WRITE_TAG_FRAGMENTED,
)
from node.cip.status import PARTIAL_TRANSFER, SUCCESS, CipError
from node.cip.tag_services import decode_read_reply
from node.client.dotted import dotdict
from node.client.tag_values import Known, decode_values
from node.enip.commands import decode_identity, decode_legacy_list, decode_send
from node.enip.cpf import (
    CONNECTED_ADDRESS,
    CONNECTED_DATA,
    IDENTITY,
    LEGACY_ADDRESS,
    SERVICES,
    UNCONNECTED_DATA,
    Item,
    decode_cpf,
)
from node.enip.header import (
    HEADER_SIZE,
    LEGACY_LIST,
    LIST_IDENTITY,
    LIST_INTERFACES,
    LIST_SERVICES,
    REGISTER_SESSION,
    SEND_RR_DATA,
    SEND_UNIT_DATA,
    decode_header,
)
from node.errors import RemoteProtocolError

NAMES = {
    GET_ATTRIBUTES_ALL: "get_attributes_all",
    GET_ATTRIBUTE_LIST: "get_attribute_list",
    GET_ATTRIBUTE_SINGLE: "get_attribute_single",
    SET_ATTRIBUTE_SINGLE: "set_attribute_single",
    READ_TAG: "read_tag",
    READ_TAG_FRAGMENTED: "read_frag",
    WRITE_TAG: "write_tag",
    WRITE_TAG_FRAGMENTED: "write_frag",
    MULTIPLE_SERVICE_PACKET: "multiple",
}
"""What the part of a service is called."""

COMMAND_NAMES = {
    LIST_IDENTITY: "list_identity",
    LIST_SERVICES: "list_services",
    LIST_INTERFACES: "list_interfaces",
    LEGACY_LIST: "legacy",
    REGISTER_SESSION: "register",
    SEND_RR_DATA: "send_data",
    SEND_UNIT_DATA: "send_data",
}

_READS = (READ_TAG, READ_TAG_FRAGMENTED)
_LIST_ITEMS = 32


def frame_tree(frame: bytes, peer: tuple[str, int], known: Known) -> dict[str, Any]:
    """The tree of a whole frame. Raises `RemoteProtocolError` when what it holds is malformed."""
    header = decode_header(frame)
    body = frame[HEADER_SIZE:]
    enip: dict[str, Any] = {
        "command": header.command,
        "length": header.length,
        "session_handle": header.session,
        "status": header.status,
        "sender_context": {"input": header.context},
        "options": header.options,
        "input": body,
    }
    if not header.status:
        name = COMMAND_NAMES.get(header.command)
        if name is not None and body:
            enip["CIP"] = {name: _body(header.command, body, known)}
    return {"peer": peer, "enip": enip}


def request_tree(message: bytes, path: list[Any], known: Known, **detail: Any) -> dict[str, Any]:
    """The tree of a Message Router request: `path` as its dicts, `detail` what its part is to say."""
    service = message[0]
    name = NAMES.get(service, f"service_{service:02x}")
    part: Any = detail if detail else True
    return {"path": {"segment": [dict(segment) for segment in path]}, name: part, "service": service, "input": message}


def reply_tree(message: bytes, known: Known) -> dict[str, Any]:
    """The tree of a Message Router reply. Raises `RemoteProtocolError` when it is malformed."""
    reply = decode_reply(message)
    extended: dict[str, Any] = {"size": len(reply.extended)}
    if reply.extended:
        extended["data"] = list(reply.extended)
    tree: dict[str, Any] = {
        "input": message,
        "service": reply.service | REPLY,
        "status": reply.status,
        "status_ext": extended,
    }
    if reply.service == MULTIPLE_SERVICE_PACKET and reply.data:
        tree["multiple"] = {"request": [reply_tree(part, known) for part in decode_multiple_reply(reply.data)]}
    elif reply.status in (SUCCESS, PARTIAL_TRANSFER):
        tree[NAMES.get(reply.service, f"service_{reply.service:02x}")] = _part(reply.service, reply.data, known)
    return tree


def format_tree(tree: Mapping[str, Any]) -> str:
    """A tree as the manual prints it: JSON, a key path a line."""
    return json.dumps(dict(dotdict(tree).items()), indent=4, default=_shown)


def _shown(value: object) -> object:
    if isinstance(value, bytes):
        return list(value)
    return dict(value.items()) if isinstance(value, dotdict) else str(value)


def _part(service: int, data: bytes, known: Known) -> Any:
    if service in _READS:
        code, handle, values = decode_read_reply(data)
        part: dict[str, Any] = {"type": code, "data": decode_values(code, handle, values, known)}
        if handle is not None:
            part["structure_tag"] = handle
        return part
    return {"data": list(data)} if data else True


def _body(command: int, body: bytes, known: Known) -> Any:
    if command == REGISTER_SESSION:
        version, options = struct.unpack("<HH", body[:4].ljust(4, b"\0"))
        return {"protocol_version": version, "options": options}
    if command in (SEND_RR_DATA, SEND_UNIT_DATA):
        interface, timeout, items = decode_send(body)
        return {"interface": interface, "timeout": timeout, "CPF": _cpf(items, known)}
    return {"CPF": _cpf(decode_cpf(body, limit=_LIST_ITEMS), known)}


def _cpf(items: list[Item], known: Known) -> dict[str, Any]:
    tree: dict[str, Any] = {"count": len(items)}
    if items:
        tree["item"] = [_item(item, known) for item in items]
    return tree


def _item(item: Item, known: Known) -> dict[str, Any]:
    tree: dict[str, Any] = {"type_id": item.type, "length": len(item.data)}
    if item.type == UNCONNECTED_DATA:
        tree["unconnected_send"] = {"request": _message(item.data, known)}
    elif item.type == CONNECTED_ADDRESS and len(item.data) == 4:
        tree["connection_ID"] = {"connection": int.from_bytes(item.data, "little")}
    elif item.type == CONNECTED_DATA and len(item.data) > 2:
        sequence = int.from_bytes(item.data[:2], "little")
        tree["connection_data"] = {"sequence": sequence, "request": _message(item.data[2:], known)}
    elif item.type == IDENTITY:
        tree["identity_object"] = _identity(item.data)
    elif item.type == SERVICES and len(item.data) >= 4:
        version, capability = struct.unpack_from("<HH", item.data)
        name = item.data[4:].partition(b"\0")[0].decode("iso-8859-1")
        tree["communications_service"] = {"version": version, "capability": capability, "service_name": name}
    elif item.type == LEGACY_ADDRESS and len(item.data) >= 36:
        tree["legacy_CPF_0x0001"] = _legacy(item.data)
    elif item.data:
        tree["input"] = item.data
    return tree


def _message(message: bytes, known: Known) -> dict[str, Any]:
    """A reply, or a request where one is shown that was sent."""
    if message[:1] and message[0] & REPLY:
        return reply_tree(message, known)
    try:
        request = decode_request(message)
        parts = decode_multiple(request.data) if request.service == MULTIPLE_SERVICE_PACKET else []
    except CipError as exc:
        raise RemoteProtocolError(f"a CIP message of {len(message)} bytes: {exc}") from exc
    tree: dict[str, Any] = {"service": request.service, "input": message}
    if parts:
        tree["multiple"] = {"request": [_message(part, known) for part in parts]}
    return tree


def _identity(data: bytes) -> dict[str, Any]:
    identity = decode_identity(data)
    major, minor = identity.revision
    return {
        "version": identity.version,
        "sin_family": 2,
        "sin_port": identity.port,
        "sin_addr": identity.ip,
        "vendor_id": identity.vendor,
        "device_type": identity.device_type,
        "product_code": identity.product_code,
        "product_revision": major | minor << 8,
        "status_word": identity.status,
        "serial_number": identity.serial,
        "product_name": identity.product_name,
        "state": identity.state,
    }


def _legacy(data: bytes) -> dict[str, Any]:
    address, port = decode_legacy_list(struct.pack("<HHH", 1, LEGACY_ADDRESS, len(data)) + data)
    version, unknown = struct.unpack_from("<HH", data)
    name = data[20:36].partition(b"\0")[0].decode("iso-8859-1")
    return {
        "version": version,
        "unknown_1": unknown,
        "sin_family": 2,
        "sin_port": port,
        "sin_addr": address,
        "ip_address": name,
    }
