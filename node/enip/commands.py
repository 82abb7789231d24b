"""What follows the header of each command: pairs for what originator and target say.

                          request                                         reply
    RegisterSession       version u16 = 1 | options u16 = 0               the same; the handle is in the header
    UnRegisterSession     (none)                                          (no reply)
    ListServices          (none)                                          CPF, item 0x0100
    ListIdentity          (none)                                          CPF, item 0x000C
    ListInterfaces        (none)                                          CPF without items
    legacy list 0x0001    (none)                                          CPF, item 0x0001
    SendRRData            interface u32 = 0 | timeout u16 (s) | CPF       the same shape
    SendUnitData          interface u32 = 0 | timeout u16 = 0 | CPF       the same shape

    item 0x000C           version u16 = 1 | socket address 16 (big-endian) | vendor u16 | device type u16 |
                          product code u16 | major u8 | minor u8 | status u16 | serial u32 | name length u8 | name |
                          state u8
    item 0x0001           version u16 = 1 | unknown u16 = 0 | socket address 16 | the address in text 16, NUL padded
    item 0x0100           version u16 = 1 | capability u16 | name 16, NUL padded
    socket address        family i16 = 2 | port u16 | IPv4 address 4 | zero 8

(CIP Vol 2, 2-4 and 2-5. Command 0x0001 stands in no specification; Logix controllers answer it.)
"""

import struct

from node.enip.cpf import (
    CONNECTED_ADDRESS,
    CONNECTED_DATA,
    IDENTITY,
    LEGACY_ADDRESS,
    NULL_ADDRESS,
    SERVICES,
    UNCONNECTED_DATA,
    Item,
    decode_cpf,
    encode_cpf,
)
from node.enip.header import PORT
from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

VERSION = 1
TCP_CAPABILITY = 0x0020
IO_CAPABILITY = 0x0100

_REGISTER = struct.Struct("<HH")
_SERVICE = struct.Struct("<HH16s")
_SERVICE_HEAD = struct.Struct("<HH")
_UNCONNECTED = struct.Struct("<IHHHHHH")
_CONNECTED = struct.Struct("<IHHHHIHHH")
CONNECTED_SIZE = _CONNECTED.size
"""Bytes of a SendUnitData body beside the message."""

_UNCONNECTED_ITEMS = b"\2\0\0\0\0\0\xb2\0"
_CONNECTED_ITEMS = b"\2\0\xa1\0\4\0"
_CONNECTED_DATA = b"\xb1\0"
_IDENTITY = struct.Struct("<H16sHHHBBHIB")
_LEGACY = struct.Struct("<HH16s16s")
_SOCKADDR = struct.Struct(">hH4s8x")
_SEND = struct.Struct("<IH")
_SEND_SIZE = _SEND.size
_U32 = struct.Struct("<I")
_SEQUENCE = struct.Struct("<H")
_LIST_ITEMS = 32
"""A List reply may hold an item a service, which is more than a message may."""


def encode_register_session(version: int = VERSION, options: int = 0) -> bytes:
    """Request and reply alike."""
    return _REGISTER.pack(version, options)


def decode_register_session(data: bytes) -> tuple[int, int]:
    """Version and options. Raises `RemoteProtocolError` unless there are exactly four bytes."""
    if len(data) != _REGISTER.size:
        raise RemoteProtocolError(f"a RegisterSession of {len(data)} bytes, wanted {_REGISTER.size}")
    version, options = _REGISTER.unpack(data)
    return version, options


@dataclass(slots=True)
class ServiceItem:
    """A service a target offers: `name` up to 16 characters, `capability` the bits above."""

    name: str = "Communications"
    capability: int = TCP_CAPABILITY
    version: int = VERSION


def encode_list_services(services: list[ServiceItem]) -> bytes:
    """The reply to ListServices."""
    items = []
    for service in services:
        name = service.name.encode("iso-8859-1", "replace")[:16]
        items.append(Item(SERVICES, _SERVICE.pack(service.version, service.capability, name)))
    return encode_cpf(items)


