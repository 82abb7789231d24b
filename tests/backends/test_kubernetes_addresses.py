"""Addresses of services: the file's own where the range has it, else its low bits, and never one twice."""

import ipaddress
from dataclasses import replace

import pytest

from farm.backends.kubernetes_addresses import cluster_addresses, onward_range, parse_range
from farm.errors import FarmError
from tests.backends.contract import a_node

RANGE = parse_range("10.96.0.0/12")


def given(*addresses: str, services: ipaddress.IPv4Network = RANGE) -> list[str]:
    nodes = [replace(a_node(1, f"n{number}"), address=address) for number, address in enumerate(addresses)]
    return list(cluster_addresses(nodes, services).values())


@pytest.mark.parametrize(
    ("addresses", "found"),
    [
        (["10.97.3.4"], ["10.97.3.4"]),
        (["10.20.1.7", "192.168.5.6"], ["10.100.1.7", "10.104.5.6"]),
        (["10.0.0.1", "10.16.0.10"], ["10.96.0.16", "10.96.0.17"]),  # the cluster's own
        (["10.20.1.7", "10.100.1.7"], ["10.100.1.8", "10.100.1.7"]),  # whose it is in the file has it
        (["10.20.1.7", "10.36.1.7", "10.52.1.7"], ["10.100.1.7", "10.100.1.8", "10.100.1.9"]),
        (["10.15.255.254", "10.31.255.254", "10.47.255.255"], ["10.111.255.254", "10.96.0.16", "10.96.0.17"]),
    ],
)
def test_where_nodes_are(addresses: list[str], found: list[str]) -> None:
    assert given(*addresses) == found


def test_an_address_stays_when_others_come_and_go() -> None:
    everybody = [f"10.20.{number // 200}.{number % 200 + 1}" for number in range(800)]
    assert given(*everybody[400:]) == given(*everybody)[400:]


def test_a_full_range_is_used_to_the_last_and_then_refused() -> None:
    small = parse_range("10.43.7.0/26")
    addresses = [f"172.16.{number}.5" for number in range(47)]
    found = given(*addresses, services=small)
    assert sorted(map(ipaddress.IPv4Address, found)) == [small[number] for number in range(16, 63)]
    with pytest.raises(
        FarmError, match=r"^48 nodes need as many addresses, and 10.43.7.0/26 has 47: use a larger range$"
    ):
        given(*addresses, "172.16.99.5", services=small)


@pytest.mark.parametrize(
    ("onward", "found"),
    [
        ("", ""),
        ("10.10.0.0/16", "10.106.0.0/16"),
        ("10.98.0.0/16", "10.98.0.0/16"),
        ("10.0.0.0/8", "10.96.0.0/12"),
        ("10.20.1.64/26", "10.100.1.64/26"),
    ],
)
def test_where_messages_are_sent_on_to(onward: str, found: str) -> None:
    assert onward_range(onward, RANGE) == found
