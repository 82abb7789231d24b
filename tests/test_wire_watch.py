"""The watch over the whole session sees what it is there for, wherever it comes from, and nothing else."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends.netns_spaces import Spaces, inside
from tests.backends.shaped_link import WHY_NOT
from tests.conftest import ROOT
from tests.wire_watch import Watch

pytestmark = [pytest.mark.root, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

ELSEWHERE, HERE = "02:00:5e:00:00:01", "02:00:5e:00:00:02"
SYN, SYN_ACK, ACK = 0x02, 0x12, 0x10


def frame(kind: int, body: bytes, target: str = ELSEWHERE, source: str = HERE) -> bytes:
    """Ethernet."""
    return bytes.fromhex((target + source).replace(":", "")) + struct.pack("!H", kind) + body


def ipv4(source: str, target: str, protocol: int, body: bytes, fragment: int = 0) -> bytes:
    """IPv4 on Ethernet, its checksum left out."""
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, fragment, 64, protocol, 0)
    return frame(0x0800, head + addresses + body)


def tcp(source: int, target: int, flags: int) -> bytes:
    """A TCP segment without data between two documentation addresses."""
    return ipv4("192.0.2.1", "198.51.100.1", 6, struct.pack("!HHIIBBHHH", source, target, 0, 0, 0x50, flags, 0, 0, 0))


def udp(source: int, target: int) -> bytes:
    """A datagram without data."""
    return ipv4("192.0.2.1", "198.51.100.1", 17, struct.pack("!HHHH", source, target, 8, 0))


def arp(sender: str, target: str) -> bytes:
    """A question."""
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    return frame(0x0806, head + bytes(6) + socket.inet_aton(sender) + bytes(6) + socket.inet_aton(target))


def ipv6(protocol: int, body: bytes) -> bytes:
    """IPv6 on Ethernet."""
    return frame(0x86DD, struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + bytes(32) + body)


OF_A_PLANT = {
    "from a node's MAC": frame(0x88B5, bytes(46), source="02:fa:00:00:00:01"),
    "to a node's MAC": frame(0x88B5, bytes(46), target="02:fa:00:00:00:01"),
    "from the farm's MAC": frame(0x88B5, bytes(46), source="02:fb:00:00:00:01"),
    "from a plant's subnet": ipv4("10.64.1.1", "192.0.2.1", 1, bytes(8)),
    "to a plant's subnet": ipv4("192.0.2.1", "10.127.255.1", 1, bytes(8)),
    "from loopback": ipv4("127.64.0.1", "192.0.2.1", 1, bytes(8)),
    "who has a node's address": arp("192.0.2.1", "10.65.0.7"),
    "a node announces itself": arp("10.65.0.7", "192.0.2.1"),
    "opens EtherNet/IP": tcp(50000, 44818, SYN),
    "accepts EtherNet/IP": tcp(44818, 50000, SYN_ACK),
    "opens Modbus": tcp(50000, 502, SYN),
    "asks for identities": udp(50000, 44818),
    "implicit messages": udp(2222, 2222),
    "implicit messages over IPv6": ipv6(17, struct.pack("!HHHH", 2222, 2222, 8, 0)),
}
OF_OTHERS = {
    "a ping": ipv4("192.0.2.1", "198.51.100.1", 1, bytes(8)),
    "who has another's address": arp("192.0.2.1", "192.0.2.2"),
    "opens a download": tcp(50000, 443, SYN),
    "opens a download from our port": tcp(44818, 8080, SYN),
    "accepts it": tcp(8080, 44818, SYN_ACK),
    "a download to our port": tcp(443, 44818, ACK),
    "a name server's answer to our port": udp(53, 44818),
    "a piece of a datagram": ipv4("192.0.2.1", "198.51.100.1", 17, struct.pack("!HHHH", 1, 44818, 8, 0), 0x0010),
    "IPv6 of others": ipv6(17, struct.pack("!HHHH", 5353, 5353, 8, 0)),
    "too short": frame(0x0800, b"\x45"),
}


@pytest.fixture
def wire() -> Iterator[Path]:
    """A namespace whose interface `real0` leads to `far0` in the same one."""
    spaces = Spaces(f"watch-{uuid.uuid4().hex}")
    spaces.prepare()

    def make() -> None:
        Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
        for command in ("link add real0 type veth peer far0", "link set real0 up", "link set far0 up"):
            subprocess.run(["ip", *command.split()], check=True)
        subprocess.run(["ip", "route", "add", "default", "dev", "real0"], check=True)

    spaces.make("machine", make)
    try:
        yield spaces.pin("machine")
    finally:
        spaces.drop("machine")


def put(interface: str, *frames: bytes) -> None:
    """Sends frames, in the calling thread's namespace."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind((interface, 0))
        for data in frames:
            link.send(data)


@pytest.mark.parametrize("end", ["real0", "far0"], ids=["leaves", "comes in"])
def test_what_is_of_a_plant_is_seen(wire: Path, end: str) -> None:
    watch = inside(wire, lambda: Watch(["real0"]))
    for what, data in OF_A_PLANT.items():
        inside(wire, lambda data=data: put(end, data))
        (line,) = watch.seen()
        assert line.startswith("real0: "), what
    watch.close()


def test_what_is_of_others_is_not(wire: Path) -> None:
    watch = inside(wire, lambda: Watch(["real0"]))
    inside(wire, lambda: put("far0", *OF_OTHERS.values()))
    assert watch.seen() == []
    watch.close()


def test_the_machines_own_subnet_is_no_sign(wire: Path) -> None:
    inside(wire, lambda: subprocess.run(["ip", "address", "add", "10.65.0.1/24", "dev", "real0"], check=True))
    watch = inside(wire, lambda: Watch(["real0"]))
    inside(wire, lambda: put("far0", arp("10.65.0.7", "10.65.0.1"), OF_A_PLANT["opens EtherNet/IP"]))
    (line,) = watch.seen()
    assert "port 44818" in line
    watch.close()


TESTS = """
import contextlib
import socket

def test_that_sends():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        with contextlib.suppress(OSError):
            link.sendto(b"x", ("{target}", {port}))
"""


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize(
    ("target", "port", "code"),
    [("10.64.0.9", 9, 1), ("255.255.255.255", 44818, 1), ("198.51.100.1", 9, 0)],
)
def test_a_session_with_traffic_of_a_plant_fails(
    wire: Path, tmp_path: Path, target: str, port: int, code: int, workers: str
) -> None:
    (tmp_path / "tests").mkdir()
    for name in ("__init__.py", "conftest.py", "side_by_side.py", "wire_watch.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests")
    (tmp_path / "tests" / "test_one.py").write_text(TESTS.format(target=target, port=port))
    command = [
        "nsenter",
        f"--net={wire}",
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "xdist",
    ]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # some take seconds to load
    done = subprocess.run(
        [*command, "-n", workers, str(tmp_path)], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("on the machine's own interfaces" in done.stdout) == bool(code)
    assert "1 passed" in done.stdout
