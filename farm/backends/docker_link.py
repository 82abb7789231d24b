"""A container's cable: the outer ends of its interfaces are taken down and up, so that it sees no carrier and keeps its
addresses, routes and MACs. Docker itself can only take an interface away and make another.

The outer end of an interface is the one whose index is its `iflink`; which is read where root sees it, in the
container's own /sys (interfaces are named eth0, eth1 … there).
"""

import fcntl
import os
import socket
import struct
from pathlib import Path

from farm.errors import BackendError

SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 1
_REQUEST = struct.Struct("16sH22x")
"""ifreq: the interface's name and its flags (netdevice(7))."""


def set_link(node: str, pid: int, *, up: bool) -> None:
    """Takes the links of the process `pid`'s container up or down. Raises `BackendError`, without root too."""
    if os.geteuid() != 0:
        raise BackendError(node, "shape", "root alone can pull a container's cable: run the farm with sudo")
    try:
        outer = [int(path.read_text()) for path in Path(f"/proc/{pid}/root/sys/class/net").glob("eth*/iflink")]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for index in outer:
                _set(control, socket.if_indextoname(index), up)
    except OSError as exc:
        raise BackendError(node, "shape", f"its link cannot be taken {'up' if up else 'down'}: {exc.strerror}") from exc
    if not outer:
        raise BackendError(node, "shape", "its container is on no network: there is no link")


def _set(control: socket.socket, name: str, up: bool) -> None:
    answer = fcntl.ioctl(control, SIOCGIFFLAGS, _REQUEST.pack(name.encode(), 0))
    flags = _REQUEST.unpack(answer)[1]
    fcntl.ioctl(control, SIOCSIFFLAGS, _REQUEST.pack(name.encode(), flags | IFF_UP if up else flags & ~IFF_UP))
