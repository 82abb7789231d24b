"""Sockets of the machine that a node in a namespace serves as well, asked of the process that stands outside.

A socket stays in the network namespace it was made in, so one of the machine's own can only be handed in. The
connection is made while the node is still the user that the farm is, and kept: whoever has it may ask again. A shard in
a container is nobody there, and shows its token instead; so it may connect anew to another farm.

    request   {"address": "127.64.1.1", "port": 44818, "kind": "tcp" | "udp"}      JSON, one at a time
              and of a container {"shard": ..., "token": ...}
    reply     "+" with the bound socket as SCM_RIGHTS (unix(7)), or the reason why there is none
"""

import array
import contextlib
import json
import socket

LIMIT = 512
PATIENCE = 5.0
"""Seconds for an answer, which is there at once."""


class Doorway:
    """A connection to the doorway at `path`, for a `shard` with its `token` where it is to show one. Raises `OSError`
    where there is none."""

    def __init__(self, path: str, shard: str = "", token: str = "") -> None:
        self._path = path
        self._shown = {"shard": shard, "token": token} if shard else {}
        self._connection = _connected(path)

    def open(self, address: str, port: int, kind: socket.SocketKind) -> socket.socket:
        """A socket of the machine's, bound and not yet listening. Raises `ConnectionError` when nobody stands outside
        any more, another `OSError` with the reason when it cannot be had."""
        name = "tcp" if kind == socket.SOCK_STREAM else "udp"
        request = json.dumps({"address": address, "port": port, "kind": name, **self._shown}).encode()
        try:
            return self._ask(request)
        except (ConnectionError, TimeoutError):
            if not self._shown:
                raise
        try:
            anew = _connected(self._path)  # the farm is another process than it was
        except OSError as exc:
            raise ConnectionResetError(f"nobody hands out sockets at {self._path}: {exc.strerror}") from exc
        self._connection.close()
        self._connection = anew
        return self._ask(request)

    def _ask(self, request: bytes) -> socket.socket:
        size = array.array("i").itemsize
        try:
            self._connection.sendall(request)
            answer, ancillary, _, _ = self._connection.recvmsg(LIMIT, socket.CMSG_SPACE(size))
        except TimeoutError as exc:
            self._hang_up()  # what came yet would be taken for the answer to the next request
            raise TimeoutError(f"nothing was handed out within {PATIENCE:g} s") from exc
        for level, handed, data in ancillary:
            if (level, handed) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                return socket.socket(fileno=array.array("i", data[:size])[0])
        if not answer:
            raise ConnectionResetError("the doorway hung up")
        raise OSError(answer.decode(errors="replace"))

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


def _connected(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    try:
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    return sock
