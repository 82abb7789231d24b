"""EtherNet/IP frames taken apart: header, items, and the CIP message in them."""

from __future__ import annotations

from node.capture.parts import Reader, Spoilt
from node.capture.parts_cip import take_message
from node.enip.commands import VERSION
from node.enip.cpf import (
    CIP_SECURITY,
    CONNECTED_ADDRESS,
    CONNECTED_DATA,
    IDENTITY,
    LEGACY_ADDRESS,
    MAX_ITEMS,
    NULL_ADDRESS,
    SEQUENCED_ADDRESS,
    SERVICES,
    SOCKADDR_O_T,
    SOCKADDR_T_O,
    UNCONNECTED_DATA,
)
from node.enip.header import (
    COMMANDS,
    LEGACY_LIST,
    LIST_IDENTITY,
    LIST_INTERFACES,
    LIST_SERVICES,
    NOP,
    REGISTER_SESSION,
    SEND_RR_DATA,
    SEND_UNIT_DATA,
    STATUS,
    UNREGISTER_SESSION,
)

LISTS = (LEGACY_LIST, LIST_SERVICES, LIST_IDENTITY, LIST_INTERFACES)
MOST_LISTED = 32
"""Items of a List reply."""
ITEMS = {
    NULL_ADDRESS: "null address",
    LEGACY_ADDRESS: "address",
    IDENTITY: "identity",
    CIP_SECURITY: "CIP security",
    CONNECTED_ADDRESS: "connected address",
    CONNECTED_DATA: "connected data",
    UNCONNECTED_DATA: "unconnected data",
    SERVICES: "service",
    SOCKADDR_O_T: "socket address O->T",
    SOCKADDR_T_O: "socket address T->O",
    SEQUENCED_ADDRESS: "sequenced address",
}


def take_frames(reader: Reader) -> None:
    """All frames that there are, one behind the other. Raises `Spoilt`."""
    while reader.left:
        take_frame(reader)


def take_frame(reader: Reader) -> None:
    """One frame. Raises `Spoilt`."""
    begun = reader.at
    with reader.part("EtherNet/IP frame"):
        command = reader.number(2, "command", COMMANDS)
        if command not in COMMANDS:
            raise reader.back(2, f"a command ({', '.join(f'0x{code:04X}' for code in COMMANDS)})", f"0x{command:04X}")
        length = reader.number(2, "length")
        reader.number(4, "session handle", hexadecimal=True)
        reader.number(4, "status", STATUS)
        reader.raw(8, "sender context", reader.data[reader.at : reader.at + 8].hex(" "))
        reader.number(4, "options", hexadecimal=True)
        if length > reader.left:
            got = f"the end, after {reader.left} of them"
            wanted = f"{length} bytes behind the header, which its length at byte {begun + 2} says,"
            fault = Spoilt(reader.end, wanted, got)
            _take_what_is_there(reader, command, fault)
            raise fault
        if length:
            with reader.part("body", f"{length} bytes", length):
                _take_body(reader, command)
        elif command in (REGISTER_SESSION, SEND_RR_DATA, SEND_UNIT_DATA):
            raise Spoilt(begun + 2, f"a length of {4 if command == REGISTER_SESSION else 'at least 8'}", "0")


def _take_what_is_there(reader: Reader, command: int, fault: Spoilt) -> None:
    """The parts of a body that breaks off; it is `fault` whatever is wrong with it."""
    if reader.left:
        with reader.part("body", "cut short"):
            try:
                _take_body(reader, command)
            except Spoilt as exc:
                raise fault from exc


def _take_body(reader: Reader, command: int) -> None:
    if command == REGISTER_SESSION:
        version = reader.number(2, "protocol version")
        if version != VERSION:
            raise reader.back(2, f"version {VERSION}", str(version))
        reader.number(2, "options", hexadecimal=True)
    elif command in (SEND_RR_DATA, SEND_UNIT_DATA):
        reader.number(4, "interface handle")
        reader.number(2, "timeout, s")
        _take_items(reader, MAX_ITEMS, command)
    elif command in LISTS:
        _take_items(reader, MOST_LISTED, command)
    elif command in (NOP, UNREGISTER_SESSION):
        reader.raw(reader.left, "data")


def _take_items(reader: Reader, most: int, command: int) -> None:
    count = reader.number(2, "item count")
    if count > most:
        raise reader.back(2, f"{most} items at most", str(count))
    wanted = {
        SEND_RR_DATA: (NULL_ADDRESS, UNCONNECTED_DATA),
        SEND_UNIT_DATA: (CONNECTED_ADDRESS, CONNECTED_DATA),
    }.get(command, ())
    if count < len(wanted):
        raise reader.back(2, f"{len(wanted)} items", str(count))
    for index in range(count):
        with reader.part(f"item {index}"):
            kind = reader.number(2, "type", ITEMS)
            if index < len(wanted) and kind != wanted[index]:
                raise reader.back(2, f"{ITEMS[wanted[index]]} (0x{wanted[index]:04X})", f"0x{kind:04X}")
            length = reader.number(2, "length")
            if length:
                with reader.part("data", f"{length} bytes", length):
                    _take_item(reader, kind)


def _take_item(reader: Reader, kind: int) -> None:
    if kind == UNCONNECTED_DATA:
        take_message(reader)
    elif kind == CONNECTED_DATA:
        reader.number(2, "sequence count")
        take_message(reader)
    elif kind == CONNECTED_ADDRESS:
        reader.number(4, "connection id", hexadecimal=True)
    elif kind == SEQUENCED_ADDRESS:
        reader.number(4, "connection id", hexadecimal=True)
        reader.number(4, "sequence number")
    elif kind == IDENTITY:
        _take_identity(reader)
    elif kind == SERVICES:
        reader.number(2, "protocol version")
        reader.number(2, "capability", hexadecimal=True)
        _take_text(reader, reader.left, "name")
    elif kind == LEGACY_ADDRESS:
        reader.number(2, "protocol version")
        reader.number(2, "unknown")
        _take_socket_address(reader)
        _take_text(reader, 16, "address")
    elif kind in (SOCKADDR_O_T, SOCKADDR_T_O):
        _take_socket_address(reader)
    else:
        reader.raw(reader.left, "bytes")


def _take_identity(reader: Reader) -> None:
    reader.number(2, "protocol version")
    _take_socket_address(reader)
    reader.number(2, "vendor")
    reader.number(2, "device type")
    reader.number(2, "product code")
    revision = reader.raw(2, "revision")
    reader.amend(f"{revision[0]}.{revision[1]}")
    reader.number(2, "status", hexadecimal=True)
    reader.number(4, "serial number", hexadecimal=True)
    length = reader.number(1, "name length")
    _take_text(reader, length, "product name")
    reader.number(1, "state")


def _take_socket_address(reader: Reader) -> None:
    reader.number(2, "family", big=True)
    reader.number(2, "port", big=True)
    address = reader.raw(4, "address")
    reader.amend(".".join(map(str, address)))
    reader.raw(8, "zero")


def _take_text(reader: Reader, size: int, name: str) -> None:
    text = reader.raw(size, name)
    if size:
        reader.amend(text.split(b"\0")[0].decode("iso-8859-1"))
