"""Real clients captured by their nodes, and Wireshark's dissectors as the judge."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from pylogix import PLC
from pymodbus.client import ModbusTcpClient

from node.capture.pcap import decode
from tests.architecture.sources import ROOT
from tests.peers.capture import dissect

FILE = """
farm: 1
name: caps
nodes:
  plc: {kind: logix, address: 127.64.203.1, tags: {Level: REAL, Long: "INT[900]", Text: STRING}}
  both: {kind: gateway, address: 127.64.203.2, modbus: {port: 1502}, holding: {"40001-40200": 7}, tags: {Level: REAL}}
"""

Run = Callable[..., SimpleNamespace]

pytestmark = [
    pytest.mark.net,
    pytest.mark.slow,
]


def talk() -> None:
    """Two released clients read and write, long values and short ones."""
    with PLC("127.64.203.1") as plc:
        assert plc.Write("Level", 2.5).Status == "Success"
        assert plc.Read("Level").Value == 2.5
        assert plc.Read("Long", 900).Value == [0] * 900
        assert plc.Write("Text", "seen").Status == "Success"
        assert len(plc.GetTagList().Value) >= 3
    plc.conn.msg_socket.close()  # made by pylogix, and never closed by it
    client = ModbusTcpClient("127.64.203.2", port=1502)
    assert client.connect()
    assert client.read_holding_registers(0, count=100).registers == [7] * 100
    assert not client.write_registers(10, [7, 7, 7]).isError()
    assert client.read_coils(9999, count=1).isError()
    client.close()


def begun(file: Path, *arguments: str) -> "subprocess.Popen[str]":
    """A capture that has begun."""
    command = [sys.executable, "-m", "farm", "pcap", *arguments, "-w", str(file)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    give_up = time.monotonic() + 60
    while not (file.exists() and file.stat().st_size) and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.02)
    return process


def test_real_clients_as_their_nodes_saw_them(running: Run, tmp_path: Path) -> None:
    file = tmp_path / "caps.pcap"
    process = begun(file, "*")
    talk()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    packets = list(decode(file.read_bytes()))
    assert (process.returncode, said) == (
        0,
        f"{file}: {len(packets)} packets, {sum(len(p.data) for p in packets)} bytes\n",
    )
    assert [packet.time for packet in packets] == sorted(packet.time for packet in packets)
    found = dissect(file)
    assert found.complaints == []
    assert found.frames["cip"] > 20
    assert found.frames["modbus"] == 6
    tshark = ["tshark", "-r", str(file), "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    bad = "tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.malformed"
    done = subprocess.run([*tshark, "-Y", bad], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == ""


def test_limits_and_what_cannot_be(running: Run, tmp_path: Path) -> None:
    file = tmp_path / "few.pcap"
    process = begun(file, "plc", "--count", "7")
    talk()
    _, said = process.communicate(timeout=60)
    assert (process.returncode, len(list(decode(file.read_bytes())))) == (0, 7), said
    timed = running("pcap", "both", "-w", str(file), "--seconds", "0.5")
    assert (timed.rc, timed.err) == (0, f"{file}: 0 packets, 0 bytes\n")
    command = [sys.executable, "-m", "farm", "pcap", "both", "-w", "-", "--seconds", "0.5"]
    piped = subprocess.run(command, capture_output=True, timeout=30, cwd=ROOT)
    assert (piped.returncode, list(decode(piped.stdout))) == (0, [])
    for arguments, code, said in (
        (["nobody", "-w", str(file)], 1, "there is no node or network 'nobody' in caps"),
        (["plc", "-w", str(tmp_path)], 1, f"cannot write {tmp_path}"),
        (["plc", "-w", str(file), "--size", "1"], 2, "--size: '1'; wanted bytes, as 500kB or 10MB, 1000 at least"),
        (["plc"], 2, "Missing option '--write'"),
    ):
        outcome = running("pcap", *arguments)
        assert (outcome.rc, outcome.err.count("\n")) == (code, 1), outcome.err
        assert said in outcome.err


def test_a_node_that_is_started_anew_is_captured_on(running: Run, tmp_path: Path) -> None:
    file = tmp_path / "anew.pcap"
    process = begun(file, "plc")
    assert running("restart", "plc").rc == 0
    give_up = time.monotonic() + 60
    while b"Level" not in file.read_bytes() and time.monotonic() < give_up:
        assert running("read", "plc", "Level").rc == 0
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert re.search(r": \d+ packets, \d+ bytes$", said)
    assert dissect(file).frames["cip"] > 0
