"""A plant's network on a real segment, which here is a veth pair: one end is the machine's interface, a PC has the
other. Nothing is seen there before the two are joined, and the interface is as it was afterwards."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends import arp_probe
from farm.backends.makers import MAKERS, maker_of
from farm.backends.netns_spaces import inside
from farm.backends.netns_uplink import leave, uplink_port
from farm.errors import BackendError
from tests.backends.real_segment import NETWORK, NODES, PC, REAL, Segment, ip
from tests.backends.shaped_link import WHY_NOT
from tests.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wire without latency needs less patience."""
    monkeypatch.setattr(arp_probe, "PAUSE", 0.1)
    monkeypatch.setattr(arp_probe, "WAIT", 0.2)


@contextlib.contextmanager
def frames(space: Path, interface: str) -> Iterator[list[bytes]]:
    """Every frame that passes an interface meanwhile, either way."""
    seen: list[bytes] = []
    tap = inside(space, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
    with tap:
        tap.bind((interface, 3))
        tap.setblocking(False)
        yield seen
        with contextlib.suppress(BlockingIOError):
            while True:
                seen.append(tap.recv(2048))


def talk(segment: Segment) -> None:
    """A connection between the nodes, and a broadcast."""
    target = (NODES["b"][0], 44818)
    listener = inside(segment.node("b"), lambda: socket.create_server(target))
    with listener, inside(segment.node("a"), lambda: socket.create_connection(target, 5)) as link:
        link.sendall(b"hello")
    with inside(segment.node("a"), lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        caller.sendto(b"who?", ("10.64.252.255", 44818))


def test_nothing_is_on_the_wire_before_it_is_joined(segment: Segment) -> None:
    with frames(segment.machine, REAL) as seen:
        talk(segment)
    assert seen == []
    segment.join()
    with frames(segment.machine, REAL) as seen:
        talk(segment)
    assert seen  # or the above would prove nothing


def test_nodes_answer_over_a_real_interface_while_it_is_joined(segment: Segment) -> None:
    assert segment.heard() == {}
    segment.join()
    assert segment.heard() == dict(NODES.values())
    target = (NODES["a"][0], 44818)
    listener = inside(segment.node("a"), lambda: socket.create_server(target))
    with listener, inside(segment.pc, lambda: socket.create_connection(target, 5)) as link:
        served, (client, _) = listener.accept()
        with served:
            served.sendall(b"a node")
            assert (client, link.recv(100)) == (PC, b"a node")
    leave(segment.switch, NETWORK)
    assert segment.heard() == {}


def test_the_interface_is_as_it_was_afterwards(segment: Segment) -> None:
    before = segment.interface()
    segment.join()
    assert segment.interface() != before  # it hears all frames now
    segment.join()
    leave(segment.switch, NETWORK)
    assert segment.interface() == before
    leave(segment.switch, NETWORK)


def test_the_interface_is_as_it_was_when_nobody_is_left_to_part_them(segment: Segment) -> None:
    before = segment.interface()
    segment.join()
    segment.drop_switch()
    until(lambda: segment.interface() == before)


def test_what_will_answer_is_said_before(segment: Segment) -> None:
    assert segment.check() == [
        "network cell on lan1: 2 addresses will answer there",
        "10.64.252.11  a  EtherNet/IP 44818",
        "10.64.252.12  b  EtherNet/IP 44818",
    ]
    assert segment.heard() == {}


def test_nodes_that_are_joined_already_do_not_count_as_strangers(segment: Segment) -> None:
    segment.join()
    stop = threading.Event()

    def announce() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
            link.bind(("eth0", 0))
            mac, address = link.getsockname()[4], socket.inet_aton(NODES["a"][0])
            body = arp_probe._BODY.pack(1, 0x0800, 6, 4, 1, mac, address, bytes(6), address)
            while not stop.wait(0.01):
                link.send(b"\xff" * 6 + mac + b"\x08\x06" + body)

    thread = threading.Thread(target=lambda: inside(segment.node("a"), announce))
    thread.start()
    try:
        assert len(segment.check()) == 3
    finally:
        stop.set()
        thread.join()


def test_an_address_that_is_taken_is_refused_with_its_owner(segment: Segment) -> None:
    inside(segment.pc, lambda: ip(f"address add {NODES['b'][0]}/24 dev pc0", "link set pc0 address 02:00:5e:00:00:01"))
    with pytest.raises(
        BackendError, match=r"cell: check: taken on lan1 already: 10\.64\.252\.12 \(b\) is 02:00:5e:00:00:01"
    ):
        segment.check()


@pytest.mark.parametrize("mac", ["00:00:bc:01:02:03", "5c:88:16:01:02:03", "00:1b:1b:00:00:07", "00:80:f4:12:34:56"])
def test_real_controllers_on_the_segment_are_refused_unless_told(segment: Segment, mac: str) -> None:
    inside(segment.pc, lambda: ip(f"link set pc0 address {mac}"))
    with pytest.raises(
        BackendError, match=rf"lan1 leads to real controllers: {mac} \({maker_of(mac)}\).*--beside-cont"
    ):
        segment.check()
    assert len(segment.check(beside_controllers=True)) == 3


def test_an_interface_that_the_machine_uses_is_refused(segment: Segment) -> None:
    inside(segment.machine, lambda: ip(f"address add 10.64.252.1/24 dev {REAL}"))
    for attempt in (segment.check, segment.join):
        with pytest.raises(BackendError, match=r"uplink lan1 has this machine's own address 10\.64\.252\.1"):
            attempt()
    assert len(segment.check(shared=True)) == 3
    inside(segment.machine, lambda: ip(f"address add {NODES['a'][0]}/24 dev {REAL}"))
    with pytest.raises(BackendError, match=r"10\.64\.252\.11 \(a\) is this machine's own"):
        segment.check(shared=True)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (f"link set {REAL} down", "uplink lan1 is down: ip link set lan1 up"),
        (f"link set {REAL} mtu 1400", "uplink lan1 has an MTU of 1400, the network one of 1500"),
        (f"link set {REAL} name lan2", "uplink lan1 is not there; interfaces of this machine: lan2"),
        (f"link set {REAL} master br9", "uplink lan1 is a port of a bridge"),
    ],
)
def test_an_interface_that_cannot_be_used_is_named(segment: Segment, command: str, error: str) -> None:
    inside(segment.machine, lambda: ip("link add br9 type bridge"))
    if "name" in command:
        inside(segment.machine, lambda: ip("link del br9", f"link set {REAL} down"))
    inside(segment.machine, lambda: ip(command))
    with pytest.raises(BackendError, match=error):
        segment.check()
    with pytest.raises(BackendError, match=error):
        segment.join()


