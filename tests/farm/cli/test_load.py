"""`farm load` against a plant that is well, one that is not, and devices that are in none."""

import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from farm.cli import app
from tests.conftest import ROOT
from tests.waiting import until

Run = Callable[..., SimpleNamespace]

CLOSED, RESET = "connection closed by the device", "connection reset"

FILE = """
farm: 1
name: loaded
groups:
  plc:
    count: 4
    name: "plc-${i}"
    kind: logix
    address: "127.64.204.${i}"
    tags:
      Level: {type: REAL, init: 2.5}
      Batch: {type: DINT, init: 7}
      Sensor: {type: REAL, signal: {sine: {min: 0, max: 1, period: 10s}}, access: read only}
      Word: INT
      Trend: REAL[300]
      Flags: "BOOL[64]"
      Name: {type: STRING, init: pump}
nodes:
  rtu:
    kind: modbus
    address: 127.64.204.99
    holding: {"40001-40010": 7, "40021-40022": {type: float32, name: Flow, init: 1.5}}
    coils: {"00001-00016": 1}
  slc: {kind: logix, profile: 1747-L551, address: 127.64.204.98, tags: {N7: "INT[10]"}}
"""


def load(run: Run, *arguments: str, rc: int = 0) -> dict[str, Any]:
    """The JSON of a `farm load`."""
    outcome = run("load", *arguments, "--json")
    assert outcome.rc == rc, outcome.err
    body: dict[str, Any] = json.loads(outcome.out)
    return body


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--rate", "fast"], "--rate fast: wanted beats a second, as 10 or 0.5, or max"),
        (["--mix", "read=0"], "--mix read=0: nothing is left to do"),
        (["--address", "10.0.0.1", "plc-1"], "--address is of a device that is in no farm"),
        (["--address", "10.0.0.1", "--values", "3"], "--values is for nodes of a farm"),
        (["--report", "/nowhere/at/all.html"], "--report /nowhere/at/all.html: there is no folder /nowhere/at"),
        (["--rate", "1", "--rate-in-all", "2"], "--rate and rate-in-all: give one of them"),
    ],
)
def test_what_makes_no_sense_is_one_line(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["load", *arguments]) == 2
    assert error in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["--address", "10.0.0.1"],
            "10.0.0.1: which tags? Only a farm's own nodes are known; say --tags SCADA",
        ),
        (["--address", "10.0.0.1:x", "--tags", "A"], "address 10.0.0.1:x: wanted HOST or HOST:PORT"),
        (["--address", "10.0.0.1", "--tags", "9A"], "'9A' is no"),
        (["--address", "10.0.0.1", "--protocol", "modbus", "--tags", "Level"], "'Level' is no register number"),
        (["--address", "127.64.204.250", "--tags", "A"], "127.64.204.250:44818: connection refused"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["load", *arguments]) == 1
    said = capsys.readouterr().err
    assert error in said
    assert said.count("\n") == 1


