"""TCP/IP Interface, class 0xF5: how the device is on its network (CIP Vol 2, 5-4).

    1 status u32 | 2 capability u32 | 3 control u32 | 4 physical link: words u16, path | 5 interface configuration:
    address, mask, gateway, two name servers u32 each, domain name STRING padded to even | 6 host name STRING padded

Addresses are little-endian numbers here, unlike in socket addresses: 192.168.0.201 is C9 00 A8 C0.
"""

from struct import Struct

from node.cip.epath import Class, Instance, encode_epath
from node.cip.services import ETHERNET_LINK_CLASS, TCPIP_CLASS
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import Object, constant

CONFIGURED = 1
SETTABLE_CAPABILITY = 0x04
STATIC = 0

_U16 = Struct("<H")
_U32 = Struct("<I")
_INTERFACE = Struct("<5I")


def tcpip_object(ip: str, mask: str = "255.192.0.0", host_name: str = "", domain_name: str = "") -> Object:
    """`ip` and `mask` in dots."""
    link = encode_epath((Class(ETHERNET_LINK_CLASS), Instance(1)))
    interface = _INTERFACE.pack(_number(ip), _number(mask), 0, 0, 0) + _text(domain_name)
    rows = [
        constant(1, "status", _U32.pack(CONFIGURED)),
        constant(2, "capability", _U32.pack(SETTABLE_CAPABILITY)),
        constant(3, "control", _U32.pack(STATIC)),
        constant(4, "physical link", _U16.pack(len(link) >> 1) + link),
        constant(5, "interface configuration", interface),
        constant(6, "host name", _text(host_name)),
    ]
    return Object(TCPIP_CLASS, "TCP/IP Interface", {1: rows}, dict(READ_SERVICES))


def _number(ip: str) -> int:
    return int.from_bytes(bytes(int(part) for part in ip.split(".")), "big")


def _text(text: str) -> bytes:
    raw = text.encode("iso-8859-1", "replace")
    return _U16.pack(len(raw)) + raw + (b"\0" if len(raw) & 1 else b"")
