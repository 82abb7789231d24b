"""What is being answered, and is finished first when the process is ended: half an answer is a fault to whoever asked,
and a change that was made would look as if it had failed."""

import os
import signal
import threading
import time
from collections.abc import Iterable
from types import FrameType
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.wsgi import ClosingIterator

STREAM = "/stream"
"""How the paths of answers end that have no end."""
GRACE = 2.0
"""Seconds after which it ends all the same."""


class Answering:
    """A WSGI application that counts what another is answering. It calls `close` of an answer when all of it was handed
    to the connection, as WSGI has it (PEP 3333)."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._count = 0

    def __call__(self, environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environment["PATH_INFO"].endswith(STREAM):
            return self._app(environment, start_response)
        self._add(1)
        try:
            body = self._app(environment, start_response)
        except BaseException:
            self._add(-1)
            raise
        return ClosingIterator(body, lambda: self._add(-1))

    def end(self, number: int, frame: FrameType | None) -> None:
        """A handler of signals: ends this process by that signal, when all is answered. New connections wait meanwhile,
        in sockets that another process may have too and serve on."""
        signal.signal(number, signal.SIG_DFL)
        give_up = time.monotonic() + GRACE
        while self._count and time.monotonic() < give_up:
            time.sleep(0.005)
        os.kill(os.getpid(), number)

    def _add(self, count: int) -> None:
        with self._lock:
            self._count += count
