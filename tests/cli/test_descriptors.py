"""Connections are descriptors: a lone simulator takes all it may, and goes on serving when there are no more."""

import resource
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bench.start_up import REGISTER
from tests.cli.lone import ENIP_SERVER, HOST, Start, port_of, ready

pytestmark = pytest.mark.net

IDLE = 1100
PATIENCE = 30.0


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Enough of them for the clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + 200
    if hard != resource.RLIM_INFINITY and hard < 2 * wanted:
        pytest.skip(f"only {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def limited(start: Start, limits: str, *options: str) -> subprocess.Popen[str]:
    """The simulator under `ulimit LIMITS`."""
    command = ("-c", f'ulimit {limits}; exec "$@"', "sh", sys.executable, *ENIP_SERVER)
    return start(*command, "-a", f"{HOST}:0", *options, "SCADA=INT[1000]", command="/bin/sh")


def registered(sock: socket.socket, timeout: float = PATIENCE) -> bool:
    """Whether RegisterSession is answered in time."""
    sock.sendall(REGISTER)
    sock.settimeout(timeout)
    return len(sock.recv(100)) == len(REGISTER)


def settled(clients: list[socket.socket]) -> list[socket.socket]:
    """Those that were answered, as soon as there are some and no more come for half a second."""
    served: list[socket.socket] = []
    while not served or len(served) < len(select.select(clients, [], [], 0)[0]):
        served = select.select(clients, [], [], PATIENCE)[0]
        time.sleep(0.5)
    return served


def cpu(pid: int) -> float:
    """Seconds it has used."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_it_raises_its_limit_and_holds_a_thousand_idle_connections(start: Start, many_descriptors: None) -> None:
    process = limited(start, "-Sn 256")
    port = port_of(ready(process))
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection((HOST, port), PATIENCE)) for _ in range(IDLE)]
        assert [index for index, sock in enumerate(clients) if not registered(sock)] == []
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert "Threads:\t1\n" in status
        assert registered(stack.enter_context(socket.create_connection((HOST, port), PATIENCE)))


@pytest.mark.skipif(sys.platform != "linux", reason="CPU time is read in /proc")
def test_out_of_descriptors_it_serves_who_is_there_and_says_so_once(start: Start) -> None:
    process = limited(start, "-n 40", "-v")
    port = port_of(ready(process))
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection((HOST, port), PATIENCE)) for _ in range(60)]
        for sock in clients:
            sock.sendall(REGISTER)
        assert process.stderr is not None
        warning = process.stderr.readline()  # it has taken all it can
        served = settled(clients)
        assert 20 <= len(served) < 40
        for sock in served:
            assert len(sock.recv(100)) == len(REGISTER)
        before = cpu(process.pid)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            for _ in range(3):
                time.sleep(1)
                served[0].sendall(bytes.fromhex("64000000" + "00" * 20))
                assert select.select([served[0]], [], [], PATIENCE)[0]
                assert served[0].recv(100)[:2] == b"\x64\0"
                probe.sendto(bytes.fromhex("63000000" + "00" * 20), (HOST, port))
                assert select.select([probe], [], [], PATIENCE)[0]
                assert probe.recv(2000)[:2] == b"\x63\0"
        assert cpu(process.pid) - before < 0.1
        for sock in served:
            sock.close()
        waiting = [sock for sock in clients if sock not in served]
        assert select.select([waiting[0]], [], [], PATIENCE)[0]
        assert len(waiting[0].recv(100)) == len(REGISTER)
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert [line.split()[2] for line in (warning + err).splitlines()] == ["WARNING", "INFO"]
    assert "no new connections until others end: Too many open files" in warning
