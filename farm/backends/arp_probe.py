"""Who has these addresses already? Asked of a real segment by ARP, before any of them is given to a node.

The questions are probes: their sender's address is 0.0.0.0, so that they change nobody's cache (RFC 5227, 2.1.1).
An address is taken when a frame has it as its sender's, or when somebody else probes for it at the same time.

    Ethernet  target MAC 6 | sender MAC 6 | 0x0806
    ARP       hardware 1 | protocol 0x0800 | 6 | 4 | operation u16 | sender MAC 6, IP 4 | target MAC 6, IP 4
"""

import socket
import struct
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

ARP = 0x0806
REQUEST = 1
BROADCAST = b"\xff" * 6
NOBODY = bytes(4)
_HEAD = struct.Struct("!6s6sH")
_BODY = struct.Struct("!HHBBH6s4s6s4s")
_OUTGOING = 4
_ALL = 3
LENGTH = _HEAD.size + _BODY.size

ROUNDS = 3
"""Probes for each address (RFC 5227: PROBE_NUM)."""
PAUSE = 0.5
"""Seconds from the last probe of a round to the next round; RFC 5227 has one to two, for hosts that start together."""
WAIT = 1.0
"""Seconds after the last round."""
SPACING = 0.001
"""Seconds from one probe to the next: a segment is not flooded."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a segment told within the time of the probes: owners of the addresses that were asked for, as address to
    MAC (`02:fa:00:00:00:01`), and every MAC that anything was sent from."""

    owners: Mapping[str, str]
    stations: Collection[str]


def probe(interface: str, addresses: Collection[str], others: Collection[str] = ()) -> Heard:
    """Asks on `interface` of the calling thread's namespace who has `addresses`, and once for each of `others`, so that
    whoever is there shows itself. Takes two seconds, and a millisecond or two for each question. Needs CAP_NET_RAW.
    Raises `OSError`."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind((interface, _ALL))
        own: bytes = link.getsockname()[4]
        wanted = {socket.inet_aton(address): address for address in addresses}
        owners: dict[str, str] = {}
        stations: set[str] = set()
        for number in range(ROUNDS):
            for raw in [*wanted, *(socket.inet_aton(other) for other in others if number == 0)]:
                link.send(encode_probe(own, raw))
                _listen(link, SPACING, own, wanted, owners, stations)
            _listen(link, PAUSE if number + 1 < ROUNDS else WAIT, own, wanted, owners, stations)
    return Heard(owners, frozenset(stations))


def encode_probe(sender: bytes, address: bytes) -> bytes:
    """The frame that asks who has `address`."""
    body = _BODY.pack(1, 0x0800, 6, 4, REQUEST, sender, NOBODY, bytes(6), address)
    return _HEAD.pack(BROADCAST, sender, ARP) + body


def decode_claims(frame: bytes, own: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(address, MAC) of what the sender of an ARP frame has, or is about to take; nothing of any other frame."""
    if len(frame) < LENGTH or _HEAD.unpack_from(frame)[2] != ARP:
        return
    hardware, protocol, _, _, operation, mac, sender, _, target = _BODY.unpack_from(frame, _HEAD.size)
    if hardware != 1 or protocol != 0x0800 or mac == own:
        return
    if sender != NOBODY:
        yield sender, mac
    elif operation == REQUEST:
        yield target, mac


def _listen(
    link: socket.socket,
    seconds: float,
    own: bytes,
    wanted: Mapping[bytes, str],
    owners: dict[str, str],
    stations: set[str],
) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        link.settimeout(left)
        try:
            frame, place = link.recvfrom(2048)
        except TimeoutError:
            return
        source = frame[6:12]
        if place[2] == _OUTGOING or source == own or len(frame) < _HEAD.size:
            continue  # what this machine sends, nodes that are joined already among it
        stations.add(source.hex(":"))
        for address, mac in decode_claims(frame, own):
            if address in wanted:
                owners.setdefault(wanted[address], mac.hex(":"))
