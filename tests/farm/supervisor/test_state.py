"""What outlives a supervisor, and what a damaged file costs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from farm.errors import FarmError
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.state import Identity, RunState
from tests.farm.plan.plants import node, plant


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    run = RunDirectory(tmp_path / "works")
    run.prepare()
    return run


def test_an_identity_is_found_again(run: RunDirectory) -> None:
    assert Identity.read(run) is None
    identity = Identity.new(run, "process")
    identity.write(run)
    assert Identity.read(run) == identity
    assert run.identity_file.stat().st_mode & 0o777 == 0o600
    assert len(identity.token) == 32


def test_an_identity_stands_in_the_state_too(run: RunDirectory) -> None:
    identity = Identity.new(run, "process")
    RunState(identity).write(run)
    run.identity_file.write_text("{damaged")
    assert Identity.read(run) == identity


def test_an_identity_of_another_boot_is_none(run: RunDirectory) -> None:
    replace(Identity.new(run, "process"), boot_id="another").write(run)
    assert Identity.read(run) is None


def test_a_state_is_found_again(run: RunDirectory) -> None:
    identity = Identity.new(run, "process")
    state = RunState(identity, plant(node("pump-1"), node("pump-2")), {"pump-2"}, {"pump-1": 3})
    state.write(run)
    found = RunState.read(run, identity)
    assert (found.plant, found.stopped, found.restarts) == (state.plant, {"pump-2"}, {"pump-1": 3})
    assert [path.name for path in run.path.iterdir()] == ["state.json"]


def test_what_is_written_follows_the_plant(run: RunDirectory) -> None:
    state = RunState(Identity.new(run, "process"), plant(node("pump-1")))
    first = json.loads(state.encode())
    assert (first["plant"]["nodes"][0]["name"], first["stopped"], first["restarts"]) == ("pump-1", [], {})
    state.plant = plant(node("pump-2"))
    assert json.loads(state.encode())["plant"] != first["plant"]
    state.plant = None
    assert json.loads(state.encode())["plant"] is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"version": 99}', '{"version": 1}', '{"version":1,"plant":3}']
)
def test_a_damaged_state_counts_as_missing(run: RunDirectory, content: str) -> None:
    run.state_file.write_text(content)
    identity = Identity.new(run, "process")
    assert RunState.read(run, identity) == RunState(identity)
    assert Identity.read(run) is None


def test_a_write_that_fails_leaves_the_old(run: RunDirectory) -> None:
    state = RunState(Identity.new(run, "process"), plant(node("pump-1")))
    state.write(run)
    before = run.state_file.read_bytes()
    run.state_file.with_name(".state.json.new").mkdir()
    state.plant = None
    with pytest.raises(FarmError, match=r"cannot write .*state\.json: .*; what runs is left as it is"):
        state.write(run)
    assert run.state_file.read_bytes() == before
    assert json.loads(before)["version"] == 1
