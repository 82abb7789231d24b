"""What is asked over and over: requests that are encoded once, and what is wrong with their answers.

A load generator sends the same few requests a million times, so nothing of them but a number is made anew for each, and
an answer is looked at no longer than it takes to say whether it is one. Both protocols have an `Exchange`: bytes in,
bytes out, no socket; what a fault is called is the same for every client, so that counts of it can be added.
"""

from collections.abc import Sequence
from typing import Protocol

from node.enip.originator import Answer
from node.errors import NodeError
from node.record import dataclass

READ, WRITE = "read", "write"
KINDS = (READ, WRITE)

MALFORMED = "malformed answer"


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer that is none, or says no: `kind` is what such faults are counted under, `detail` this one's own."""

    kind: str
    detail: str = ""


class Refused(NodeError):
    """A session that could not be begun: what the device said to it."""


class Prepared(Protocol):
    """A request that may be sent any number of times: one of `KINDS`, and the names of what it is about."""

    @property
    def kind(self) -> str:
        """`read` or `write`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Tags or registers, in the order of the request."""


class Exchange(Protocol):
    """A connection's two ends of bytes. Nothing may be sent before it is `ready`."""

    ready: bool

    def begin(self) -> bytes:
        """What is sent first, b"" for nothing."""

    def frame(self, request: Prepared) -> tuple[int, bytes]:
        """A token that names the request until it is answered, and its bytes."""

    def receive(self, data: bytes) -> Sequence[Answer]:
        """The answers that `data` completes. Raises `RemoteProtocolError` for bytes that end all sense, `Refused` for
        a session that is not to be."""

    def outgoing(self) -> bytes:
        """What is to be sent because of what came, b"" for nothing."""

    def fault(self, request: Prepared, answer: Answer) -> Fault | None:
        """What is wrong with an answer; None for nothing."""

    def forget(self, token: int) -> None:
        """An answer that still comes to it is dropped."""

    def end(self) -> bytes:
        """What is sent last, b"" for nothing."""
