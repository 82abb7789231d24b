"""What every test may ask for: a run directory that is surely emptied, and the `farm` command as a person runs it.

It also keeps continuous integration honest. A skipped test is green, so a machine that lost tshark, or a typing error
in a condition, would silently test less and less: with PLCFARM_CI=1 a skip fails the session unless its reason is one
of `ALLOWED_SKIPS`.

Where it runs as root, a watch on the machine's own interfaces makes a session fail during which anything of a plant was
seen there (`tests.wire_watch`). Workers have a machine each (`tests.side_by_side`) and watch that.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.side_by_side import (  # noqa: F401 - hooks
    is_worker,
    leave_machine,
    pytest_collection,
    pytest_collection_modifyitems,
    pytest_ignore_collect,
    pytest_xdist_auto_num_workers,
    pytest_xdist_make_scheduler,
    workers,
)
from tests.wire_watch import SHOWN, Watch, may_watch, own_interfaces

if TYPE_CHECKING:
    from tests.backends.real_segment import Segment

ROOT = Path(__file__).resolve().parent.parent

ALLOWED_SKIPS = (
    "is for 64-bit Intel Linux here",  # clients whose wheels other machines have not
    "as an ordinary user",  # what only an unprivileged user sees, where CI is root and cannot become one
    *(() if not hasattr(os, "geteuid") or os.geteuid() == 0 else ("need root", "may not capture", "no Docker daemon")),
)

skipped: list[str] = []
leaked: list[str] = []
watches: list[Watch] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Notes each skip; an expected failure is not one."""
    if report.skipped and not hasattr(report, "wasxfail"):
        note_skip(report.nodeid, report.longrepr)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Notes a module that skips itself while it is imported."""
    if report.skipped:
        note_skip(report.nodeid, report.longrepr)


def note_skip(nodeid: str, longrepr: object) -> None:
    """Keeps a skip whose reason is not allowed."""
    reason = str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
    if not any(allowed in reason for allowed in ALLOWED_SKIPS):
        skipped.append(f"{nodeid}: {reason}")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begins to watch the machine's own interfaces. A worker leaves the machine first, before it imports any test."""
    if is_worker(session.config) and workers():
        leave_machine()
    if may_watch():
        watches.append(Watch(own_interfaces()))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a session with traffic that no plant may make, and a CI session that tested less than it could."""
    for watch in watches:
        leaked.extend(watch.seen())
        watch.close()
    if is_worker(session.config):
        session.config.workeroutput["leaked"] = leaked  # type: ignore[attr-defined]
    less = skipped and os.environ.get("PLCFARM_CI") == "1"
    if (leaked or less) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Takes over what a worker saw; its skips came with its reports."""
    leaked.extend(getattr(node, "workeroutput", {}).get("leaked", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says why such a session failed."""
    if leaked:
        terminalreporter.section("of a plant, on the machine's own interfaces", red=True)
        for line in leaked[:SHOWN]:
            terminalreporter.line(line)
        terminalreporter.line(f"{len(leaked)} frames in all")
    if skipped and os.environ.get("PLCFARM_CI") == "1":
        terminalreporter.section("PLCFARM_CI=1: skipped though it could run here", red=True)
        for line in skipped:
            terminalreporter.line(line)


def marked_processes(root: Path) -> list[int]:
    """The processes, other than this one, that carry `root` in their environment or command line."""
    mark = os.fsencode(root)
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            marked = mark in (folder / "environ").read_bytes() or mark in (folder / "cmdline").read_bytes()
            dead = (folder / "stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
        except OSError:
            continue
        if marked and not dead and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return sorted(found)


@contextmanager
def emptied_root() -> Iterator[Path]:
    """A short run directory root, set as PLCFARM_RUN meanwhile. In the end, takes down whatever farm is left in it, and
    fails when a process that belongs to it stays after that."""
    root = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLCFARM_RUN", str(root))
        try:
            yield root
        finally:
            _empty(root)


@pytest.fixture
def run_root() -> Iterator[Path]:
    """An `emptied_root` of this test's own."""
    with emptied_root() as root:
        yield root


def _empty(root: Path) -> None:
    if any(root.iterdir()):
        subprocess.run([sys.executable, "-m", "farm", "down", "--all"], cwd=ROOT, capture_output=True, timeout=60)
    left = marked_processes(root)
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in left]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(root, ignore_errors=True)
    assert not left, f"processes left after `farm down`: {dict(zip(left, commands, strict=True))}"


@dataclass(frozen=True)
class Outcome:
    """What a command left behind: exit code, standard output, standard error."""

    rc: int
    out: str
    err: str


@pytest.fixture
def farm(run_root: Path) -> Callable[..., Outcome]:
    """Runs `farm ARGUMENTS…` in a process of its own against `run_root`: `farm("ps", "--json").out`."""
    return farm_of(run_root)


def farm_of(run_root: Path) -> Callable[..., Outcome]:
    """The command against a run directory root."""

    def run(*arguments: str, cwd: Path = ROOT, timeout: float = 60, **environment: str) -> Outcome:
        environ = {**os.environ, "PLCFARM_RUN": str(run_root), "PYTHONPATH": str(ROOT), **environment}
        command = [sys.executable, "-m", "farm", *arguments]
        done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=timeout)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def segment() -> Iterator["Segment"]:
    """A real segment, gone in the end."""
    from tests.backends.real_segment import Segment

    made = Segment()
    try:
        yield made
    finally:
        made.remove()
