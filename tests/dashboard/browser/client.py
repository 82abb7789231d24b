"""A client as people have it: pylogix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pylogix import PLC


@contextmanager
def pylogix(address: str, timeout: float = 20.0) -> Iterator[PLC]:
    """A client of the controller there, closed whole in the end."""
    with PLC(address, timeout=timeout) as plc:
        plc.conn.msg_socket.close()  # made by pylogix, and never closed by it
        yield plc


def value_of(address: str, tag: str) -> object:
    """What a client reads there, which must be something."""
    with pylogix(address) as plc:
        answer = plc.Read(tag)
    assert answer.Status == "Success", answer
    return answer.Value
