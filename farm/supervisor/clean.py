"""Takes a farm down from the command line: through its supervisor, or without one where none can be had.

A run whose files were lost, or whose supervisor hangs, must not need a restart of the machine: its processes are found
by their mark, which is made from the folder's path.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from farm.errors import FarmError
from farm.plan.execute import Execution
from farm.plan.reconcile import reconcile
from farm.supervisor.ending import Endable, MakeBackend, end_processes, nothing, remove_files, remove_folder
from farm.supervisor.link import Link, NoSupervisor
from farm.supervisor.run_directory import Lock, RunDirectory
from farm.supervisor.state import Identity

log = logging.getLogger(__name__)

LOCK_PATIENCE = 5.0


def take_down(
    run: RunDirectory, make_backend: MakeBackend, on_event: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Takes a farm down through its supervisor, started again if it is gone, or else directly. What `down` is done
    with. Raises `FarmError` with what stays."""
    try:
        return Link.open(run).ask("down", on_event)
    except NoSupervisor as exc:
        log.warning("%s; cleaning up without it", exc)
        return clean(run, make_backend)


def clean(run: RunDirectory, make_backend: MakeBackend) -> dict[str, Any]:
    """Takes a farm down from this process. A supervisor that does not answer is ended with the rest."""
    run.prepare()
    began = time.monotonic()
    identity = Identity.read(run) or Identity.new(run, "process")
    backend = make_backend(run, identity)
    lock = Lock(run)
    if not lock.take():
        end_processes(backend)
        if not lock.take(LOCK_PATIENCE):
            raise FarmError(f"somebody holds {run.lock_file} and cannot be ended; see `fuser {run.lock_file}`")
    try:
        observed = backend.observe()
        ending = Execution(reconcile(nothing(run.name), observed), backend, keep_going=True)
        asyncio.run(ending.run())  # what one machine refuses keeps no other from being cleared
        end_processes(backend)
        left = backend.observe()
        if left.strays or any(shard.alive for shard in left.shards):
            raise ending.failures[0] if ending.failures else FarmError(f"{run.name}: processes stay")
        remove_files(run)
        remove_folder(run)
    finally:
        lock.release()
        if isinstance(backend, Endable):
            backend.close()
    return {"nodes": sum(len(shard.nodes) for shard in observed.shards), "seconds": time.monotonic() - began}
