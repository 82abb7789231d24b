"""Sockets of the machine that a node in a namespace serves as well, asked of the process that stands outside.

A socket stays in the network namespace it was made in, so one of the machine's own can only be handed in:

    request   {"address": "127.64.1.1", "port": 44818, "kind": "tcp" | "udp"}      one a connection, JSON, a line
    reply     "+" with the bound socket as SCM_RIGHTS (unix(7)), or the reason why there is none
"""

import array
import json
import socket

LIMIT = 512
PATIENCE = 5.0
"""Seconds for an answer, which is there at once."""


def ask(path: str, address: str, port: int, kind: str) -> socket.socket:
    """A socket of the machine's, bound and not yet listening. Raises `OSError` with the reason."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(path)
        client.sendall(json.dumps({"address": address, "port": port, "kind": kind}).encode())
        size = array.array("i").itemsize
        answer, ancillary, _, _ = client.recvmsg(LIMIT, socket.CMSG_SPACE(size))
    for level, kind_of, data in ancillary:
        if (level, kind_of) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            return socket.socket(fileno=array.array("i", data[:size])[0])
    raise OSError(f"{address}:{port}: {answer.decode(errors='replace') or 'the doorway hung up'}")
