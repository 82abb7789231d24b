"""A process that is ended answers first what it was asked."""

import http.client
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.net

SERVER = """
import signal, socket, sys, time
from waitress.server import create_server
from farm.dashboard.answering import Answering

def app(environ, start_response):
    path = environ["PATH_INFO"]
    print("asked", path, flush=True)
    start_response("200 OK", [("Content-Length", "10")])
    def body():
        yield b"begun"
        time.sleep(600 if path.endswith("/stream") else float(path[1:]))
        yield b"ended"
    return body()

answering = Answering(app)
sock = socket.create_server(("127.0.0.1", 0))
server = create_server(answering, sockets=[sock], threads=4)
signal.signal(signal.SIGTERM, answering.end)
print("port", sock.getsockname()[1], flush=True)
server.run()
"""


class Asked:
    """A request that is being answered."""

    def __init__(self, port: int, path: str) -> None:
        self.body: bytes | None = None
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", path)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        try:
            self.body = self._connection.getresponse().read()
        except (http.client.IncompleteRead, OSError):
            self.body = None
        finally:
            self._connection.close()

    def wait(self) -> bytes | None:
        """All of the answer; None where it broke off."""
        self._thread.join(60)
        return self.body


@pytest.mark.parametrize(
    ("paths", "answers", "least", "most"),
    [
        (["/0.5", "/0.7"], [b"begunended"] * 2, 0.3, 30),
        (["/stream", "/0.5"], [None, b"begunended"], 0.2, 30),
        (["/stream"], [None], 0, 1.9),
        (["/60"], [None], 1.9, 30),
        ([], [], 0, 1.9),
    ],
    ids=["two", "and a stream", "a stream alone", "one that takes too long", "nothing"],
)
def test_what_is_being_answered_is_answered_and_streams_break_off(
    paths: list[str], answers: list[bytes | None], least: float, most: float
) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[1])
        asked = [Asked(port, path) for path in paths]
        for _ in paths:
            assert process.stdout.readline().startswith("asked")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == -signal.SIGTERM
        assert least <= time.monotonic() - began < most
        assert [each.wait() for each in asked] == answers
