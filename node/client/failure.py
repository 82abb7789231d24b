"""What a client says when there is no usable answer, and when the answer is a fault: one line that names who was asked.

    NodeError
        NoAnswer                host and port did not answer: no such host, unreachable
            TimedOut            not within the time there was
            ConnectionLost      it ended before the answer came
            Refused             it was turned away: nothing listens there, or the encapsulation's status says no
            BadAnswer           what came is no answer; a `RemoteProtocolError` too
        CipError                an answer that is a fault
            TagError            with the tag, and who said so

`node.modbus.pdu.ModbusError` is the fault of a Modbus answer.
"""

import os
import socket

from node.cip.status import CipError
from node.errors import NodeError, RemoteProtocolError


class NoAnswer(NodeError):
    """`host`:`port` did not answer: refused, unreachable, closed or too slow. Port 0 is a serial line called `host`."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"{host}:{port}: {reason}" if port else f"{host}: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


class TimedOut(NoAnswer):
    """No whole answer came in time."""


class ConnectionLost(NoAnswer):
    """The connection ended before the answer came; what was asked may have been done."""


class Refused(NoAnswer):
    """Turned away: nothing listens there, or the session or the connection was not granted."""


class BadAnswer(NoAnswer, RemoteProtocolError):
    """What came back is no answer to what was asked."""


class TagError(CipError):
    """A fault that the controller at `host`:`port` answered for `tag`, with its status in words and numbers."""

    def __init__(self, tag: str, host: str, port: int, fault: CipError) -> None:
        super().__init__(fault.general, fault.extended, fault.data)
        self.tag = tag
        self.host = host
        self.port = port

    def __str__(self) -> str:
        return f"{self.host}:{self.port}: {self.tag}: {super().__str__()}"


def no_answer(host: str, port: int, exc: OSError, timeout: float | None) -> NoAnswer:
    """The failure that an `OSError` of a connection, or its `TimeoutError` after `timeout` seconds, amounts to."""
    if isinstance(exc, TimeoutError) and timeout is not None:
        return TimedOut(host, port, f"no answer within {timeout:g} s")
    if isinstance(exc, socket.gaierror):
        return NoAnswer(host, port, "no such host")
    kind = NoAnswer
    if isinstance(exc, TimeoutError):
        kind = TimedOut
    elif isinstance(exc, ConnectionRefusedError):
        kind = Refused
    elif isinstance(exc, ConnectionError):
        kind = ConnectionLost
    return kind(host, port, os.strerror(exc.errno).lower() if exc.errno else str(exc) or "connection lost")
