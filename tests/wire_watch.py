"""Whether anything of a plant was ever seen on the machine's own wires: a watch over a whole test session.

A packet socket on each interface that the machine had at the beginning, but for loopback and bridges with their ports,
with a filter in the kernel: what does not look like a plant's costs a few instructions and is never copied. What passes
is judged once more at the end, here, and makes the session fail. Only root may watch.

A frame is a plant's when it has a MAC of ours (02:fa of nodes, 02:fb of the farm), an address out of a plant's subnets,
loopback's or those of tests, or when it opens a connection to a port that controllers serve, or is a datagram to one.
Whatever the machine itself is part of (its own MAC and subnet, where its gateway and its name servers are) is no sign.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

SUBNETS = (
    "10.64.0.0/10",
    "127.0.0.0/8",
    "10.20.0.0/16",
    "10.90.0.0/15",
    "10.92.0.0/14",
    "10.9.0.0/16",
    "10.230.0.0/16",
)
"""127.64.0.0/10 where it is on networks of their own, loopback, and what tests take besides."""
MACS = (0x02FA, 0x02FB)
PORTS = (44818, 2222, 502, 1502)
WELL_KNOWN = 1024
TCP, UDP = 6, 17
_SYN, _ACK = 0x02, 0x10
IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
VIRTUAL = ("lo", "veth", "pf-")
SHOWN = 10
_ALL = 3
_SO_ATTACH_FILTER = 26
_GET_ADDRESS, _GET_MASK = 0x8915, 0x891B
_ADDRESS = struct.Struct("16s24x")

# Classic BPF (linux/filter.h): load word, half or byte at an offset; load the IP header's length; jump; and; return.
LD_W, LD_H, LD_B, LD_H_IND, LDX_IP, JEQ, JSET, AND, RET = 0x20, 0x28, 0x30, 0x48, 0xB1, 0x15, 0x45, 0x54, 0x06
ACCEPT, REJECT = "accept", "reject"
Step = tuple[int, int, str, str]
"""An instruction: code, operand, and where a jump goes when it holds and when not: a label, "" for the next one."""


class Watch:
    """What is seen on some interfaces of the calling thread's namespace, from now on."""

    def __init__(self, interfaces: Sequence[str]) -> None:
        self._signs = {name: Signs(name) for name in interfaces}
        self._taps: dict[str, socket.socket] = {}
        for name, signs in self._signs.items():
            tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self._taps[name] = tap
            _attach(tap, assemble([(RET, 0, "", "")]))  # nothing, until it is bound to one interface
            tap.bind((name, _ALL))
            _attach(tap, assemble(signs.filter()))
            tap.setblocking(False)

    def seen(self) -> list[str]:
        """A line for each frame of a plant since it was asked last."""
        found = []
        for name, tap in self._taps.items():
            for frame in _frames(tap):
                reason = self._signs[name].of_a_plant(frame)
                if reason:
                    found.append(f"{name}: {reason}: {frame[:64].hex()}")
        return found

    def close(self) -> None:
        """Ends it."""
        for tap in self._taps.values():
            tap.close()