@pytest.mark.net
@pytest.mark.slow
class TestAPlant:
    def test_every_node_is_asked_at_its_beats(self, running: Run, tmp_path: Path) -> None:
        page, tables = tmp_path / "load.html", tmp_path / "tables"
        arguments = ["--duration", "2s", "--rate", "10", "--values", "5", "--report", str(page), "--csv", str(tables)]
        before = requests(running)
        body = load(running, *arguments)
        counts = body["requests"]
        assert [counts[name] for name in ("asked", "sent", "answered", "errors", "unanswered")] == [100, 100, 100, 0, 0]
        assert {(each["name"], each["asked"], each["answered"]) for each in body["nodes"]} == {
            (name, 20, 20) for name in ("plc-1", "plc-2", "plc-3", "plc-4", "rtu")
        }
        assert 0 < body["latency"]["p50"] <= body["latency"]["p99"] <= body["latency"]["max"]
        assert sum(each["answered"] for each in body["timeline"]) == 100
        assert page.read_text().startswith("<!doctype html>")
        assert len((tables / "nodes.csv").read_text().splitlines()) == 6
        # the nodes count the same, and one to register a session
        assert all(after - before[name] in (20, 21, 22) for name, after in requests(running).items() if name != "slc")

    def test_a_table_for_people(self, running: Run) -> None:
        outcome = running(
            "load", "plc-*", "rtu", "slc", "--duration", "1s", "--rate", "5", "--tags", "Level,40001-40010"
        )
        assert outcome.rc == 0, outcome.err
        lines = outcome.out.splitlines()
        assert lines[0] == "5 nodes, 5 clients, 1s: 25 requests, 25 answered (25.0/s), 0 errors"
        assert [line.split()[0] for line in lines if line.startswith(("plc-", "rtu"))] != []
        assert "left out: slc: its data files are asked for by PCCC" in outcome.err

    def test_all_tags_in_as_few_requests_as_hold_them(self, running: Run) -> None:
        short = ["plc-1", "--duration", "0.4s", "--rate", "5"]
        packed = load(running, *short)
        single = load(running, *short, "--no-multiple")
        large = load(running, *short, "--connected", "--connection", "4000")
        assert [each["requests"]["answered"] for each in (packed, single, large)] == [2 * 4, 2 * 9, 2 * 1]

    def test_over_class_3_connections(self, running: Run) -> None:
        body = load(
            running, "plc-*", "--duration", "1s", "--rate", "20", "--connected", "--clients", "2", "--values", "5"
        )
        assert (body["clients"], body["requests"]["answered"], body["requests"]["errors"]) == (8, 160, 0)

    def test_writes_put_back_what_was_there(self, running: Run) -> None:
        running("write", "plc-1", "Batch", "4711")
        running("write", "rtu", "Flow", "2.25")
        body = load(
            running, "plc-1", "rtu", "--duration", "2s", "--rate", "40", "--mix", "read=1,write=3", "--depth", "4"
        )
        assert body["requests"]["errors"] == 0
        assert body["latency_by_kind"]["write"]["count"] > 80
        assert running("read", "plc-1", "Batch").out.strip() == "4711"
        assert running("read", "rtu", "Flow").out.strip() == "2.25"

    def test_what_may_not_be_written_is_not(self, running: Run) -> None:
        outcome = running("load", "plc-1", "--tags", "Sensor,Flags", "--mix", "write")
        assert outcome.rc == 1
        assert "nothing is left to ask" in outcome.err

    def test_a_tag_that_no_node_has_is_not_passed_over(self, running: Run) -> None:
        outcome = running("load", "--tags", "Level,Btach")
        assert outcome.rc == 1
        assert "none of these nodes has a tag 'Btach'" in outcome.err
        assert "did you mean 'Batch'?" in outcome.err

    def test_as_fast_as_may_be(self, running: Run) -> None:
        body = load(running, "plc-1", "rtu", "--rate", "max", "--duration", "1s", "--depth", "8", "--values", "3")
        assert body["requests"]["answered"] > 500
        assert body["requests"]["answered"] == body["requests"]["asked"]
        assert any("as fast as they were answered" in remark for remark in body["remarks"])

    def test_a_ramp_grows(self, running: Run) -> None:
        body = load(running, "plc-1", "--rate", "100", "--duration", "2s", "--ramp", "2s", "--tags", "Level")
        first, second = (each["sent"] for each in body["timeline"][:2])
        assert body["requests"]["asked"] == pytest.approx(100, abs=1)
        assert first < second

    def test_a_device_that_is_in_no_farm(self, running: Run) -> None:
        enip = load(
            running, "--address", "127.64.204.1", "--tags", "Level,Trend[0-9]", "--duration", "1s", "--rate", "5"
        )
        assert (enip["requests"]["answered"], enip["nodes"][0]["name"]) == (5, "127.64.204.1")
        port = next(row["ports"]["modbus"] for row in rows(running) if row["name"] == "rtu")
        modbus = load(
            running, "--address", f"127.64.204.99:{port}", "--protocol", "modbus", "--tags", "40001-40010,1-16",
            "--duration", "1s", "--rate", "5",
        )  # fmt: skip
        assert modbus["requests"]["answered"] == 10
        refused = running("load", "--address", "127.64.204.1", "--tags", "Lvel", "--duration", "1s")
        assert refused.rc == 1
        assert "127.64.204.1:44818 Lvel: path segment error (0x04)" in refused.err


