"""The nursery, seen from the farm: started when the first shard is wanted, again when it died, asked for forks.

Without it every node would cost an interpreter (100 ms and 13 MiB). One request is on its way at a time: the nursery
forks one after the other anyway, and a reply then belongs to its request.
"""

import contextlib
import os
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path

import node
from farm.backends import pids
from farm.errors import BackendError
from node.control.messages import FORK, FORKED, LIMIT, RUN_VARIABLE, Message, Place, decode, encode
from node.errors import ProtocolError

REPLY_SECONDS = 30.0
"""For one fork, the nursery's own start included; a machine that swaps is slow and not dead."""
END_SECONDS = 5.0


class Shards:
    """Forks shards of the run `run`; the nursery's own words go to the file `log`."""

    def __init__(self, run: str, log: Path) -> None:
        self._run = run
        self._log = log
        self._lock = threading.Lock()
        self._nursery: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    @property
    def nursery(self) -> int:
        """The nursery's pid, 0 when none runs."""
        process = self._nursery
        return process.pid if process is not None and process.poll() is None else 0

    def fork(
        self, shard: str, config: Path, log: Path, control: Path, token: str, place: Place | None = None
    ) -> tuple[int, int]:
        """(pid, started) of a new shard that serves the shard file `config` at its `place`.

        Raises `BackendError` when the system refuses another process, or the nursery cannot be started or died.
        """
        request: Message = {
            "type": FORK,
            "shard": shard,
            "config": str(config),
            "log": str(log),
            "control": str(control),
            "token": token,
            **({} if place is None else {"place": place.encode()}),
        }
        with self._lock:
            try:
                reply = self._ask(request)
            except (OSError, ProtocolError) as exc:
                self._drop()
                raise BackendError(shard, "start", f"the nursery failed ({exc}): {self._last_words()}") from exc
        if reply["type"] != FORKED:
            raise BackendError(shard, "start", str(reply.get("error", reply)))
        return int(reply["pid"]), int(reply["started"])

    def _last_words(self) -> str:
        """The last line of the nursery's log: the log itself may be gone when somebody wants to read it."""
        try:
            lines = self._log.read_text(errors="replace").split("\n")
        except OSError as exc:
            return f"no log ({exc})"
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")

    def close(self) -> None:
        """End the nursery; its shards live on. The next fork starts another."""
        with self._lock:
            self._drop()

    def end_all(self, grace: float) -> int:
        """End the nursery, then every process of the run but this one; how many those were.

        Raises `BackendError` with the pids that are left.
        """
        with self._lock:
            self._drop()
            return pids.end_marked(self._run, grace)

    def _ask(self, request: Message) -> Message:
        if self._socket is not None and self._is_dead():
            self._drop()
        if self._socket is None:
            self._socket = self._start()
        self._socket.sendall(encode(request))
        return decode(_read_line(self._socket))

    def _is_dead(self) -> bool:
        assert self._nursery is not None
        return self._nursery.poll() is not None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.settimeout(REPLY_SECONDS)
        with theirs, _open_log(self._log) as log:
            self._nursery = subprocess.Popen(
                [sys.executable, "-P", "-m", "node", "nursery", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(self._run),
                pass_fds=(theirs.fileno(),),
            )
        return ours

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        process, self._nursery = self._nursery, None
        if process is None:
            return
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _open_log(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read_line(connection: socket.socket) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        data = connection.recv(65536)
        if not data:
            raise ConnectionResetError("it ended before it answered")
        line += data
        if len(line) > LIMIT:
            raise ConnectionAbortedError("it says too much")
    return bytes(line)


def _environment(run: str) -> dict[str, str]:
    """This process's environment with the run's mark, in which `-m node` is the package that this process uses."""
    home = Path(node.__file__).resolve().parent.parent
    places = [os.path.abspath(place) for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]  # noqa: PTH100
    if str(home) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        places.insert(0, str(home))
    environment = {**os.environ, RUN_VARIABLE: run}
    if places:
        environment["PYTHONPATH"] = os.pathsep.join(places)
    return environment
