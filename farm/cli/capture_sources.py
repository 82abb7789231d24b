"""Where packets of a node or a network can be seen, best first: in its own network namespace, with everything that is
on its wire; else by the node itself, which knows the payloads and makes frames of them again (`node.capture`).
"""

import contextlib
import os
import time
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from farm.backends.netns_packets import NetworkSocket
from farm.backends.packet_socket import PacketSocket
from farm.cli.node_choice import choose
from farm.cli.terminal import note
from farm.cli.wire_access import running_plant
from farm.errors import BackendError, FarmError
from farm.supervisor.link import Link
from farm.topology.wiring import NetworkSpec
from node.capture.pcap import Packet

OWN_NAMESPACE = Path("/proc/self/ns/net")
INTERVAL = 0.2
"""Seconds between two questions to a node."""


class Source(Protocol):
    """Something that shows packets."""

    @property
    def lost(self) -> int:
        """Those that it could not keep."""

    def fetch(self, seconds: float) -> list[Packet]:
        """What has passed since the last time; waits `seconds` at most. Raises `FarmError`."""

    def close(self) -> None:
        """Ends it; `lost` is final then."""


def find_source(link: Link, target: str) -> Source:
    """Where the packets of the network `target`, or of the node, or of nodes that match a pattern, can be seen. Raises
    `FarmError`."""
    networks = {network.name: network for network in running_plant(link).networks}
    rows = link.ask("ps")["rows"]
    if target in networks and not any(row["name"] == target for row in rows):
        return _network_source(link, networks[target])
    names = choose(rows, [target], link.run.name, "node or network")
    if len(names) == 1:
        row = next(row for row in rows if row["name"] == names[0])
        namespace = _namespace(row["pid"] or 0)
        if namespace is not None:
            try:
                return PacketSocket(names[0], namespace)
            except BackendError as exc:
                note(f"{exc}; the node itself is asked")
    return TapSource(link, names)


def _network_source(link: Link, network: NetworkSpec) -> Source:
    """The bridges of the network, which are where the supervisor is."""
    namespace = _namespace(int(link.ask("status")["pid"]))
    failure = FarmError(f"{network.name}: its bridge is not to be seen from here")
    for address in filter(None, (network.watch, network.host)):
        try:
            return NetworkSocket(network.name, namespace, address)
        except BackendError as exc:
            failure = exc
    raise failure


def _namespace(pid: int) -> Path | None:
    """The network namespace of a process, None when it is this process's own or cannot be seen."""
    path = Path(f"/proc/{pid}/ns/net")
    with contextlib.suppress(OSError):
        if pid and os.readlink(path) != os.readlink(OWN_NAMESPACE):  # noqa: PTH115
            return path
    return None


class TapSource:
    """What nodes say that passed through them. One that was started anew is asked anew."""

    def __init__(self, link: Link, nodes: Sequence[str]) -> None:
        self._link = link
        self._lost = dict.fromkeys(nodes, 0)
        self._lost_before = 0
        self._ids: dict[str, int | None] = {}
        try:
            for node in nodes:
                self._ids[node] = self._start(node)
        except FarmError:
            self.close()
            raise

    @property
    def lost(self) -> int:
        """Payloads that nodes had no room for."""
        return self._lost_before + sum(self._lost.values())

    def fetch(self, seconds: float) -> list[Packet]:
        """Asks every node, after a while."""
        time.sleep(min(seconds, INTERVAL))
        packets: list[Packet] = []
        for node in self._ids:
            packets += self._read(node)
        return sorted(packets, key=lambda packet: packet.time)

    def close(self) -> None:
        """Has the nodes look no more."""
        for node, number in self._ids.items():
            if number is not None:
                with contextlib.suppress(FarmError):
                    self._command(node, f"capture/{number}/stop")

    def _start(self, node: str) -> int:
        return int(self._command(node, "capture/start")["id"])

    def _read(self, node: str) -> list[Packet]:
        packets: list[Packet] = []
        more = True
        while more:
            number = self._ids[node]
            try:
                if number is None:
                    number = self._ids[node] = self._start(node)
                answer = self._command(node, f"capture/{number}/read")
            except FarmError:
                self._lost_before += self._lost[node]
                self._lost[node], self._ids[node] = 0, None
                break
            packets += [Packet(int(when), a2b_base64(frame)) for when, frame in answer["packets"]]
            self._lost[node] = int(answer["lost"])
            more = bool(answer["more"])
        return packets

    def _command(self, node: str, path: str) -> Mapping[str, Any]:
        value = self._link.ask("command", node=node, path=path, value=None)["value"]
        if not isinstance(value, dict):
            raise FarmError(f"{node}: {path} was answered with {value!r:.80}")
        return value
