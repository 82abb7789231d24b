"""Nodes of loopback that a client on another machine reaches, by a relay that a person starts: `farm hosts --relay`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.backends.real_segment import REAL, Segment, ip
from tests.backends.shaped_link import WHY_NOT
from tests.conftest import ROOT, Outcome

pytestmark = [pytest.mark.net, pytest.mark.root, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

HERE = "10.64.252.1"
"""The machine's address on its wire."""
PLANT = """
farm: 1
name: led
nodes:
  plc: {kind: logix, address: 127.64.209.1, tags: {Level: {type: DINT, init: 11}}}
  rtu: {kind: modbus, address: 127.64.209.2, modbus: {udp: true}, holding: {"@0-7": 7}}
"""
NEXT = '  next: {kind: modbus, address: 127.64.209.3, holding: {"@0-7": 9}}\n'
SAID = ["plc enip", "rtu modbus", "next modbus"]
"""What is at which port, from the first on."""

CLIENT = """
import socket, struct, sys
from pylogix import PLC
from pymodbus.client import ModbusTcpClient, ModbusUdpClient
here = sys.argv[1]
def registers(client): return client.read_holding_registers(0, count=8, device_id=1).registers
with PLC(here, port=20001) as plc: print(plc.Read("Level").Value, flush=True)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(5)
    sock.sendto(struct.pack("<HHIIQI", 0x63, 0, 0, 0, 0, 0), (here, 20001))
    print(b"1756" in sock.recv(1024), flush=True)
with ModbusUdpClient(here, port=20002, timeout=5) as client: print(registers(client), flush=True)
stays = ModbusTcpClient(here, port=20002, timeout=5)
stays.connect()
own = stays.socket.getsockname()
print(registers(stays), flush=True)
input()
print(registers(stays), stays.socket.getsockname() == own, flush=True)
stays.close()
with ModbusTcpClient(here, port=20003, timeout=5) as client: print(registers(client), flush=True)
"""


@pytest.fixture
def farm_there(segment: Segment, run_root: Path, tmp_path: Path) -> Iterator[Callable[..., Outcome]]:
    """Runs `farm ARGUMENTS…` on the machine of the segment, which has an address on its wire."""
    segment.at(segment.machine, lambda: ip(f"address add {HERE}/24 dev {REAL}", "link set lo up"))
    environ = {**os.environ, "PLCFARM_RUN": str(run_root), "PYTHONPATH": str(ROOT)}

    def run(*arguments: str) -> Outcome:
        command = ["nsenter", f"--net={segment.machine}", sys.executable, "-m", "farm", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
        return Outcome(done.returncode, done.stdout, done.stderr)

    yield run
    run("down", "--all")


def python(space: Path, *arguments: str) -> subprocess.Popen[str]:
    """Python, in a network namespace."""
    command = ["nsenter", f"--net={space}", sys.executable, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_a_client_on_another_machine_reaches_nodes_of_loopback(
    farm_there: Callable[..., Outcome], segment: Segment, tmp_path: Path
) -> None:
    plant, orders, log = tmp_path / "plant.yaml", tmp_path / "relay.json", tmp_path / "relay.log"
    plant.write_text(PLANT)
    assert farm_there("up").rc == 0
    led = farm_there("hosts", "--relay", f"{HERE}:20001")
    assert led.err.splitlines() == [f"# {HERE}:{port}  {what}" for port, what in enumerate(SAID[:2], 20001)]
    orders.write_text(led.out)
    with python(segment.machine, "-m", "node", "relay", str(orders), "--log", str(log)) as relay:
        try:
            wait_for(log, "forwards: 4 served")
            with python(segment.pc, "-W", "ignore", "-c", CLIENT, HERE) as client:
                assert client.stdin is not None
                assert client.stdout is not None
                found = [client.stdout.readline().strip() for _ in range(4)]
                assert found == ["11", "True", str([7] * 8), str([7] * 8)], client.communicate()[1]
                plant.write_text(PLANT + NEXT)
                assert farm_there("up").rc == 0
                orders.write_text(farm_there("hosts", "--relay", f"{HERE}:20001").out)
                relay.send_signal(signal.SIGHUP)
                wait_for(log, "forwards: 5 served")
                said, complaint = client.communicate("\n", timeout=30)
                assert said.splitlines() == [f"{[7] * 8} True", str([9] * 8)], complaint
            relay.send_signal(signal.SIGINT)
            complaint = relay.communicate(timeout=30)[1]
            assert (relay.returncode, "Traceback" in complaint) == (0, False)
        finally:
            relay.kill()


def wait_for(log: Path, text: str) -> None:
    """Until the relay says so."""
    give_up = time.monotonic() + 30
    while not log.exists() or text not in log.read_text():
        assert time.monotonic() < give_up, f"no {text!r} within 30 s"
        time.sleep(0.02)
