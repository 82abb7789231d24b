"""Commands and captures within the machine within the machine of a user without root."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.capture.pcap import decode
from tests import ordinary_user
from tests.peers.capture import dissect

PLANT = """
farm: 1
name: user
backend: netns
networks: {plant: {subnet: 10.77.1.0/24}, cell: {subnet: 10.77.2.0/24, internal: true}}
nodes:
  plc: {kind: logix, network: plant, address: 10.77.1.11, tags: {Level: REAL}}
  rtu: {kind: modbus, network: cell, address: 10.77.2.10, holding: {"40001": 7}}
"""

CONNECT = "import socket, sys; print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).getsockname()[0])"

Farm = Callable[..., tuple[int, str]]

pytestmark = [
    pytest.mark.root,
    pytest.mark.net,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="need root, to become another user"),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))
    (made / "plant.yaml").write_text(PLANT)
    for path in (made, made / "plant.yaml"):
        os.chown(path, ordinary_user.UID, ordinary_user.UID)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def farm(folder: Path) -> Iterator[Farm]:
    """The command as that user, with the plant up: exit code, and all that was printed."""

    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "farm", *arguments]
        return ordinary_user.run(command, {"PLCFARM_RUN": str(folder / "r")})

    code, said = run("up", str(folder / "plant.yaml"))
    assert code == 0, said
    assert "OUTSIDE" in said
    yield run
    code, said = run("down")
    assert code == 0, said


def test_commands_and_packets_within(farm: Farm, folder: Path) -> None:
    code, said = farm("exec", "plc", "ip", "-br", "address", "show", "dev", "eth0")
    assert (code, "10.77.1.11/24" in said) == (0, True), said
    code, said = farm("exec", "rtu", "sh", "-c", "exit 9")
    assert code == 9, said
    code, said = farm("enter", sys.executable, "-c", CONNECT, "10.77.1.11", "44818")
    assert code == 0, said
    code, said = farm("enter", "--network", "cell", sys.executable, "-c", CONNECT, "10.77.2.10", "502")
    assert (code, said.startswith("10.77.2.")) == (0, True), said
    code, said = farm("hosts", "--outside")
    assert (code, said.count("127.77.")) == (0, 1), said  # a closed network stays closed
    page = folder / "load.html"
    code, said = farm("load", "--duration", "0.5s", "--rate", "10", "--report", str(page))
    assert (code, "2 clients, 0.5s: 10 requests, 10 answered" in said) == (0, True), said
    assert page.stat().st_uid == ordinary_user.UID
    file = folder / "cell.pcap"
    program = (
        "import subprocess, sys; "
        "farm = [sys.executable, '-m', 'farm']; "
        "p = subprocess.Popen([*farm, 'pcap', 'cell', '-w', sys.argv[1], '--count', '6']); "
        "import pathlib, time\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.05)\n"
        "subprocess.run([*farm, 'read', 'rtu', 'HR40001'], check=True); sys.exit(p.wait(60))"
    )
    code, said = ordinary_user.run(
        [sys.executable, "-c", program, str(file)], {"PLCFARM_RUN": str(folder / "r"), "PYTHONPATH": "."}
    )
    assert code == 0, said
    assert len(list(decode(file.read_bytes()))) == 6
    assert dissect(file).complaints == []
