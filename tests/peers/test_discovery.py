"""Controllers are found by broadcast, as clients do it: each answers once, from its own address only."""

from __future__ import annotations

import json
import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.namespaces import Lan, lan

pytestmark = [pytest.mark.net, pytest.mark.root, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PORT = 44818
ONE, TWO, NEIGHBOUR, ALL = "10.91.0.11", "10.91.0.12", "10.91.0.13", "10.91.0.14"
OTHER_SUBNET = "10.92.0.11"
SEGMENT = [ONE, TWO, NEIGHBOUR, ALL]
"""ONE and NEIGHBOUR are nodes of one host, TWO is alone on its own, ALL is bound to every interface of a third."""

PYLOGIX = """
import json
from pylogix import PLC
found = PLC().Discover().Value
print(json.dumps([[each.IPAddress, each.ProductName, each.SerialNumber] for each in found]))
"""

PYCOMM3 = """
import json
from pycomm3 import CIPDriver
found = CIPDriver.discover()
print(json.dumps([[each["ip_address"], each["product_name"], each["serial"]] for each in found]))
"""

SENDERS = """
import json, socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
for request in sys.argv[3:]:
    sock.sendto(bytes.fromhex(request), (sys.argv[1], 44818))
found = []
try:
    while True:
        sock.settimeout(30 if len(found) < int(sys.argv[2]) else 1)  # and then for one too many
        data, sender = sock.recvfrom(2000)
        found.append([data.hex(), sender[0], sender[1]])
except TimeoutError:
    print(json.dumps(found))
"""

SWITCHED = """
import asyncio, json, os, socket, sys
from node.server.ports import Ports
from tests.server.serving import Node

async def main():
    node = Node(host=sys.argv[1], port=44818)
    ports = Ports({"enip": node.listener})
    seen = []

    def look():
        datagrams = node.listener._datagrams
        descriptors = len(os.listdir("/proc/self/fd"))
        seen.append([descriptors - before, datagrams[0].broadcasts if datagrams else None])

    before = len(os.listdir("/proc/self/fd"))
    await ports.open()
    look()
    for on in (False, True, False, True, True):
        ports.switch(on)
        await ports.settled()
        look()
    await ports.close()
    look()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((sys.argv[2], 44818))
        before += 1
        await ports.open()
        look()
        await ports.close()
    print(json.dumps([seen, ports.error]))

asyncio.run(main())
"""

LIST_IDENTITY = "63000000" + "00" * 8 + "0102030405060708" + "00000000"
LIST_SERVICES = "04000000" + "00" * 20
SEND_RR_DATA = "6f000000" + "00" * 20
REPLY = "63000200" + "00" * 20 + "0000"


@pytest.fixture(scope="module")
def network() -> Iterator[Lan]:
    with lan() as made:
        made.host("one", f"{ONE}/24", f"{NEIGHBOUR}/24")
        made.host("two", f"{TWO}/24")
        made.host("all", f"{ALL}/24")
        made.host("far", f"{OTHER_SUBNET}/24")
        made.host("client", "10.91.0.1/24")
        nodes = [
            start(made, "one", ONE),
            start(made, "one", NEIGHBOUR),
            start(made, "two", TWO),
            start(made, "all", ""),
            start(made, "far", OTHER_SUBNET),
        ]
        for node in nodes:
            ready(node)
        yield made
        for node in nodes:
            node.terminate()
        codes = [(node.wait(60), node.communicate()) for node in nodes]
        assert codes == [(0, ("", ""))] * len(nodes)


def start(network: Lan, host: str, address: str) -> subprocess.Popen[str]:
    command = network.command(host, sys.executable, "-m", "node", "enip", "-a", f"{address}:{PORT}", "SCADA=INT[1000]")
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def ready(node: subprocess.Popen[str]) -> None:
    assert node.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(node.stdout, selectors.EVENT_READ)
        assert selector.select(30), "not ready within 30 s"
    assert node.stdout.readline().startswith("EtherNet/IP controller"), node.communicate()[1]


def ask(
    network: Lan, host: str, address: str, *requests: str, replies: int = len(SEGMENT)
) -> list[tuple[bytes, str, int]]:
    """What comes back to a socket that sends `requests` to a broadcast address; so many are waited for."""
    found = json.loads(network.inside(host, sys.executable, "-c", SENDERS, address, str(replies), *requests))
    return [(bytes.fromhex(data), sender, port) for data, sender, port in found]


def ip_in(reply: bytes) -> str:
    """The address in an identity item."""
    return ".".join(map(str, reply[36:40]))


@pytest.mark.parametrize("script", [PYLOGIX, PYCOMM3], ids=["pylogix", "pycomm3"])
def test_a_client_discovers_every_controller_of_its_segment(network: Lan, script: str) -> None:
    found = json.loads(network.inside("client", sys.executable, "-c", script))
    by_address = {address: name for address, name, _ in found}
    assert {address: by_address.get(address) for address in SEGMENT} == dict.fromkeys(SEGMENT, "1756-L61/B LOGIX5561")
    assert len({serial for _, _, serial in found}) == len({address for address, _, _ in found})


def test_cpppo_lists_identities_by_broadcast(network: Lan) -> None:
    python = Path(os.environ.get("CPPPO_PYTHON", ROOT / ".venv-cpppo/bin/python"))
    if not python.exists():
        pytest.skip("cpppo is not installed: make test puts it into .venv-cpppo")
    options = ("--udp", "--broadcast", "--list-identity", "-a", "10.91.0.255")
    said = network.inside("client", str(python), "-m", "cpppo.server.enip.client", *options)
    assert [address for address in SEGMENT if address not in said] == []


@pytest.mark.parametrize("address", ["10.91.0.255", "255.255.255.255"])
def test_our_client_lists_all_by_broadcast_until_the_time_is_over(network: Lan, address: str) -> None:
    """The 2016 manual's own example of it (2.1.4), in our name."""
    asked = ("--udp", "--broadcast", "--list-services", "--list-identity", "--list-interfaces", "-t", "2")
    begun = time.monotonic()
    said = network.inside("client", sys.executable, "-m", "node", "enip-client", *asked, "-a", address)
    assert time.monotonic() - begun >= 2
    for title in ("List Services", "List Identity", "List Interfaces"):
        peers = re.findall(rf"^{title} 0 from \('(.+)', {PORT}\): {{$", said, re.M)
        assert sorted(peer for peer in peers if peer in SEGMENT) == SEGMENT
    sent = re.findall(r'"item\[0\]\.identity_object\.sin_addr": "(.+)"', said)
    assert sorted(peer for peer in sent if peer in SEGMENT) == SEGMENT


def test_a_segment_s_broadcast_is_answered_once_by_each_from_its_own_address(network: Lan) -> None:
    replies = ask(network, "client", "10.91.0.255", LIST_IDENTITY)
    assert sorted((sender, port) for _, sender, port in replies) == [(address, PORT) for address in SEGMENT]
    assert [ip_in(data) for data, sender, _ in replies] == [sender for _, sender, _ in replies]
    assert {data[12:20].hex() for data, _, _ in replies} == {"0102030405060708"}


def test_a_broadcast_to_everyone_is_answered_so_too(network: Lan) -> None:
    replies = ask(network, "client", "255.255.255.255", LIST_IDENTITY)
    assert sorted(sender for _, sender, _ in replies if sender in SEGMENT) == SEGMENT
    assert [ip_in(data) for data, sender, _ in replies] == [sender for _, sender, _ in replies]


def test_a_host_hears_its_own_broadcasts(network: Lan) -> None:
    assert sorted(sender for _, sender, _ in ask(network, "one", "10.91.0.255", LIST_IDENTITY)) == SEGMENT


def test_nothing_but_the_list_commands_is_answered_to_everyone(network: Lan) -> None:
    assert len(ask(network, "client", "10.91.0.255", LIST_SERVICES)) == len(SEGMENT)
    assert ask(network, "client", "10.91.0.255", SEND_RR_DATA, REPLY, "ff" * 24, "", "00", replies=0) == []


def test_another_interface_s_broadcasts_are_not_a_node_s_own(network: Lan) -> None:
    """A second interface of the same host, on no segment of the node's."""
    network.inside("one", "ip", "link", "add", "side0", "type", "veth", "peer", "side1")
    network.inside("one", "ip", "address", "add", "10.93.0.1/24", "dev", "side0")
    network.inside("one", "ip", "link", "set", "side0", "up")
    network.inside("one", "ip", "link", "set", "side1", "up")
    network.inside("one", "ip", "route", "replace", "default", "dev", "side0")
    try:
        assert ask(network, "one", "255.255.255.255", LIST_IDENTITY, replies=0) == []
    finally:
        network.inside("one", "ip", "route", "replace", "default", "dev", "eth0")
        network.inside("one", "ip", "link", "delete", "side0")


def test_ports_that_go_and_come_take_their_broadcasts_along(network: Lan) -> None:
    """And a broadcast address that somebody else holds is no fault of the node."""
    open_, closed = [4, ["10.91.0.255", "255.255.255.255"]], [0, None]
    script = network.inside("client", sys.executable, "-c", SWITCHED, "10.91.0.1", "10.91.0.255")
    assert json.loads(script) == [[open_, closed, open_, closed, open_, open_, closed, [3, ["255.255.255.255"]]], None]


def test_an_address_alone_hears_what_goes_to_everyone(network: Lan) -> None:
    network.inside("client", "ip", "address", "add", "10.94.0.1/32", "dev", "eth0")
    script = network.inside("client", sys.executable, "-c", SWITCHED, "10.94.0.1", "255.255.255.255")
    seen, _ = json.loads(script)
    assert seen[0] == [3, ["255.255.255.255"]]
    assert seen[-1] == [2, []]
