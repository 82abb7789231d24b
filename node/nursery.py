"""A preloaded process that forks a shard for each request: a node costs milliseconds and a few MiB, not an interpreter.

Everything a shard needs is imported before the first fork and frozen out of the garbage collector's sight, so that the
children share those pages for life. It must stay single-threaded and have no event loop by then: a fork copies neither
whole. It ends when the socket it was given closes, that is with the farm's supervisor; its shards live on (there is no
death signal), for parenthood plays no part: they are found by the run id in their environment. Requests and replies:
`node.control.messages`.
"""

import gc
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from node import rehearsal, shard
from node.control.messages import FORK, FORKED, LIMIT, REFUSED, Message, Place, decode, encode, process_stat, read_file
from node.errors import RemoteProtocolError
from node.server.doorway import Doorway

if sys.platform == "linux":
    from node import privileges

PREPARED_BYTES = 64 * 1024
"""Of a shard file that is read before the fork. The nodes of a larger one are many, and the other requests wait."""

NAME_BYTES = 15
"""What the kernel keeps of a process's name."""


def main(arguments: Sequence[str]) -> int:
    """`python -m node nursery FD`: serve the Unix stream socket inherited as descriptor `FD`; the exit code."""
    if len(arguments) != 1 or not arguments[0].isdigit():
        print(f"usage: python -m node nursery FD (got {' '.join(arguments) or 'nothing'})", file=sys.stderr)
        return 2
    _prepare()
    try:
        farm = socket.socket(fileno=int(arguments[0]))
    except OSError as exc:
        print(f"descriptor {arguments[0]} is not a socket: {exc}", file=sys.stderr)
        return 2
    Nursery(farm).serve()
    return 0


def _prepare() -> None:
    """Every page that a child writes to becomes its own, so write to as many as can be before there are children."""
    shard.set_up()
    rehearsal.rehearse()
    gc.disable()
    gc.freeze()


class Nursery:
    """Answers the fork requests of one socket, in order, and buries the children that died."""

    def __init__(self, farm: socket.socket) -> None:
        self._farm = farm
        self._pending = b""
        self._children: dict[int, str] = {}
        self._bell, self._ringer = socket.socketpair()

    def serve(self) -> None:
        """Until the farm closes the socket."""
        self._ring_for_children()
        poll = select.poll()
        poll.register(self._farm, select.POLLIN)
        poll.register(self._bell, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._bell.fileno() in ready:
                self._bell.recv(4096)
            self._bury()
            if self._farm.fileno() in ready and not self._answer_all():
                return

    def _ring_for_children(self) -> None:
        """A child's end wakes the poll, so that no zombie waits for the next request and nothing ticks."""
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        signal.set_wakeup_fd(self._ringer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda signum, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def _bury(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            name = self._children.pop(pid, "?")
            code = os.waitstatus_to_exitcode(status)
            if code:
                how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
                print(f"{name} (pid {pid}): {how}", file=sys.stderr, flush=True)

    def _answer_all(self) -> bool:
        try:
            data = self._farm.recv(65536)
        except ConnectionError:
            return False
        *lines, self._pending = (self._pending + data).split(b"\n")
        try:
            self._farm.sendall(b"".join(map(encode, self._answer_together([decode(line) for line in lines]))))
        except (RemoteProtocolError, ConnectionError) as exc:
            print(f"the farm's socket is given up: {exc}", file=sys.stderr)
            return False
        return bool(data) and len(self._pending) <= LIMIT

    def _answer_together(self, requests: list[Message]) -> list[Message]:
        """Forks for requests that came together. What their nodes are made of is made here, ahead of the first fork:
        what one process writes for all of them are pages that they share."""
        prepared = [_prepared(request) for request in requests] if len(requests) > 1 else [None] * len(requests)
        replies = [self._answer(request, made) for request, made in zip(requests, prepared, strict=True)]
        if len(requests) > 1:
            del prepared
            gc.collect()  # controllers know themselves
        return replies

    def _answer(self, request: Message, prepared: shard.Prepared | None) -> Message:
        fault = _fault(request)
        if fault:
            return {"type": REFUSED, "shard": str(request.get("shard", "")), "error": fault}
        name = str(request["shard"])
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError as exc:
            return {"type": REFUSED, "shard": name, "error": f"cannot fork: {exc.strerror}"}
        if pid == 0:
            self._become_shard(request, prepared)
        self._children[pid] = name
        found = process_stat(pid)
        return {"type": FORKED, "shard": name, "pid": pid, "started": found[1] if found else 0}

    def _become_shard(self, request: Message, prepared: shard.Prepared | None) -> NoReturn:
        code = 1
        try:
            self._leave()
            _take_place(request["shard"], request["log"])
            gc.freeze()
            gc.enable()
            place = Place.decode(request["place"]) if "place" in request else None
            control = _hold(request["control"]) if place and place.user else request["control"]
            settle = (lambda: _settle(place)) if place is not None else None
            code = shard.run(request["config"], control, request["token"], prepared, settle)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _leave(self) -> None:
        """Drop all that is the nursery's: a child that kept its socket would keep the nursery alive."""
        signal.set_wakeup_fd(-1)
        for signum in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_DFL)
        for inherited in (self._farm, self._bell, self._ringer):
            inherited.detach()
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _fault(request: Message) -> str:
    """What keeps a request from being one for a fork; "" when nothing does."""
    wanted = ("shard", "config", "log", "control", "token")
    if request["type"] == FORK and all(isinstance(request.get(field), str) for field in wanted):
        return ""
    return f"not a {FORK} request with the texts {', '.join(wanted)}"


def _prepared(request: Message) -> shard.Prepared | None:
    """What the shard is to serve, made ready; None when that cannot be or does not pay: the shard sees to it and says
    in its own log what is wrong."""
    if _fault(request):
        return None
    try:
        content = read_file(request["config"])
        return shard.prepare(request["config"], content) if len(content) <= PREPARED_BYTES else None
    except Exception:
        return None


def _take_place(name: str, log: str) -> None:
    """A session of its own, nothing to read, its output at the end of its log, its name for `ps` and `pgrep`."""
    os.setsid()
    os.umask(0o077)
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor, place in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(descriptor, place)
    os.close(nothing)
    os.close(written)
    if sys.platform == "linux":
        comm = os.open("/proc/self/comm", os.O_WRONLY)
        os.write(comm, f"plc:{name}".encode()[:NAME_BYTES])
        os.close(comm)


def _hold(control: str) -> str:
    """A path to the farm's socket that leads through an open folder: a user of one's own may not pass those above it,
    and the farm's next supervisor makes the socket anew."""
    folder, _, name = control.rpartition("/")
    return f"/proc/self/fd/{os.open(folder, os.O_PATH | os.O_DIRECTORY)}/{name}"


def _settle(place: Place) -> Doorway | None:
    """Into its network, and down to what a node needs; a way out for its sockets, where there is to be one."""
    doorway = _open_doorway(place.doorway) if place.doorway else None
    if sys.platform == "linux":
        if place.namespace:
            privileges.enter_network(place.namespace)
        user = place.user or None
        privileges.give_up(user, user, place.keep, dict(place.limits))
    return doorway


def _open_doorway(path: str) -> Doorway | None:
    try:
        return Doorway(path)
    except OSError as exc:
        print(f"no address of the machine is served: {path}: {exc}", file=sys.stderr)
        return None
