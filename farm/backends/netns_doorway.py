"""The way from a machine to nodes that a user without root keeps in namespaces: sockets of the machine's own.

A socket stays in the namespace it was made in. So a process that stays outside makes those that a node is to serve at
an address of 127/8, and hands them in, over a socket in the run's folder, to whoever is this user:

    request   {"address": "127.64.1.1", "port": 44818, "kind": "tcp" | "udp"}      one a connection, JSON, a line
    reply     "+" with the bound socket as SCM_RIGHTS, or the reason why there is none

Whoever asks does so by `node.server.doorway`.
"""

import array
import contextlib
import json
import os
import signal
import socket
import struct
from pathlib import Path
from typing import NoReturn

from farm.errors import BackendError

FILE = "doorway"
COMM = b"plc-doorway"
LIMIT = 512
PATIENCE = 5.0
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
        _serve(server)
    server.close()
    return pid


def _serve(server: socket.socket) -> NoReturn:
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    kept = os.dup2(server.fileno(), 3)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    server.detach()
    listener = socket.socket(fileno=kept)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_bytes(COMM)
    while True:
        with contextlib.suppress(OSError):
            client, _ = listener.accept()
            with client:
                client.settimeout(PATIENCE)
                _answer(client)


def _answer(client: socket.socket) -> None:
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    if struct.unpack("=iII", credentials)[1] != os.getuid():
        return
    try:
        asked = json.loads(client.recv(LIMIT))
        with bound(str(asked["address"]), int(asked["port"]), str(asked["kind"])) as made:
            handed = array.array("i", [made.fileno()])
            client.sendmsg([b"+"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handed)])
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as exc:
        client.sendall(str(exc).encode()[:LIMIT] or b"?")


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
