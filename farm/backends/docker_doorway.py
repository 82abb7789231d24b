"""Sockets of this machine for nodes that share a container: each serves its own address of 127/8 as if it were here.

A published port costs a process of Docker's each, which is dearer than a node. But a socket stays in the namespace it
was made in, wherever it is served; so the supervisor makes those that nodes are to serve, and hands them in over a
socket in the folder that their container is given anyway (messages: `node.server.doorway`). A shard shows its token,
and gets the ports of its own nodes and no others.
"""

import array
import hmac
import json
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from farm.backends.netns_doorway import LIMIT, PATIENCE, bound, raise_limit
from node.config.model import NodeConfig
from node.control.messages import shard_token

log = logging.getLogger(__name__)

FILE = "door"
"""Beside the control socket, and no longer than a path that is known to be short enough (`RunDirectory.prepare`)."""
BACKLOG = 1024
BREATH = 0.1
"""Seconds until it is looked again whether there is a descriptor for whoever knocks."""


class DockerDoorway:
    """Hands out at `path` the ports of the nodes that `nodes_of` finds for a shard. `secret` is what shards' tokens are
    made from."""

    def __init__(self, path: Path, secret: str, nodes_of: Callable[[str], Iterable[NodeConfig]]) -> None:
        self.path = path
        self._secret = secret
        self._nodes_of = nodes_of
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._bell: socket.socket | None = None
        self._strangers: dict[socket.socket, float] = {}
        """Who has shown no token yet, and until when that is borne, the oldest first: they are the supervisor's
        descriptors."""

    def open(self) -> None:
        """Hands out from now on, in a thread; nothing where it does already. Raises `OSError`."""
        with self._lock:
            if self._thread is not None:
                return
            raise_limit()
            self.path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            try:
                listener.bind(os.fspath(self.path))
                self.path.chmod(0o666)  # the token is what counts
                listener.listen(BACKLOG)
            except OSError:
                listener.close()
                raise
            self._bell, other = socket.socketpair()
            self._thread = threading.Thread(target=self._serve, args=(listener, other), name="doorway", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Hands out no more; what was handed out is served on."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None and self._bell is not None:
                self._bell.close()
                thread.join(PATIENCE)

    def _serve(self, listener: socket.socket, bell: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(bell, selectors.EVENT_READ)
            while True:
                self._turn_out(selector)
                for key, _ in selector.select(PATIENCE if self._strangers else None):
                    sock = key.fileobj
                    assert isinstance(sock, socket.socket)
                    if sock is bell:
                        self._strangers.clear()
                        for held in list(selector.get_map().values()):
                            assert isinstance(held.fileobj, socket.socket)
                            held.fileobj.close()
                        return
                    if sock is listener:
                        self._admit(listener, selector)
                    elif not self._answered(sock):
                        self._strangers.pop(sock, None)
                        selector.unregister(sock)
                        sock.close()

    def _admit(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        try:
            client, _ = listener.accept()
        except OSError:
            time.sleep(BREATH)  # who knocks goes on knocking
            return
        client.settimeout(PATIENCE)
        selector.register(client, selectors.EVENT_READ)
        self._strangers[client] = time.monotonic() + PATIENCE

    def _turn_out(self, selector: selectors.BaseSelector) -> None:
        """Hangs up on those who have only come; a shard that was slow comes again."""
        now = time.monotonic()
        while self._strangers and (oldest := next(iter(self._strangers.items())))[1] <= now:
            del self._strangers[oldest[0]]
            selector.unregister(oldest[0])
            oldest[0].close()

    def _answered(self, client: socket.socket) -> bool:
        """Sends the socket that was asked for, or the reason why there is none; whether to listen on."""
        try:
            data = client.recv(LIMIT)
            if not data:
                return False
            try:
                made = self._made(data, client)
            except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as exc:
                client.sendall((str(exc).encode() or b"?")[:LIMIT])
                return not isinstance(exc, PermissionError)
            with made:
                handed = array.array("i", [made.fileno()])
                client.sendmsg([b"+"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handed)])
        except OSError:
            return False
        return True

    def _made(self, data: bytes, client: socket.socket) -> socket.socket:
        asked = json.loads(data)
        shard, address, port = str(asked["shard"]), str(asked["address"]), int(asked["port"])
        if not hmac.compare_digest(str(asked["token"]).encode(), shard_token(self._secret, shard).encode()):
            log.warning("somebody asked at the doorway for a port of shard %r without its token", shard)
            raise PermissionError(f"not the token of shard {shard!r}")
        self._strangers.pop(client, None)
        if not any(node.address == address and port in node.ports.values() for node in self._nodes_of(shard)):
            raise ValueError(f"{address}:{port} is of no node of shard {shard!r}")
        return bound(address, port, str(asked["kind"]))
