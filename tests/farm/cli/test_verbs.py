"""Every verb against a farm that runs, as a script or a person uses it: exit codes, answers, and nothing left."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

PLANT = """
farm: 1
name: verbs
nodes:
  plc: {kind: logix, address: 127.64.201.1, tags: {Level: REAL, Text: STRING, Grid: "INT[2,3]", Fixed: {type: INT, writable: false}}}
  sine: {kind: logix, address: 127.64.201.2, tags: {Wave: {type: REAL, signal: {sine: {min: 1, max: 9, period: 2s}}}}}
  rtu: {kind: modbus, address: 127.64.201.3, holding: {"40001-40010": 7, "40021": {type: float32, name: Flow, order: cdab}}}
  big: {kind: logix, address: 127.64.201.4, tags: {P: {type: Pump, members: {Speed: 1.5, Label: P-1}}, Ps: "Pump[3]", Flags: "BOOL[70]", Word: DINT, Second: {alias: "Ps[1].Speed"}, Hidden: {type: INT, access: none}}, programs: {Main: {tags: {T: {type: TIMER, members: {PRE: 500}}}}}}
  both: {kind: gateway, address: 127.64.201.5, tags: {P: Pump}, holding: {"40001": {tag: P.Hours}}, coils: {"00001": {tag: P.Bits}}}
