"""Each wrong request on a live node, on a connection of its own, while a good client reads and sees no error."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.config.load import dump
from node.config.model import (
    EnipConfig,
    IdentityConfig,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    TagConfig,
    UnitConfig,
)
from tests.malformed import enip_cases, modbus_cases, pccc_cases
from tests.malformed.case import CLOSED, SILENT, Case

pytestmark = pytest.mark.net

HOST, ENIP, MODBUS = "127.64.232.1", 44818, 15020
PCCC_HOST = "127.64.232.2"
ROOT = Path(__file__).parents[2]
REGISTER = bytes.fromhex("65000400" + "00" * 20 + "01000000")

NODE = NodeConfig(
    name="target",
    kind="gateway",
    profile="1756-L61",
    address=HOST,
    tags=(
        TagConfig("SCADA", "DINT", (10,)),
        TagConfig("FLAG", "BOOL"),
        TagConfig("LOCKED", "DINT", access="read only"),
        TagConfig("TEXT", "SSTRING", (2,)),
        TagConfig("NAME", "STRING"),
        TagConfig("CUBE", "INT", (2, 3, 4)),
        TagConfig("NUMBERED", "REAL", (4,), address=(0x93, 1, 10)),
        TagConfig("HOLDING", "UINT", (100,), initial=tuple(range(100))),
        TagConfig("FIXED", "UINT", (2,), access="read only"),
        TagConfig("INPUT", "UINT", (10,)),
        TagConfig("COILS", "BOOL", (16,)),
        TagConfig("DISCRETE", "BOOL", (8,)),
    ),
    enip=EnipConfig(IdentityConfig(1, 14, 54, (20, 11), 0x3060, 1, "1756-L61/B LOGIX5561"), port=ENIP),
    modbus=ModbusConfig(
        port=MODBUS,
        units=(
            UnitConfig(
                1,
                (
                    RegisterBlock("holding", 0, 100, "HOLDING"),
                    RegisterBlock("holding", 100, 2, "FIXED"),
                    RegisterBlock("input", 0, 10, "INPUT"),
                    RegisterBlock("coils", 0, 16, "COILS"),
                    RegisterBlock("discrete", 0, 8, "DISCRETE"),
                ),
            ),
        ),
        device_id=((0, "Maker"), (1, "Code"), (2, "1.0")),
    ),
)

MICROLOGIX = NodeConfig(
    name="micrologix",
    kind="logix",
    profile="1766-L32BXB",
    address=PCCC_HOST,
    tags=(
        TagConfig("N7", "INT", (10,)),
        TagConfig("ST9", "SLC_STRING", (2,)),
        TagConfig("L10", "DINT", (4,)),
        TagConfig("N11", "INT", (2,), access="read only"),
    ),
    enip=EnipConfig(IdentityConfig(1, 14, 90, (1, 7), 0x0004, 2, "1766-L32BXBA A/7.00"), port=ENIP, route_path=()),
)


def receive(link: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes, or those that came before the end."""
    data = b""
    while len(data) < count:
        more = link.recv(count - len(data))
        if not more:
            break
        data += more
    return data


def receive_frame(link: socket.socket, head: int, length_at: int, order: str, extra: int) -> bytes:
    """One frame by the length in its header: `extra` bytes more than it says."""
    data = receive(link, head)
    size = int.from_bytes(data[length_at : length_at + 2], order) + extra  # type: ignore[arg-type]
    return data + receive(link, size)


def enip_frame(link: socket.socket) -> bytes:
    return receive_frame(link, 24, 2, "little", 0)


def modbus_frame(link: socket.socket) -> bytes:
    return receive_frame(link, 6, 4, "big", 0)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A node of both protocols."""
    yield from serving(NODE, tmp_path_factory.mktemp("node") / "node.json")


@pytest.fixture(scope="module")
def micrologix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A node that takes PCCC."""
    yield from serving(MICROLOGIX, tmp_path_factory.mktemp("micrologix") / "node.json")


