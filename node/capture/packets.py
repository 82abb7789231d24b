"""Ethernet frames around what a node received and sent, as they would have been on a wire of its own.

A node sees payloads: the kernel keeps headers to itself. Analysers want frames, so they are made again: a TCP
connection with its handshake (RFC 9293), sequence numbers and checksums (RFC 1071), datagrams as one frame each. MACs
are made from the addresses: 02:fa and the address's last four bytes.
"""

import struct
from ipaddress import ip_address

from node.record import dataclass

MTU = 1500
ETHERTYPE_IPV4, ETHERTYPE_IPV6 = 0x0800, 0x86DD
TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

_TTL = 64
_WINDOW = 0xFFFF
_WINDOW_SHIFT = 7
_MAC = b"\x02\xfa"
_TCP_HEADER = struct.Struct("!HHIIBBHHH")


@dataclass(frozen=True, slots=True)
class End:
    """One end of a conversation: an IPv4 or IPv6 address in its packed form, and a port."""

    address: bytes
    port: int

    @classmethod
    def of(cls, address: str, port: int) -> "End":
        """From text; an IPv4 address that was mapped into IPv6 counts as what it is. Raises `ValueError`."""
        return cls(ip_address(address.removeprefix("::ffff:")).packed, port)


class Connection:
    """A TCP connection between two ends, as frames. Each frame acknowledges all that came before it."""

    def __init__(self, client: End, server: End) -> None:
        self._ends = (client, server)
        room = MTU - _TCP_HEADER.size - (20 if len(client.address) == 4 else 40)
        self._room = room
        self._sent = [0, 0]
        """Sequence number of the next byte of client and server."""
        self._number = 0

    def open(self) -> list[bytes]:
        """The handshake."""
        options = struct.pack("!BBHBBBB", 2, 4, self._room, 1, 3, 3, _WINDOW_SHIFT)
        first = self._segment(0, SYN, b"", options)
        self._sent[0] += 1
        second = self._segment(1, SYN | ACK, b"", options)
        self._sent[1] += 1
        return [first, second, self._segment(0, ACK, b"")]

    def send(self, sender: int, payload: bytes) -> list[bytes]:
        """`payload` from the client (`sender` 0) or the server (1), in as many segments as it takes."""
        frames = []
        for at in range(0, len(payload), self._room):
            piece = payload[at : at + self._room]
            last = at + self._room >= len(payload)
            frames.append(self._segment(sender, ACK | PSH if last else ACK, piece))
            self._sent[sender] = self._sent[sender] + len(piece) & 0xFFFFFFFF
        return frames

    def close(self, sender: int) -> list[bytes]:
        """The end, begun by `sender`."""
        frames = []
        for side in (sender, 1 - sender):
            frames.append(self._segment(side, FIN | ACK, b""))
            self._sent[side] = self._sent[side] + 1 & 0xFFFFFFFF
        return [*frames, self._segment(sender, ACK, b"")]

    def reset(self, sender: int) -> list[bytes]:
        """The end at once, by `sender` alone."""
        return [self._segment(sender, RST | ACK, b"")]

    def _segment(self, sender: int, flags: int, payload: bytes, options: bytes = b"") -> bytes:
        source, target = self._ends[sender], self._ends[1 - sender]
        self._number = self._number + 1 & 0xFFFF
        acknowledged = self._sent[1 - sender] if flags & ACK else 0
        offset = (_TCP_HEADER.size + len(options)) // 4 << 4
        header = (source.port, target.port, self._sent[sender], acknowledged, offset, flags, _WINDOW)
        segment = _TCP_HEADER.pack(*header, 0, 0) + options + payload
        total = checksum(_pseudo_header(source, target, TCP, len(segment)) + segment)
        segment = _TCP_HEADER.pack(*header, total, 0) + options + payload
        return _frame(source, target, TCP, segment, self._number)


def datagram(source: End, target: End, payload: bytes) -> bytes:
    """A UDP datagram as one frame, however long."""
    length = 8 + len(payload)
    body = struct.pack("!HHHH", source.port, target.port, length, 0) + payload
    total = checksum(_pseudo_header(source, target, UDP, length) + body) or 0xFFFF
    return _frame(source, target, UDP, body[:6] + total.to_bytes(2, "big") + payload, 0)


def checksum(data: bytes) -> int:
    """The Internet checksum of `data` (RFC 1071); 0 over data that contains its own right one."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


def _pseudo_header(source: End, target: End, protocol: int, length: int) -> bytes:
    tail = (
        struct.pack("!BBH", 0, protocol, length) if len(source.address) == 4 else struct.pack("!II", length, protocol)
    )
    return source.address + target.address + tail


def _frame(source: End, target: End, protocol: int, body: bytes, number: int) -> bytes:
    macs = _MAC + target.address[-4:] + _MAC + source.address[-4:]
    if len(source.address) == 16:
        header = struct.pack("!IHBB", 6 << 28, len(body), protocol, _TTL) + source.address + target.address
        return macs + ETHERTYPE_IPV6.to_bytes(2, "big") + header + body
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number, 0x4000, _TTL, protocol, 0)
    header += source.address + target.address
    header = header[:10] + checksum(header).to_bytes(2, "big") + header[12:]
    return macs + ETHERTYPE_IPV4.to_bytes(2, "big") + header + body
