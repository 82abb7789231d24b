"""Groups of a running plant grow and shrink; whoever stays is left alone, and what fails leaves all as it was."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from farm.cli.scale import changes, parse_counts
from farm.cli.usage import UsageError
from tests.farm.cli.conftest import said
from tests.farm.cli.plants import METER, PLANT, TANK

FILE = """
farm: 1
name: scales
vars: {unit: bar}
defaults: {kind: logix}
groups:
  drv: {count: 2, name: "drv-${i}", address: "127.64.204.${i}", tags: {Level: {type: REAL, unit: "${unit}"}}}
  tank: {for: {i: 1..2}, name: "tank-${i}", kind: logix, address: "127.64.205.${i}", tags: {Level: REAL}}
nodes:
  rtu: {kind: modbus, address: 127.64.204.200, holding: {"40001": 7}}
"""

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plant.yaml").write_text(FILE)
    return tmp_path


@pytest.fixture
def running(farm: Run, folder: Path) -> Iterator[Run]:
    """The command, with that plant up, started from its folder with a setting of its own."""
    outcome = farm("up", "--set", "unit=kPa", cwd=folder)
    assert outcome.rc == 0, outcome.err
    yield said(farm)
    assert farm("down").rc == 0


def pids(running: Run) -> dict[str, int]:
    return {row["name"]: row["pid"] for row in json.loads(running("ps", "--json").out)}


def test_what_people_write() -> None:
    assert parse_counts(["mixer=8", "a-b=1"]) == {"mixer": 8, "a-b": 1}
    for wrong in ("mixer", "=3", "mixer=", "mixer=-1", "mixer=0", "mixer=two"):
        with pytest.raises(UsageError):
            parse_counts([wrong])


def test_what_changed_is_told_in_a_line() -> None:
    other = replace(PLANT, nodes=(replace(TANK, tags=()), replace(METER, name="new")))
    assert changes(PLANT, PLANT) == ""
    assert changes(PLANT, other) == "1 changed (tank), 1 new (new), 1 gone (meter)"


@pytest.mark.net
@pytest.mark.slow
def test_a_group_grows_and_shrinks_and_the_rest_is_left_alone(running: Run) -> None:
    before = pids(running)
    grown = running("scale", "drv=4")
    assert grown.rc == 0, grown.err
    assert [line.split()[0] for line in grown.out.splitlines()] == ["NAME", "drv-3", "drv-4"]
    assert grown.err.splitlines()[-1].startswith("scales: 2 nodes started, 0 ended, 7 up, in ")
    after = pids(running)
    assert {name: after[name] for name in before} == before
    tags = json.loads(running("inspect", "drv-4", "--json").out)
    assert tags["tags.Level.unit"]["value"] == "kPa", "the settings of `farm up` hold on"
    shrunk = running("scale", "drv=1", "tank=3")
    assert shrunk.rc == 0, shrunk.err
    assert set(pids(running)) == {"drv-1", "tank-1", "tank-2", "tank-3", "rtu"}
    again = running("scale", "tank=3")
    assert (again.rc, again.out) == (0, "")
    assert again.err.splitlines()[-1].startswith("scales: nothing to do, 5 up")


@pytest.mark.net
@pytest.mark.slow
def test_a_file_that_changed_is_applied_and_told(running: Run, folder: Path) -> None:
    file = folder / "plant.yaml"
    extra = "nodes:\n  extra: {kind: logix, address: 127.64.204.201}\n"
    file.write_text(FILE.replace('"40001": 7', '"40001": 8').replace("nodes:\n", extra))
    planned = running("scale", "drv=3", "--dry-run")
    assert planned.rc == 0, planned.err
    assert "start shard drv-3" in planned.out
    assert "drv-3" not in pids(running)
    scaled = running("scale", "drv=3")
    assert scaled.rc == 0, scaled.err
    assert f"{file} has changed since, and is applied as it is: 1 changed (rtu), 1 new (extra)" in scaled.err
    assert running("read", "rtu", "HR40001").out == "8\n"
    file.write_text(FILE.replace("kind: modbus", "kind: modbuss"))
    wrong = running("scale", "drv=5")
    assert wrong.rc == 1
    assert "did you mean 'modbus'" in wrong.err
    file.unlink()
    gone = running("scale", "drv=5")
    assert (gone.rc, gone.err.count("\n")) == (1, 1)
    assert f"the plant file {file} is not there any more" in gone.err
    assert set(pids(running)) == {"drv-1", "drv-2", "drv-3", "tank-1", "tank-2", "rtu", "extra"}


@pytest.mark.net
@pytest.mark.slow
def test_all_or_nothing(running: Run) -> None:
    before = pids(running)
    with socket.socket() as taken:
        taken.bind(("127.64.204.5", 44818))
        taken.listen()
        failed = running("scale", "drv=6")
    assert failed.rc == 1
    assert "drv-5" in failed.err
    assert "address in use" in failed.err
    assert pids(running) == before
    for arguments, code, words in (
        (["pump=3"], 1, "there is no group 'pump'"),
        (["drv"], 2, "wanted GROUP=N, as in mixer=8"),
    ):
        outcome = running("scale", *arguments)
        assert (outcome.rc, outcome.out) == (code, "")
        assert words in outcome.err
