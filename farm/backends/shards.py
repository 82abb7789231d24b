"""The nursery, seen from the farm: started when the first shard is wanted, again when it died, asked for forks.

Without it every node would cost an interpreter (100 ms and 13 MiB). Requests that come while others are on their way
wait and go together: shards that are forked together share more of their memory (`node.nursery`).
"""

import contextlib
import os
import socket
import subprocess
import sys
import sysconfig
import threading
from collections import deque
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


class _Wish:
    """A request for a fork, and what became of it: a reply, or why there is none."""

    def __init__(self, request: Message) -> None:
        self.request = request
        self.reply: Message | None = None
        self.error: Exception | None = None


class Shards:
    """Forks shards of the run `run`; the nursery's own words go to the file `log`."""

    def __init__(self, run: str, log: Path) -> None:
        self._run = run
        self._log = log
        self._lock = threading.Lock()
        self._wishes: deque[_Wish] = deque()
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
        wish = _Wish(request)
        self._wishes.append(wish)
        with self._lock:  # whoever has it asks for all who wait for it
            if wish.reply is None and wish.error is None:
                self._grant([self._wishes.popleft() for _ in range(len(self._wishes))])
        reply, error = wish.reply, wish.error
        if reply is None:
            raise BackendError(shard, "start", f"the nursery failed ({error}): {self._last_words()}") from error
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

    def _grant(self, wishes: list[_Wish]) -> None:
        try:
            if self._socket is not None and self._is_dead():
                self._drop()
            if self._socket is None:
                self._socket = self._start()
            self._socket.sendall(b"".join(encode(wish.request) for wish in wishes))
            for wish, line in zip(wishes, _read_lines(self._socket, len(wishes)), strict=True):
                wish.reply = decode(line)
        except (OSError, ProtocolError) as exc:
            self._drop()
            for wish in wishes:
                wish.error = exc

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


def _read_lines(connection: socket.socket, count: int) -> list[bytes]:
    """As many lines, and nothing that comes after them."""
    received = bytearray()
    while received.count(b"\n") < count:
        data = connection.recv(65536)
        if not data:
            raise ConnectionResetError("it ended before it answered")
        received += data
        if len(received) > LIMIT:
            raise ConnectionAbortedError("it says too much")
    return bytes(received).split(b"\n")[:count]


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
