"""What `farm render compose` writes, started by Docker Compose itself on a real daemon and asked by real clients."""

import os
import signal
import socket
import sys
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any

import pytest
from pylogix import PLC
from pymodbus.client import ModbusTcpClient

from farm.backends.docker_engine import Engine
from tests.architecture.sources import ROOT
from tests.backends.docker_daemon import Daemon
from tests.backends.docker_farm import things
from tests.farm.render import compose_program
from tests.farm.render.plants import TEXT
from tests.waiting import until

pytestmark = [pytest.mark.docker, pytest.mark.root, pytest.mark.slow]

REACH = "import socket, sys; socket.create_connection((sys.argv[1], 502), 1)"


@pytest.fixture(autouse=True)
def compose_here() -> None:
    if reason := compose_program.why_not():
        pytest.skip(reason)


def render(folder: Path, *options: str, text: str = TEXT) -> None:
    """The mill, by the command, whose health is asked for each second."""
    file = folder / "mill.yaml"
    file.write_text(text)
    command = [
        sys.executable,
        "-m",
        "farm",
        "render",
        "compose",
        str(file),
        "-o",
        str(folder / "compose.yaml"),
        *options,
    ]
    done = run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (made,) = folder.rglob("compose.yaml")
    made.write_text(made.read_text().replace("interval: 30s", "interval: 1s"))


def tag(host: str, name: str) -> Any:
    """What pylogix reads."""
    with PLC(host) as client:
        found = client.Read(name).Value
    client.conn.msg_socket.close()  # made by pylogix, and never closed by it
    return found


def registers(host: str) -> list[int]:
    """The first holding register of a device, by pymodbus."""
    with ModbusTcpClient(host) as client:
        found: list[int] = client.read_holding_registers(0, count=1).registers
        return found


def answers(host: str) -> bool:
    """Whether somebody there answers a read of a register; a port that is published has a proxy that only connects."""
    try:
        with socket.create_connection((host, 502), 5) as connection:
            connection.sendall(bytes.fromhex("0001 0000 0006 01 03 0000 0001"))
            return len(connection.recv(100)) == 11
    except OSError:
        return False


def container(service: str) -> dict[str, Any]:
    """`docker inspect`."""
    engine = Engine()
    try:
        found: dict[str, Any] = engine.api.inspect_container(f"mill-{service}-1")
        return found
    finally:
        engine.close()


def test_a_folder_is_up_healthy_apart_and_leaves_nothing(docker_host: Daemon, tmp_path: Path) -> None:
    def docker_compose(*arguments: str) -> "CompletedProcess[str]":
        return compose_program.compose(tmp_path / "out", *arguments, host=docker_host.url)

    before = things()
    render(tmp_path, "-o", str(tmp_path / "out"))
    try:
        done = docker_compose("up", "--detach", "--wait", "--wait-timeout", "90")
        assert done.returncode == 0, f"healthy by its own check: {done.stderr}"
        assert tag("10.231.2.11", "Price") == "12 $ or plc-1"
        assert [tag(host, "Level[1]") for host in ("10.231.2.11", "10.231.1.11")] == [22, 22], "at both its interfaces"
        assert [registers(host) for host in ("10.231.1.12", "10.231.2.11")] == [[7], [1450]]
        found = container("plc-1")
        assert found["HostConfig"]["ReadonlyRootfs"] is True
        assert (found["HostConfig"]["CapDrop"], found["HostConfig"]["PidsLimit"]) == (["ALL"], 64)
        assert found["Config"]["User"] == "65534:65534"
        there = docker_compose("exec", "-T", "lone", "python3", "-c", REACH, "10.231.2.11")
        apart = docker_compose("exec", "-T", "lone", "python3", "-c", REACH, "10.231.1.12")
        assert (there.returncode, apart.returncode) == (0, 1), "zones stay apart"
        render(tmp_path, "-o", str(tmp_path / "out"), text=TEXT.replace("init: 7}", "init: 8}"))
        assert docker_compose("up", "--detach").returncode == 0
        until(lambda: answers("10.231.1.12"))
        assert registers("10.231.1.12") == [8], "made anew, for its configuration has changed"
        assert container("plc-1")["Id"] == found["Id"], "and no other"
    finally:
        done = docker_compose("down", "--timeout", "5")
    assert (done.returncode, things()) == (0, before)


def test_one_file_that_publishes_is_read_at_127_and_what_dies_comes_back(docker_host: Daemon, tmp_path: Path) -> None:
    before = things()
    render(tmp_path, "--publish")
    try:
        done = compose_program.compose(tmp_path, "up", "--detach", "rtu-1", host=docker_host.url)
        assert done.returncode == 0, done.stderr
        until(lambda: answers("127.231.1.12"))
        assert registers("127.231.1.12") == [7]
        pid = container("rtu-1")["State"]["Pid"]
        os.kill(pid, signal.SIGKILL)
        until(lambda: container("rtu-1")["State"]["Pid"] not in (0, pid))
        until(lambda: answers("127.231.1.12"))
        assert registers("127.231.1.12") == [7]
    finally:
        done = compose_program.compose(tmp_path, "down", "--timeout", "5", host=docker_host.url)
    assert (done.returncode, things()) == (0, before)
