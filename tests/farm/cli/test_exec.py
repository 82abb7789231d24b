"""Commands run for a node on loopback, from where nodes are reached, and the names of a farm's nodes."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from farm.cli.hosts import inner_lines, outer_lines
from farm.cli.whereabouts import about
from farm.topology.wiring import RouterSpec
from node.config.model import InterfaceConfig
from tests.architecture.sources import ROOT
from tests.farm.cli.plants import METER, PLANT, TANK
from tests.relay.relays import relay

FILE = """
farm: 1
name: commands
nodes:
  plc: {kind: logix, address: 127.64.209.1, tags: {Level: REAL}}
  rtu: {kind: modbus, address: 127.64.209.2, holding: {"40001": 7}}
"""

Run = Callable[..., SimpleNamespace]


def test_names_of_nodes_routers_and_outer_addresses() -> None:
    first, second = (InterfaceConfig(net, f"10.0.{at}.2", 24, "02:fa:00:00:00:01") for at, net in enumerate("AB"))
    wired = replace(TANK, address="10.0.0.2", interfaces=(first, second), hostname="tank-host",
                    outside=(("enip", "127.64.0.1", 44818), ("modbus", "127.64.0.1", 502)))  # fmt: skip
    plant = replace(PLANT, nodes=(wired, METER), routers=(RouterSpec("fw", (first, second)),))
    assert list(inner_lines(plant)) == [
        ("10.0.0.2", ["tank-host", "tank", "tank.works"]),
        ("10.0.1.2", ["tank.B.works"]),
        ("127.64.0.2", ["meter", "meter.works"]),
        ("10.0.0.2", ["fw.A.works"]),
        ("10.0.1.2", ["fw.B.works"]),
    ]
    moved = [line for line in inner_lines(plant, {"tank": "10.0.0.77"}) if "tank" in line[1]]
    assert moved == [("10.0.0.77", ["tank-host", "tank", "tank.works"])], (
        "of one that was placed, the first alone is known"
    )
    assert list(outer_lines(plant)) == [("127.64.0.1", ["tank-host", "tank", "tank.works"])]
    assert about("works", wired) == {
        "PLCFARM_FARM": "works", "PLCFARM_NODE": "tank", "PLCFARM_NODE_ADDRESS": "10.0.0.2",
        "PLCFARM_NODE_ENIP_PORT": "44818",
    }  # fmt: skip


@pytest.mark.net
@pytest.mark.slow
def test_commands_on_loopback(running: Run, tmp_path: Path) -> None:
    done = running("exec", "plc", "sh", "-c", "env; pwd; exit 7", cwd=tmp_path, FARM_RUN="mine")
    assert done.rc == 7
    assert {"PLCFARM_NODE=plc", "PLCFARM_NODE_ADDRESS=127.64.209.1", "PLCFARM_NODE_ENIP_PORT=44818"} <= set(
        done.out.splitlines()
    )
    assert done.out.splitlines()[-1] == str(tmp_path)
    assert "\nFARM_RUN=" not in done.out, "a command is no process of the farm"
    assert done.err == "nodes on backend process have no network of their own: this is the machine's\n"
    assert running("exec", "plc", "--", "sh", "-c", "exit 8").rc == 8
    assert running("exec", "plc", "no-such-command-here").rc == 127
    assert running("exec", "nobody", "true").rc == 1
    assert running("exec", "plc").rc == 2
    entered = running("enter", "echo", "-n", "--here")
    assert (entered.rc, entered.out) == (0, "--here")
    closed = running("enter", "--network", "L1", "true")
    assert (closed.rc, closed.err.count("\n")) == (1, 1)
    named = running("hosts")
    assert named.rc == 0
    assert named.out == "127.64.209.1  plc plc.commands\n127.64.209.2  rtu rtu.commands\n"
    assert running("hosts", "--outside").rc == 1
    led = running("hosts", "--relay", "127.0.0.1:20301")
    assert led.err == "# 127.0.0.1:20301  plc enip\n# 127.0.0.1:20302  rtu modbus\n"
    for wrong in ("127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "here:20301"):
        refused = running("hosts", "--relay", wrong)
        assert (refused.rc, refused.out, refused.err.startswith(f"error: --relay {wrong}: ")) == (2, "", True)
    with relay(tmp_path, **json.loads(led.out)):
        client = [sys.executable, "-m", "node", "enip-client", "-p", "-a", "127.0.0.1:20301", "Level"]
        read = subprocess.run(client, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert (read.returncode, "Level" in read.stdout) == (0, True), read.stderr
    drawn = running("graph")
    assert re.search(r"^  plc  127\.64\.209\.1  1756-L61 EtherNet/IP$", drawn.out, re.MULTILINE)


@pytest.mark.net
@pytest.mark.slow
def test_signals_and_a_terminal_are_the_commands(running: Run) -> None:
    program = "import os, signal, sys; print(os.isatty(0), flush=True); signal.pause()"
    command = [sys.executable, "-m", "farm", "exec", "plc", sys.executable, "-c", program]
    ours, theirs = os.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)
    os.close(theirs)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"True\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGTERM
    os.close(ours)
    assert [row["state"] for row in json.loads(running("ps", "--json").out)] == ["up", "up"]
