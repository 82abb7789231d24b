"""Sessions that begin as a client's and go wrong: bytes turned, frames cut, doubled, left out and out of order, lengths
that lie, and all of it in pieces of any size.

What is said was logged from pycomm3 and pylogix (`tests/frames`): open, browse, read, write, close, and PCCC. Every
session is made from a seed of its own, so one that breaks something can be run again alone.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable

from tests.soak.plant import LOGIX, MICROLOGIX
from tests.soak.session import Gone, connect, connected, forward_open, frame, register, reply, unconnected
from tests.vectors import read_vectors

OPENINGS = ("large_forward_open", "micrologix_forward_open", "forward_close")
CLEAN_START = 0.8
"""Share of the sessions whose first frames are right, so that what follows is looked at."""


def _requests(file: str, wanted: Callable[[str], bool]) -> list[bytes]:
    return [vector.data for name, vector in read_vectors(file).items() if wanted(name) and name not in OPENINGS]


Spoil = Callable[[random.Random, list[bytes]], None]
"""Changes the frames of a session."""

CONVERSATIONS = {
    "pycomm3": (LOGIX, _requests("pycomm3_requests", lambda name: not name.startswith("pccc"))),
    "pylogix": (LOGIX, _requests("pylogix_requests", lambda name: True)),
    "pccc": (MICROLOGIX, _requests("pccc", lambda name: not name.endswith("_reply"))),
}


def run(sessions: int, seed: int) -> Counter[str]:
    """So many sessions; how each of them ended. Raises `TimeoutError` when the node no longer answers at all."""
    ends: Counter[str] = Counter()
    for number in range(sessions):
        ends[one(random.Random(f"{seed}/{number}"))] += 1
    return ends


def one(chance: random.Random) -> str:
    """One session: `answered` when something came back, else `silent`, `closed` or `reset` by the node."""
    name = chance.choices(tuple(CONVERSATIONS), (45, 45, 10))[0]
    host, requests = CONVERSATIONS[name]
    with connect(host) as link:
        try:
            pieces = _pieces(chance, _stream(chance, link, requests, name == "pccc"))
            for piece in pieces:
                link.sendall(piece)
            return _drain(chance, link)
        except (Gone, ConnectionError):
            return "closed while it spoke"


def _stream(chance: random.Random, link: socket.socket, requests: list[bytes], small: bool) -> bytes:
    """The bytes of the session, spoilt; sends the first frames itself where they are to be right."""
    handle, ident = chance.randbytes(4), chance.randbytes(4)
    frames = []
    opening = forward_open(chance, not small, 500 if small else 4000)
    if chance.random() < CLEAN_START:
        handle = register(link)
        link.sendall(unconnected(handle, opening))
        opened = reply(link)
        ident = opened[44:48] if opened[42:43] == b"\0" else ident
    else:
        frames += [frame(0x65, bytes(4), b"\1\0\0\0"), unconnected(handle, opening)]
    start, count = chance.randrange(len(requests)), chance.randint(1, 6)
    for number, request in enumerate((requests * 2)[start : start + count], 1):
        over = chance.random() < 0.6
        frames.append(connected(handle, ident, number, request) if over else unconnected(handle, request))
    if chance.random() < 0.2:
        frames.append(frame(chance.choice((0x66, 0x63, 0x04, 0x64, 0x01, 0x00, 0x72)), handle, b""))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        chance.choice(SPOIL)(chance, frames)
    return b"".join(frames)


def _flip(chance: random.Random, frames: list[bytes]) -> None:
    place = chance.randrange(len(frames))
    data = bytearray(frames[place] or b"\0")
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] ^= chance.randint(1, 255)
    frames[place] = bytes(data)


def _flip_inside(chance: random.Random, frames: list[bytes]) -> None:
    """Within the CIP message, so that the frame itself stays whole."""
    place = chance.randrange(len(frames))
    data = bytearray(frames[place])
    if len(data) > 41:
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(40, len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.getrandbits(8)))
        frames[place] = bytes(data)


def _cut(chance: random.Random, frames: list[bytes]) -> None:
    place = chance.randrange(len(frames))
    frames[place] = frames[place][: chance.randrange(len(frames[place]) + 1)]


def _cut_whole(chance: random.Random, frames: list[bytes]) -> None:
    """With the length of the frame and of its last item put right."""
    place = chance.randrange(len(frames))
    data = frames[place]
    if len(data) > 44:
        data = data[: chance.randrange(40, len(data))]
        at = 42 if data[:2] == b"\x70\0" else 38
        inner = struct.pack("<H", max(0, len(data) - at - 2)) if len(data) >= at + 2 else b""
        data = data[:at] + inner + data[at + len(inner) :]
        frames[place] = data[:2] + struct.pack("<H", len(data) - 24) + data[4:]


def _double(chance: random.Random, frames: list[bytes]) -> None:
    frames.insert(chance.randrange(len(frames) + 1), chance.choice(frames))


def _swap(chance: random.Random, frames: list[bytes]) -> None:
    chance.shuffle(frames)


def _drop(chance: random.Random, frames: list[bytes]) -> None:
    frames[chance.randrange(len(frames))] = b""


def _garbage(chance: random.Random, frames: list[bytes]) -> None:
    frames.insert(chance.randrange(len(frames) + 1), chance.randbytes(chance.choice((1, 5, 24, 60, 700))))


def _lie(chance: random.Random, frames: list[bytes]) -> None:
    """The length in the header."""
    place = chance.randrange(len(frames))
    length = chance.choice((0, 1, 3, 15, 0xFFFF, chance.getrandbits(16), chance.getrandbits(8)))
    frames[place] = frames[place][:2] + struct.pack("<H", length) + frames[place][4:]


def _splice(chance: random.Random, frames: list[bytes]) -> None:
    """The end of one frame behind the beginning of another."""
    one, other = chance.choice(frames), chance.choice(frames)
    frames.append(one[: chance.randrange(len(one) + 1)] + other[chance.randrange(len(other) + 1) :])


SPOIL: tuple[Spoil, ...] = (
    *(_flip, _flip_inside, _flip_inside, _cut, _cut_whole, _cut_whole),
    *(_double, _swap, _drop, _garbage, _lie, _splice),
)


def _pieces(chance: random.Random, data: bytes) -> list[bytes]:
    """The same bytes in one to eight pieces."""
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 0, 1, 2, 7))))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b]


def _drain(chance: random.Random, link: socket.socket) -> str:
    """Hangs up in one of three ways, and says what came before."""
    way = chance.choice(("at once", "reset", "to the end", "to the end"))
    if way == "reset":
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return "left by a reset"
    if way == "at once":
        return "left at once"
    got = 0
    with contextlib.suppress(OSError):  # the node has reset it: what it said before is there still
        link.shutdown(socket.SHUT_WR)
    while more := link.recv(65536):
        got += len(more)
    return "answered" if got else "closed without an answer"
