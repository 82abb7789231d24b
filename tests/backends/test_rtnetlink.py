"""Messages byte by byte, read by another program's decoder, and answered by a real kernel."""

import errno
import os
import socket
import struct
from collections.abc import Iterator

import pytest

from farm.backends import rtnetlink
from farm.backends.netns_spaces import CLONE_NEWNET, inside, unshare
from farm.backends.rtnetlink import Link, Message, Rtnetlink

MAC = "02:fa:00:00:00:07"

# In the byte order of the machines that the tests run on, written out by hand from the kernel's headers.
VECTORS = {
    "set_link": (rtnetlink.set_link(2, up=True), "10 0005", "00 00 0000 02000000 01000000 01000000"),
    "set_link down": (rtnetlink.set_link(2, up=False), "10 0005", "00 00 0000 02000000 00000000 01000000"),
    "add_address": (
        rtnetlink.add_address(2, "10.65.1.2", 16),
        "14 0605",
        "02 10 00 00 02000000 0800 0200 0a410102 0800 0100 0a410102 0800 0400 0a41ffff",
    ),
    "add_address IPv6": (
        rtnetlink.add_address(3, "fd00::5", 64),
        "14 0605",
        "0a 40 02 00 030000001400 0200 fd000000000000000000000000000005 1400 0100 fd000000000000000000000000000005",
    ),
    "add_route to all": (
        rtnetlink.add_route("0.0.0.0/0", "10.65.255.254"),
        "18 0505",
        "02 00 00 00 fe 03 00 01 00000000 0800 0500 0a41fffe",
    ),
    "add_route": (
        rtnetlink.add_route("10.66.0.0/16", "10.65.0.1", 2),
        "18 0505",
        "02 10 00 00 fe 03 00 01 00000000 0800 0100 0a420000 0800 0500 0a410001 0800 0400 02000000",
    ),
    "add_neighbour": (
        rtnetlink.add_neighbour(2, "10.65.1.2", MAC),
        "1c 0505",
        "02 00 0000 02000000 8000 00 00 0800 0100 0a410102 0a00 0200 02fa00000007 0000",
    ),
    "delete_neighbour": (
        rtnetlink.delete_neighbour(2, "10.65.1.2"),
        "1d 0005",
        "02 00 0000 02000000 0000 00 00 0800 0100 0a410102",
    ),
    "add_station": (
        rtnetlink.add_station(9, MAC),
        "1c 0505",
        "07 00 0000 09000000 c000 02 00 0a00 0200 02fa00000007 0000",
    ),
    "delete_link": (rtnetlink.delete_link("p1.0"), "11 0005", "00 00 0000" + "00" * 12 + "0900 0300 70312e3000 000000"),
    "add_veth": (
        rtnetlink.add_veth("p1.0", "eth0", 5, index=9, inner_index=2, inner_mac=MAC, master=3, mtu=1400),
        "10 0605",
        "00 00 0000 09000000 01000000 01000000"
        "0900 0300 70312e3000 000000"  # name
        "0800 0400 78050000"  # MTU
        "0800 0a00 03000000"  # bridge
        "5000 1200"
        "0900 0100 7665746800 000000"  # kind
        "4000 0200 3c00 0100"  # its data: the peer
        "00 00 0000 02000000 00000000 00000000"
        "0900 0300 6574683000 000000"
        "0800 1c00 05000000"  # namespace
        "0a00 0100 02fa00000007 0000"
        "0800 0400 78050000",
    ),
}


@pytest.mark.skipif(struct.pack("=H", 1) != b"\1\0", reason="vectors are for little-endian machines")
@pytest.mark.parametrize("name", VECTORS)
def test_bytes(name: str) -> None:
    message, start, body = VECTORS[name]
    kind, flags = start.split()
    data = bytes.fromhex(body)
    header = struct.pack("=IHHII", 16 + len(data), int(kind, 16), int(flags, 16), 41, 0)
    assert rtnetlink.encode([message], 41).hex(" ") == (header + data).hex(" ")


def test_several_in_one_send_are_numbered_and_found_again() -> None:
    sent = [rtnetlink.set_link(2, up=True), rtnetlink.add_neighbour(2, "10.65.1.2", MAC)]
    found = list(rtnetlink.decode(rtnetlink.encode(sent, 7)))
    assert [(kind, sequence) for kind, sequence, _ in found] == [(16, 7), (28, 8)]
    assert [body for _, _, body in found] == [message.body for message in sent]
    assert list(rtnetlink.decode_attributes(found[1][2][12:])) == [
        (1, bytes([10, 65, 1, 2])),
        (2, bytes.fromhex("02fa00000007")),
    ]


