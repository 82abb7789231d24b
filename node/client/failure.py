"""What a client says when it gets no answer at all, whatever the protocol: one line that names who was asked.

An answer that is an error is not this: `node.cip.status.CipError` and `node.modbus.pdu.ModbusError` carry those.
"""

import os
import socket

from node.errors import NodeError


class NoAnswer(NodeError):
    """`host`:`port` did not answer: refused, unreachable, closed or too slow. Port 0 is a serial line called `host`."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"{host}:{port}: {reason}" if port else f"{host}: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


def no_answer(host: str, port: int, exc: OSError, timeout: float) -> NoAnswer:
    """The failure that an `OSError` of a connection, or its `TimeoutError` after `timeout` seconds, amounts to."""
    if isinstance(exc, TimeoutError):
        return NoAnswer(host, port, f"no answer within {timeout:g} s")
    if isinstance(exc, socket.gaierror):
        return NoAnswer(host, port, "no such host")
    return NoAnswer(host, port, os.strerror(exc.errno).lower() if exc.errno else str(exc) or "connection lost")
