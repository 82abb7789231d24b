"""TCP/IP Interface, class 0xF5: how the device is on its network (CIP Vol 2, 5-4).

    1 status u32 | 2 capability u32 | 3 control u32 | 4 physical link: words u16, path | 5 interface configuration |
    6 host name STRING padded | 8 TTL u8 | 9 multicast: control u8, 0, count u16, first address u32 |
    10 address conflict detection u8 | 11 last conflict: state u8, MAC 6, ARP 28 | 13 inactivity time-out u16 (s)

The address is the operator's choice, as if it stood on switches of the device (status 2): a Set of it is an object
state conflict, 0x0C. Get Attributes All gives 1 to 6. There is no 7: that one is for safety devices.
"""

from node.cip.attribute_values import Flag, Number, PaddedString, Path, Raw
from node.cip.interface_configuration import InterfaceConfiguration, decode_ip
from node.cip.services import ETHERNET_LINK_CLASS, SET_ATTRIBUTE_LIST, TCPIP_CLASS
from node.cip.status import INVALID_ATTRIBUTE_VALUE, OBJECT_STATE_CONFLICT, CipError
from node.cip.types import DWORD, UINT, USINT
from node.objects.attribute_access import ATTRIBUTE_SERVICES
from node.objects.object import AttributeRow, Object, constant, optional_lists, stored

SET_BY_HARDWARE = 2
SETTABLE = 0x10
SWITCHES = 0x20
STATIC = 0
MAX_HOST_NAME = 64
MAX_INACTIVITY = 3600
DEFAULT_INACTIVITY = 120

NO_ADDRESS = "0.0.0.0"
LOOPBACK_MASK = "255.192.0.0"

_FLAGS, _LINK, _INTERFACE = Number(DWORD), Path(), InterfaceConfiguration()
_CONFLICT = 35
_MULTICAST = 8


def tcpip_object(
    ip: str,
    mask: str = "255.255.255.0",
    host_name: str = "",
    domain_name: str = "",
    inactivity: int = DEFAULT_INACTIVITY,
    gateway: str = "",
) -> Object:
    """`ip`, `mask` and `gateway` ("" for none) in dots, `inactivity` in seconds, 0 for never."""
    addresses = _INTERFACE.encode(
        {
            "ip_address": ip,
            "network_mask": mask,
            "gateway_address": gateway or NO_ADDRESS,
            "domain_name": domain_name,
        }
    )
    return Object(
        TCPIP_CLASS,
        "TCP/IP Interface",
        {1: [*_listed_rows(addresses, host_name[:MAX_HOST_NAME]), *_other_rows(inactivity)]},
        dict(ATTRIBUTE_SERVICES),
        4,
        class_attributes=optional_lists((8, 9, 10, 11, 13), (SET_ATTRIBUTE_LIST,)),
        class_listed=(1, 2, 3, 4, 5, 6, 7),
        names=("TCPIP", "TCP/IP"),
    )


def _listed_rows(addresses: bytes, host_name: str) -> list[AttributeRow]:
    """1 to 6."""
    settable = _FLAGS.encode(SETTABLE | SWITCHES)
    link = _LINK.encode(f"@0x{ETHERNET_LINK_CLASS:X}/1")
    link_names = ("physical link object", "path to physical link", "path to physical link object")
    return [
        constant(1, "status", _FLAGS.encode(SET_BY_HARDWARE), codec=_FLAGS, aliases=("interface status",)),
        constant(2, "configuration capability", settable, codec=_FLAGS, aliases=("capability", "interface capability")),
        stored(
            3,
            "configuration control",
            _FLAGS,
            STATIC,
            aliases=("control", "interface control"),
            accept=lambda value: _check_range(value, STATIC, STATIC),
        ),
        constant(4, "physical link", link, codec=_LINK, aliases=link_names),
        AttributeRow(5, "interface configuration", lambda: addresses, _refuse, codec=_INTERFACE),
        stored(6, "host name", PaddedString(MAX_HOST_NAME), host_name, aliases=("hostname",)),
    ]


def _other_rows(inactivity: int) -> list[AttributeRow]:
    """8 to 13."""
    multicast, conflict = Raw(_MULTICAST), Raw(_CONFLICT)
    return [
        stored(
            8,
            "TTL value",
            Number(USINT),
            1,
            listed=False,
            aliases=("TTL",),
            accept=lambda value: _check_range(value, 1, 255),
        ),
        stored(9, "multicast configuration", multicast, "00" * _MULTICAST, listed=False, aliases=("mcast config",)),
        stored(10, "select ACD", Flag(), False, listed=False),
        stored(11, "last conflict detected", conflict, "00" * _CONFLICT, listed=False, accept=_check_cleared),
        stored(
            13,
            "encapsulation inactivity timeout",
            Number(UINT),
            inactivity,
            listed=False,
            aliases=("inactivity timeout",),
            accept=lambda value: _check_range(value, 0, MAX_INACTIVITY),
        ),
    ]


def mask_of(address: str, network: str = "") -> str:
    """The mask of the network that `address` is in: of `network` (`127.64.0.0/10`) where that is known, else the one
    that a farm's loopback addresses or most others have."""
    bits = network.partition("/")[2]
    if bits.isdigit() and int(bits) <= 32:
        return decode_ip((0xFFFFFFFF << 32 - int(bits) & 0xFFFFFFFF).to_bytes(4, "little"))
    return LOOPBACK_MASK if address.startswith("127.") else "255.255.255.0"


def _refuse(data: bytes) -> None:
    raise CipError(OBJECT_STATE_CONFLICT)


def _check_range(value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or not low <= value <= high:
        raise CipError(INVALID_ATTRIBUTE_VALUE)


def _check_cleared(value: object) -> None:
    """What was found is only ever cleared."""
    if value != "00" * _CONFLICT:
        raise CipError(INVALID_ATTRIBUTE_VALUE)
