"""The verbs that need networks, on nodes in network namespaces of their own: links by the kernel, commands inside,
packets of a node and of a network, groups that grow. One farm for all, in the order of this file."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farm.backends.netns_spaces import run_mark
from farm.supervisor.run_directory import run_directory
from node.capture.pcap import decode
from tests.architecture.sources import ROOT
from tests.conftest import Outcome
from tests.farm.cli.conftest import verb
from tests.machine_routes import leads_into_a_plant
from tests.peers.capture import dissect

NET = f"10.{os.getpid() % 100 + 100}"
"""Of this run's own: it is the machine's as long as the farm runs."""

PLANT = f"""
farm: 1
name: verbs
backend: netns
networks:
  plant: {{subnet: {NET}.1.0/24, purdue: 2}}
  cell: {{subnet: {NET}.2.0/24, purdue: 1, internal: true}}
gateways:
  fw: {{between: [plant, cell], addresses: {{plant: {NET}.1.1, cell: {NET}.2.1}}, allow: [plant -> cell tcp 502]}}
defaults: {{network: plant}}
groups:
  plc: {{count: 2, name: "plc-${{i}}", kind: logix, address: "{NET}.1.1${{i}}", tags: {{Level: REAL}}}}
nodes:
  rtu: {{kind: modbus, network: cell, address: {NET}.2.10, holding: {{"40001": 7}}}}
"""

Run = Callable[..., Outcome]
HERE = ("link", "ps", "read", "scale", "restart", "hosts")
"""Verbs that only talk to the supervisor or a node."""

pytestmark = [
    pytest.mark.root,
    pytest.mark.net,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="need root for namespaces"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The command, with that plant up."""
    root = tmp_path_factory.mktemp("r")
    file = root / "plant.yaml"
    file.write_text(PLANT)
    environ = {**os.environ, "PLCFARM_RUN": f"/tmp/pf-{os.getpid()}v", "PYTHONPATH": str(ROOT)}
    os.environ["PLCFARM_RUN"], before = environ["PLCFARM_RUN"], os.environ.get("PLCFARM_RUN")

    def farm(*arguments: str) -> Outcome:
        command = [sys.executable, "-m", "farm", *arguments]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, cwd=root)
        return Outcome(done.returncode, done.stdout, done.stderr)

    try:
        outcome = farm("up")
        assert outcome.rc == 0, outcome.err
        yield lambda *arguments: verb(*arguments) if arguments[0] in HERE else farm(*arguments)
    finally:
        mark = run_mark(run_directory("verbs").run_id)
        down = farm("down", "--all")
        if before is None:
            del os.environ["PLCFARM_RUN"]
        else:
            os.environ["PLCFARM_RUN"] = before
    assert down.rc == 0, down.err
    assert not [name for name in os.listdir("/run/netns") if name.startswith(mark)]  # noqa: PTH208
    Path(environ["PLCFARM_RUN"]).rmdir()


def connects(address: str, port: int = 44818, seconds: float = 20.0) -> bool:
    with socket.socket() as sock:
        sock.settimeout(seconds)
        try:
            sock.connect((address, port))
        except OSError:
            return False
        return True


def test_a_link_goes_down_and_up_by_the_kernel(running: Run) -> None:
    assert connects(f"{NET}.1.11")
    down = running("link", "plc-1", "--down")
    assert down.rc == 0, down.err
    assert re.search(r"^plc-1 +up +down", down.out, re.MULTILINE)
    assert not connects(f"{NET}.1.11", seconds=1)
    assert connects(f"{NET}.1.12")
    assert "LINK" in running("ps").out.splitlines()[0]
    up = running("link", "plc-1", "--up", "--rate", "1mbit", "--delay", "40ms+-10ms")
    assert up.rc == 0, up.err
    assert "delay 40 ms ± 10 ms" in up.out
    assert "rate 1 Mbit/s" in up.out
    assert connects(f"{NET}.1.11")
    assert running("link", "plc-1", "--reset").rc == 0
    assert running("link").err == "every link is good\n"


