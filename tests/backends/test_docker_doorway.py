"""Ports of the machine are handed to the shard that shows its token, for its own nodes, and to nobody else."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends import docker_doorway
from farm.backends.docker_doorway import DockerDoorway
from farm.supervisor.run_directory import RunDirectory
from node.config.model import NodeConfig
from node.control.messages import shard_token
from node.server import doorway
from node.server.doorway import Doorway
from tests.backends.contract import a_node, address

pytestmark = pytest.mark.net

SECRET = "open sesame"
SHARDS = {"shard-001": (a_node(1), a_node(2)), "shard-002": (a_node(3),)}


def nodes_of(shard: str) -> tuple[NodeConfig, ...]:
    return SHARDS.get(shard, ())


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    found = DockerDoorway(tmp_path / "doorway", SECRET, nodes_of)
    found.open()
    found.open()  # it is
    yield found.path
    found.close()


def test_a_shard_gets_the_ports_of_its_nodes(path: Path) -> None:
    shard = Doorway(str(path), "shard-001", shard_token(SECRET, "shard-001"))
    for number in (1, 2):
        with shard.open(address(number), 44818, socket.SOCK_STREAM) as tcp:
            tcp.listen()
            assert tcp.getsockname() == (address(number), 44818)
            with socket.create_connection((address(number), 44818)) as client:
                tcp.accept()[0].close()
                assert client.recv(1) == b""
        with shard.open(address(number), 44818, socket.SOCK_DGRAM) as udp:
            assert udp.type == socket.SOCK_DGRAM
    shard.close()


@pytest.mark.parametrize(
    ("where", "port", "said"),
    [
        (address(3), 44818, "is of no node of shard 'shard-001'"),
        (address(1), 502, "is of no node"),
        ("0.0.0.0", 44818, "is of no node"),
    ],
    ids=["another shard's", "another port", "every address"],
)
def test_it_gets_no_others(path: Path, where: str, port: int, said: str) -> None:
    shard = Doorway(str(path), "shard-001", shard_token(SECRET, "shard-001"))
    with pytest.raises(OSError, match=said):
        shard.open(where, port, socket.SOCK_STREAM)
    shard.open(address(1), 44818, socket.SOCK_STREAM).close()  # it is still listened to
    shard.close()


def test_a_port_that_is_taken_is_said(path: Path) -> None:
    with socket.create_server((address(1), 44818)):
        shard = Doorway(str(path), "shard-001", shard_token(SECRET, "shard-001"))
        with pytest.raises(OSError, match="Address already in use"):
            shard.open(address(1), 44818, socket.SOCK_STREAM)
        shard.close()


@pytest.mark.parametrize(
    "request_",
    [
        {"shard": "shard-001", "token": shard_token(SECRET, "shard-002")},
        {"shard": "shard-001", "token": "é"},
        {},
    ],
)
def test_who_shows_no_token_gets_nothing(path: Path, request_: dict[str, str]) -> None:
    body = {"address": address(1), "port": 44818, "kind": "tcp", **request_}
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(path))
        sock.sendall(json.dumps(body).encode())
        answer, ancillary, _, _ = sock.recvmsg(512, socket.CMSG_SPACE(4))
        assert ancillary == []
        assert answer[:1] != b"+"


@pytest.mark.parametrize("data", [b"[]", b"{", b"\xff", b'{"shard": "a", "token": 1, "address": 1, "port": "x"}'])
def test_what_makes_no_sense_is_answered_and_does_no_harm(path: Path, data: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(path))
        sock.sendall(data)
        assert sock.recv(512)[:1] not in (b"+", b"")
    shard = Doorway(str(path), "shard-002", shard_token(SECRET, "shard-002"))
    shard.open(address(3), 44818, socket.SOCK_STREAM).close()
    shard.close()


def test_a_shard_finds_the_doorway_of_the_farm_that_comes_after(tmp_path: Path) -> None:
    before = DockerDoorway(tmp_path / "doorway", SECRET, nodes_of)
    before.open()
    shard = Doorway(str(tmp_path / "doorway"), "shard-002", shard_token(SECRET, "shard-002"))
    shard.open(address(3), 44818, socket.SOCK_STREAM).close()
    before.close()
    with pytest.raises(ConnectionError, match="nobody hands out sockets"):
        shard.open(address(3), 44818, socket.SOCK_STREAM)
    after = DockerDoorway(tmp_path / "doorway", SECRET, nodes_of)
    after.open()
    shard.open(address(3), 44818, socket.SOCK_STREAM).close()
    shard.close()
    after.close()


def test_an_answer_that_came_too_late_is_not_taken_for_the_next(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doorway is held up for longer than a shard has patience: what it is handed then is for another port."""
    monkeypatch.setattr(doorway, "PATIENCE", 0.2)
    let_go = threading.Event()
    slow = DockerDoorway(path.with_name("slow"), SECRET, lambda shard: let_go.wait(10) and SHARDS[shard])
    slow.open()
    shard = Doorway(str(slow.path), "shard-001", shard_token(SECRET, "shard-001"))
    with pytest.raises(TimeoutError, match=r"nothing was handed out within 0\.2 s"):
        shard.open(address(1), 44818, socket.SOCK_STREAM)
    let_go.set()
    with shard.open(address(2), 44818, socket.SOCK_DGRAM) as found:
        assert (found.type, found.getsockname()) == (socket.SOCK_DGRAM, (address(2), 44818))
    shard.close()
    slow.close()


def test_who_only_connects_does_not_stay(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_doorway, "PATIENCE", 0.2)
    shard = Doorway(str(path), "shard-001", shard_token(SECRET, "shard-001"))
    shard.open(address(1), 44818, socket.SOCK_DGRAM).close()
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(20)]
        for sock in idle:
            sock.settimeout(5)
            sock.connect(str(path))
        assert [sock.recv(1) for sock in idle] == [b""] * 20
    shard.open(address(1), 44818, socket.SOCK_DGRAM).close()  # a shard's is kept
    slow = Doorway(str(path), "shard-001", shard_token(SECRET, "shard-001"))
    time.sleep(0.5)
    slow.open(address(2), 44818, socket.SOCK_DGRAM).close()  # and one that was slow comes again
    for each in (shard, slow):
        each.close()


def test_its_path_is_short_enough_wherever_a_run_is(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "works")
    assert len(f"{run.control_socket.parent / docker_doorway.FILE}") <= len(f"{run.dashboard_socket}")
