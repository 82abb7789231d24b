"""Asks the supervisor: one request a connection, JSON lines (`farm.supervisor.wire`), each with a limit in time.

A supervisor may be gone, or hang, at any moment, and a server of pages has few threads: nobody waits longer than it
takes for a person to wonder, and no more than `AT_ONCE` wait at all.
"""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from farm.dashboard.refusal import Refusal

SECONDS = 5.0
"""For an answer."""
AT_ONCE = 16
"""Requests that are under way at the same time: fewer than there are threads beside the streams."""
TURN = 1.0
"""Seconds to wait for one's turn."""
LINE_LIMIT = 64 << 20
"""Bytes of a line: the rows of 10,000 nodes, and some."""

Body = dict[str, Any]

NOBODY_HINT = "nodes serve on without it; `farm ps` starts it again"


class Desk:
    """The supervisor that listens at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def ask(self, op: str, seconds: float = SECONDS, **fields: Any) -> Body:
        """What the operation is done with. Raises `Refusal`: 503 where nobody answers, 504 where it takes longer than
        `seconds`, 422 with the supervisor's own line."""
        if not self._turns.acquire(timeout=TURN):
            raise Refusal(503, "too many requests wait for the supervisor", "ask again", retry_after=2)
        try:
            with self.connection(seconds, op, fields) as lines:
                for body in lines:
                    if "event" not in body:
                        return _result(op, body)
        except TimeoutError as exc:
            raise Refusal(504, f"the supervisor has not answered {op} within {seconds:g} s", NOBODY_HINT) from exc
        except OSError as exc:
            raise Refusal(503, "the supervisor is not there", NOBODY_HINT, str(exc), retry_after=1) from exc
        finally:
            self._turns.release()
        raise Refusal(503, f"the supervisor ended while it was asked for {op}", NOBODY_HINT, retry_after=1)

    @contextmanager
    def connection(
        self, seconds: float, op: str, fields: Body, silence: float | None = None
    ) -> Iterator[Iterator[Body]]:
        """Asks, and gives the lines that come until the other side hangs up: all within `seconds`, or, with `silence`,
        each within so long after the one before. Raises `OSError`, of which `TimeoutError` is one."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(silence or seconds)
            sock.connect(str(self.path))
            sock.sendall(json.dumps({"op": op, **fields}, separators=(",", ":")).encode() + b"\n")
            yield _lines(sock, None if silence else time.monotonic() + seconds)


def _lines(sock: socket.socket, until: float | None) -> Iterator[Body]:
    rest = bytearray()
    searched = 0
    while len(rest) < LINE_LIMIT:
        if until is not None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
        chunk = sock.recv(1 << 18)
        if not chunk:
            return
        rest += chunk
        while (end := rest.find(b"\n", searched)) >= 0:
            line = bytes(rest[:end])
            del rest[: end + 1]
            searched = 0
            yield _unpack(line)
        searched = len(rest)
    raise OSError(f"a line of over {LINE_LIMIT} bytes")


def _unpack(line: bytes) -> Body:
    try:
        body = json.loads(line)
    except ValueError as exc:
        raise OSError(f"a line that is not JSON: {line[:80]!r}") from exc
    if not isinstance(body, dict):
        raise OSError(f"a line that is no JSON object: {line[:80]!r}")
    return body


def _result(op: str, body: Body) -> Body:
    done = body.get("done")
    if isinstance(done, dict):
        return done
    error = str(body.get("error") or f"the supervisor answered {op} with {body!r:.80}")
    if error == "interrupted" or "again" in body:
        raise Refusal(503, f"the supervisor left while it was asked for {op}", NOBODY_HINT, retry_after=1)
    if error.startswith("a bug in the supervisor"):
        raise Refusal(502, error, str(body.get("hint") or ""))
    raise Refusal(422, error, str(body.get("hint") or ""))
