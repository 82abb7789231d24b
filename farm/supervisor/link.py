"""What a command of `farm` holds to talk to a farm: finds its run, starts its supervisor if need be, asks, reads.

Blocking and free of asyncio, for a command does one thing at a time. Every call is a connection of its own, so a
supervisor that was killed in between costs one error line and not a broken object. The operations, their fields and
what they are done with:

    apply    plant (`wire.encode_plant`), dry_run, timeout (seconds, none: by size)   {plan: [line], rows, seconds}
    apply    known (`wire.digest_plant` of what is wanted already), dry_run, timeout  the same, or {unknown: true}
    down     -                                                            {nodes, seconds}
    ps       -                                                            {farm, file, rows}
    restart, stop, start    nodes, actor                                  {rows}
    command  node, path, value, actor                                     {value}
    tags     node (or null for all)                  {tags: [{node, name, type, value, ...}], errors: {node: line}}
    events   since (id), limit, follow                                {events: [event], last}, or events until closed
    status   -            {farm, run, pid, backend, nodes, up, file, uptime_s, telemetry: {node: {..., age, stale}}}
    plant    nodes (names, none for all)                      {plant, way} (encoded, as JSON in a text; `reach.way`)
    link     nodes, changes (fields of `wiring.LinkQuality`, or {} for a good one)           {rows}
    fleet    -               {"event": "fleet", "frame": {...}} each second and {"event": "log", "entry": event}
    nodes    -                                                            {generation, nodes: [row]}
    nodes    edition ("" for none)           {generation, edition, fixed: [row] or null, fields, moving: [[value]]}
    node     node                                                         {row, identity, config, origins, log: [line]}
    trend    node, tags, since (s since 1970)  {times, requests, errors, p50, p99, connections, tags: {tag: [[t, v]]}}
    watch    node, tags                                                   {row, tags: {tag: value}}
    requests, connections   node                                          as the node's commands of these names answer
    clients  -                                                            {clients: [client], edges: [edge]}
    faults   -                                                            {faults: [fault]}
    fault_add    fault (FAULTSPEC), nodes, where, percent, seed, for, shown, actor           {fault}
    fault_clear  id (a number, a list of them, null for all), actor                          {cleared: [id]}
    record       nodes, key, tags (patterns), every (s or null), accesses, after ({node: number}), actor
    record_stop  key (null for all)                                                          {stopped: how many}
    replay_put   nodes ({node: [what `replay/put` takes]}), text, actor                      {refused, again, away}
    replay_stop  key (null for any), nodes (null for all), actor                             {nodes: how many}

While it works, `apply` (and `down`, `restart`) says {"event": "progress", "phase": PHASE, "done": n, "total": m} with a
phase of `start ready probe stop`, {"event": "node", "node": name, "state": state, "text": line} and, when it must wait
for another command, {"event": "waiting", "text": line}.

`record` says {"event": "begun", "tags": {node: how many}}, then {"event": "records", "node": name, "records": [[number,
time, text]], "lost": n}, {"event": "anew", "node": name} of a node that begins again, and once a second {"event":
"fetched", "nodes": n}.

Rows and frames are made in `fleet`, clients in `clients`, faults in `faults`, events in `events`, recordings in
`recordings`. An error may have a `hint`.
"""

import contextlib
import errno
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.errors import FarmError
from farm.supervisor.allocation import steady
from farm.supervisor.run_directory import Lock, RunDirectory, find_runs, run_directory, run_named, run_root
from farm.supervisor.state import Identity
from farm.supervisor.wire import ALIVE, pack, unpack
from node.control.messages import RUN_VARIABLE

__all__ = ["Link", "NoSupervisor", "RunDirectory", "find_runs", "run_directory", "run_named", "run_root"]

START_PATIENCE = 20.0
"""Seconds for a supervisor to answer after it was started; it adopts what runs first."""
GONE_PATIENCE = 10.0
ATTEMPTS = 3
SILENCE = 15.0
"""Seconds without a word after which a supervisor is not expected to say another; it says `ALIVE` while it works."""
LARGE = 250_000
"""Bytes of a request that give it a second more, on a machine with much else to do: of 10,000 nodes they are 7 MB."""
REPEATABLE = frozenset({"apply", "down", "ps", "tags", "status", "plant", "record_stop", "replay_put", "replay_stop"})
"""Operations that are asked for again when their supervisor was killed: the next one completes them."""
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class NoSupervisor(FarmError):
    """There is none, it cannot be started, or it went away."""


