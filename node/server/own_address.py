"""The address that this machine was given on a network: what a node says it is at, where an engine placed it."""

import fcntl
import ipaddress
import socket
import struct

SIOCGIFADDR = 0x8915
REQUEST = struct.Struct("256s")
"""An ifreq(7) begins with the name of an interface; its IPv4 address is in bytes 20 to 24 of the answer."""


def own_address(network: str) -> str:
    """The first IPv4 address of an interface that is in `network` (`10.1.0.7/24`), "" where there is none."""
    subnet = ipaddress.ip_network(network, strict=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(sock.fileno(), SIOCGIFADDR, REQUEST.pack(name.encode()[:15]))
            except OSError:
                continue  # it has no address
            address = socket.inet_ntoa(answer[20:24])
            if ipaddress.ip_address(address) in subnet:
                return address
    return ""