@pytest.mark.net
@pytest.mark.slow
class TestAPlantThatIsNotWell:
    """Each fault is on `plc-2` alone; the others must not be the worse for it."""

    @pytest.fixture(autouse=True)
    def cured(self, running: Run) -> Any:
        yield
        running("fault", "clear", "--all")

    def errors(self, running: Run, *arguments: str, rc: int = 1) -> tuple[dict[str, int], dict[str, Any]]:
        """Errors of `plc-2` by kind; those of `plc-1` must be none."""
        fixed = ("plc-1", "plc-2", "--duration", "1s", "--rate", "40", "--tags", "Level,Batch", "--timeout", "500ms")
        body = load(running, *fixed, *arguments, rc=rc)
        nodes = {each["name"]: each for each in body["nodes"]}
        assert (nodes["plc-1"]["answered"], nodes["plc-1"]["errors"]) == (40, {})
        assert nodes["plc-2"]["asked"] == nodes["plc-2"]["answered"] + sum(nodes["plc-2"]["errors"].values()) == 40
        return nodes["plc-2"]["errors"], body

    def test_statuses_by_name(self, running: Run) -> None:
        running("fault", "status", "plc-2", "--code", "0x08", "--tag", "Batch")
        errors, body = self.errors(running, "--allow-errors", "49%")
        assert errors == {"CIP service not supported (0x08)": 40}
        assert body["errors"][0]["detail"] == "Batch"
        self.errors(running, "--allow-errors", "50%", rc=0)

    def test_exceptions_by_name(self, running: Run) -> None:
        running("fault", "status", "rtu", "--code", "2")
        body = load(running, "rtu", "--duration", "1s", "--rate", "10", "--tags", "Flow", rc=1)
        assert [(each["kind"], each["count"]) for each in body["errors"]] == [
            ("Modbus exception 06 (server device busy)", 10)
        ]

    def test_time_outs_of_replies_that_were_dropped(self, running: Run) -> None:
        running("fault", "drop", "plc-2", "--chance", "25", "--seed", "3")
        errors, _ = self.errors(running, "--depth", "20")
        assert set(errors) == {"time-out"}
        assert 2 <= errors["time-out"] <= 20

    def test_resets_and_what_was_asked_meanwhile(self, running: Run) -> None:
        running("fault", "reset", "plc-2", "--after", "5")
        errors, body = self.errors(running)
        assert set(errors) <= {CLOSED, RESET}
        assert body["connections_lost"] >= 3

    def test_answers_that_are_cut_short(self, running: Run) -> None:
        running("fault", "truncate", "plc-2", "--chance", "100", "--keep", "30")
        errors, _ = self.errors(running)
        assert errors
        assert set(errors) <= {"malformed answer", "time-out", "time-out before it could be sent", CLOSED, RESET}

    def test_a_port_that_refuses(self, running: Run) -> None:
        running("fault", "refuse", "plc-2")
        until(lambda: refuses("127.64.204.2", 44818))
        errors, body = self.errors(running)
        assert set(errors) <= {"connection refused", CLOSED, RESET}
        assert any("1 of 2 clients had no connection" in remark for remark in body["remarks"])

    def test_slow_answers_are_no_errors(self, running: Run) -> None:
        running("fault", "slow", "plc-2", "--seconds", "200ms")
        errors, body = self.errors(running, "--depth", "10", rc=0)
        assert errors == {}
        assert next(each["p50"] for each in body["nodes"] if each["name"] == "plc-2") >= 0.2

    def test_a_node_that_stands_still_for_a_second_is_seen_in_full(self, running: Run) -> None:
        """One request waits for the node, and a hundred that were to be asked meanwhile wait with it. A generator that
        asks only when it was answered would show one slow answer in four hundred: a p99 of a millisecond or two."""
        pid = next(row["pid"] for row in rows(running) if row["name"] == "plc-3")

        def stand_still() -> None:
            until(lambda: is_connected("127.64.204.3", 44818))
            time.sleep(1)
            os.kill(pid, signal.SIGSTOP)
            time.sleep(1)
            os.kill(pid, signal.SIGCONT)

        stopper = threading.Thread(target=stand_still)
        stopper.start()
        try:
            body = load(running, "plc-3", "--duration", "5s", "--rate", "100", "--values", "1")
        finally:
            stopper.join()
        assert body["requests"]["answered"] == 500
        assert body["latency"]["p99"] > 0.7
        assert body["latency"]["p90"] > 0.3
        assert body["requests"]["sent_late"] > 80
        assert body["service_time"]["p95"] < 0.3, "of those that were sent late, only the first waited for the node"


@pytest.mark.net
@pytest.mark.slow
def test_ctrl_c_ends_it_early_with_a_whole_report(running: Run) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "farm", "load", "plc-*", "--duration", "10m", "--rate", "20", "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    workers = until(lambda: children(process.pid))
    until(lambda: is_connected("127.64.204.4", 44818))
    time.sleep(0.5)  # of ten beats
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    body = json.loads(out)
    assert process.returncode == 130, err
    assert body["ended_early"]
    assert body["requests"]["answered"] > 0
    assert body["requests"]["errors"] == 0
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.net
@pytest.mark.slow
def test_no_process_outlives_a_generator_that_was_killed(running: Run) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "farm", "load", "plc-1", "--duration", "10m"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    workers = until(lambda: children(process.pid))
    process.kill()
    process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def is_connected(address: str, port: int) -> bool:
    """Whether a client here has a connection to there."""
    number = int.from_bytes(ipaddress.IPv4Address(address).packed, sys.byteorder)
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[2:4] == [f"{number:08X}:{port:04X}", "01"] for line in lines)


def refuses(address: str, port: int) -> bool:
    """Whether a connection is refused there."""
    try:
        socket.create_connection((address, port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


def children(pid: int) -> list[int]:
    """The processes that it has started and that are left."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def rows(running: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(running("ps", "--json").out)
    return found


def requests(running: Run) -> dict[str, int]:
    """What the nodes themselves have counted, once their reports are in."""
    time.sleep(1.2)
    return {row["name"]: row["requests"] for row in rows(running)}