def test_an_interface_with_another_macvlan_is_refused_and_nothing_is_left(segment: Segment) -> None:
    inside(segment.machine, lambda: ip(f"link add link {REAL} name other type macvlan mode bridge"))
    with pytest.raises(BackendError, match=r"cell: create: lan1: .*another macvlan is on it"):
        segment.join()
    assert uplink_port("cell") not in inside(segment.switch, lambda: ip("link show"))


def test_claims_are_read_from_answers_announcements_and_other_probes() -> None:
    own, other, address = b"\x02" * 6, b"\x04" * 6, bytes((10, 0, 0, 1))
    probing = arp_probe.encode_probe(other, address)
    assert list(arp_probe.decode_claims(probing, own)) == [(address, other)]
    assert list(arp_probe.decode_claims(arp_probe.encode_probe(own, address), own)) == []
    reply = probing[:14] + arp_probe._BODY.pack(1, 0x0800, 6, 4, 2, other, address, own, bytes(4))
    assert list(arp_probe.decode_claims(reply, own)) == [(address, other)]
    for end in range(len(reply)):
        assert list(arp_probe.decode_claims(reply[:end], own)) == []
    assert list(arp_probe.decode_claims(reply[:12] + b"\x08\x00" + reply[14:], own)) == []


def test_makers_are_known_by_three_bytes() -> None:
    assert maker_of("00:00:BC:01:02:03") == "Rockwell Automation"
    assert maker_of("02:fa:00:00:00:01") == ""
    ouis = [oui for ouis in MAKERS.values() for oui in ouis.split()]
    assert len(set(ouis)) == len(ouis)
    assert all(len(oui) == 8 and bytes.fromhex(oui.replace(":", "")) for oui in ouis)
