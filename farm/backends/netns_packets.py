"""Every frame of a network once, on however many bridges it is.

A bridge shows all that is on it. What goes from one bridge of a network to another passes the first of them, where it
is seen, and would be seen again on its own; so of what is on a further bridge only that is taken whose both ends are
there. Who is there, the first bridge knows of the port that joins them.
"""

import select
import time
from pathlib import Path

from farm.backends.netns_spaces import inside
from farm.backends.netns_wiring import bridge_name, joint_names
from farm.backends.packet_socket import PacketSocket
from farm.backends.rtnetlink import Rtnetlink
from farm.errors import BackendError
from node.capture.pcap import Packet

LOOK_AGAIN = 1.0
"""Seconds until it is asked anew who is where: nodes are started anew, and put where there is room."""
ADDRESSES = slice(0, 6), slice(6, 12)
"""Where a frame has its target's MAC and its source's."""


class NetworkSocket:
    """What passes through the network `name`, whose first bridge has `address`, in a namespace (None: this one).
    Raises `BackendError` when it cannot be seen."""

    def __init__(self, name: str, namespace: Path | None, address: str) -> None:
        self._name = name
        self._namespace = namespace
        self._first = PacketSocket(name, namespace, address)
        self._further: dict[int, PacketSocket] = {}
        self._there: dict[int, set[bytes]] = {}
        self._look_at = 0.0
        try:
            self._look()
        except BaseException:
            self.close()
            raise

    @property
    def lost(self) -> int:
        """Frames that the kernel had no room for."""
        return sum(source.lost for source in (self._first, *self._further.values()))

    def fetch(self, seconds: float) -> list[Packet]:
        """What has passed since the last time, in order; waits for something, `seconds` at most. Raises
        `BackendError`."""
        if self._further and time.monotonic() >= self._look_at:
            self._look()
        select.select([self._first, *self._further.values()], [], [], seconds)
        packets = self._first.fetch(0)
        for number, source in self._further.items():
            there = self._there.get(number, set())
            packets += [each for each in source.fetch(0) if all(each.data[place] in there for place in ADDRESSES)]
        return sorted(packets, key=lambda packet: packet.time) if self._further else packets

    def close(self) -> None:
        """Counts what was lost, and ends it."""
        for source in (self._first, *self._further.values()):
            source.close()

    def _look(self) -> None:
        """Finds the further bridges, and who is on them."""
        self._look_at = time.monotonic() + LOOK_AGAIN
        joints: dict[int, int] = {}

        def ask() -> list[tuple[int, bytes]]:
            with Rtnetlink() as kernel:
                while (joint := kernel.link(joint_names(self._name, len(joints) + 1)[0])) is not None:
                    joints[joint.index] = len(joints) + 1
                return kernel.stations() if joints else []

        try:
            stations = ask() if self._namespace is None else inside(self._namespace, ask)
        except OSError as exc:
            raise BackendError(self._name, "capture", str(exc)) from exc
        self._there = {number: set() for number in joints.values()}
        for port, mac in stations:
            if port in joints:
                self._there[joints[port]].add(mac)
        for number in self._there.keys() - self._further.keys():
            interface = bridge_name(self._name, number)
            self._further[number] = PacketSocket(self._name, self._namespace, interface=interface)
