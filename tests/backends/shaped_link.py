"""A node's link in namespaces of its own, and what it does to traffic: bits a second, shares lost, seconds late.

The switch's namespace has a bridge a network, with an address from which a client measures; the node's an interface in
each.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from farm.backends.netns_shape import shape
from farm.backends.netns_spaces import Spaces, inside
from farm.topology.wiring import LinkQuality, Shaping

T = TypeVar("T")

WHY_NOT = "" if sys.platform == "linux" and os.geteuid() == 0 else "network namespaces need root"
PORTS = ("p0", "p1")
INTERFACES = ("eth0", "eth1")
CLIENT = ("10.64.250.254", "10.64.251.254")
NODE = ("10.64.250.1", "10.64.251.1")
LENGTH, HEADERS = 1400, 42
"""Bytes of a datagram, and those of UDP, IPv4 and Ethernet before it, which a rate counts too."""
SO_RCVBUFFORCE = 33
"""A receive buffer beyond the system's limit; Python has no name for it."""


class ShapedLink:
    """Two namespaces, the bridge between them, and what was measured through it."""

    def __init__(self) -> None:
        self._spaces = Spaces(f"shape-{uuid.uuid4().hex}")
        self._spaces.prepare()
        self.switch = self._spaces.pin("switch")
        self.node = self._spaces.pin("node.PLC7")
        self._spaces.make("node.PLC7", _no_ipv6)
        self._spaces.make("switch", self._wire)

    def remove(self) -> None:
        """Takes both away."""
        for name in self._spaces.names():
            self._spaces.drop(name)

    def shape(self, quality: LinkQuality) -> Shaping:
        """As a backend would."""
        return shape(self.switch, PORTS, self.node, INTERFACES, quality)

    def at_client(self, work: Callable[[], T]) -> T:
        """What `work` does in the switch's namespace."""
        return inside(self.switch, work)

    def at_node(self, work: Callable[[], T]) -> T:
        """What `work` does in the node's namespace."""
        return inside(self.node, work)

    def state(self) -> str:
        """All queueing disciplines and rules there are, on both sides, without counters."""

        def look() -> str:
            queues = subprocess.check_output(["tc", "qdisc", "show"], text=True)
            rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=False)
            return queues + rules.stdout

        return self.at_client(look) + self.at_node(look)

    def connection(self, number: int = 0) -> tuple[socket.socket, socket.socket]:
        """A TCP connection from the client to the node's interface `number`: both ends, each with a time limit."""
        listener = self.at_node(lambda: socket.create_server((NODE[number], 0)))
        with listener:
            client = self.at_client(lambda: socket.create_connection(listener.getsockname(), 10))
            node, _ = listener.accept()
        for end in (client, node):
            end.settimeout(10)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client, node

    def rate(self, towards: bool, asked: int, seconds: float = 1.0, number: int = 0) -> float:
        """Bits a second on the wire that get through of twice as many as `asked`, their beginning left out."""
        receiver = self._datagrams(not towards, number)
        sender = self._datagrams(towards, number)
        with receiver, sender:
            ended = threading.Event()
            pour = threading.Thread(target=_pour, args=(sender, receiver.getsockname(), 2 * asked, ended))
            pour.start()
            try:
                receiver.settimeout(5)
                begun = time.perf_counter()
                while time.perf_counter() - begun < seconds / 4:
                    receiver.recv(LENGTH)
                begun, count = time.perf_counter(), 0
                while (taken := time.perf_counter() - begun) < seconds:
                    count += len(receiver.recv(LENGTH)) + HEADERS
            finally:
                ended.set()
                pour.join()
        return count * 8 / taken

    def loss(self, towards: bool, count: int = 8000, number: int = 0) -> float:
        """Per cent of so many datagrams that never came."""
        receiver = self._datagrams(not towards, number)
        sender = self._datagrams(towards, number)
        with receiver, sender:
            receiver.settimeout(0.3)
            target = receiver.getsockname()
            came: list[bytes] = []
            ended = threading.Event()

            def receive() -> None:
                last = False
                while not last:
                    last = ended.is_set()
                    with contextlib.suppress(TimeoutError):
                        while True:
                            came.append(receiver.recv(100))

            thread = threading.Thread(target=receive)
            thread.start()
            for sent in range(count):
                sender.sendto(b"datagram", target)
                if sent % 50 == 49:
                    time.sleep(0.001)  # so that no buffer on the way overflows
            ended.set()
            thread.join()
        return 100 * (count - len(came)) / count

    def round_trip(self, count: int = 20, number: int = 0) -> list[float]:
        """Seconds of so many exchanges of 40 bytes over one connection, in order of length."""
        client, node = self.connection(number)
        times = []
        with client, node:
            for _ in range(count):
                begun = time.perf_counter()
                client.sendall(b"x" * 40)
                node.sendall(node.recv(100))
                client.recv(100)
                times.append(time.perf_counter() - begun)
        return sorted(times)

    def _datagrams(self, at_client: bool, number: int) -> socket.socket:
        def bound() -> socket.socket:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
            made.bind(((CLIENT if at_client else NODE)[number], 0))
            return made

        return self.at_client(bound) if at_client else self.at_node(bound)

    def _wire(self) -> None:
        _no_ipv6()
        for number, (port, interface) in enumerate(zip(PORTS, INTERFACES, strict=True)):
            self._ip(
                f"link add br{number} type bridge",
                f"address add {CLIENT[number]}/24 dev br{number}",
                f"link set br{number} up",
                f"link add {port} type veth peer {interface} netns {self.node.name}",
                f"link set {port} master br{number} up",
                f"-n {self.node.name} address add {NODE[number]}/24 dev {interface}",
                f"-n {self.node.name} link set {interface} up",
            )

    @staticmethod
    def _ip(*commands: str) -> None:
        for command in commands:
            subprocess.run(["ip", *command.split()], check=True, capture_output=True)


def _no_ipv6() -> None:
    for part in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{part}/disable_ipv6").write_text("1")


def _pour(sender: socket.socket, target: tuple[str, int], rate: int, ended: threading.Event) -> None:
    """Sends `rate` bits a second until `ended`."""
    sender.setblocking(False)
    begun, sent = time.perf_counter(), 0
    while not ended.wait(0.002):
        due = int((time.perf_counter() - begun) * rate / 8)
        while sent < due:
            sent += LENGTH + HEADERS
            with contextlib.suppress(BlockingIOError):
                sender.sendto(bytes(LENGTH), target)


@contextlib.contextmanager
def shaped_link() -> Iterator[ShapedLink]:
    """Such a link, gone afterwards."""
    link = ShapedLink()
    try:
        yield link
    finally:
        link.remove()
