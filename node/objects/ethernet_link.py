"""Ethernet Link, class 0xF6: the port that the TCP/IP Interface points at (CIP Vol 2, 5-5).

    1 speed u32 Mbit/s | 2 flags u32: bit 0 link, bit 1 full duplex, bits 2-4 = 3 negotiated | 3 MAC address 6 bytes |
    4 interface counters 11 u32 | 5 media counters 12 u32 |
    6 control: bits u16 (0 negotiate, 1 full duplex), speed u16 | 7 type u8, 2 twisted pair | 8 state u8, 1 enabled |
    9 admin state u8, 1 enabled | 10 label SHORT_STRING
    service 0x4C Get And Clear, for 4 and 5

The interface counters count what the node has served; media faults do not happen here.
"""

from collections.abc import Callable

from node.cip.attribute_values import Number, Numbers, Raw, ShortString
from node.cip.services import ETHERNET_LINK_CLASS, GET_AND_CLEAR
from node.cip.status import ATTRIBUTE_NOT_SUPPORTED, INVALID_ATTRIBUTE_VALUE, CipError
from node.cip.types import DWORD, UDINT, UINT, USINT
from node.objects.attribute_access import ATTRIBUTE_SERVICES
from node.objects.object import AttributeRow, Call, Object, ObjectTarget, constant, optional_lists, stored, success
from node.record import dataclass

SPEED = 100
LINK_UP_FULL_DUPLEX = 0x0F
NEGOTIATE = 1
TWISTED_PAIR = 2
ENABLED = 1

_INTERFACE_COUNTERS = 11
_MEDIA_COUNTERS = 12
_U32 = 0xFFFFFFFF


@dataclass(slots=True)
class Traffic:
    """What a node has received and sent since it started: bytes, frames, and frames that were answered by an error."""

    bytes_in: int = 0
    frames_in: int = 0
    errors_in: int = 0
    bytes_out: int = 0
    frames_out: int = 0


class InterfaceCounters:
    """Attribute 4: octets, unicast, others, discards, errors, unknown in; then the same out, but for unknown."""

    def __init__(self, traffic: Callable[[], Traffic]) -> None:
        self._traffic = traffic
        self._codec = Numbers(UDINT, _INTERFACE_COUNTERS)
        self._cleared = Traffic()

    def get(self) -> bytes:
        """Since it was cleared."""
        now, then = self._traffic(), self._cleared
        counts = (
            *(now.bytes_in - then.bytes_in, now.frames_in - then.frames_in, 0, 0, now.errors_in - then.errors_in, 0),
            *(now.bytes_out - then.bytes_out, now.frames_out - then.frames_out, 0, 0, 0),
        )
        return self._codec.encode([count & _U32 for count in counts])

    def clear(self) -> None:
        """From 0 again."""
        self._cleared = self._traffic()


def ethernet_link_object(serial: Callable[[], int], counters: InterfaceCounters, mac: str = "") -> Object:
    """`mac` is the device's own, as `02:fa:00:00:00:01`. Where it has none, `serial` makes one: locally administered,
    the same for the same device."""
    own = bytes.fromhex(mac.replace(":", ""))
    u8, u32, flags = Number(USINT), Number(UDINT), Number(DWORD)
    media = Numbers(UDINT, _MEDIA_COUNTERS)
    rows = [
        constant(1, "speed", u32.encode(SPEED), codec=u32, aliases=("interface speed",)),
        constant(2, "flags", flags.encode(LINK_UP_FULL_DUPLEX), codec=flags, aliases=("interface flags",)),
        AttributeRow(
            3, "physical address", lambda: own or _mac(serial()), codec=Raw(6), aliases=("MAC address", "MAC")
        ),
        AttributeRow(4, "interface counters", counters.get, codec=Numbers(UDINT, _INTERFACE_COUNTERS)),
        constant(5, "media counters", media.encode([0] * _MEDIA_COUNTERS), codec=media),
        stored(6, "interface control", Numbers(UINT, 2), [NEGOTIATE, 0], accept=_check_control),
        constant(7, "interface type", u8.encode(TWISTED_PAIR), codec=u8),
        constant(8, "interface state", u8.encode(ENABLED), codec=u8),
        stored(9, "admin state", u8, ENABLED, accept=_check_admin),
        constant(10, "interface label", ShortString(64).encode("1"), codec=ShortString(64), aliases=("label",)),
    ]

    def get_and_clear(call: Call) -> bytes:
        assert isinstance(call.target, ObjectTarget)
        instance, number = call.target.instance, call.target.attribute
        call.target.object.rows(instance)
        if instance == Object.CLASS_INSTANCE or number not in (4, 5):
            raise CipError(ATTRIBUTE_NOT_SUPPORTED)
        data = call.target.object.row(instance, number).get()
        if number == 4:
            counters.clear()
        return success(call.service, data)

    services = {**ATTRIBUTE_SERVICES, GET_AND_CLEAR: get_and_clear}
    return Object(
        ETHERNET_LINK_CLASS,
        "Ethernet Link",
        {1: rows},
        services,
        4,
        class_attributes=optional_lists((4, 5, 6, 7, 8, 9, 10), (GET_AND_CLEAR,)),
        class_listed=(1, 2, 3, 4, 5, 6, 7),
        names=("Ethernet",),
    )


def _mac(serial: int) -> bytes:
    return bytes((0x02, 0xFA)) + serial.to_bytes(4, "big")


def _check_control(value: object) -> None:
    """Negotiated means without a speed; forced means one that there is."""
    bits, speed = value if isinstance(value, list) else (0, 0)
    if (speed != 0) if bits & NEGOTIATE else (speed not in (10, 100)):
        raise CipError(INVALID_ATTRIBUTE_VALUE)


def _check_admin(value: object) -> None:
    """The only port is not switched off: nobody could switch it on again."""
    if value != ENABLED:
        raise CipError(INVALID_ATTRIBUTE_VALUE)
