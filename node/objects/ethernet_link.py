"""Ethernet Link, class 0xF6: the port that the TCP/IP Interface points at (CIP Vol 2, 5-5).

1 speed u32 Mbit/s | 2 flags u32: bit 0 link, bit 1 full duplex, bits 2-4 = 3 negotiated | 3 MAC address 6 bytes
"""

from struct import Struct

from node.cip.services import ETHERNET_LINK_CLASS
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import Object, constant

SPEED = 100
LINK_UP_FULL_DUPLEX = 0x0F

_U32 = Struct("<I")


def ethernet_link_object(serial: int) -> Object:
    """`serial` makes the MAC address: locally administered, the same for the same device."""
    mac = bytes((0x02, 0xFA)) + serial.to_bytes(4, "big")
    rows = [
        constant(1, "speed", _U32.pack(SPEED)),
        constant(2, "flags", _U32.pack(LINK_UP_FULL_DUPLEX)),
        constant(3, "physical address", mac),
    ]
    return Object(ETHERNET_LINK_CLASS, "Ethernet Link", {1: rows}, dict(READ_SERVICES))