def serving(config: NodeConfig, file: Path) -> Iterator[None]:
    """A lone node, a process of its own, that must end with exit code 0."""
    file.write_text(json.dumps(dump(config)))
    command = [sys.executable, "-m", "node", "run", str(file)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline()
        yield
        assert process.poll() is None
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in output


@pytest.fixture(scope="module")
def good_client(node: None) -> Iterator[list[str]]:
    """Reads over both protocols, one connection each, until the module is done; the list holds what went wrong."""
    wrong: list[str] = []
    done = threading.Event()
    counts = [0]

    def read() -> None:
        with connect(ENIP) as enip, connect(MODBUS) as modbus:
            session = register(enip)
            while not done.wait(0.002):
                for link, frame, case in (
                    (enip, enip_frame, enip_cases.GOOD),
                    (modbus, modbus_frame, modbus_cases.GOOD),
                ):
                    link.sendall(case.send.replace(enip_cases.SESSION, session))
                    got = frame(link).replace(session, enip_cases.SESSION)
                    if got != case.expect:
                        wrong.append(f"{case.name}: {got.hex()}")
                    counts[0] += 1

    reader = threading.Thread(target=read)
    reader.start()
    yield wrong
    done.set()
    reader.join(20)
    assert not reader.is_alive()
    assert counts[0] > 100
    assert wrong == []


def connect(port: int, host: str = HOST) -> socket.socket:
    """A connection on which nothing takes longer than ten seconds."""
    return socket.create_connection((host, port), 10)


def register(link: socket.socket) -> bytes:
    """A session; its handle as it stands on the wire."""
    link.sendall(REGISTER)
    reply = enip_frame(link)
    assert len(reply) == 28
    assert reply[8:12] == b"\0\0\0\0"
    return reply[4:8]


def hold(link: socket.socket, case: Case, good: Case, read: Callable[[socket.socket], bytes], session: bytes) -> None:
    """Send a case and look at what comes; then the good request, on the same connection unless it is to be closed."""

    def dressed(data: bytes) -> bytes:
        return data.replace(enip_cases.SESSION, session)

    link.sendall(dressed(case.send))
    if case.expect is CLOSED:
        link.settimeout(1)
        with contextlib.suppress(ConnectionResetError):
            assert link.recv(1) == b""
        return
    if case.expect is not SILENT:
        assert isinstance(case.expect, bytes)
        assert read(link).hex() == dressed(case.expect).hex()
    link.sendall(dressed(good.send))
    assert isinstance(good.expect, bytes)
    assert read(link).hex() == dressed(good.expect).hex()


@pytest.mark.parametrize("case", enip_cases.CASES, ids=lambda case: case.name)
def test_enip(good_client: list[str], case: Case) -> None:
    with connect(ENIP) as link:
        hold(link, case, enip_cases.GOOD, enip_frame, register(link))
    assert good_client == []


@pytest.mark.parametrize("case", enip_cases.UNREGISTERED, ids=lambda case: case.name)
def test_enip_without_a_session(good_client: list[str], case: Case) -> None:
    with connect(ENIP) as link:
        link.sendall(case.send)
        assert isinstance(case.expect, bytes)
        assert enip_frame(link).hex() == case.expect.hex()
        session = register(link)
        link.sendall(enip_cases.GOOD.send.replace(enip_cases.SESSION, session))
        assert enip_frame(link)[8:12] == b"\0\0\0\0"
    assert good_client == []


def test_a_session_of_another_connection(good_client: list[str]) -> None:
    with connect(ENIP) as mine, connect(ENIP) as theirs:
        register(mine)
        handle = register(theirs)
        mine.sendall(enip_cases.GOOD.send.replace(enip_cases.SESSION, handle))
        assert enip_frame(mine)[8:12] == b"\x64\0\0\0"
    assert good_client == []


@pytest.mark.parametrize("case", pccc_cases.CASES, ids=lambda case: case.name)
def test_pccc(micrologix: None, case: Case) -> None:
    with connect(ENIP, PCCC_HOST) as link:
        hold(link, case, pccc_cases.GOOD, enip_frame, register(link))


@pytest.mark.parametrize("case", modbus_cases.CASES, ids=lambda case: case.name)
def test_modbus(good_client: list[str], case: Case) -> None:
    with connect(MODBUS) as link:
        hold(link, case, modbus_cases.GOOD, modbus_frame, b"")
    assert good_client == []


def test_a_failed_write_changed_nothing(good_client: list[str]) -> None:
    with connect(MODBUS) as link:
        link.sendall(modbus_cases.adu("03 0063 0003"))
        assert modbus_frame(link).hex() == modbus_cases.adu("03 06 0063 0000 0000").hex()
    assert good_client == []


@pytest.mark.parametrize("port", [ENIP, MODBUS], ids=["enip", "modbus"])
@pytest.mark.timeout(30)
def test_a_frame_that_is_never_finished_is_closed_within_its_time(good_client: list[str], port: int) -> None:
    with connect(port) as link:
        link.sendall(b"\x65\0\4")
        link.settimeout(9)
        with contextlib.suppress(ConnectionResetError):
            assert link.recv(1) == b""
    assert good_client == []
