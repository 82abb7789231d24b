"""The UDP sockets of a port: the node's own, and those on which broadcasts reach a node that has one address.

A socket that is bound to a unicast address gets no broadcast. So such a node has two more, bound to its segment's
broadcast address and to 255.255.255.255, which it shares with the other nodes of the machine (each gets a copy), and
hears on them what came in by its own interface. It always answers from its own address, and to the asker alone.

A node that is bound to every interface gets broadcasts as they come; the kernel says on which of its addresses.
"""

import asyncio
import contextlib
import logging
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Protocol

from node.exchange.exchange import SEND, Exchange, Unfinished
from node.server.segment import find_segment

Address = tuple[str, int]

EVERYONE = "255.255.255.255"
_ANY = "0.0.0.0"

BATCH = 32
"""Datagrams taken before others have their turn."""

MAX_WAITING = 1024
"""Delayed replies that wait; what comes then is not answered, as a datagram may not be."""

_SIZE = 65536
_PACKET_INFO = 8 if sys.platform == "linux" else 0
"""IP_PKTINFO, which not every Python names."""
_INFO = struct.Struct("=I4s4s")
"""Interface, the address of this machine that the datagram is for, the one it was sent to."""

log = logging.getLogger(__name__)


class Responder(Protocol):
    """What answers datagrams."""

    def answer(self, data: bytes, asker: Address, local: str, broadcast: bool) -> Exchange:
        """The fate of `data`, which came to the address `local` of the node. Raises `Unfinished` if it takes time."""


class Datagrams:
    """Serves `own`, which is bound, and the segment's broadcasts; it owns the sockets from now on."""

    def __init__(self, own: socket.socket, responder: Responder) -> None:
        self._own = own
        self._host, self._port = own.getsockname()[:2]
        self._responder = responder
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.TimerHandle] = set()
        self._unfinished: set[asyncio.Task[None]] = set()
        self._interface = 0
        self._shared: Sequence[socket.socket] = ()
        if self._host == _ANY and _PACKET_INFO:
            own.setsockopt(socket.IPPROTO_IP, _PACKET_INFO, 1)
            self._loop.add_reader(own, self._receive_any)
        else:
            self._loop.add_reader(own, self._receive_own)
            self._hear_broadcasts()

    @property
    def broadcasts(self) -> list[str]:
        """The broadcast addresses it hears by sockets of their own."""
        return [sock.getsockname()[0] for sock in self._shared]

    @property
    def owes(self) -> bool:
        """Whether a reply waits for its time."""
        return bool(self._waiting or self._unfinished)

    def retire(self) -> None:
        """Hears no more; replies that wait are still sent."""
        for sock in (self._own, *self._shared):
            self._loop.remove_reader(sock)

    def close(self) -> None:
        """Closes all; replies that wait are not sent."""
        for timer in self._waiting:
            timer.cancel()
        self._waiting.clear()
        for task in tuple(self._unfinished):
            task.cancel()
        for sock in (self._own, *self._shared):
            self._loop.remove_reader(sock)
            sock.close()

    def _hear_broadcasts(self) -> None:
        """A node that hears none serves all the same."""
        segment = find_segment(self._host) if _PACKET_INFO and ":" not in self._host else None
        if segment is None:
            return
        self._interface = segment.interface
        shared = []
        for address in (segment.broadcast, EVERYONE):
            if address:
                try:
                    shared.append(_shared_socket(address, self._port))
                except OSError as exc:
                    log.info("%s:%d: broadcasts to %s are not heard: %s", self._host, self._port, address, exc.strerror)
        for sock in shared:
            self._loop.add_reader(sock, self._receive_broadcast, sock)
        self._shared = shared

    def _receive_own(self) -> None:
        for _ in range(BATCH):
            try:
                data, asker = self._own.recvfrom(_SIZE)
            except OSError:  # nothing more, or an earlier reply found nobody
                return
            data = b"%b" % data  # before the next read: see `peer.RECEIVE`
            self._answer(data, asker, self._host if self._host != _ANY else _facing(asker), False)

    def _receive_any(self) -> None:
        for _ in range(BATCH):
            try:
                data, ancillary, _, asker = self._own.recvmsg(_SIZE, socket.CMSG_SPACE(_INFO.size))
            except OSError:
                return
            data = b"%b" % data
            _, local, destination = _packet_info(ancillary)
            self._answer(data, asker, socket.inet_ntoa(local), local != destination)

    def _receive_broadcast(self, sock: socket.socket) -> None:
        for _ in range(BATCH):
            try:
                data, ancillary, _, asker = sock.recvmsg(_SIZE, socket.CMSG_SPACE(_INFO.size))
            except OSError:
                return
            data = b"%b" % data
            if _packet_info(ancillary)[0] == self._interface:
                self._answer(data, asker, self._host, True)

    def _answer(self, data: bytes, asker: Address, local: str, broadcast: bool) -> None:
        try:
            exchange = self._responder.answer(data, asker, local, broadcast)
        except Unfinished as unfinished:
            task = self._loop.create_task(self._answer_later(unfinished, asker, local))
            self._unfinished.add(task)
            task.add_done_callback(self._unfinished.discard)
            return
        self._deliver(exchange, asker, local)

    async def _answer_later(self, unfinished: Unfinished, asker: Address, local: str) -> None:
        self._deliver(await unfinished.rest, asker, local)

    def _deliver(self, exchange: Exchange, asker: Address, local: str) -> None:
        reply = exchange.reply
        if reply is None or exchange.action != SEND:
            return
        if exchange.delay <= 0:
            self._send(reply, asker, local)
        elif len(self._waiting) < MAX_WAITING:
            self._send_later(exchange.delay, reply, asker, local)

    def _send_later(self, delay: float, reply: bytes, asker: Address, local: str) -> None:
        def due() -> None:
            self._waiting.discard(timer)
            self._send(reply, asker, local)

        timer = self._loop.call_later(delay, due)
        self._waiting.add(timer)

    def _send(self, reply: bytes, asker: Address, local: str) -> None:
        """From the address that was asked. What cannot be sent now is lost, as datagrams are."""
        with contextlib.suppress(OSError):
            if self._host == _ANY and _PACKET_INFO:
                info = _INFO.pack(0, socket.inet_aton(local), bytes(4))
                self._own.sendmsg([reply], [(socket.IPPROTO_IP, _PACKET_INFO, info)], 0, asker)
            else:
                self._own.sendto(reply, asker)


def _shared_socket(address: str, port: int) -> socket.socket:
    """Bound to a broadcast address, beside others that are. Raises `OSError`."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IP, _PACKET_INFO, 1)
        sock.bind((address, port))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _facing(asker: Address) -> str:
    """The address this machine would send from to `asker`, where the kernel does not say which was asked."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(asker)
        return str(probe.getsockname()[0])
    return _ANY


def _packet_info(ancillary: Sequence[tuple[int, int, bytes]]) -> tuple[int, bytes, bytes]:
    """Interface, local address and destination of a datagram."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == _PACKET_INFO and len(data) >= _INFO.size:
            interface, local, destination = _INFO.unpack_from(data)
            return interface, local, destination
    return 0, bytes(4), bytes(4)
