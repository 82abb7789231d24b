"""Programs run as a user without any rights, by tests that run as root.

The interpreter may lie where only root may pass (a home, say): the user gets a view of the file system in which just
that path is open, in a mount namespace of the process's own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from farm.backends.netns_spaces import CLONE_NEWNS, MS_BIND, MS_PRIVATE, MS_REC, mount, unshare
from tests.side_by_side import worker_number

UID = 65533 - worker_number()
"""A user of this worker's own: some tests look at all that he runs."""
ROOT = Path(__file__).resolve().parent.parent
NEEDED = (Path(sys.base_prefix).resolve(), Path(sys.prefix), ROOT)


def begin(
    command: Sequence[str], environment: Mapping[str, str], cwd: Path = ROOT, uid: int = UID
) -> subprocess.Popen[str]:
    """The command as that user, running, with all it prints in one pipe."""
    return subprocess.Popen(
        command,
        cwd="/",
        env={**os.environ, "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: _become(uid, cwd),
    )


def run(command: Sequence[str], environment: Mapping[str, str], limit: float = 60) -> tuple[int, str]:
    """Its exit code and all it printed."""
    process = begin(command, environment)
    output, _ = process.communicate(timeout=limit)
    return process.returncode, output


def _become(uid: int, cwd: Path) -> None:
    unshare(CLONE_NEWNS)
    mount("", "/", MS_REC | MS_PRIVATE)
    for path in NEEDED:
        _open_way(path)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.chdir(cwd)


def _open_way(path: Path) -> None:
    """Puts an open folder over the first parent that lets nobody pass, with nothing but `path` in it."""
    for parent in reversed(path.parents):
        if parent.stat().st_mode & 0o005 != 0o005:
            kept = os.open(path, os.O_PATH | os.O_DIRECTORY)
            mount("tmpfs", str(parent), 0, "tmpfs")
            parent.chmod(0o755)
            path.mkdir(parents=True)
            mount(f"/proc/self/fd/{kept}", str(path), MS_BIND)
            os.close(kept)
            return