class Signs:
    """By what a plant's frames are known on one interface."""

    def __init__(self, interface: str) -> None:
        own = [*_subnets_of(interface), *_servers()]
        mac = _mac_of(interface)
        self.subnets = [net for net in map(ipaddress.IPv4Network, SUBNETS) if not any(net.overlaps(one) for one in own)]
        self.macs = [start for start in MACS if not mac.startswith(start.to_bytes(2, "big"))]

    def of_a_plant(self, frame: bytes) -> str:
        """Why a frame is a plant's, "" when it is not."""
        for start in (0, 6):
            if int.from_bytes(frame[start : start + 2], "big") in self.macs:
                return f"MAC {frame[start : start + 6].hex(':')}"
        kind = int.from_bytes(frame[12:14], "big")
        places = {IPV4: (26, 30), ARP: (28, 38)}.get(kind, ())
        for place in places:
            raw = frame[place : place + 4]
            if len(raw) == 4 and any(ipaddress.IPv4Address(raw) in net for net in self.subnets):
                return f"address {ipaddress.IPv4Address(raw)}"
        if kind not in (IPV4, IPV6):
            return ""
        protocol, at = (frame[23], 14 + (frame[14] & 15) * 4) if kind == IPV4 else (frame[20], 54)
        if protocol not in (TCP, UDP) or (kind == IPV4 and int.from_bytes(frame[20:22], "big") & 0x1FFF):
            return ""
        source, target = (int.from_bytes(frame[place : place + 2], "big") for place in (at, at + 2))
        if protocol == TCP:
            flags = frame[at + 13] if len(frame) > at + 13 else 0
            served = (source if flags & _ACK else target) if flags & _SYN else 0
        else:
            served = target if source >= WELL_KNOWN else 0  # a name server's answer may go to any port
        return f"port {served}" if served in PORTS else ""

    def filter(self) -> list[Step | str]:
        """The same, a little coarser, for the kernel; texts are labels."""
        steps: list[Step | str] = []
        for offset in (0, 6):
            steps.append((LD_H, offset, "", ""))
            steps += [(JEQ, start, ACCEPT, "") for start in self.macs]
        steps += [(LD_H, 12, "", ""), (JEQ, IPV4, "ipv4", ""), (JEQ, ARP, "arp", ""), (JEQ, IPV6, "ipv6", REJECT)]
        steps += ["arp", *self._in_subnets(28), *self._in_subnets(38), (RET, 0, "", "")]
        steps += ["ipv4", *self._in_subnets(26), *self._in_subnets(30)]
        steps += [(LD_B, 23, "", ""), (JEQ, 6, "ports", ""), (JEQ, 17, "ports", REJECT)]
        steps += ["ports", (LD_H, 20, "", ""), (JSET, 0x1FFF, REJECT, ""), (LDX_IP, 14, "", "")]
        for offset in (14, 16):
            steps += [(LD_H_IND, offset, "", ""), *((JEQ, port, ACCEPT, "") for port in PORTS)]
        steps += [(RET, 0, "", ""), "ipv6"]
        for offset in (54, 56):
            steps += [(LD_H, offset, "", ""), *((JEQ, port, ACCEPT, "") for port in PORTS)]
        return [*steps, REJECT, (RET, 0, "", ""), ACCEPT, (RET, 0x40000, "", "")]

    def _in_subnets(self, offset: int) -> Iterator[Step]:
        for net in self.subnets:
            yield LD_W, offset, "", ""
            yield AND, int(net.netmask), "", ""
            yield JEQ, int(net.network_address), ACCEPT, ""


def assemble(steps: Sequence[Step | str]) -> bytes:
    """A program for the kernel: each instruction is code u16, two relative jumps u8, operand u32."""
    labels: dict[str, int] = {}
    program: list[Step] = []
    for step in steps:
        if isinstance(step, str):
            labels[step] = len(program)
        else:
            program.append(step)
    out = []
    for at, (code, operand, true, false) in enumerate(program):
        jumps = [labels[label] - at - 1 if label else 0 for label in (true, false)]
        out.append(struct.pack("=HBBI", code, *jumps, operand))
    return b"".join(out)


def own_interfaces() -> list[str]:
    """The interfaces of the calling thread's namespace on which nothing of a plant may ever be: all but loopback, the
    bridges and ports that a container engine has, and the ends of farms that run already."""
    found = []
    with contextlib.suppress(OSError):
        for _, name in socket.if_nameindex():
            folder = Path("/sys/class/net", name)
            if not name.startswith(VIRTUAL) and not (folder / "bridge").exists() and not (folder / "brport").exists():
                found.append(name)
    return found


def may_watch() -> bool:
    """Whether this process may see frames at all."""
    return sys.platform == "linux" and os.geteuid() == 0


def _frames(tap: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield tap.recv(2048)
        except BlockingIOError:
            return
        except OSError as exc:
            if exc.errno != errno.ENETDOWN:  # told once, of an interface that is or goes down
                raise


def _attach(tap: socket.socket, program: bytes) -> None:
    buffer = ctypes.create_string_buffer(program)
    tap.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program) // 8, ctypes.addressof(buffer)))


def _subnets_of(interface: str) -> Iterator[ipaddress.IPv4Network]:
    request = _ADDRESS.pack(interface.encode())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker, contextlib.suppress(OSError):
        address, mask = (fcntl.ioctl(asker, code, request)[20:24] for code in (_GET_ADDRESS, _GET_MASK))
        yield ipaddress.IPv4Network((address, int.from_bytes(mask, "big").bit_count()), strict=False)


def _servers() -> Iterator[ipaddress.IPv4Network]:
    """The machine's gateways and name servers."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/thread-self/net/route").read_text().splitlines()[1:]:
            gateway = int(line.split()[2], 16)
            if gateway:
                yield ipaddress.IPv4Network(socket.ntohl(gateway))
    with contextlib.suppress(OSError):
        for line in Path("/etc/resolv.conf").read_text().splitlines():
            word, _, address = line.strip().partition(" ")
            with contextlib.suppress(ValueError):
                if word == "nameserver" and not address.startswith("127."):
                    yield ipaddress.IPv4Network(address.strip())


def _mac_of(interface: str) -> bytes:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as asker:
        asker.bind((interface, 0))
        mac: bytes = asker.getsockname()[4]
        return mac