types: {Pump: {Speed: REAL, Run: BOOL, Hours: "DINT[4]", Label: S8, Bits: "BOOL[40]"}, S8: {string: 8}}
"""  # noqa: E501

Run = Callable[..., SimpleNamespace]

pytestmark = [pytest.mark.net, pytest.mark.slow]


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """A folder with a plant file."""
    (tmp_path / "plant.yaml").write_text(PLANT)
    return tmp_path


@pytest.fixture
def running(farm: Run, plant: Path) -> Iterator[Run]:
    """The command, with that plant up."""
    outcome = farm("up", cwd=plant)
    assert outcome.rc == 0, outcome.err
    yield farm
    assert farm("down").rc == 0


def test_up_prints_one_table_and_down_leaves_nothing(farm: Run, plant: Path, run_root: Path) -> None:
    up = farm("up", cwd=plant)
    assert up.rc == 0, up.err
    lines = up.out.splitlines()
    assert lines[0].split() == ["NAME", "ADDRESS", "PROTOCOL", "PROFILE", "STATE"]
    assert [line.split()[-1] for line in lines[1:]] == ["up"] * 5
    assert re.search(r"^starting: 5 of 5$", up.err, re.MULTILINE)
    assert re.search(r"^verbs: 5 nodes up in \d+\.\d s; `python -m farm down verbs` ends it$", up.err, re.MULTILINE)
    assert "\x1b" not in up.out + up.err
    again = farm("up", cwd=plant)
    assert again.rc == 0
    assert "nothing to do" in again.err
    assert again.out == up.out
    down = farm("down")
    assert down.rc == 0
    assert "verbs: 5 nodes down" in down.err
    assert not any(run_root.iterdir())
    assert farm("down").rc == 0


def test_what_scripts_read(running: Run, plant: Path) -> None:
    rows = json.loads(running("ps", "--json").out)
    assert [row["name"] for row in rows] == ["plc", "sine", "rtu", "big", "both"]
    assert set(rows[0]) >= {
        "name", "kind", "profile", "address", "ports", "state", "pid", "restarts", "uptime_s",
    }  # fmt: skip
    assert rows[0]["ports"] == {"enip": 44818}
    tags = json.loads(running("tags", "--json").out)
    assert {"node": "rtu", "name": "Flow", "type": "REAL", "value": 0.0, "address": "40021-40022"} in tags
    names = [tag["name"] for tag in json.loads(running("tags", "plc", "--json").out)]
    assert names == ["Level", "Text", "Grid", "Fixed"]
    assert json.loads(running("plan", "--json", cwd=plant).out) == []
    assert len(json.loads(running("plan", "--json", "--name", "other", cwd=plant).out)) == 5


def test_values_over_the_wire(running: Run) -> None:
    for node, tag, values, read in (
        ("plc", "Level", ["-3.25"], "-3.25\n"),
        ("plc", "Text", ["hello world"], "hello world\n"),
        ("plc", "grid[1-2]", ["5", "0x10"], "5\n16\n"),
        ("rtu", "HR40001[3]", ["65535"], "65535\n"),
        ("rtu", "Flow", ["1.5"], "1.5\n"),
    ):
        written = running("write", node, tag, *values)
        assert (written.rc, written.out) == (0, read), written.err
        assert running("read", node, tag).out == read


def test_what_is_within_tags_over_the_wire(running: Run) -> None:
    for tag, values, read in (
        ("P.Speed", ["-3.25"], "-3.25\n"),
        ("Ps[2].Hours[1-2]", ["5", "6"], "5\n6\n"),
        ("P.Label", ["P 2"], "P 2\n"),
        ("P.Run", ["on"], "true\n"),
        ("P.Bits[39]", ["1"], "true\n"),
        ("Flags[30-33]", ["1", "0", "1", "true"], "true\nfalse\ntrue\ntrue\n"),
        ("Word.31", ["true"], "true\n"),
        ("Second", ["7"], "7\n"),
        ("Program:Main.T.ACC", ["9"], "9\n"),
    ):
        written = running("write", "big", tag, *values)
        assert (written.rc, written.out) == (0, read), written.err
        assert running("read", "big", tag).out == read
    assert running("read", "big", "Flags[29-34]").out.split() == ["false", "true", "false", "true", "true", "false"]
    assert running("read", "big", "Word").out == "-2147483648\n"
    assert running("read", "big", "Ps[1].Speed").out == "7\n"
    lines = running("read", "big", "P").out.splitlines()
    assert lines[:4] == ["Speed  -3.25", "Run    true", "Hours  0 0 0 0", "Label  P 2"]
    assert json.loads(running("read", "big", "Program:Main.T", "--json").out)["PRE"] == 500
    pumps = json.loads(running("read", "big", "Ps", "--json").out)
    assert (len(pumps), pumps[2]["Hours"], pumps[0]["Bits"]) == (3, [0, 5, 6, 0], [False] * 40)
    both = running("write", "both", "P.Hours[2]", "70000")
    assert (both.rc, both.out) == (0, "70000\n")
    table = running("tags", "big").out.splitlines()
    assert len(table) == 8
    assert re.search(r"^big +P +Pump +Speed=-3.25 Run=true .* \.\.\. +P$", "\n".join(table), re.MULTILINE)
    assert re.search(r"^big +Hidden +INT +- +Hidden$", "\n".join(table), re.MULTILINE)


def test_failures_are_one_line(running: Run) -> None:
    for arguments, said in (
        (["read", "nobody", "Level"], "there is no node 'nobody' in verbs"),
        (["read", "plc", "Pressure"], "plc has no tag 'Pressure'"),
        (["write", "plc", "Level", "much"], "'much' where a number was wanted, for REAL"),
        (["write", "rtu", "HR40001", "65536"], "65536 does not fit UINT"),
        (["write", "plc", "Fixed", "1"], "plc Fixed: general error (0xFF), no access (0x2100)"),
        (["write", "big", "P", "5"], "P is a structure (Pump); write its members, as P.Speed"),
        (["read", "big", "P.Sped"], "P.Sped: Pump has no member 'Sped'; did you mean Speed?"),
        (["read", "big", "Hidden"], "big Hidden: general error (0xFF), no access (0x2100)"),
        (["restart", "nobody"], "nobody"),
        (["logs", "nobody"], "there is no node 'nobody'"),
        (["down", "other"], "no farm named 'other'"),
    ):
        outcome = running(*arguments)
        assert outcome.rc == 1
        assert outcome.out == ""
        assert outcome.err.startswith("error: ")
        assert outcome.err.count("\n") == 1
        assert said in outcome.err


def test_restart_logs_events_and_inspect(running: Run) -> None:
    before = {row["name"]: row["pid"] for row in json.loads(running("ps", "--json").out)}
    restarted = running("restart", "sine")
    assert restarted.rc == 0, restarted.err
    after = {row["name"]: row["pid"] for row in json.loads(running("ps", "--json").out)}
    assert [name for name in before if before[name] != after[name]] == ["sine"]
    assert running("logs", "sine").rc == 0
    events = running("events").out
    assert re.search(r"^\d\d:\d\d:\d\d  sine  command  restarted by command  \(cli\)$", events, re.MULTILINE)
    origin = running("inspect", "plc", "--origin").out
    assert re.search(r"^tags\.Level\.type +REAL +plant\.yaml:5:\d+$", origin, re.MULTILINE)
    assert 1 <= float(running("read", "sine", "Wave").out) <= 9


def test_a_wrong_file_starts_nothing(farm: Run, tmp_path: Path, run_root: Path) -> None:
    (tmp_path / "plant.yaml").write_text(PLANT.replace("kind: modbus", "kind: modbuss").replace("REAL", "FLOAT"))
    up = farm("up", cwd=tmp_path)
    assert up.rc == 1
    assert re.search(r"^plant\.yaml:5:\d+: error: .*\[F\d+\]$", up.err, re.MULTILINE)
    assert re.search(r"^plant\.yaml:7:\d+: error: .*did you mean 'modbus'", up.err, re.MULTILINE)
    assert "^" in up.err
    assert not any(run_root.iterdir())
    found = json.loads(farm("validate", "-o", "json", cwd=tmp_path).out)
    assert {problem["line"] for problem in found} >= {5, 7}


def test_dry_run_changes_nothing(farm: Run, plant: Path, run_root: Path) -> None:
    before = set(plant.iterdir())
    outcome = farm("up", "--dry-run", cwd=plant)
    assert outcome.rc == 0, outcome.err
    assert outcome.out.splitlines()[0] == "[1] start shard plc (plc): not running"
    assert farm("plan", cwd=plant).out == outcome.out
    assert not any(run_root.iterdir())
    assert set(plant.iterdir()) == before


def test_many_nodes_in_one_process(farm: Run, plant: Path) -> None:
    outcome = farm("up", "--shard", "auto", "--name", "packed", cwd=plant)
    assert outcome.rc == 0, outcome.err
    rows = json.loads(farm("ps", "-o", "json", "-n", "packed").out)
    assert len({row["pid"] for row in rows}) < len(rows)
    sharing = [row for row in rows if row["pid"] == rows[0]["pid"]]
    assert len(sharing) > 1
    restarted = farm("restart", rows[0]["name"])
    assert restarted.rc == 0, restarted.err
    after = {row["name"]: row["pid"] for row in json.loads(farm("ps", "-o", "json").out)}
    assert after == {row["name"]: row["pid"] for row in rows}, "its process has others to serve"
    assert farm("down", "packed").rc == 0
