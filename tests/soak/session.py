"""EtherNet/IP from a socket, in plain bytes and without the project's own codecs: what attackers and the good client
say. Nothing here waits longer than `PATIENCE` seconds."""

from __future__ import annotations

import random
import socket
import struct

PATIENCE = 10.0
REGISTER = bytes.fromhex("65000400" + "00" * 20 + "01000000")
MANAGER = b"\x20\x06\x24\x01"
ROUTER = b"\x20\x02\x24\x01"


class Gone(Exception):
    """The node hung up."""


def connect(host: str, port: int = 44818, patience: float = PATIENCE) -> socket.socket:
    """A TCP connection."""
    link = socket.create_connection((host, port), patience)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def receive(link: socket.socket, count: int) -> bytes:
    """So many bytes. Raises `Gone`."""
    data = b""
    while len(data) < count:
        more = link.recv(count - len(data))
        if not more:
            raise Gone(f"closed after {len(data)} of {count} bytes")
        data += more
    return data


def reply(link: socket.socket) -> bytes:
    """One frame."""
    head = receive(link, 24)
    return head + receive(link, int.from_bytes(head[2:4], "little"))


def register(link: socket.socket) -> bytes:
    """A session's handle."""
    link.sendall(REGISTER)
    return reply(link)[4:8]


def frame(command: int, handle: bytes, body: bytes, context: bytes = bytes(8)) -> bytes:
    """An encapsulation frame."""
    return struct.pack("<HH4sI8sI", command, len(body), handle, 0, context, 0) + body


def unconnected(handle: bytes, cip: bytes) -> bytes:
    """SendRRData."""
    return frame(0x6F, handle, struct.pack("<IHHHHHH", 0, 5, 2, 0, 0, 0xB2, len(cip)) + cip)


def connected(handle: bytes, ident: bytes, sequence: int, cip: bytes) -> bytes:
    """SendUnitData."""
    head = struct.pack("<IHHHH4sHHH", 0, 0, 2, 0xA1, 4, ident, 0xB1, 2 + len(cip), sequence & 0xFFFF)
    return frame(0x70, handle, head + cip)


def forward_open(chance: random.Random, large: bool = True, size: int = 4000, target: bytes = ROUTER) -> bytes:
    """A Forward Open for a connection of class 3 that nobody else has."""
    serial, originator, t_o = chance.getrandbits(16), chance.getrandbits(32), chance.getrandbits(32)
    data = struct.pack("<BBIIHHIB3x", 0x0A, 5, 0, t_o, serial, 0x1009, originator, 7)
    if large:
        data += struct.pack("<IIII", 2_113_537, 0x42000000 | size, 2_113_537, 0x42000000 | size)
    else:
        data += struct.pack("<IHIH", 2_113_537, 0x4200 | size, 2_113_537, 0x4200 | size)
    service = 0x5B if large else 0x54
    return bytes((service, 2)) + MANAGER + data + bytes((0xA3, len(target) // 2)) + target


def read(name: str) -> bytes:
    """Read Tag of one element."""
    raw = name.encode()
    path = bytes((0x91, len(raw))) + raw + b"\0" * (len(raw) & 1)
    return bytes((0x4C, len(path) // 2)) + path + b"\1\0"


READ_N17 = bytes.fromhex("4b022067240107091066bbf6560f000100a20211890000")
"""PCCC: the first word of file 17."""
