"""What runs leave behind when everything that knew them was killed, kind by kind: found by own prefix, mark or label
only, so that a decoy of a like name is let be.
"""

import importlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from farm.backends import netns_leftovers, pids
from farm.backends.marked_runs import MarkedRun, find_marked, supervised_names
from farm.backends.netns_spaces import PINS, run_mark
from farm.cli.backends import make_backend
from farm.cli.docker_checks import ask_version, docker_socket
from farm.supervisor.clean import clean
from farm.supervisor.link import find_runs
from farm.supervisor.run_directory import Lock, RunDirectory

GRACE = 2.0
BEGINNING = 10.0
"""Seconds in which a folder without anything in it may still become a run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Things of one kind that one run left. `run` is its id, or its mark where no more is known."""

    run: str
    what: str
    names: tuple[str, ...]
    remove: Callable[[], object]
    """Takes them away. Raises `FarmError`."""


@dataclass(frozen=True, slots=True)
class Living:
    """Runs that have a supervisor, by id, with the marks of their namespaces, and the names of other users' farms."""

    runs: Mapping[str, MarkedRun]
    marks: frozenset[str]
    names: frozenset[str]

    @classmethod
    def now(cls) -> "Living":
        """Those of this moment: whose supervisor is a process, or holds the lock of its folder."""
        runs = {run_id: run for run_id, run in find_marked().items() if run.lives}
        for run in find_runs():
            if run.run_id not in runs and _is_locked(run):
                runs[run.run_id] = MarkedRun(run.run_id, folders=[run.path])
        others = supervised_names() if os.geteuid() else set()
        return cls(runs, frozenset(map(run_mark, runs)), frozenset(others))


class Sweeper(Protocol):
    """Finds what is left of one kind. Whoever lives is passed."""

    def __call__(self, living: Living) -> Iterator[Finding]:
        """All that is there. Raises `FarmError` when it cannot be looked for."""


def folders(living: Living) -> Iterator[Finding]:
    """Run folders without a supervisor, with all that their backend knows of."""
    for run in find_runs():
        if run.run_id not in living.runs and not _is_beginning(run):
            yield Finding(run.run_id, "run folder", (str(run.path),), partial(_clean, run))


def services(living: Living) -> Iterator[Finding]:
    """Services of a Swarm that bear our label, where the daemon on this machine is one of its managers."""
    leftovers = _docker_module("farm.backends.swarm_leftovers")
    for left in leftovers.find_services() if leftovers is not None else ():
        if left.run not in living.runs and left.farm not in living.names:
            yield Finding(left.run, "service", left.names, partial(leftovers.end_services, left))


def containers(living: Living) -> Iterator[Finding]:
    """Containers and networks that bear our label, of a daemon on this machine."""
    leftovers = _docker_module("farm.backends.docker_leftovers")
    if leftovers is None:
        return
    for left in leftovers.find_leftovers():
        if left.run in living.runs or left.farm in living.names:
            continue
        for what, names in (("container", left.containers), ("Docker network", left.networks)):
            if names:
                yield Finding(left.run, what, tuple(names), partial(leftovers.take_away, left))


def processes(living: Living) -> Iterator[Finding]:
    """Processes that bear a run's mark."""
    for run_id, run in find_marked().items():
        if run_id not in living.runs:
            names = tuple(f"{pid} ({command})" for pid, command in sorted(run.processes.items()))
            yield Finding(run_id, "process", names, partial(pids.end_marked, run_id, GRACE))


def namespaces(living: Living) -> Iterator[Finding]:
    """Network namespaces, and links of the machine's own, whose names begin with a run's mark."""
    if not PINS.is_dir() and os.geteuid():
        return
    for left in netns_leftovers.find_leftovers():
        if left.mark in living.marks:
            continue
        for what, names in (("namespace", left.namespaces), ("link", left.links)):
            if names:
                yield Finding(left.mark, what, names, partial(netns_leftovers.take_away, left))


SWEEPERS: tuple[Sweeper, ...] = (folders, services, containers, processes, namespaces)
"""In this order: a backend that still knows a run takes away most of it, services go before the containers that they
would start anew, and processes before what they are in."""


def end_living(run: MarkedRun) -> None:
    """Ends a farm that runs, supervisor and all, and its folder. Raises `FarmError`."""
    pids.end_marked(run.run_id, GRACE)
    for folder in dict.fromkeys(run.folders):
        if folder.is_dir():
            _clean(RunDirectory(folder))


def _docker_module(name: str) -> Any:
    """A module that asks the daemon on this machine; None where there is no daemon, or no library to ask it with."""
    path = docker_socket()
    if path is None or not os.access(path, os.W_OK) or ask_version(path) is None:
        return None
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def _clean(run: RunDirectory) -> None:
    if run.exists():
        clean(run, make_backend)


def _is_beginning(run: RunDirectory) -> bool:
    """Whether a folder was only just made: its supervisor is about to come."""
    try:
        return not run.identity_file.exists() and time.time() - run.path.stat().st_mtime < BEGINNING
    except OSError:
        return True


def _is_locked(run: RunDirectory) -> bool:
    lock = Lock(run)
    if lock.take():
        lock.release()
        return False
    return True
