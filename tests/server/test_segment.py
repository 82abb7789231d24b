"""Where an address's broadcasts go, out of what the kernel says of all addresses."""

import json
import socket
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.server.segment import Segment, decode_answer, encode_request, find_segment

DONE = struct.pack("=IHHIII", 20, 3, 2, 1, 99, 0)


def attribute(kind: int, value: bytes) -> bytes:
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def message(interface: int, address: str, prefix: int, broadcast: str = "", local: str = "") -> bytes:
    """One address as rtnetlink tells it; `address` is the peer's where `local` is another."""
    body = struct.pack("=BBBBI", socket.AF_INET, prefix, 0x80, 0, interface)
    body += attribute(1, socket.inet_aton(address)) + attribute(2, socket.inet_aton(local or address))
    if broadcast:
        body += attribute(4, socket.inet_aton(broadcast))
    body += attribute(3, b"eth0\0")
    return struct.pack("=IHHII", 16 + len(body), 20, 2, 1, 99) + body


ANSWER = b"".join(
    (
        message(1, "127.0.0.1", 8),
        message(1, "10.0.9.9", 32),
        message(7, "192.168.5.20", 24, "192.168.5.255"),
        message(7, "192.168.6.20", 22),
        message(8, "10.8.0.1", 31),
        message(9, "10.9.0.2", 30, local="10.9.0.1"),
        message(10, "10.10.0.1", 32, "10.10.0.255"),
    )
)


@pytest.mark.parametrize(
    ("address", "segment"),
    [
        ("192.168.5.20", Segment(7, "192.168.5.255")),
        ("192.168.6.20", Segment(7, "192.168.7.255")),
        ("10.8.0.1", Segment(8, "")),
        ("10.9.0.1", Segment(9, "10.9.0.3")),
        ("10.9.0.2", None),
        ("10.10.0.1", Segment(10, "10.10.0.255")),
        ("10.0.9.9", None),
        ("127.0.0.1", None),
        ("192.0.2.1", None),
    ],
)
def test_an_address_is_found_with_its_broadcast(address: str, segment: Segment | None) -> None:
    loopback = address in ("10.0.9.9", "127.0.0.1")
    assert decode_answer(ANSWER, address) == (segment, segment is None and not loopback)
    assert decode_answer(ANSWER + DONE, address)[0] == segment


def test_the_last_part_of_an_answer_ends_the_search() -> None:
    assert decode_answer(ANSWER, "192.0.2.1") == (None, True)
    assert decode_answer(DONE, "192.0.2.1") == (None, False)
    assert decode_answer(struct.pack("=IHHIIi", 20, 2, 0, 1, 99, -1), "192.0.2.1") == (None, False)
    assert decode_answer(b"", "192.0.2.1") == (None, False)


@given(st.binary(max_size=100), st.integers(0, len(ANSWER)), st.integers(0, len(ANSWER)))
def test_no_bytes_are_an_error(noise: bytes, start: int, stop: int) -> None:
    found, more = decode_answer(ANSWER[:start] + noise + ANSWER[stop:], "192.168.5.20")
    assert found is None or isinstance(found, Segment)
    assert isinstance(more, bool)


def test_the_request_asks_for_all_ipv4_addresses() -> None:
    assert encode_request() == struct.pack("=IHHIIBBBBI", 24, 22, 0x301, 1, 0, socket.AF_INET, 0, 0, 0, 0)


@pytest.mark.net
def test_nothing_is_found_on_loopback_or_of_another_machine() -> None:
    assert find_segment("127.0.0.1") is None
    assert find_segment("127.64.0.1") is None
    assert find_segment("192.0.2.1") is None


@pytest.mark.net
@pytest.mark.skipif(sys.platform != "linux", reason="rtnetlink is Linux's")
def test_every_address_of_this_machine_is_found_as_ip_shows_it() -> None:
    try:
        shown = subprocess.run(["ip", "-4", "-json", "address"], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("no iproute2")
    for link in json.loads(shown):
        for item in link["addr_info"]:
            found = find_segment(item["local"])
            if "LOOPBACK" in link["flags"]:
                assert found is None
            else:
                assert found is not None
                assert found.interface == link["ifindex"]
                assert found.broadcast == item.get("broadcast", found.broadcast)