@pytest.mark.parametrize("cut", range(40))
def test_what_is_cut_off_is_no_message(cut: int) -> None:
    data = rtnetlink.encode([rtnetlink.add_neighbour(2, "10.65.1.2", MAC)], 1)[:cut]
    for _, _, body in rtnetlink.decode(data):
        found = list(rtnetlink.decode_attributes(body[12:]))
        assert (2, bytes.fromhex(MAC.replace(":", ""))) not in found, "its last attribute was not there"


def test_an_error_has_the_kernels_words() -> None:
    header = struct.pack("=IHHII", 32, 16, 5, 1, 0)
    words = rtnetlink.attribute(1, b"no such thing\0")
    assert rtnetlink.decode_error(struct.pack("=i", -22) + header + words) == (22, "no such thing")
    assert rtnetlink.decode_error(struct.pack("=i", 0) + header) == (0, "")


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> Iterator[int]:
    """A descriptor of a namespace of the test's own, with nothing but lo in it."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("need root, to make network namespaces")

    def make() -> int:
        unshare(CLONE_NEWNET)
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    with open("/proc/self/ns/net") as here:  # noqa: PTH123
        made = inside(here.fileno(), make)
    yield made
    os.close(made)


@pytest.mark.root
def test_a_kernel_does_all_of_it(namespace: int) -> None:
    with inside(namespace, Rtnetlink) as kernel:
        peer = rtnetlink.add_veth("out", "in", namespace, index=20, inner_index=30, inner_mac=MAC, mtu=1400)
        kernel.send(
            [
                peer,
                rtnetlink.add_address(30, "10.65.1.2", 16),
                rtnetlink.set_link(30, up=True),
                rtnetlink.add_neighbour(30, "10.65.1.3", "02:fa:00:00:00:09"),
                rtnetlink.add_route("10.99.0.0/16", "10.65.1.3"),
                rtnetlink.set_alias("out", "somebody's"),
            ]
        )
        links = {link.name: link for link in kernel.links()}
        assert links["in"] == Link(30, "in", True, MAC, 1400, 0, 20, "", "veth")
        assert (links["out"].index, links["out"].peer, links["out"].alias) == (20, 30, "somebody's")
        assert kernel.link("out") == links["out"]
        assert kernel.link("nobody") is None
        kernel.send([rtnetlink.switch_link("out", up=False), rtnetlink.delete_link("nobody")])
        assert not next(link for link in kernel.links() if link.name == "out").up

    def seen() -> list[tuple[str, str]]:
        from pyroute2 import IPRoute

        with IPRoute() as other:
            neighbours = [
                (n.get("dst"), n.get("lladdr")) for n in other.get_neighbours(ifindex=30, family=socket.AF_INET)
            ]
            routes = [(r.get("dst"), r.get("gateway")) for r in other.get_routes(family=socket.AF_INET, table=254)]
        return neighbours + routes

    found = inside(namespace, seen)
    assert ("10.65.1.3", "02:fa:00:00:00:09") in found
    assert ("10.99.0.0", "10.65.1.3") in found


@pytest.mark.root
def test_an_error_names_the_message_and_the_others_are_done(namespace: int) -> None:
    with inside(namespace, Rtnetlink) as kernel:
        wrong = [
            rtnetlink.set_link(1, up=True),
            rtnetlink.add_address(77, "10.65.1.2", 16),
            rtnetlink.add_address(1, "10.65.1.2", 16),
        ]
        with pytest.raises(OSError, match=r"add address 10\.65\.1\.2/16: ") as caught:
            kernel.send(wrong)
        assert caught.value.errno == errno.ENODEV
        with pytest.raises(OSError, match="add address") as caught:
            kernel.send(wrong[2:])
        assert caught.value.errno == errno.EEXIST


@pytest.mark.root
def test_more_than_fits_into_one_send(namespace: int) -> None:
    with inside(namespace, Rtnetlink) as kernel:
        many: list[Message] = [rtnetlink.add_address(1, f"10.65.{n // 250}.{n % 250 + 1}", 32) for n in range(500)]
        kernel.send(many)
        with pytest.raises(OSError, match="add address"):
            kernel.send(many[-1:])
