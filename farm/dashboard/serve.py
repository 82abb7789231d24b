"""The dashboard's process: waitress, one application, a thread that hears the supervisor; and no privilege at all.

As root it becomes a user of its own that no node has, as any other user it stays who it is; either way it can gain
nothing by running a program and has no capability (`node.privileges`). All it needs from disk is in memory before.
"""

import contextlib
import logging
import os
import resource
import signal
import socket
import sys
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Flask
from waitress.server import create_server

from farm.dashboard.answering import Answering
from farm.dashboard.app import create_app
from farm.dashboard.limits import BODY
from farm.dashboard.safety import Doors
from farm.dashboard.site import Demo, Plant, Site
from farm.dashboard.start import READY, Start, unpack_start
from farm.dashboard.tokens import Keys, Tokens
from node import privileges

log = logging.getLogger(__name__)

THREADS = 64
"""Of which `stream.MOST` streams take 40 at most."""
CONNECTIONS = 1000
"""Open ones; more wait."""
HEADERS_LIMIT = 32 << 10
BEHIND = 1 << 17
"""Bytes that may wait for a browser which does not read: a few frames. waitress keeps what it has sent to one until as
much has gone, so that each stream costs this in memory."""
UNREAD_MS = 30_000
"""After which a browser that takes nothing is hung up on: its stream would hold a thread."""


def main() -> None:
    """Takes its orders from standard input, and serves until it is ended."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("waitress").setLevel(logging.ERROR)  # it warns of each browser that is closed
    serve(unpack_start(sys.stdin.buffer.readline()))


def serve(start: Start) -> None:
    """Serves until this process is ended, or the farm is gone."""
    plant = Plant.at(start.farm, reachable(Path(start.socket))) if start.farm else None
    keys = Keys(Tokens(start.write_token, start.read_token), start.instance) if start.farm else None
    doors = Doors(frozenset(start.names), start.any_address, start.free_reading)
    demos = tuple(Demo(*demo) for demo in start.demos)
    app = create_app(Site(plant, keys, doors, start.cookie, demos))
    _warm(app, start.names[0])
    sockets = [socket.socket(fileno=number) for number in start.sockets]
    for each in sockets:
        _hang_up_on_who_does_not_read(each)
    _become_nobody(start.user)
    if start.attached:
        threading.Thread(target=_end_with_input, name="input", daemon=True).start()
    answering = Answering(app)
    server: Any = create_server(
        answering,
        sockets=sockets,
        threads=THREADS,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=True,
        max_request_body_size=4 * BODY,  # what is above BODY is refused by the application, in its own words
        max_request_header_size=HEADERS_LIMIT,
        outbuf_high_watermark=BEHIND,
        channel_request_lookahead=1,  # so that it is seen when a browser hangs up
        ident=None,
    )
    if plant is not None:
        plant.follow(end).start()
    signal.signal(signal.SIGTERM, answering.end)
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    _let_go_of_output()
    server.run()


def reachable(path: Path) -> Path:
    """The socket by a way that stays open: its folder is held, so that no folder above it must be passed again, which
    the user that this process becomes may not be able to."""
    if sys.platform != "linux":
        return path
    return Path(f"/proc/self/fd/{os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)}/{path.name}")


def end() -> None:
    """Ends this process."""
    os.kill(os.getpid(), signal.SIGTERM)


def _end_with_input() -> None:
    """Whoever started this is gone."""
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    end()


def _become_nobody(user: int | None) -> None:
    """Before the first thread, for much of it is a thread's own. Raises `privileges.PrivilegeError`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = 2 * CONNECTIONS
    if soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough if hard == -1 else min(enough, hard), hard))
    os.umask(0o077)
    os.chdir("/")
    if sys.platform == "linux":
        privileges.give_up(user, user, limits={"core": 0})


def _hang_up_on_who_does_not_read(listening: socket.socket) -> None:
    """Connections have it of the socket that they came to (tcp(7))."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _warm(app: Flask, host: str) -> None:
    """Has a few requests answered, so that whatever is imported late is imported while it can be read."""
    for path in ("/", "/healthz", "/nothing"):
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "SERVER_NAME": host,
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": host,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for _ in app(environ, lambda status, headers, exc=None: lambda data: None):
            pass


def _let_go_of_output() -> None:
    """Nobody reads what this prints but its log."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
