"""The way from a machine to nodes that a user without root keeps in namespaces: sockets of the machine's own.

A socket stays in the namespace it was made in. So a process that stays outside makes those that a node is to serve at
an address of 127/8, and hands them in, over a socket in the run's folder, to whoever was this user when it connected
(messages: `node.server.doorway`). It ends when it is told to, or when its socket was taken away.
"""

import array
import contextlib
import json
import os
import resource
import selectors
import signal
import socket
import struct
import time
from pathlib import Path
from typing import NoReturn

from farm.errors import BackendError

FILE = "doorway"
COMM = b"plc-doorway"
LIMIT = 512
PATIENCE = 5.0
LOOK = 5.0
"""Seconds between two looks whether its socket is still there."""
END = b'{"end": true}'
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def is_open(path: Path) -> bool:
    """Whether somebody hands out sockets there."""
    with socket.socket(socket.AF_UNIX) as sock:
        try:
            sock.connect(str(path))
        except OSError:
            return False
    return True


def open_doorway(path: Path) -> int:
    """Starts the process that hands out sockets at `path`, for this user alone; its pid. This process must have one
    thread. Raises `BackendError`."""
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    try:
        server.bind(str(path))
        path.chmod(0o600)
        server.listen(64)
    except OSError as exc:
        server.close()
        raise BackendError("doorway", "create", f"{path}: {exc.strerror}") from exc
    pid = os.fork()
    if pid == 0:
        _serve(server, path)
    server.close()
    return pid


def close_doorway(path: Path) -> None:
    """Tells it to end, and returns when nobody hands out sockets any more. Raises `BackendError`."""
    give_up = time.monotonic() + PATIENCE
    while is_open(path):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(str(path))
            sock.sendall(END)
            sock.recv(1)
        if time.monotonic() > give_up:
            raise BackendError("doorway", "stop", f"{path}: the process that hands out sockets does not end")
    path.unlink(missing_ok=True)


def _serve(server: socket.socket, path: Path) -> NoReturn:
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    kept = os.dup2(server.fileno(), 3)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    server.detach()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_bytes(COMM)
    raise_limit()
    _hand_out(socket.socket(fileno=kept), path)
    os._exit(0)


def raise_limit() -> None:
    """Each node keeps a connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _hand_out(listener: socket.socket, path: Path) -> None:
    """Until somebody says END, or the socket at `path` is another's."""
    mine = path.stat().st_ino
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while _inode(path) == mine:
            for key, _ in selector.select(LOOK):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                if sock is listener:
                    client, _ = listener.accept()
                    client.settimeout(PATIENCE)
                    if _is_ours(client):
                        selector.register(client, selectors.EVENT_READ)
                elif (asked := _received(sock)) == END:
                    return
                elif not asked or not _answered(sock, asked):
                    selector.unregister(sock)
                    sock.close()


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _is_ours(client: socket.socket) -> bool:
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    ours: bool = struct.unpack("=iII", credentials)[1] == os.getuid()
    if not ours:
        client.close()
    return ours


def _received(client: socket.socket) -> bytes:
    with contextlib.suppress(OSError):
        return client.recv(LIMIT)
    return b""


def _answered(client: socket.socket, data: bytes) -> bool:
    """Sends the socket that was asked for, or the reason why there is none; whether that went out."""
    try:
        try:
            asked = json.loads(data)
            made = bound(str(asked["address"]), int(asked["port"]), str(asked["kind"]))
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as exc:
            client.sendall(str(exc).encode()[:LIMIT] or b"?")
            return True
        with made:
            handed = array.array("i", [made.fileno()])
            client.sendmsg([b"+"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handed)])
    except OSError:
        return False
    return True


def bound(address: str, port: int, kind: str) -> socket.socket:
    """A socket at an address of 127/8; other addresses are refused. Raises `OSError` or `ValueError`."""
    if not address.startswith("127."):
        raise ValueError(f"{address} is not of 127.0.0.0/8")
    sock = socket.socket(socket.AF_INET, KINDS[kind])
    try:
        if kind == "tcp":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
