"""The pipe of a relay on a standard input and output: what `docker exec -i` gives a farm far away.

Two threads that read and write, for either may wait; when one end is gone, so is the process.
"""

import os
import socket
import threading
from collections.abc import Callable

READ = 64 << 10


def attach(address: str, port: int) -> int:
    """Carries bytes both ways until either end closes; 0. Raises `OSError` when no relay listens there."""
    sock = socket.create_connection((address, port), timeout=5.0)
    sock.settimeout(None)

    def outwards() -> None:
        _copy(lambda: sock.recv(READ), _write_all)
        os._exit(0)

    threading.Thread(target=outwards, daemon=True).start()
    _copy(lambda: os.read(0, READ), sock.sendall)
    return 0


def _copy(read: Callable[[], bytes], write: Callable[[bytes], None]) -> None:
    try:
        while data := read():
            write(data)
    except OSError:
        return  # the other end is gone


def _write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]