def test_a_command_sees_what_its_node_sees(running: Run) -> None:
    shown = running("exec", "plc-1", "ip", "-br", "address", "show", "dev", "eth0")
    assert shown.rc == 0, shown.err
    assert f"{NET}.1.11/24" in shown.out
    assert shown.err == ""
    program = "import socket, sys; socket.create_connection((sys.argv[1], 502), 3)"
    assert running("exec", "plc-1", sys.executable, "-c", program, f"{NET}.2.10").rc == 0, "the router lets it pass"
    assert running("exec", "rtu", sys.executable, "-c", program.replace("502", "44818"), f"{NET}.1.11").rc == 1
    assert running("exec", "rtu", "sh", "-c", "exit 9").rc == 9


def test_one_stands_in_a_network_that_is_closed(running: Run) -> None:
    assert not leads_into_a_plant(f"{NET}.2.10")
    program = "import os, socket, sys; print(socket.create_connection((sys.argv[1], 502), 3).getsockname()[0])"
    stood = running("enter", "--network", "cell", sys.executable, "-c", program, f"{NET}.2.10")
    assert stood.rc == 0, stood.err
    assert stood.out.startswith(f"{NET}.2.")
    nowhere = running("enter", "--network", "office", "true")
    assert nowhere.rc == 1
    assert "there is no network 'office' in verbs; there is plant, cell" in nowhere.err


def test_load_is_put_on_a_network_that_is_closed_too(running: Run) -> None:
    outcome = running("load", "plc-1", "rtu", "--duration", "0.5s", "--rate", "10")
    assert outcome.rc == 0, outcome.err
    assert outcome.out.startswith("2 nodes, 2 clients, 0.5s: 10 requests, 10 answered"), outcome.out


def captured(running: Run, target: str, file: Path, talk: Callable[[], object]) -> str:
    """What `farm pcap` says after `talk` was captured."""
    command = [sys.executable, "-m", "farm", "pcap", target, "-w", str(file)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    give_up = time.monotonic() + 60
    while not (file.exists() and file.stat().st_size) and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.02)
    talk()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said


def test_packets_of_a_node_and_of_a_network(running: Run, tmp_path: Path) -> None:
    file = tmp_path / "node.pcap"
    captured(running, "plc-1", file, lambda: running("read", "plc-1", "Level"))
    found = dissect(file)
    assert found.complaints == []
    assert found.frames["cip"] >= 2
    tcp = [packet.data for packet in decode(file.read_bytes()) if packet.data[23:24] == b"\x06"]
    assert any(data[47] & 2 for data in tcp), "the real handshake"
    whole = tmp_path / "network.pcap"
    program = (
        "import socket, sys; s = socket.create_connection((sys.argv[1], 502), 3); "
        "s.sendall(bytes.fromhex('000100000006010300000001')); s.recv(99)"
    )
    said = captured(
        running, "cell", whole, lambda: running("exec", "plc-2", sys.executable, "-c", program, f"{NET}.2.10")
    )
    seen = dissect(whole)
    assert (seen.complaints, seen.frames["modbus"]) == ([], 2), said


def test_groups_grow_and_nodes_are_started_anew(running: Run) -> None:
    def pids() -> dict[str, int]:
        return {row["name"]: row["pid"] for row in json.loads(running("ps", "--json").out)}

    before = pids()
    grown = running("scale", "plc=4")
    assert grown.rc == 0, grown.err
    assert connects(f"{NET}.1.14")
    assert {name: pid for name, pid in pids().items() if name in before} == before
    restarted = running("restart", "--where", "network=plant,name=*-[34]")
    assert restarted.rc == 0, restarted.err
    after = pids()
    assert {name for name in before if after[name] != before[name]} == set()
    assert connects(f"{NET}.1.14")
    assert running("scale", "plc=2").rc == 0
    assert set(pids()) == {"plc-1", "plc-2", "rtu"}
    assert not connects(f"{NET}.1.14", seconds=1)


def test_what_is_named_and_drawn(running: Run) -> None:
    named = running("hosts").out.splitlines()
    assert named[0].split() == [f"{NET}.1.11", "plc-1", "plc-1.verbs"]
    assert [f"{NET}.2.1", "fw.cell.verbs"] in [line.split() for line in named]
    drawn = running("graph").out
    assert re.search(r"^  <fw>  plant \S+, cell \S+$", drawn, re.MULTILINE)
    assert "    | plant -> cell: tcp 502" in drawn.splitlines()
    looked = running("doctor", "plant.yaml", "--json")
    assert looked.rc == 0, looked.out
    assert {"namespaces", "packet backlog", "bridge ports"} <= {check["what"] for check in json.loads(looked.out)}
