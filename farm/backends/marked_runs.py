"""Runs as the processes of this machine show them, whatever became of their files: by the mark in their environment.

A run lives as long as its supervisor does: the process that was started as `farm supervise FOLDER`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from farm.backends.pids import PROC
from node.control.messages import RUN_VARIABLE, start_time

MARK = re.compile(rf"{RUN_VARIABLE}=([A-Za-z0-9_-]{{1,32}}-[0-9a-f]{{16}})")
SUPERVISE = "supervise"


@dataclass(slots=True)
class MarkedRun:
    """A run's processes by pid, with what each was started as; `folders` are those that its supervisors keep."""

    run_id: str
    processes: dict[int, str] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)

    @property
    def lives(self) -> bool:
        """Whether it has a supervisor."""
        return bool(self.folders)


def find_marked() -> Mapping[str, MarkedRun]:
    """Every run with a process whose environment this user may read, by run id."""
    runs: dict[str, MarkedRun] = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            environ = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            command = (folder / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
        except OSError:
            continue
        match = next(filter(None, map(MARK.fullmatch, environ)), None)
        if match is None or not start_time(int(folder.name)):
            continue
        run = runs.setdefault(match[1], MarkedRun(match[1]))
        run.processes[int(folder.name)] = " ".join(command)[:60]
        supervised = supervised_folder(command)
        if supervised is not None:
            run.folders.append(supervised)
    return runs


def supervised_names() -> set[str]:
    """Names of all farms that are supervised on this machine, other users' too: what a process was started as can be
    read by everybody."""
    names = set()
    for folder in PROC.glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        supervised = supervised_folder(command)
        if supervised is not None:
            names.add(supervised.name)
    return names


def supervised_folder(command: list[str]) -> Path | None:
    """The run's folder in the command line of a supervisor, None in any other."""
    for at, word in enumerate(command[:-1]):
        if word == SUPERVISE and at and (command[at - 1] == "farm" or command[at - 1].endswith(("/farm", "farm.exe"))):
            return Path(command[at + 1])
    return None
