"""The farm's end of a relay that mounts nothing of this machine: streams of shards, taken to the control socket.

The pipe is a command within the relay's container (`node.relay.attach`), of which the engine gives the standard input
and output; it may be one of ssh, TLS or a socket, so it is read and written by threads, and asyncio has the rest.
"""

import asyncio
import contextlib
import logging
import select
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from node.control.keepalive import keep_socket_alive
from node.errors import NodeError
from node.relay.frames import Frame, FrameReader
from node.relay.link import End, Link

if TYPE_CHECKING:
    from farm.backends.docker_engine import Engine

log = logging.getLogger(__name__)

LINK = "127.0.0.1:7701"
"""Where a relay takes a farm, in its own network namespace."""
READ = 64 << 10
HELD = 1 << 20
"""Bytes that wait for the pipe to take them; shards are not read while there are more."""
LOOK_AGAIN = 1.0
ENDING = 30.0
"""Seconds for the threads to end, of which one may have to wait for an engine."""
NAME = "relay"


class Pipe(Protocol):
    """Bytes to and from a relay. Each method may block, and raises `OSError` when the other end is gone."""

    def read(self) -> bytes:
        """What came, b"" at the end."""

    def write(self, data: bytes) -> None:
        """All of it."""

    def close(self) -> None:
        """Ends both, from any thread."""


class RelayLink:
    """Carries a relay's streams to the Unix socket `control` while the `pipe` lasts; `closed` is set when it does not
    any more."""

    def __init__(self, control: Path, pipe: Pipe) -> None:
        self.closed = threading.Event()
        self._control = str(control)
        self._pipe = pipe
        self._loop = asyncio.new_event_loop()
        self._out = _Outgoing(pipe, self._drained)
        self._link = Link(self._write, self._connect)
        self._stopped = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("relay", self._run), ("relay-in", self._read), ("relay-out", self._out.run))
        ]

    def start(self) -> None:
        """Carries from now on."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Hangs up on the relay and on all that came by it."""
        self._end()
        for thread in self._threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(ENDING)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._link.close()
        self._loop.run_until_complete(self._settle())
        self._loop.close()

    async def _settle(self) -> None:
        """Nothing is on its way any more, and what was closed is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def _read(self) -> None:
        """Each read is acted upon before the next, which so waits for this side."""
        reader = FrameReader()
        try:
            while data := self._pipe.read():
                taken: Future[None] = Future()
                self._loop.call_soon_threadsafe(self._take, reader.decode(data), taken)
                self._wait(taken)
        except NodeError as exc:
            log.error("the link to the relay ends: %s", exc)
        except (OSError, RuntimeError, ValueError):
            pass  # one of the two ends was closed
        self._end()

    def _wait(self, work: "Future[None]") -> None:
        """Until it is done, or never will be: what a loop is given while it ends, it forgets."""
        while not self.closed.is_set():
            with contextlib.suppress(TimeoutError):
                return work.result(LOOK_AGAIN)
        return None

    def _take(self, frames: Sequence[Frame], taken: "Future[None]") -> None:
        try:
            for frame in frames:
                self._link.take(frame)
        except Exception as exc:
            taken.set_exception(exc)
        else:
            taken.set_result(None)

    def _end(self) -> None:
        self.closed.set()
        self._out.close()
        with contextlib.suppress(OSError):
            self._pipe.close()
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        """Once, whoever says so: a second time would cut short what is done at the end."""
        if not self._stopped:
            self._stopped = True
            self._loop.stop()

    def _write(self, data: bytes) -> None:
        if self._out.put(data):
            self._link.pause()

    def _drained(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._link.resume)

    def _connect(self, end: End) -> None:
        async def connect() -> None:
            try:
                await self._loop.create_unix_connection(lambda: end, self._control)
            except OSError as exc:
                end.failed(f"the farm does not listen: {exc.strerror or exc}")

        task = self._loop.create_task(connect())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Outgoing:
    """What waits for the pipe, and the thread that writes it; `drained` is called when little is left after much."""

    def __init__(self, pipe: Pipe, drained: Callable[[], None]) -> None:
        self._pipe = pipe
        self._drained = drained
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._full = False
        self._over = False

    def put(self, data: bytes) -> bool:
        """Whether there is more now than should be."""
        with self._changed:
            self._waiting.append(data)
            self._size += len(data)
            self._full = self._full or self._size > HELD
            self._changed.notify()
            return self._full

    def close(self) -> None:
        """Writes no more."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def run(self) -> None:
        """Until it is closed, or the other end is gone; whoever reads the pipe finds that out too."""
        while True:
            with self._changed:
                while not self._waiting and not self._over:
                    self._changed.wait()
                if self._over:
                    return
                data = b"".join(self._waiting)
                self._waiting.clear()
                self._size = 0
            try:
                self._pipe.write(data)
            except (OSError, ValueError):
                with contextlib.suppress(OSError):
                    self._pipe.close()
                return
            with self._changed:
                again, self._full = self._full and self._size <= HELD, self._size > HELD
            if again:
                self._drained()


