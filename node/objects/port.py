"""Port, class 0xF4: the ports of a device and their numbers in route paths (CIP Vol 1, 3-7).

    class: 1 revision | 2 max instance | 3 instances | 8 entry port u16 | 9 all ports: type u16, number u16 each,
           from instance 0 on, which is zeros
    1 type u16: 1 backplane, 4 EtherNet/IP | 2 number u16 | 3 link: words u16, path | 4 name SHORT_STRING |
    7 node address: a port segment

A device in a chassis has its backplane as port 1 and its network as port 2; any other has its network only.
"""

from node.cip.attribute_values import Number, Numbers, Path, Raw, ShortString
from node.cip.epath import Port, encode_epath
from node.cip.services import PORT_CLASS, TCPIP_CLASS
from node.cip.types import UINT
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import AttributeRow, Object, constant

BACKPLANE, ETHERNET = 1, 4
BACKPLANE_PORT, NETWORK_PORT = 1, 2

_BACKPLANE_CLASS = 0x66
_U16 = Number(UINT)


def port_object(address: str, chassis: bool, slot: int = 0) -> Object:
    """`address` is the device's IPv4 address, "" for unknown; `slot` its place in a chassis."""
    network = _rows(
        ETHERNET, NETWORK_PORT, TCPIP_CLASS, "EtherNet/IP", Port(NETWORK_PORT, (address or "0.0.0.0").encode())
    )
    instances = {1: network}
    kinds = [(ETHERNET, NETWORK_PORT)]
    if chassis:
        backplane = _rows(BACKPLANE, BACKPLANE_PORT, _BACKPLANE_CLASS, "Backplane", Port(BACKPLANE_PORT, slot))
        instances = {1: backplane, 2: network}
        kinds.insert(0, (BACKPLANE, BACKPLANE_PORT))
    pairs = Numbers(UINT)
    numbers = [0, 0, *(number for pair in kinds for number in pair)]
    extra = (
        constant(8, "entry port", _U16.encode(len(instances)), codec=_U16),
        constant(9, "port instance info", pairs.encode(numbers), codec=pairs),
    )
    return Object(
        PORT_CLASS,
        "Port",
        instances,
        dict(READ_SERVICES),
        class_attributes=extra,
        class_listed=(1, 2, 3, 8, 9),
    )


def _rows(kind: int, number: int, link_class: int, name: str, node: Port) -> list[AttributeRow]:
    link, text = Path(), ShortString(64)
    return [
        constant(1, "port type", _U16.encode(kind), codec=_U16, aliases=("type",)),
        constant(2, "port number", _U16.encode(number), codec=_U16, aliases=("number",)),
        constant(3, "link object", link.encode(f"@0x{link_class:X}/1"), codec=link),
        constant(4, "port name", text.encode(name), codec=text, aliases=("name",)),
        constant(7, "node address", encode_epath((node,)), codec=Raw()),
    ]
