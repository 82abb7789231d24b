"""Packets of a network that is on several bridges: every one of them, and none twice."""

import socket
import time
from collections import Counter
from collections.abc import Callable

import pytest

from farm.backends.netns import NetnsBackend, space_of
from farm.backends.netns_packets import NetworkSocket
from farm.backends.netns_spaces import inside
from farm.backends.netns_switch import SWITCH
from farm.backends.observed import ShardSpec
from node.capture.pcap import Packet
from tests.backends.contract import Run
from tests.backends.networks import LAB, interface, networked

pytestmark = [pytest.mark.net, pytest.mark.root]


def datagram(payload: str, target: str) -> None:
    """Sent from where this runs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.sendto(payload.encode(), (target, 9999))


def heard(source: NetworkSocket, payloads: list[str], seconds: float = 20.0) -> Counter[str]:
    """How often each passed, UDP only: an ICMP message quotes what nobody took. Waits until all have."""
    packets: list[Packet] = []
    give_up = time.monotonic() + seconds
    while set(count(packets, payloads)) != set(payloads) and time.monotonic() < give_up:
        packets += source.fetch(0.2)
    packets += source.fetch(0.3)  # what came twice is there by now
    return count(packets, payloads)


def count(packets: list[Packet], payloads: list[str]) -> Counter[str]:
    datagrams = [packet.data for packet in packets if packet.data[23:24] == b"\x11"]
    return Counter(payload for data in datagrams for payload in payloads if payload.encode() in data)


def test_every_packet_of_several_bridges_is_there_once(netns_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two nodes on the first bridge, two on the second, one on the third, and later one more there."""
    monkeypatch.setattr("farm.backends.netns_networks.PORTS", 2)
    backend = netns_run.backend
    assert isinstance(backend, NetnsBackend)
    backend.create_network(LAB)
    for number in range(1, 6):
        backend.create(ShardSpec(f"plc-{number}", (networked(number),)))
    source = NetworkSocket("lab", backend.spaces.pin(SWITCH), LAB.watch)
    address = {number: interface(LAB, number).address for number in range(1, 7)}
    everybody = LAB.subnet.replace(".0.0/16", ".255.255")

    def from_node(number: int, payload: str, target: str) -> Callable[[], None]:
        return lambda: inside(backend.spaces.pin(space_of(f"plc-{number}")), lambda: datagram(payload, target))

    said = {
        "within the first": from_node(1, "within the first", address[2]),
        "within the second": from_node(3, "within the second", address[4]),
        "first to second": from_node(1, "first to second", address[3]),
        "second to first": from_node(4, "second to first", address[2]),
        "second to third": from_node(3, "second to third", address[5]),
        "from the machine": lambda: datagram("from the machine", address[5]),
        "to the machine": from_node(3, "to the machine", LAB.host),
        "to all": from_node(4, "to all", everybody),
    }
    try:
        for say in said.values():
            say()
        assert heard(source, list(said)) == dict.fromkeys(said, 1)
        backend.create(ShardSpec("plc-6", (networked(6),)))
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up:  # until it is known who is there
            from_node(6, "within the third", address[5])()
            if heard(source, ["within the third"], 0.5):
                break
        from_node(6, "later", address[5])()
        assert heard(source, ["later"]) == {"later": 1}
    finally:
        source.close()
