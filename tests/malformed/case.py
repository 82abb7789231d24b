"""One wrong request and its one right answer."""

from dataclasses import dataclass
from enum import Enum


class Fate(Enum):
    """What may happen besides an answer."""

    CLOSED = "the connection is closed within a second"
    SILENT = "nothing comes, and the connection goes on"


@dataclass(frozen=True, slots=True)
class Case:
    """`send` goes out whole; `expect` is every byte that must come back, or a `Fate`.

    After an answer or silence the same connection must still serve a good request.
    """

    name: str
    send: bytes
    expect: bytes | Fate


CLOSED, SILENT = Fate.CLOSED, Fate.SILENT
