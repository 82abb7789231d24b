"""Reads `tests/frames/*.hex`, and checks a codec against a vector in every way bytes can arrive.

    # a comment: what it is and where it comes from
    name: hex digits, with spaces as one likes

A comment belongs to the vector after it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from node.cip.pccc import PcccError
from node.cip.status import CipError
from node.errors import ProtocolError

FRAMES = Path(__file__).parent / "frames"
PROTOCOL_ERRORS = (ProtocolError, CipError, PcccError)
TAIL = b"\xa5\x5a\x01"

Message = TypeVar("Message")


@dataclass(frozen=True)
class Vector:
    """`data` are the bytes on the wire, `comment` says what they are."""

    name: str
    data: bytes
    comment: str


def read_vectors(file: str) -> dict[str, Vector]:
    """The vectors of `tests/frames/FILE.hex` by name, in order."""
    vectors: dict[str, Vector] = {}
    comment = ""
    for line in (FRAMES / f"{file}.hex").read_text().splitlines():
        if line.startswith("#"):
            comment = line[1:].strip()
        elif line.strip():
            name, _, digits = line.partition(":")
            assert comment, f"{file}: {name} does not say where it comes from"
            assert name not in vectors, f"{file}: {name} stands twice"
            vectors[name] = Vector(name, bytes.fromhex(digits), comment)
            comment = ""
    return vectors


def check_codec(
    data: bytes,
    message: Message,
    decode: Callable[[bytes], Message],
    encode: Callable[[Message], bytes] | None,
    tail: str,
) -> None:
    """Whole; byte by byte (each shorter piece is refused, or is another message); with a tail, which is `refused`,
    `ignored` or `kept` as part of the message; encoded back, unless the bytes are not in the smallest form (None)."""
    assert decode(data) == message
    if encode is not None:
        assert encode(message) == data
    for end in range(len(data)):
        try:
            assert decode(data[:end]) != message, f"{end} of {len(data)} bytes were enough"
        except PROTOCOL_ERRORS:
            continue
    try:
        longer = decode(data + TAIL)
    except PROTOCOL_ERRORS:
        assert tail == "refused"
    else:
        assert tail == ("ignored" if longer == message else "kept")


def survives(decode: Callable[[bytes], object], data: bytes) -> bool:
    """Whether `data` decodes; False when it is refused as it should be. Any other exception goes up."""
    try:
        decode(data)
    except PROTOCOL_ERRORS:
        return False
    return True
