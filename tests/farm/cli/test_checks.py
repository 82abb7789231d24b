"""`farm doctor`: every check answers, and what is not good comes with its cure."""

import json
from pathlib import Path

import pytest

from farm.cli import app, checks
from farm.supervisor.run_directory import run_directory


def test_every_check_answers(run_root: Path) -> None:
    found = list(checks.all_checks())
    assert {check.what for check in found} >= {"python", "open files", "port 502", "pidfd", "docker", "extra farm"}
    assert all(check.state in (checks.GOOD, checks.LIMITED, checks.BAD) and check.found for check in found)
    assert not list(run_root.iterdir())


def test_port_502_comes_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "can_bind_modbus", lambda: False)
    check = checks.modbus_port()
    assert check.state == checks.LIMITED
    assert check.cure == "sysctl net.ipv4.ip_unprivileged_port_start=502"


def test_a_missing_extra_names_itself() -> None:
    check = checks.extra_installed("farm", "no_such_module")
    assert check.state == checks.BAD
    assert check.cure == 'pip install "plcfarm[farm]"'


def test_a_dead_run_is_found(run_root: Path) -> None:
    run = run_directory("north")
    run.prepare()
    (check,) = checks.leftovers()
    assert check.what == "farm north"
    assert "supervisor is gone, 0 processes" in check.found
    assert "farm down north" in check.cure


def test_for_scripts(run_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = app.run(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == int(any(check["state"] == "missing" for check in found))
    assert set(found[0]) == {"what", "state", "found", "cure"}
