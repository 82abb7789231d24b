"""Packets of a namespace that this process is not in, and of the bridge that has an address."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends.packet_socket import PacketSocket
from farm.errors import BackendError
from node.capture.pcap import Packet

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="need root for namespaces"),
]

SWITCH, LEFT, RIGHT = (f"t{os.getpid()}-{name}" for name in ("s", "l", "r"))


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)


@pytest.fixture(scope="module")
def lan() -> Iterator[None]:
    """Two namespaces on a bridge in a third, with addresses 10.9.0.1, .2, and .254 on the bridge."""
    for name in (SWITCH, LEFT, RIGHT):
        ip("netns", "add", name)
    try:
        ip("-n", SWITCH, "link", "add", "br0", "type", "bridge")
        ip("-n", SWITCH, "address", "add", "10.9.0.254/24", "dev", "br0")
        ip("-n", SWITCH, "link", "set", "br0", "up")
        for number, name in enumerate((LEFT, RIGHT), 1):
            ip("-n", SWITCH, "link", "add", f"p{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", SWITCH, "link", "set", f"p{number}", "master", "br0", "up")
            ip("-n", name, "address", "add", f"10.9.0.{number}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        for name in (SWITCH, LEFT, RIGHT):
            ip("netns", "delete", name)


def seen(source: PacketSocket, wanted: bytes) -> list[Packet]:
    """UDP packets that hold `wanted`, as soon as there is one (an ICMP message quotes it as well)."""
    for _ in range(50):
        found = [packet for packet in source.fetch(0.2) if packet.data[23:24] == b"\x11" and wanted in packet.data]
        if found:
            return found
    return []


def talk(payload: str) -> None:
    """A datagram from left to right, where nobody listens."""
    program = (
        f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto({payload!r}.encode(), ('10.9.0.2', 9))"
    )
    subprocess.run(["ip", "netns", "exec", LEFT, "python3", "-c", program, payload], check=True, timeout=20)


@pytest.mark.usefixtures("lan")
def test_a_node_and_its_network() -> None:
    node = PacketSocket("left", Path(f"/run/netns/{LEFT}"))
    network = PacketSocket("lan", Path(f"/run/netns/{SWITCH}"), "10.9.0.254")
    try:
        talk("to be seen")
        for source in (node, network):
            (packet,) = seen(source, b"to be seen")
            assert packet.data[12:14] == b"\x08\x00"
            assert packet.time > 1_600_000_000 * 10**9
    finally:
        for source in (node, network):
            source.close()
            assert source.lost == 0


@pytest.mark.usefixtures("lan")
def test_what_is_not_there() -> None:
    with pytest.raises(BackendError, match=r"lan: capture: no interface has the address 10\.9\.0\.99"):
        PacketSocket("lan", Path(f"/run/netns/{SWITCH}"), "10.9.0.99")
    with pytest.raises(BackendError, match=r"nobody: capture: .*No such file"):
        PacketSocket("nobody", Path("/run/netns/no-such-namespace"))
