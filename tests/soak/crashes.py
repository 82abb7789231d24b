"""The crash table: what else goes wrong on a machine, each time with a clear line and nothing left after `farm down`.

A row is a function that takes a farm which is down, lets the misfortune happen, and returns what the command printed
that met it. Whoever calls looks at what is left.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from farm.backends.netns_spaces import Spaces
from farm.supervisor.link import SILENCE
from farm.supervisor.run_directory import RunDirectory
from tests.soak.kills import ROOT, Farm
from tests.soak.leftovers import family, traces

TMPFS_BYTES = 256 * 1024
FEW_DESCRIPTORS = 40


@dataclass(frozen=True, slots=True)
class Crash:
    """A row of the table: what happens, the backends it can happen on, and what the message must say, "" where the
    farm must come through without one."""

    happen: Callable[[Farm], str]
    backends: tuple[str, ...]
    says: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.happen.__name__


def suffer(crash: Crash, farm: Farm) -> tuple[str, list[str]]:
    """What the command said, and what is left after `farm down`."""
    before = traces(farm.run_root)
    said = crash.happen(farm)
    code, output = farm.run("down")
    if code:
        said += f"\ndown: exit {code}: {output}"
    return said, traces(farm.run_root).since(before)


def port_taken(farm: Farm) -> str:
    """Somebody listens where a node is to."""
    with socket.create_server(("127.64.230.2", 44818)):
        return _failed(farm, *farm.up_arguments)


def namespace_there(farm: Farm) -> str:
    """A namespace of a node's name is left over from a kill."""
    farm.run_root.mkdir(mode=0o711, exist_ok=True)  # a run's mark is made from it
    spaces = Spaces(RunDirectory(farm.run_root / "kills").run_id)
    spaces.prepare()
    spaces.make("node.a", lambda: None)
    return _done(farm, *farm.up_arguments)


def disk_full(farm: Farm) -> str:
    """The folder of runs is full before the farm is up."""
    farm.run_root.mkdir(exist_ok=True)
    size = f"size={TMPFS_BYTES},mode=0711"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(farm.run_root)], check=True)
    try:
        filler = farm.run_root / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)
        said = _failed(farm, *farm.up_arguments)
        filler.unlink()
        code, output = farm.run("down")
        return said if code == 0 or "no farm" in output else f"{said}\ndown: exit {code}: {output}"
    finally:
        subprocess.run(["umount", "--lazy", str(farm.run_root)], check=True)


def out_of_descriptors(farm: Farm) -> str:
    """The user may open few files."""
    limit = (FEW_DESCRIPTORS, FEW_DESCRIPTORS)
    done = subprocess.run(
        [sys.executable, "-m", "farm", *farm.up_arguments],
        cwd=ROOT,
        env=farm.environment,
        text=True,
        capture_output=True,
        timeout=90,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit),
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def supervisor_suspended(farm: Farm, seconds: float = 30.0) -> str:
    """The supervisor is stopped for a while: nodes serve, and it goes on where it was."""
    _done(farm, *farm.up_arguments)
    with suspended(farm):
        time.sleep(seconds)  # the subject: a supervisor that was away for this long
    said = _done(farm, "ps")
    assert said.count(" up ") + said.count(" degraded ") == 6, said
    return said


IMPATIENT = """
import sys
from farm.supervisor import link
link.SILENCE = float(sys.argv.pop(1))
from farm.__main__ import main
main()
"""
"""The `farm` command, for which a supervisor is gone that has said nothing for so many seconds."""


def down_of_a_suspended_one(farm: Farm, silence: float = SILENCE) -> str:
    """The supervisor is stopped and never goes on: `farm down` works all the same, after that many seconds."""
    _done(farm, *farm.up_arguments)
    command = [sys.executable, "-c", IMPATIENT, str(silence), "down"]
    with suspended(farm):
        done = subprocess.run(command, cwd=ROOT, env=farm.environment, text=True, capture_output=True, timeout=90)
    assert done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}"
    assert f"has said nothing for {silence:g} s" in done.stderr
    return done.stdout + done.stderr


@contextlib.contextmanager
def suspended(farm: Farm) -> Iterator[None]:
    """The supervisor does not run in here."""
    (pid,) = [pid for pid, name in family(farm.run_root).items() if name == "supervisor"]
    start = Path(f"/proc/{pid}")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if start.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _failed(farm: Farm, *arguments: str) -> str:
    code, output = farm.run(*arguments)
    assert code == 1, f"exit {code}: {output}"
    return output


def _done(farm: Farm, *arguments: str) -> str:
    code, output = farm.run(*arguments)
    assert code == 0, f"exit {code}: {output}"
    return output


TABLE = (
    Crash(port_taken, ("process",), "127.64.230.2:44818"),
    Crash(namespace_there, ("netns",), "6 nodes up"),
    Crash(disk_full, ("process", "netns"), "No space left"),
    Crash(out_of_descriptors, ("process", "netns"), "open files"),
    Crash(supervisor_suspended, ("process", "netns", "docker"), "up"),
    Crash(down_of_a_suspended_one, ("process", "netns"), "down"),
)
