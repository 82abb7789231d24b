"""Every frame of a network namespace, as the kernel shows it to root (packet(7)); Linux alone.

The socket stays in the namespace it was made in, so this process need not be inside.
"""

import contextlib
import fcntl
import select
import socket
import struct
from pathlib import Path

from farm.backends.netns_spaces import inside
from farm.errors import BackendError
from node.capture.pcap import LONGEST, Packet

ALL = 0x0003
"""ETH_P_ALL."""
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS = 263, 1, 6
PROMISCUOUS = 1
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
SIOCGIFADDR = 0x8915
LOOPBACK = "lo"

KEPT = 16 << 20
"""Bytes that the kernel keeps for us; what comes then it counts as lost."""
BATCH = 256
"""Frames taken at a time."""
ROOM = socket.CMSG_SPACE(16)


class PacketSocket:
    """What passes through the interfaces of a namespace, or through the `interface` of that name alone, or the one that
    has `address` (a bridge shows all that is on it). Raises `BackendError` when it cannot be seen."""

    def __init__(self, name: str, namespace: Path | None, address: str = "", *, interface: str = "") -> None:
        self.lost = 0
        self._name = name

        def make() -> socket.socket:
            return _open(_interface_with(address) if address else interface)

        try:
            self._sock = make() if namespace is None else inside(namespace, make)
        except PermissionError as exc:
            raise BackendError(name, "capture", "this user may not see its packets; root may") from exc
        except OSError as exc:
            raise BackendError(name, "capture", str(exc)) from exc

    def fileno(self) -> int:
        """The socket's descriptor, to be waited for."""
        return self._sock.fileno()

    def fetch(self, seconds: float) -> list[Packet]:
        """What has passed since the last time; waits for something, `seconds` at most. Raises `BackendError`."""
        if not select.select([self._sock], [], [], seconds)[0]:
            return []
        packets: list[Packet] = []
        try:
            while len(packets) < BATCH:
                data, ancillary, _, place = self._sock.recvmsg(LONGEST, ROOM)
                if place[0] != LOOPBACK:
                    packets.append(Packet(_time(ancillary), data))
        except BlockingIOError:
            pass
        except OSError as exc:  # the interface is gone
            raise BackendError(self._name, "capture", str(exc)) from exc
        return packets

    def close(self) -> None:
        """Counts what was lost, and ends it."""
        with contextlib.suppress(OSError):
            statistics = self._sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
            self.lost += struct.unpack("=II", statistics)[1]
        self._sock.close()


def _open(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0 if interface else socket.htons(ALL))
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, KEPT)
        if interface:
            wanted = struct.pack("=iHH8s", socket.if_nametoindex(interface), PROMISCUOUS, 0, b"")
            sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, wanted)
            sock.bind((interface, ALL))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _interface_with(address: str) -> str:
    wanted = socket.inet_aton(address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(sock, SIOCGIFADDR, struct.pack("16s24x", name.encode()))
                if answer[20:24] == wanted:
                    return name
    raise OSError(f"no interface has the address {address}")


def _time(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(data) >= 16:
            seconds, nanoseconds = struct.unpack_from("=qq", data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return 0
