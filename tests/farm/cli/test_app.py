"""Exit codes and error lines, as scripts rely on them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from farm.backends import limits
from farm.cli import app, plants
from farm.cli.usage import UsageError
from farm.errors import BackendError
from tests.architecture.sources import ROOT
from tests.farm.cli.plants import PLANT


@pytest.mark.parametrize(
    "arguments", [["upp"], ["up", "--nonsense"], ["read", "PLC1"], ["ps", "-o", "xml"], ["down", "a", "--all"]]
)
def test_wrong_usage_is_one_line_and_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1


def test_no_verb_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([]) == 2
    assert "inspect" in capsys.readouterr().err


def test_the_hidden_verb_is_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "supervise" not in shown
    assert "doctor" in shown


def test_a_failure_is_one_line_and_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> list[object]:
        raise BackendError("tank", "start", "address in use")

    monkeypatch.setattr("farm.cli.ps.find_runs", refuse)
    assert app.run(["ps"]) == 1
    assert capsys.readouterr().err == "error: tank: start: address in use\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["version"]) == 0
    first = capsys.readouterr().out
    assert app.run(["--version"]) == 0
    assert capsys.readouterr().out == first
    assert first.startswith("plcfarm 0.")


@pytest.mark.parametrize("verb", ["ps", "down"])
def test_nothing_runs(verb: str, run_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([verb]) == 0
    assert f"no farm is running under {run_root}" in capsys.readouterr().err


def test_nothing_runs_for_scripts(run_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["ps", "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"


def test_a_name_that_does_not_run(run_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["down", "north"]) == 1
    assert "no farm named 'north'" in capsys.readouterr().err


def test_settings_and_shards_are_checked() -> None:
    assert plants.parse_settings(["a=1", "b=x=y", "a=2"]) == {"a": "2", "b": "x=y"}
    assert [plants.parse_shard(text) for text in ("auto", "16")] == ["auto", 16]
    for wrong in ("0", "-1", "many"):
        with pytest.raises(UsageError):
            plants.parse_shard(wrong)
    with pytest.raises(UsageError):
        plants.parse_settings(["scan"])


def test_the_port_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plants, "can_bind_modbus", lambda: False)
    assert "ip_unprivileged_port_start=502" in str(plants.port_warning(PLANT))
    monkeypatch.setattr(plants, "can_bind_modbus", lambda: True)
    assert plants.port_warning(PLANT) is None


def test_a_missing_extra_is_one_line() -> None:
    program = "import sys; sys.modules['yaml'] = None; from farm.cli.app import main; main()"
    for verb, code in (("plan", 1), ("version", 0)):
        command = [sys.executable, "-c", program, verb]
        done = subprocess.run(command, cwd=ROOT / "topologies", env={**os.environ, "PYTHONPATH": str(ROOT)},
                              capture_output=True, text=True, timeout=30)  # fmt: skip
        assert done.returncode == code
        wanted = 'error: farm needs PyYAML to read plant files: pip install "plcfarm[farm]"\n' if code else ""
        assert done.stderr == wanted


def test_ready_made_plants_are_found() -> None:
    assert plants.packaged("plant.yaml").is_file()


def test_auto_is_a_shard_a_core_as_far_as_descriptors_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("farm: 1\nname: many\nshard: auto\ngroups: {n: {count: 8, kind: logix, name: 'n-${i}'}}\n")
    monkeypatch.setattr(limits.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(plants, "hard_limit", lambda: 20000)
    plant = plants.load(file)
    assert plant.shard == 4
    few = limits.RESERVE + 3 * limits.descriptors(plant.nodes[0])
    monkeypatch.setattr(plants, "hard_limit", lambda: few)
    assert plants.load(file).shard == 3
