"""`farm fault`: what options come to, what makes no sense, and a plant in which things go wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from farm.cli import app
from farm.cli.fault_options import KINDS, code_of, fault_of, fault_of_words, lasting, share, time_of
from node.config.faults import parse_fault

Run = Callable[..., SimpleNamespace]

FILE = """
farm: 1
name: faulty
groups:
  pump: {count: 10, name: "pump-${i}", kind: logix, address: "127.64.203.${i}", tags: {Level: {type: REAL, init: 2.5}}}
nodes:
  rtu: {kind: modbus, address: 127.64.203.99, holding: {"40001-40010": 7}}
"""

GIVEN: dict[str, dict[str, Any]] = {
    "offline": {},
    "refuse": {},
    "slow": {"seconds": "200ms"},
    "drop": {"chance": 10.0},
    "reset": {"after": 20},
    "close": {"after": 20},
    "exception": {"code": "4", "every": 10},
    "wrong-transaction": {"chance": 5.0},
    "wrong-unit": {"every": 2},
    "status": {"code": "0x08", "tag": "Level"},
    "truncate": {"chance": 100.0, "keep": 10},
    "corrupt": {"chance": 5.0},
    "freeze": {"tag": "Level"},
    "bias": {"tag": "Level", "by": 5.0},
    "spike": {"tag": "Level", "by": 50.0, "chance": 5.0},
    "bad-quality": {"tag": "*"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_to_a_fault_that_nodes_know(kind: str) -> None:
    fault = fault_of(kind, GIVEN[kind])
    assert fault["kind"] == kind
    assert parse_fault(fault).text


def test_options_are_fields_of_a_fault() -> None:
    assert fault_of("slow", {"seconds": "200ms"}) == {"kind": "slow", "seconds": 0.2}
    assert fault_of("slow", {"distribution": "normal", "mean": "0.2", "deviation": "50ms", "most": "1s"}) == {
        "kind": "slow",
        "distribution": "normal",
        "mean": 0.2,
        "deviation": 0.05,
        "most": 1.0,
    }
    assert fault_of("drop", {"every": 10}) == {"kind": "drop", "every": 10}
    assert fault_of_words("exception 4 every 10 for 5m", {}) == {
        "kind": "exception",
        "code": 4,
        "every": 10,
        "for": 300,
    }
    assert fault_of("drop", {"chance": 10.0}) == {"kind": "drop", "percent": 10.0}
    assert fault_of("status", {"code": "255,8453"}) == {"kind": "status", "code": [255, 8453]}
    assert (code_of("8"), code_of("0x08"), time_of("for", "5m"), lasting("60"), lasting(None)) == (8, 8, 300, 60, None)
    assert (share(None), share(12.5)) == (100.0, 12.5)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["slwo", "x"], "there is no fault 'slwo'; there is offline"),
        (["slwo", "x"], "did you mean 'slow'?"),
        (["slow", "x"], "farm fault slow needs --seconds (as in farm fault slow --seconds 200ms NODE)"),
        (["spike", "x", "--tag", "T"], "farm fault spike needs --by and --chance"),
        (["slow soon", "x"], "fault 'slow soon': slow has no 'soon'"),
        (["slow 1", "x", "--every", "3"], "--every is of no use with a fault in quotes"),
        (["drop", "x", "--chance", "5", "--every", "3"], "--chance and --every: one of them says how often"),
        (["exception", "x"], "farm fault exception needs --code (as in farm fault exception --code 4 NODE)"),
        (["slow", "x", "--seconds", "soon"], "--seconds soon: wanted a time"),
        (["offline", "x", "--for", "0"], "--for 0: wanted a time"),
        (["offline", "x", "--percent", "0"], "--percent 0: wanted above 0"),
        (["drop", "x", "--chance", "101"], "--chance 101: wanted per cent"),
        (["status", "x", "--code", "eight"], "--code eight: wanted a number"),
        (["status", "x", "--code", "1,2,3"], "--code 1,2,3: wanted a number"),
        (["freeze", "x", "--tag", "T", "--by", "3"], "--by is of no use with freeze, which takes --tag"),
        (["offline", "x", "--tag", "T"], "--tag is of no use with offline, which takes no such option"),
        (["offline"], "which nodes?"),
        (["offline", "--where", "colour=red"], "--where colour=red: wanted FIELD=VALUE"),
        (["offline", "x", "--all"], "--all is for `farm fault clear`"),
        (["ls", "--tag", "T"], "--tag is of no use with ls"),
        (["clear", "--percent", "10"], "--percent is of no use with clear"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str], run_root: Path
) -> None:
    assert app.run(["fault", *arguments]) == 2
    assert error in capsys.readouterr().err


@pytest.mark.net
@pytest.mark.slow
def test_faults_from_the_command_line(running: Run) -> None:
    bias = ["bias", "--tag", "Level", "--by", "5", "pump-*", "--percent", "20", "--seed", "4", "--json"]
    put_on = running("fault", *bias)
    assert put_on.rc == 0, put_on.err
    fault = json.loads(put_on.out)
    assert (len(fault["nodes"]), fault["actor"], fault["seed"]) == (2, "cli", 4)
    biased, good = fault["nodes"][0], next(f"pump-{n}" for n in range(1, 11) if f"pump-{n}" not in fault["nodes"])
    assert [running("read", name, "Level").out.strip() for name in (biased, good)] == ["7.5", "2.5"]
    slow = running("fault", "slow", "--seconds", "200ms", "--where", "kind=modbus", "--for", "5m")
    assert slow.out.startswith("fault 2: ")
    assert slow.out.endswith(", for 5m\n") or slow.out.endswith(", for 4m\n")
    listed = running("fault", "ls").out.splitlines()
    assert listed[0].split() == ["ID", "FAULT", "WHERE", "LEFT", "SINCE", "BY"]
    assert [line.split()[0] for line in listed[1:]] == ["1", "2"]
    assert [each["id"] for each in json.loads(running("fault", "ls", "--json").out)] == [1, 2]
    states = {line.split()[0]: line for line in running("ps").out.splitlines()}
    assert (" fault " in states[biased], " fault " in states[good]) == (True, False)
    told = running("events", "--kind", "fault", "--node", "pump-*").out.splitlines()
    assert {line.split()[1] for line in told} == set(fault["nodes"])
    assert all(line.endswith("(cli)") for line in told)
    for arguments, error in (
        (["offline", "pmup-1"], "there is no node 'pmup-1' in faulty; `farm ps` lists them (did you mean 'pump-1'?)"),
        (["freeze", "--tag", "Lvel", "pump-1"], "pump-1 has no tag 'Lvel' (did you mean 'Level'?)"),
        (["clear", "9"], "there is no fault 9 (there is 1, 2)"),
    ):
        failed = running("fault", *arguments)
        assert (failed.rc, len(failed.err.splitlines())) == (1, 1)
        assert error in failed.err
    assert running("fault", "clear").rc == 2
    assert running("fault", "clear", "1").err == "cleared: 1\n"
    assert running("read", biased, "Level").out.strip() == "2.5"
    assert running("fault", "clear", "--all").rc == 0
    assert "no fault is on in faulty" in running("fault", "ls").err


@pytest.mark.net
@pytest.mark.slow
def test_stop_and_start(running: Run) -> None:
    stopped = running("stop", "pump-1", "rtu")
    assert stopped.rc == 0, stopped.err
    assert [line.split()[-4] for line in stopped.out.splitlines()[1:]] == ["stopped", "stopped"]
    assert running("read", "pump-1", "Level", "--timeout", "1").rc == 1
    started = running("start", "--where", "state=stopped")
    assert started.rc == 0, started.err
    assert len(started.out.splitlines()) == 3
    assert running("read", "pump-1", "Level").out.strip() == "2.5"
    assert running("stop").rc == 2
    assert running("stop", "pump-99").rc == 1
