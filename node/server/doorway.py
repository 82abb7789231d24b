"""Sockets of the machine that a node in a namespace serves as well, asked of the process that stands outside.

A socket stays in the network namespace it was made in, so one of the machine's own can only be handed in. The
connection is made while the node is still the user that the farm is, and kept: whoever has it may ask again.

    request   {"address": "127.64.1.1", "port": 44818, "kind": "tcp" | "udp"}      JSON, one at a time
    reply     "+" with the bound socket as SCM_RIGHTS (unix(7)), or the reason why there is none
"""

import array
import json
import socket

LIMIT = 512
PATIENCE = 5.0
"""Seconds for an answer, which is there at once."""


class Doorway:
    """A connection to the doorway at `path`. Raises `OSError` where there is none."""

    def __init__(self, path: str) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.settimeout(PATIENCE)
        try:
            self._connection.connect(path)
        except OSError:
            self._connection.close()
            raise

    def open(self, address: str, port: int, kind: socket.SocketKind) -> socket.socket:
        """A socket of the machine's, bound and not yet listening. Raises `ConnectionError` when nobody stands outside
        any more, another `OSError` with the reason when it cannot be had."""
        name = "tcp" if kind == socket.SOCK_STREAM else "udp"
        self._connection.sendall(json.dumps({"address": address, "port": port, "kind": name}).encode())
        size = array.array("i").itemsize
        answer, ancillary, _, _ = self._connection.recvmsg(LIMIT, socket.CMSG_SPACE(size))
        for level, handed, data in ancillary:
            if (level, handed) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                return socket.socket(fileno=array.array("i", data[:size])[0])
        if not answer:
            raise ConnectionResetError("the doorway hung up")
        raise OSError(answer.decode(errors="replace"))

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()
