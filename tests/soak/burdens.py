"""Clients that wear a node out without a wrong byte: connections opened and left, sessions that say nothing, and bytes
that come one a second."""

from __future__ import annotations

import contextlib
import random
import resource
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator

from tests.soak.session import REGISTER, Gone, connect, forward_open, read, register, reply, unconnected

TOO_MANY = (0x0113, 0x011A)
"""Out of connections: of the node's, of this socket's share."""


def abandon_opens(host: str, count: int, seed: int) -> Counter[str]:
    """So many Forward Opens and not one Forward Close: on sockets that go on for hundreds of them, and on sockets that
    are dropped after a few, by a close or by a reset. Raises `AssertionError` for an answer that is none of two."""
    chance = random.Random(seed)
    answers: Counter[str] = Counter()
    left = count
    while left > 0:
        many = min(left, chance.choice((1, 2, 5, 8, 300)))
        left -= many
        with connect(host) as link:
            handle = register(link)
            for _ in range(many):
                link.sendall(unconnected(handle, forward_open(chance, chance.random() < 0.5, 500)))
                answers[_answer(reply(link)[40:])] += 1
            if chance.random() < 0.5:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return answers


def _answer(cip: bytes) -> str:
    if cip[2] == 0:
        return "opened"
    status = int.from_bytes(cip[4:6], "little")
    if cip[2] != 1 or status not in TOO_MANY:
        raise AssertionError(f"a Forward Open was answered {cip.hex()}")
    return f"refused 0x{status:04X}"


@contextlib.contextmanager
def idle(host: str, count: int) -> Iterator[list[socket.socket]]:
    """So many registered sessions that say nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 200)), hard))
    links: list[socket.socket] = []
    try:
        for _ in range(count):
            links.append(connect(host))
            register(links[-1])
        yield links
    finally:
        for link in links:
            link.close()


def still_there(links: list[socket.socket]) -> int:
    """How many of them the node has not closed."""
    poll = select.poll()
    for link in links:
        poll.register(link, select.POLLIN)
    return len(links) - len(poll.poll(0))


def drip(host: str, clients: int, seconds: float, pause: float = 1.0) -> Counter[str]:
    """So many clients that send a byte every `pause` seconds, of a session and a read; one that is hung up on comes
    back. A third of them send whole requests instead and never read what they get."""
    deadline = time.monotonic() + seconds
    saw: Counter[str] = Counter()
    links = [_Dripping(host, number % 3 == 0) for number in range(clients)]
    while time.monotonic() < deadline:
        for link in links:
            saw[link.send()] += 1
        time.sleep(pause)
    for link in links:
        link.close()
    return saw


class _Dripping:
    """One such client."""

    def __init__(self, host: str, greedy: bool) -> None:
        self._host = host
        self._greedy = greedy
        self._open()

    def _open(self) -> None:
        self._link = connect(self._host)
        self._data = REGISTER + unconnected(bytes(4), read("GOOD"))
        self._sent = 0
        if self._greedy:
            handle = register(self._link)
            self._data = unconnected(handle, bytes.fromhex("4c0491034249470028006400")) * 200
        self._link.setblocking(False)

    def send(self) -> str:
        """What became of the next byte, or of the next two hundred requests."""
        try:
            if self._greedy:
                return "sent requests" if self._link.send(self._data) else "nothing"
            self._link.send(self._data[self._sent % len(self._data) :][:1])
            self._sent += 1
            return "sent a byte"
        except BlockingIOError:
            return "held back"
        except (OSError, Gone):
            self.close()
            self._open()
            return "hung up on"

    def close(self) -> None:
        """Ends it."""
        self._link.close()
