"""The way of control streams out of a cluster: shards dial a relay's pod, and the farm runs a command in that pod,
whose standard input and output carry all of them. It needs no way into the cluster but its API.
"""

import logging
import threading
import time
from pathlib import Path

import websocket
from kubernetes.stream.ws_client import WSClient

from farm.backends.kubernetes_api import Cluster, Refused
from farm.backends.kubernetes_shards import LINK, ROLE, SHARD, TCP, Run, relay_name, relay_objects
from farm.backends.relay_link import RelayLink
from farm.errors import BackendError

log = logging.getLogger(__name__)

AGAIN = 1.0
"""Seconds between two tries."""
LOOK = 1.0
"""Seconds after which a reader looks whether he is still wanted."""
STALLED = 30.0
"""Seconds after which a connection, or a write, that does not get on is given up."""
ADDRESS_SECONDS = 10.0
STDOUT, STDERR = 1, 2
CLOSED = (websocket.WebSocketException, AttributeError, TypeError, ValueError)
"""What the client's socket raises when another thread closes it."""


class RelayPod:
    """The relay of a run, and this process's link to it; `control` is the farm's socket."""

    def __init__(self, cluster: Cluster, run: Run, control: Path) -> None:
        self._cluster = cluster
        self._run = run
        self._control = control
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._address = ""
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._link: RelayLink | None = None

    def address(self) -> str:
        """Where shards dial; the relay is made where there is none. Raises `BackendError`."""
        with self._making:
            if not self._address:
                self._make()
            return self._address

    def carry(self) -> None:
        """Has a thread carry streams from now on. Never blocks."""
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._follow, name="kubernetes-relay", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Carries no longer, and makes nothing any more; the relay stays."""
        self._closed.set()
        with self._making:
            pass  # what was being made is there by now
        link, thread = self._link, self._thread
        if link is not None:
            link.close()
        if thread is not None:
            thread.join(AGAIN * 5)

    def _restore(self) -> None:
        """Makes a relay anew that somebody took away, at the address that shards dial."""
        with self._making:
            name = relay_name(self._run)
            gone = any(self._cluster.get(kind, name) is None for kind in ("StatefulSet", "Service"))
            if gone and not self._closed.is_set():
                self._make()
                log.warning("the relay was taken away, and is made anew")

    def _make(self) -> None:
        """What is not there of it."""
        for body in relay_objects(self._run, self._address or self._dialled()):
            try:
                self._cluster.create(body)
            except Refused as exc:
                if not exc.exists:
                    raise
        self._address = self._read_address()

    def _dialled(self) -> str:
        """Where shards that were started earlier dial, "" where there are none."""
        for body in self._cluster.all("StatefulSet", {**self._run.selector, ROLE: SHARD}):
            command = body["spec"]["template"]["spec"]["containers"][0]["command"]
            return str(command[-1]).removeprefix(TCP).rpartition(":")[0]
        return ""

    def _read_address(self) -> str:
        """What the cluster gave the relay's service."""
        late = time.monotonic() + ADDRESS_SECONDS
        while True:
            found = self._cluster.get("Service", relay_name(self._run)) or {"spec": {}}
            address = str(found["spec"].get("clusterIP", ""))
            if address:
                return address
            if time.monotonic() > late:
                raise BackendError(relay_name(self._run), "start", "the cluster gives its service no address")
            time.sleep(AGAIN / 4)

    def _follow(self) -> None:
        said: set[str] = set()
        while not self._closed.is_set():
            try:
                self._carry_once()
                said.clear()
            except (BackendError, websocket.WebSocketException, OSError) as exc:
                _warn(said, str(exc))
                try:
                    self._restore()
                except BackendError as again:
                    _warn(said, str(again))
            self._closed.wait(AGAIN)

    def _carry_once(self) -> None:
        """Until the pod or the connection ends."""
        command = ["python3", "-S", "-m", "node", "relay", "--attach", LINK]
        websocket.setdefaulttimeout(STALLED)  # the client has no word for it
        pipe = ChannelPipe(self._cluster.run_in(f"{relay_name(self._run)}-0", command), self._closed)
        link = self._link = RelayLink(self._control, pipe)
        link.start()
        while not link.closed.wait(AGAIN) and not self._closed.is_set():
            pass
        link.close()


def _warn(said: set[str], why: str) -> None:
    """Once, however often it is so."""
    if why not in said:
        said.add(why)
        log.warning("no control streams for now: %s", why)


class ChannelPipe:
    """The standard input and output of a command, over the API's channels."""

    def __init__(self, socket: WSClient, closed: threading.Event) -> None:
        self._socket = socket
        self._closed = closed
        self._over = False

    def read(self) -> bytes:
        """As `relay_link.Pipe`."""
        try:
            while not self._over and not self._closed.is_set():
                self._socket.update(timeout=LOOK)
                errors: bytes = self._socket.read_channel(STDERR)
                if errors:
                    log.warning("relay: %s", " ".join(errors.decode(errors="replace").split()))
                data: bytes = self._socket.read_channel(STDOUT)
                if data or not self._socket.is_open():
                    return data
        except CLOSED as exc:
            raise OSError(str(exc)) from exc
        return b""

    def write(self, data: bytes) -> None:
        """As `relay_link.Pipe`."""
        try:
            self._socket.write_stdin(data)
        except CLOSED as exc:
            raise OSError(str(exc)) from exc

    def close(self) -> None:
        """As `relay_link.Pipe`."""
        self._over = True
        self._socket.close()