def decode_list_services(data: bytes) -> list[ServiceItem]:
    """The services of a reply. Raises `RemoteProtocolError` when it is malformed."""
    services = []
    for item in decode_cpf(data, limit=_LIST_ITEMS):
        if item.type != SERVICES:
            continue
        if len(item.data) < _SERVICE_HEAD.size:
            raise RemoteProtocolError(f"a ListServices item of {len(item.data)} bytes, wanted {_SERVICE.size}")
        version, capability = _SERVICE_HEAD.unpack_from(item.data)
        name = item.data[_SERVICE_HEAD.size : _SERVICE.size]  # cpppo sends no more bytes than the name has
        services.append(ServiceItem(name.split(b"\0")[0].decode("iso-8859-1"), capability, version))
    return services


@dataclass(slots=True)
class IdentityItem:
    """Who a target is: `ip` its own IPv4 address in dots, `revision` (major, minor), the rest as Identity has it."""

    ip: str
    vendor: int
    device_type: int
    product_code: int
    revision: tuple[int, int]
    status: int
    serial: int
    product_name: str
    state: int = 3
    port: int = PORT
    version: int = VERSION


def encode_identity(identity: IdentityItem) -> bytes:
    """The data of item 0x000C. Raises `LocalProtocolError` for an address that is not IPv4 or a field too large."""
    name = identity.product_name.encode("iso-8859-1", "replace")[:0xFF]
    try:
        fixed = _IDENTITY.pack(
            identity.version,
            _SOCKADDR.pack(2, identity.port, _ipv4(identity.ip)),
            identity.vendor,
            identity.device_type,
            identity.product_code,
            *identity.revision,
            identity.status,
            identity.serial,
            len(name),
        )
    except struct.error as exc:
        raise LocalProtocolError(f"{identity} has a field that does not fit: {exc}") from exc
    return fixed + name + bytes((identity.state & 0xFF,))


def decode_identity(data: bytes) -> IdentityItem:
    """Raises `RemoteProtocolError` when the item is cut short."""
    if len(data) < _IDENTITY.size:
        raise RemoteProtocolError(f"an identity item of {len(data)} bytes, wanted {_IDENTITY.size} or more")
    fields = _IDENTITY.unpack_from(data)
    version, sockaddr, vendor, device_type, product_code, major, minor, status, serial, length = fields
    end = _IDENTITY.size + length
    if end >= len(data):
        raise RemoteProtocolError(f"an identity item of {len(data)} bytes that ends within its name or state")
    _, port, raw = _SOCKADDR.unpack(sockaddr)
    ip = ".".join(str(byte) for byte in raw)
    name = data[_IDENTITY.size : end].decode("iso-8859-1")
    revision = (major, minor)
    return IdentityItem(ip, vendor, device_type, product_code, revision, status, serial, name, data[end], port, version)


def encode_list_identity(identity: IdentityItem) -> bytes:
    """The reply to ListIdentity."""
    return encode_cpf((Item(IDENTITY, encode_identity(identity)),))


def decode_list_identity(data: bytes) -> IdentityItem:
    """The identity of a reply. Raises `RemoteProtocolError` when there is none in it, or it is malformed."""
    for item in decode_cpf(data, limit=_LIST_ITEMS):
        if item.type == IDENTITY:
            return decode_identity(item.data)
    raise RemoteProtocolError("a ListIdentity reply without an identity item")


def encode_list_interfaces() -> bytes:
    """The reply to ListInterfaces of a target that has none beside EtherNet/IP."""
    return encode_cpf(())


def decode_list_interfaces(data: bytes) -> list[Item]:
    """The interface items of a reply, as they came. Raises `RemoteProtocolError` when it is malformed."""
    return decode_cpf(data, limit=_LIST_ITEMS)


def encode_legacy_list(ip: str, port: int = PORT) -> bytes:
    """The reply to command 0x0001. Raises `LocalProtocolError` for an address that is not IPv4."""
    sockaddr = _SOCKADDR.pack(2, port, _ipv4(ip))
    return encode_cpf((Item(LEGACY_ADDRESS, _LEGACY.pack(1, 0, sockaddr, ip.encode("ascii"))),))


def decode_legacy_list(data: bytes) -> tuple[str, int]:
    """Address and port of a reply to command 0x0001. Raises `RemoteProtocolError` when there are none in it."""
    for item in decode_cpf(data, limit=_LIST_ITEMS):
        if item.type == LEGACY_ADDRESS and len(item.data) >= _LEGACY.size:
            _, _, sockaddr, _ = _LEGACY.unpack_from(item.data)
            _, port, raw = _SOCKADDR.unpack(sockaddr)
            return ".".join(str(byte) for byte in raw), port
    raise RemoteProtocolError("a reply to command 0x0001 without an address item")


