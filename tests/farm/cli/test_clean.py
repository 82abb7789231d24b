"""`farm clean`, in namespaces of its own, since it takes what it finds on all of a machine; and what it tells apart."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from farm.backends.marked_runs import MARK, supervised_folder
from farm.cli import clean, sweepers
from farm.cli.sweepers import Finding, Living
from farm.errors import FarmError
from tests.architecture.sources import ROOT

NOBODY = Living({}, frozenset(), frozenset())


def test_marks_and_supervisors() -> None:
    assert MARK.fullmatch("FARM_RUN=north-0123456789abcdef")
    for decoy in ("FARM_RUN=north", "FARM_RUN=-0123456789abcdef", "XFARM_RUN=north-0123456789abcdef"):
        assert not MARK.fullmatch(decoy)
    command = ["/usr/bin/python3", "-m", "farm", "supervise", "/tmp/x/north", "--backend", "netns"]
    assert supervised_folder(command) == Path("/tmp/x/north")
    for other in (command[:3], ["supervise", "/x"], ["vi", "supervise", "x"], [*command[:3], "ps", "supervise", "x"]):
        assert supervised_folder(other) is None


def test_a_folder_that_was_only_just_made_is_let_be(run_root: Path) -> None:
    fresh, old = run_root / "fresh", run_root / "old"
    for folder in (fresh, old):
        folder.mkdir(mode=0o711)
    os.utime(old, (1, 1))
    assert [found.names for found in sweepers.folders(NOBODY)] == [(str(old),)]


def test_what_fails_is_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise FarmError("it will not go")

    taken: list[str] = []
    stubborn = Finding("a", "process", ("1",), refuse)
    others = Finding("b", "link", ("x",), lambda: taken.append("x"))

    def blind(living: Living) -> list[Finding]:
        raise FarmError("cannot look")

    monkeypatch.setattr(clean, "SWEEPERS", (blind, lambda living: [stubborn, others]))
    failures: list[str] = []
    assert list(clean.sweep(NOBODY, failures, dry_run=False)) == [stubborn, others]
    assert (failures, taken) == (["cannot look", "it will not go"], ["x"])
    failures.clear()
    assert list(clean.sweep(NOBODY, failures, dry_run=True)) == [stubborn, others]
    assert (failures, taken) == (["cannot look"], ["x"])


@pytest.mark.root
@pytest.mark.net
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="need root for namespaces")
def test_on_a_machine_of_its_own() -> None:
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--net", sys.executable, "-m", "pytest"]
    done = subprocess.run(
        [*command, "-q", "-p", "no:cacheprovider", "tests/farm/cli/alone_clean.py"],
        cwd=ROOT,
        env={**os.environ, "PLCFARM_ALONE": "1", "DOCKER_HOST": "unix:///nowhere"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
