"""TCP/IP Interface, class 0xF5: how the device is on its network (CIP Vol 2, 5-4).

    1 status u32 | 2 capability u32 | 3 control u32 | 4 physical link: words u16, path | 5 interface configuration:
    address, mask, gateway, two name servers u32 each, domain name STRING padded to even | 6 host name STRING padded

Addresses are little-endian numbers here, unlike in socket addresses: 192.168.0.201 is C9 00 A8 C0.
"""

from struct import Struct

from node.cip.epath import Class, Instance, encode_epath
from node.cip.services import ETHERNET_LINK_CLASS, TCPIP_CLASS
from node.cip.status import INVALID_ATTRIBUTE_VALUE, NOT_ENOUGH_DATA, TOO_MUCH_DATA, CipError
from node.objects.attribute_access import ATTRIBUTE_SERVICES
from node.objects.object import AttributeRow, Object, constant

CONFIGURED = 1
SETTABLE = 0x10
MAX_HOST_NAME = 64
STATIC = 0

_U16 = Struct("<H")
_U32 = Struct("<I")
_INTERFACE = Struct("<5I")


def tcpip_object(ip: str, mask: str = "255.192.0.0", host_name: str = "", domain_name: str = "") -> Object:
    """`ip` and `mask` in dots."""
    link = encode_epath((Class(ETHERNET_LINK_CLASS), Instance(1)))
    name = HostName(host_name)
    interface = _INTERFACE.pack(_number(ip), _number(mask), 0, 0, 0) + _text(domain_name)
    rows = [
        constant(1, "status", _U32.pack(CONFIGURED)),
        constant(2, "capability", _U32.pack(SETTABLE)),
        constant(3, "control", _U32.pack(STATIC)),
        constant(4, "physical link", _U16.pack(len(link) >> 1) + link),
        constant(5, "interface configuration", interface),
        AttributeRow(6, "host name", name.get, name.set),
    ]
    return Object(TCPIP_CLASS, "TCP/IP Interface", {1: rows}, dict(ATTRIBUTE_SERVICES))


class HostName:
    """The one attribute that a client may change; it says what it was told."""

    def __init__(self, text: str) -> None:
        self._data = _text(text)

    def get(self) -> bytes:
        """Length u16, characters, padded to even."""
        return self._data

    def set(self, data: bytes) -> None:
        """Raises `CipError`: 0x13 and 0x15 for too few and too many bytes, 0x09 for more than 64 characters."""
        length = int.from_bytes(data[:2], "little")
        wanted = 2 + length + (length & 1)
        if len(data) < max(wanted, 2):
            raise CipError(NOT_ENOUGH_DATA)
        if length > MAX_HOST_NAME:
            raise CipError(INVALID_ATTRIBUTE_VALUE)
        if len(data) > wanted:
            raise CipError(TOO_MUCH_DATA)
        self._data = data


def _number(ip: str) -> int:
    return int.from_bytes(bytes(int(part) for part in ip.split(".")), "big")


def _text(text: str) -> bytes:
    raw = text.encode("iso-8859-1", "replace")
    return _U16.pack(len(raw)) + raw + (b"\0" if len(raw) & 1 else b"")