class ExecPipe:
    """The standard input and output of a command in a container, as the engine's API gives them on `stream`: a socket
    that was taken over from HTTP. Output comes in records, for there is standard error beside it:

    which u8 (1: output, 2: error) | 3 bytes of 0 | size u32 | `size` bytes
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._socket = getattr(stream, "_sock", stream)
        self._socket.setblocking(False)
        keep_socket_alive(self._socket)
        self._using = threading.Lock()
        self._records = _Records()

    def read(self) -> bytes:
        """As `Pipe`."""
        while True:
            data = self._patiently(self._socket.recv, READ, select.POLLIN)
            if not data:
                return b""
            output, errors = self._records.decode(data)
            if errors:
                log.warning("relay: %s", " ".join(errors.decode(errors="replace").split()))
            if output:
                return output

    def write(self, data: bytes) -> None:
        """As `Pipe`."""
        left = memoryview(data)
        while left:
            left = left[self._patiently(self._socket.send, left[:READ], select.POLLOUT) :]

    def close(self) -> None:
        """As `Pipe`."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(2)
        self._stream.close()

    def _patiently(self, work: Callable[[Any], Any], argument: object, event: int) -> Any:
        """What `work` does once it need not wait for `event`. Nobody has the socket meanwhile: one of TLS is for one
        thread at a time, and the other has something to say while this one waits."""
        while True:
            with self._using:
                try:
                    return work(argument)
                except ssl.SSLWantReadError:
                    wanted = select.POLLIN
                except ssl.SSLWantWriteError:
                    wanted = select.POLLOUT
                except BlockingIOError:
                    wanted = event
            poll = select.poll()
            poll.register(self._socket, wanted)
            poll.poll()


class _Records:
    """Output and errors of records as they come."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._which, self._left = 0, 0

    def decode(self, data: bytes) -> tuple[bytes, bytes]:
        """(output, errors) of what came, passed on before the record's end."""
        found: dict[int, bytearray] = {1: bytearray(), 2: bytearray()}
        at = 0
        while at < len(data):
            if not self._left:
                part = data[at : at + 8 - len(self._head)]
                self._head += part
                at += len(part)
                if len(self._head) == 8:
                    self._which, self._left = self._head[0], int.from_bytes(self._head[4:], "big")
                    self._head.clear()
                continue
            part = data[at : at + self._left]
            found.setdefault(self._which, bytearray()).extend(part)
            self._left -= len(part)
            at += len(part)
        return bytes(found[1]), bytes(found[2])


def exec_pipe(engine: "Engine", container: str, address: str = LINK) -> ExecPipe:
    """The pipe of the relay in a container. Raises `BackendError`."""
    with engine.told(NAME, "attach"):
        command = ["python3", "-S", "-m", "node", "relay", "--attach", address]
        made = engine.api.exec_create(container, command, stdin=True)
        return ExecPipe(engine.api.exec_start(made["Id"], socket=True))
