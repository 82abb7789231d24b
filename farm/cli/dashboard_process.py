"""The dashboard of a run, as a process: finds it, starts it, makes links for it, ends it.

It is started with its sockets open and its tokens told, bears the run's mark, and is recorded in `dashboard/web.json`
of the run's folder, which only the user who runs the farm may read.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from farm.backends import pids
from farm.cli.dashboard_address import Listening, url_of
from farm.dashboard.start import READY, Record, Start
from farm.dashboard.tokens import Keys, Tokens
from farm.errors import FarmError
from farm.supervisor.allocation import steady
from farm.supervisor.dashboard_user import dashboard_user
from farm.supervisor.link import PACKAGE_ROOT, RunDirectory
from node.control.messages import RUN_VARIABLE, start_time

RECORD, LOG = "web.json", "web.log"
SOCKET_PATIENCE = 10.0
"""Seconds for a supervisor to listen."""
GRACE = 1.0


def require_web() -> None:
    """Raises `FarmError` where the extra `web` is not installed."""
    missing = [name for name in ("flask", "waitress") if importlib.util.find_spec(name) is None]
    if missing:
        raise FarmError(f"{missing[0]} is missing, the dashboard stands on it: pip install 'plcfarm[web]'")


def folder_of(run: RunDirectory) -> Path:
    """What the dashboard of a run has to itself."""
    return run.dashboard_socket.parent


def find(run: RunDirectory) -> Record | None:
    """The dashboard that serves the run; None where none does."""
    record = Record.read(folder_of(run) / RECORD)
    return record if record is not None and pids.alive(record.pid, record.started) else None


def start(run: RunDirectory, listening: Listening) -> Record:
    """Starts one, which outlives this process, unless somebody has done so meanwhile. Raises `FarmError`."""
    with starting(run):
        return find(run) or serve(run, listening, attached=False)[1]


def serve(run: RunDirectory, listening: Listening, attached: bool) -> "tuple[subprocess.Popen[bytes], Record]":
    """Starts one under the lock of `starting`, and writes down which it is. `attached`: it ends with this process."""
    told = orders(run, listening, attached)
    process = spawn(told, folder_of(run) / LOG, {RUN_VARIABLE: run.run_id})
    record = Record(process.pid, start_time(process.pid), listening.addresses, told.instance)
    record.write(folder_of(run) / RECORD)
    return process, record


@contextlib.contextmanager
def starting(run: RunDirectory) -> Iterator[None]:
    """One at a time may start a run's dashboard. Raises `FarmError` where there is none to be had."""
    folder = folder_of(run)
    give_up = time.monotonic() + SOCKET_PATIENCE
    while not run.dashboard_socket.exists():
        if time.monotonic() > give_up:
            raise FarmError(
                f"{run.name}: its supervisor has no {run.dashboard_socket}, as one of an earlier version: "
                f"`farm down {run.name}` and `farm up` give it another"
            )
        time.sleep(0.02)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def tokens_of(run: RunDirectory) -> Tokens:
    """The run's tokens, made if there are none yet. Raises `FarmError`."""
    try:
        return Tokens.kept_in(folder_of(run))
    except OSError as exc:
        raise FarmError(f"cannot keep a token in {folder_of(run)}: {exc.strerror}") from exc


def orders(run: RunDirectory, listening: Listening, attached: bool = False) -> Start:
    """What the process of a run's dashboard is told."""
    tokens = tokens_of(run)
    return Start(
        sockets=tuple(each.fileno() for each in listening.sockets),
        names=listening.names,
        any_address=listening.any_address,
        free_reading=listening.loopback,
        farm=run.name,
        socket=os.fspath(run.dashboard_socket),
        write_token=tokens.write,
        read_token=tokens.read,
        instance=secrets.token_hex(8),
        cookie=f"farm-{hashlib.blake2b(run.run_id.encode(), digest_size=6).hexdigest()}",
        user=dashboard_user(),
        attached=attached,
    )


def spawn(start: Start, log: Path | None, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A process with these orders, which serves on return. Raises `FarmError` with its last words."""
    with _opened(log) as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", pids.DASHBOARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=start.sockets,
            cwd=PACKAGE_ROOT,  # `-m` finds the packages there, also in a checkout that is not installed
            env=steady({**os.environ, **environment}),
            start_new_session=True,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(start.pack())
        process.stdin.flush()
    if not start.attached:
        process.stdin.close()
    with process.stdout as output:
        if output.readline() == READY:
            return process
    code = process.wait()
    raise FarmError(f"the dashboard did not start (exit code {code}){_last_words(log)}")


def link(run: RunDirectory, record: Record, role: str) -> str:
    """An address that lets a browser in, once."""
    return f"{url_of(record.addresses)}?code={Keys(tokens_of(run), record.instance).code(role)}"


def end(run: RunDirectory) -> bool:
    """Ends the run's dashboard, whatever files are lost; whether there was one. Raises `FarmError`."""
    found = {(pid, started) for pid, started in pids.marked(run.run_id) if pids.is_dashboard(pid)}
    record = find(run)
    if record is not None:
        found.add((record.pid, record.started))
    for pid, started in found:
        pids.end(pid, started, GRACE)
    for name in (RECORD, LOG):
        with contextlib.suppress(OSError):
            (folder_of(run) / name).unlink()
    return bool(found)


@contextlib.contextmanager
def _opened(log: Path | None) -> Iterator[IO[bytes] | None]:
    """Where the process prints; None is where this one does."""
    if log is None:
        yield None
        return
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "wb") as file:
        yield file


def _last_words(log: Path | None) -> str:
    """The last line of its log, as the end of a sentence."""
    if log is None:
        return ""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return f" ({log}: {lines[-1]})" if lines else f" (nothing in {log})"