@dataclass(frozen=True, slots=True)
class Link:
    """A way to the supervisor of `run`, which answered when this was made."""

    run: RunDirectory
    backend: str

    @classmethod
    def open(cls, run: RunDirectory, backend: str | None = None) -> "Link":
        """Starts the supervisor unless there is one. `backend` None means the one the run was started with.

        Raises `NoSupervisor` when it does not come up, `FarmError` when the run uses another backend than that.
        """
        known = Identity.read(run)
        if known is not None and backend is not None and known.backend != backend:
            raise FarmError(f"{run.name} runs on {known.backend}, not on {backend}: take it down first (`farm down`)")
        link = cls(run, backend or (known.backend if known else "process"))
        link._wake()
        return link

    def call(self, op: str, **fields: Any) -> Iterator[dict[str, Any]]:
        """Asks and yields every event, and last of all what the operation is done with (the value of `done`).

        Raises `FarmError` with the supervisor's line. Closing the iterator hangs up, which ends `events` and makes an
        `apply` undo what it began.
        """
        request = pack({"op": op, **fields})
        name = self.run.name
        for _ in range(ATTEMPTS):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, _Process(sock, self.run) as process:
                if not process.connect():
                    self._wake()
                    continue
                patience = SILENCE + len(request) // LARGE
                sock.settimeout(patience)
                process.send(request)
                answer: dict[str, Any] = {}
                for body in _lines(sock, name, patience):
                    if "event" not in body:
                        answer = body
                    elif body["event"] != ALIVE:
                        yield body
                if not answer or "ended" in answer:
                    process.wait(GONE_PATIENCE)
            if "again" not in answer and (answer or op not in REPEATABLE):
                yield self._result(op, answer)
                return
            self._wake()  # that one was about to leave, or was killed
        raise NoSupervisor(f"{name}: its supervisor leaves as soon as it is there{_last_words(self.run)}")

    def ask(self, op: str, on_event: Callable[[dict[str, Any]], None] | None = None, **fields: Any) -> dict[str, Any]:
        """Asks and returns what it is done with; events go to `on_event`."""
        last: dict[str, Any] = {}
        for body in self.call(op, **fields):
            if on_event is not None and "event" in body:
                on_event(body)
            last = body
        return last

    def _result(self, op: str, answer: dict[str, Any]) -> dict[str, Any]:
        if "error" in answer:
            raise FarmError(str(answer["error"]), str(answer.get("hint", "")))
        if "done" in answer:
            done: dict[str, Any] = answer["done"]
            return done
        raise NoSupervisor(
            f"the supervisor of {self.run.name} ended while it was asked for {op}{_last_words(self.run)}; "
            "nodes serve on: ask again, and it is started anew"
        )

    def _wake(self) -> None:
        """Returns when somebody listens on the run's socket."""
        give_up = time.monotonic() + START_PATIENCE
        while not _answers(self.run):
            if time.monotonic() >= give_up:
                raise NoSupervisor(f"the supervisor of {self.run.name} does not answer{_last_words(self.run)}")
            self.run.prepare()
            lock = Lock(self.run)
            if lock.take():
                lock.release()
                _start(self.run, self.backend)
            else:
                time.sleep(0.02)  # it has only just begun, or is about to end


class _Process:
    """The process at the other end of a socket."""

    def __init__(self, sock: socket.socket, run: RunDirectory) -> None:
        self._sock = sock
        self._path = os.fspath(run.farm_socket)
        self._descriptor = -1

    def __enter__(self) -> "_Process":
        return self

    def __exit__(self, *exc: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def connect(self) -> bool:
        """Whether there was somebody to connect to."""
        try:
            self._sock.settimeout(SILENCE)
            self._sock.connect(self._path)
            if hasattr(os, "pidfd_open"):
                credentials = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
                self._descriptor = os.pidfd_open(struct.unpack("3i", credentials)[0])
        except OSError:
            return False
        return True

    def send(self, request: bytes) -> None:
        """Asks. A connection that is lost meanwhile shows when the answer is read."""
        with contextlib.suppress(OSError):
            self._sock.sendall(request)

    def wait(self, seconds: float) -> None:
        """Until it is gone: what it held is free then."""
        if self._descriptor >= 0:
            select.select([self._descriptor], [], [], seconds)


def _lines(sock: socket.socket, name: str, patience: float) -> Iterator[dict[str, Any]]:
    """What the supervisor says; a connection that is lost ends it. Raises `NoSupervisor` when it says nothing for so
    many seconds."""
    with sock.makefile("rb") as lines:
        while True:
            try:
                line = lines.readline()
            except TimeoutError as exc:
                raise NoSupervisor(
                    f"the supervisor of {name} has said nothing for {patience:g} s: it is suspended or hangs; "
                    "`farm down` ends it with its nodes"
                ) from exc
            except OSError:
                return
            if not line.endswith(b"\n"):
                return
            yield unpack(line)


def _answers(run: RunDirectory) -> bool:
    """Whether somebody listens on the run's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(os.fspath(run.farm_socket))
        except OSError:
            return False
    return True


def _start(run: RunDirectory, backend: str) -> None:
    """Starts the supervisor as a process of its own. The first process it is ends once it has forked."""
    command = [sys.executable, "-m", "farm", "supervise", os.fspath(run.path), "--backend", backend]
    environ = steady({**os.environ, RUN_VARIABLE: run.run_id})
    with run.log_file.open("ab") as log:
        code = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environ,
            cwd=PACKAGE_ROOT,  # `-m` finds the packages there, also in a checkout that is not installed
            start_new_session=True,
            check=False,
        ).returncode
    if code > 0:  # a signal is another supervisor's, which took this one for a stray
        raise NoSupervisor(f"the supervisor of {run.name} did not start (exit code {code}){_last_words(run)}")


def _last_words(run: RunDirectory) -> str:
    """The last line of the supervisor's log, as the end of a sentence."""
    try:
        lines = run.log_file.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    if lines:
        return f" ({run.log_file}: {lines[-1]})"
    return f" ({os.strerror(errno.ENOSPC)}: {run.path})" if _full(run.path) else f" (nothing in {run.log_file})"


def _full(folder: Path) -> bool:
    """Whether nothing more can be written there: a log, too, says nothing then."""
    try:
        return os.statvfs(folder).f_bavail == 0
    except OSError:
        return False
