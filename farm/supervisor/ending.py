"""The end of a run: no process, no socket, no file, no folder left, whoever does it and whatever was lost before.

The supervisor ends here when it is told `down`, and a command line that finds none to be had (`clean`). Processes go
first and their files after, so that whoever is killed in between leaves a folder that says there is something to take
down.
"""

import contextlib
import shutil
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from farm.backends.backend import Backend
from farm.errors import FarmError
from farm.supervisor.run_directory import RunDirectory, default_root
from farm.supervisor.state import Identity
from farm.topology.plant import Plant

MakeBackend = Callable[[RunDirectory, Identity], Backend]
GRACE = 2.0


@runtime_checkable
class Endable(Protocol):
    """A backend that has more than shards to end: a nursery, or processes that bear the run's mark."""

    def end_all(self, grace: float) -> int:
        """End every process of the run but this one; how many there were."""

    def close(self) -> None:
        """End what serves this process alone."""


@runtime_checkable
class Enterable(Protocol):
    """A backend whose nodes are reached from a place of their own only."""

    def enter(self) -> None:
        """Move this process there, while it has one thread."""


def nothing(name: str) -> Plant:
    """The plant that is wanted of a farm that goes down."""
    return Plant(name, "", "", 1, ())


def end_processes(backend: Backend) -> None:
    """Ends what no plan knows of. Raises `FarmError` when something stays."""
    if isinstance(backend, Endable):
        backend.end_all(GRACE)


def remove_files(run: RunDirectory) -> None:
    """Everything in the run's folder but its lock. Raises `FarmError`."""
    try:
        for path in run.path.iterdir():
            if path == run.lock_file:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise FarmError(f"cannot remove {exc.filename}: {exc.strerror}") from exc


def remove_folder(run: RunDirectory) -> None:
    """The lock and the folder, and the root if it is the default one and empty. Another run of that name that began
    meanwhile keeps its own."""
    run.lock_file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        run.path.rmdir()
    if run.path.parent == default_root():
        with contextlib.suppress(OSError):
            run.path.parent.rmdir()