def encode_send(items: list[Item], timeout: int = 0, interface: int = 0) -> bytes:
    """The body of SendRRData or SendUnitData; `timeout` in seconds."""
    return _SEND.pack(interface, timeout) + encode_cpf(items)


def decode_send(data: bytes) -> tuple[int, int, list[Item]]:
    """Interface handle, timeout in seconds, items. Raises `RemoteProtocolError` when the body is malformed."""
    if len(data) < _SEND_SIZE:
        raise RemoteProtocolError(f"a send body of {len(data)} bytes, wanted {_SEND_SIZE} or more")
    interface, timeout = _SEND.unpack_from(data)
    return interface, timeout, decode_cpf(data, _SEND_SIZE)


def encode_unconnected(message: bytes, timeout: int = 0) -> bytes:
    """The body of SendRRData that carries a Message Router message, with the usual two items."""
    length = len(message)
    if length > 0xFFFF:
        raise LocalProtocolError(f"an item of {length} bytes: 65535 fit")
    return _UNCONNECTED.pack(0, timeout, 2, NULL_ADDRESS, 0, UNCONNECTED_DATA, length) + message


def decode_unconnected(data: bytes) -> bytes:
    """The Message Router message of a SendRRData body. Raises `RemoteProtocolError` when there is none."""
    if data[6:14] == _UNCONNECTED_ITEMS and len(data) >= 16 and data[14] | data[15] << 8 == len(data) - 16:
        return data[16:]  # what nearly every frame is
    _, _, items = decode_send(data)
    if len(items) < 2 or items[0].type != NULL_ADDRESS or items[1].type != UNCONNECTED_DATA:
        raise RemoteProtocolError(f"items {_types(items)} in SendRRData, wanted 0x0000 and 0x00B2")
    return items[1].data


def encode_connected(connection_id: int, sequence: int, message: bytes) -> bytes:
    """The body of SendUnitData: `connection_id` is the one the receiver knows, `sequence` 16 bits."""
    length = len(message) + 2
    if length > 0xFFFF:
        raise LocalProtocolError(f"an item of {length} bytes: 65535 fit")
    return _CONNECTED.pack(0, 0, 2, CONNECTED_ADDRESS, 4, connection_id, CONNECTED_DATA, length, sequence) + message


def decode_connected(data: bytes) -> tuple[int, int, bytes]:
    """Connection id, sequence count and message of SendUnitData. Raises `RemoteProtocolError` when malformed."""
    if data[6:12] == _CONNECTED_ITEMS and len(data) >= 22:
        _, _, _, _, _, ident, kind, length, sequence = _CONNECTED.unpack_from(data)
        if kind == CONNECTED_DATA and 2 <= length == len(data) - 20:
            return ident, sequence, data[22:]  # what nearly every frame is
    _, _, items = decode_send(data)
    if len(items) < 2 or items[0].type != CONNECTED_ADDRESS or items[1].type != CONNECTED_DATA:
        raise RemoteProtocolError(f"items {_types(items)} in SendUnitData, wanted 0x00A1 and 0x00B1")
    address, body = items[0].data, items[1].data
    if len(address) != 4 or len(body) < 2:
        raise RemoteProtocolError(f"a connected address of {len(address)} bytes and data of {len(body)}")
    return _U32.unpack(address)[0], _SEQUENCE.unpack_from(body)[0], body[2:]


def decode_early(data: bytes) -> tuple[int, bytes] | None:
    """Connection id and message of a connected reply whose items stand six bytes too early, where interface handle and
    time-out should be, and whose sequence count is left zero; the message is in its place. None when it is none.

    libplctag's `ab_server` of before 2025 answers so.
    """
    early = data[:6] == _CONNECTED_ITEMS and data[10:12] == _CONNECTED_DATA and len(data) >= CONNECTED_SIZE
    if not early or data[12] | data[13] << 8 != len(data) - 20:
        return None
    return _U32.unpack_from(data, 6)[0], data[CONNECTED_SIZE:]


def _types(items: list[Item]) -> str:
    return " ".join(f"0x{item.type:04X}" for item in items) or "none"


def _ipv4(text: str) -> bytes:
    parts = text.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() and int(part) <= 0xFF for part in parts):
        return bytes(int(part) for part in parts)
    raise LocalProtocolError(f"{text!r} where an IPv4 address was wanted: the identity item holds no other")
