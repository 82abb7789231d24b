"""The life of a supervisor's process: forks away from the terminal, takes the lock, serves, leaves.

It must not be a child of the command that started it, and shards must not be lost to init when their nursery dies: so
it forks once more in its own session, and takes in orphans (PR_SET_CHILD_SUBREAPER) to bury them. Whether a run has a
supervisor is the lock, never a pid.
"""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

from farm.errors import FarmError
from farm.supervisor.api import Api
from farm.supervisor.descriptors import raise_limit
from farm.supervisor.desk import Desk
from farm.supervisor.ending import Endable, Enterable, MakeBackend, remove_folder
from farm.supervisor.run_directory import Lock, RunDirectory
from farm.supervisor.state import Identity
from farm.supervisor.supervisor import Supervisor

__all__ = ["MakeBackend", "serve"]

log = logging.getLogger(__name__)

PR_SET_CHILD_SUBREAPER = 36
THREADS = 40
"""For what blocks: every worker of a plan, and some."""
LOCK_PATIENCE = 1.0
"""Seconds to wait for the lock: a command that looks whether it is free holds it for a moment."""
READY = b"+"


def serve(run: RunDirectory, backend: str, make_backend: MakeBackend) -> None:
    """Starts the supervisor of `run` in a process of its own, on the platform named `backend`.

    Returns when the other one listens, or has found that the run has a supervisor, and ends this process with exit
    code 1 when it could not. The other one never returns. `make_backend` is called there, under the lock. There must
    be no thread yet.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    heard, told = os.pipe()
    if os.fork():
        os.close(told)
        if os.read(heard, 1) != READY:
            raise SystemExit(1)
        os.close(heard)
        return
    os.close(heard)
    code = 1
    try:
        code = _live(run, backend, make_backend, told)
    except FarmError as exc:
        log.error("%s", exc)
    except BaseException:
        log.exception("a bug in the supervisor")
    finally:
        logging.shutdown()
        os._exit(code)


def _live(run: RunDirectory, backend: str, make_backend: MakeBackend, told: int) -> int:
    _leave_the_terminal()
    lock = Lock(run)
    if not lock.take(LOCK_PATIENCE):
        os.write(told, READY)
        return 0
    identity = Identity.read(run) or Identity.new(run, backend)
    identity.write(run)
    platform = make_backend(run, identity)
    gone = False
    try:
        if isinstance(platform, Enterable):
            platform.enter()
        gone = asyncio.run(_serve(Supervisor(run, identity, platform), told))
    finally:
        if isinstance(platform, Endable):
            platform.close()
    if gone:
        remove_folder(run)
    return 0


def _leave_the_terminal() -> None:
    """Nothing of the command that started this is kept but the log it opened."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    os.umask(0o077)
    os.chdir("/")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    raise_limit()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


async def _serve(supervisor: Supervisor, told: int) -> bool:
    """Serves until the farm is gone (true) or this process is told to end (false)."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS))
    leaving = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, leaving.set)
    loop.add_signal_handler(signal.SIGCHLD, _bury)
    api = Api(supervisor)
    desk = Desk(supervisor)
    await supervisor.start()
    await api.start()
    await desk.start()
    os.write(told, READY)
    os.close(told)
    log.info("supervising %s, pid %d", supervisor.run.name, os.getpid())
    waits = [asyncio.create_task(api.over.wait()), asyncio.create_task(leaving.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await desk.stop()
    await api.stop()
    await supervisor.stop()
    return supervisor.gone


def _bury() -> None:
    """Waits for children that ended: the nursery, and shards that it left to us."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
