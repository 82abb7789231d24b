"""Where runs lie, which there are, and who holds one."""

import os
from pathlib import Path

import pytest

from farm.errors import FarmError
from farm.supervisor.run_directory import (
    Lock,
    RunDirectory,
    default_root,
    find_runs,
    run_directory,
    run_named,
    run_root,
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLCFARM_RUN", str(tmp_path / "run"))
    return tmp_path / "run"


def made(name: str) -> RunDirectory:
    run = run_directory(name)
    run.prepare()
    return run


def test_the_root_is_what_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLCFARM_RUN", str(tmp_path))
    assert run_root() == tmp_path
    monkeypatch.delenv("PLCFARM_RUN")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert run_root() == default_root() == tmp_path / "plcfarm"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing"))
    assert run_root() == Path(f"/tmp/plcfarm-{os.getuid()}")


def test_a_run_is_this_users_alone(root: Path) -> None:
    run = made("works")
    assert run.exists()
    assert run.path.stat().st_mode & 0o777 == root.stat().st_mode & 0o777 == 0o711


def test_a_root_that_others_may_write_to_is_refused(root: Path) -> None:
    root.mkdir()
    root.chmod(0o777)
    with pytest.raises(FarmError, match="must be writable for uid"):
        made("works")


def test_a_root_that_is_a_link_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    root.symlink_to(tmp_path / "other")
    with pytest.raises(FarmError, match="is not a folder"):
        made("works")


def test_a_root_that_cannot_be_made_says_what_to_do(root: Path) -> None:
    root.write_text("")
    with pytest.raises(FarmError, match="set PLCFARM_RUN to a folder of yours"):
        made("works")


def test_a_socket_path_that_is_too_long_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    root = tmp_path / ("long" * 30)
    with pytest.raises(FarmError, match=r"at most 107: set PLCFARM_RUN to a shorter folder"):
        run_directory("works", root).prepare()
    assert not root.exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "x" * 33, "works\n"])
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(FarmError, match="is no farm name"):
        run_directory(name)


def test_runs_are_found_by_what_lies_in_them(root: Path) -> None:
    assert find_runs() == []
    for name in ("works", "mill"):
        made(name).log_file.touch()
    made("empty")
    (root / "not-a-run").mkdir()
    (root / "not-a-run" / "letter.txt").touch()
    (root / "file").touch()
    assert [run.name for run in find_runs()] == ["empty", "mill", "works"]


def test_a_run_is_named_where_there_are_several(root: Path) -> None:
    with pytest.raises(FarmError, match=r"no farm is running under .*start one with `farm up`"):
        run_named(None)
    works = made("works")
    assert run_named(None) == run_named("works") == works
    with pytest.raises(FarmError, match=r"no farm named 'mill' .*\(running: works\)"):
        run_named("mill")
    made("mill")
    with pytest.raises(FarmError, match=r"2 farms are running \(mill, works\): name one"):
        run_named(None)


def test_the_run_id_needs_no_file(root: Path) -> None:
    run = made("works")
    before = run.run_id
    run.path.rmdir()
    assert before.startswith("works-")
    assert before == made("works").run_id != made("mill").run_id


def test_one_at_a_time_holds_the_lock(root: Path) -> None:
    run = made("works")
    first, second = Lock(run), Lock(run)
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    assert not first.take(0.05)
    second.release()


def test_a_lock_that_was_taken_away_does_not_count(root: Path) -> None:
    run = made("works")
    first, second = Lock(run), Lock(run)
    assert first.take()
    run.lock_file.unlink()
    assert second.take()
    second.release()
    run.lock_file.unlink()
    run.path.rmdir()
    assert not second.take()
    first.release()
