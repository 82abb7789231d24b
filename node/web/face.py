"""The web interface of a simulator as it is served: its socket, and waitress in threads of its own, so that a browser
that is slow costs the simulator's clients nothing.
"""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from waitress.server import create_server

from node.commands.api import Answer
from node.config.model import Json
from node.later import load_now
from node.server.listener import ListenError, listening_socket
from node.web.app import BODY, create_app
from node.web.desk import Desk
from node.web.door import Door

THREADS = 8
CONNECTIONS = 100
"""Open ones; more wait."""
HEADERS_LIMIT = 64 << 10
LAST_ANSWERS = 1.0
"""Seconds that answers have to be sent when the simulator ends."""


class WebFace:
    """The interface at `door`: the socket is there at once. Raises `ListenError` where it cannot be had."""

    def __init__(self, door: Door) -> None:
        self.door = door
        try:
            self._socket = listening_socket(door.host, socket.SOCK_STREAM, door.port)
        except ListenError as exc:
            raise ListenError(f"--web: {exc}") from exc
        self._server: Any = None
        self._sockets: dict[int, Any] = {}

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        host, port = self._socket.getsockname()[:2]
        return f"http://{host}:{port}/"

    def start(
        self, loop: asyncio.AbstractEventLoop, answer: Callable[[str, Json], Awaitable[Answer]], title: str
    ) -> None:
        """Serves what `answer` says in `loop`."""
        load_now()  # a module that loads itself would be half there for a second thread
        logging.getLogger("waitress").setLevel(logging.ERROR)  # it warns of each browser that is closed
        self._server = create_server(
            create_app(Desk(loop, answer), self.door, title),
            self._sockets,
            sockets=[self._socket],
            threads=THREADS,
            connection_limit=CONNECTIONS,
            asyncore_use_poll=True,
            max_request_body_size=4 * BODY,  # what is above BODY is refused by the application, in its own words
            max_request_header_size=HEADERS_LIMIT,
            ident=None,
        )
        threading.Thread(target=self._server.run, name="web", daemon=True).start()

    async def close(self) -> None:
        """Ends it, once what was asked before is answered; after `LAST_ANSWERS` in any case."""
        server, self._server = self._server, None
        if server is None:
            self._socket.close()
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + LAST_ANSWERS
        while _busy(server) and loop.time() < until:  # noqa: ASYNC110 - waitress tells nobody
            await asyncio.sleep(0.01)
        server.task_dispatcher.set_thread_count(0)
        with contextlib.suppress(OSError):  # somebody else's pull may have it hang up before ours is through
            server.trigger.pull_trigger(self._hang_up)

    def _hang_up(self) -> None:
        """Called in the thread that watches the sockets: with none left it ends."""
        for each in [*self._sockets.values()]:
            each.close()


def _busy(server: Any) -> bool:
    return any(channel.requests or channel.total_outbufs_len for channel in [*server.active_channels.values()])
