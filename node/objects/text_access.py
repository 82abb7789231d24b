"""Parts of texts that vary in length (SSTRING), for tag services that carry an array in fragments.

A fragment holds whole texts, and its offset lies where a text ends.
"""

from node.cip.status import (
    GENERAL_ERROR,
    NOT_ENOUGH_DATA,
    OFFSET_PAST_END,
    REPLY_DATA_TOO_LARGE,
    CipError,
)
from node.memory.attribute import Attribute
from node.memory.view import stored


def read_texts(attribute: Attribute, start: int, count: int, offset: int, room: int, now: float) -> tuple[bytes, bool]:
    """Of the bytes of `count` texts, those from `offset` on that fit `room`, and whether more remain.

    Raises `CipError`: 0x2104 for an offset where no text begins, 0x11 when none fits.
    """
    data = attribute.dump(start, start + count, now)
    bounds = _bounds(data)
    if offset not in bounds[:-1]:
        raise CipError(GENERAL_ERROR, (OFFSET_PAST_END,))
    end = max(bound for bound in bounds if bound <= offset + room)
    if end <= offset:
        raise CipError(REPLY_DATA_TOO_LARGE)
    return data[offset:end], end < len(data)


def first_texts(data: bytes, count: int) -> bytes:
    """The first `count` SSTRINGs of `data`. Raises `CipError` 0x13 when they are not all there."""
    bounds = _bounds(data)
    if len(bounds) <= count:
        raise CipError(NOT_ENOUGH_DATA)
    return data[: bounds[count]]


def place_texts(
    attribute: Attribute, start: int, count: int, offset: int, data: bytes, now: float
) -> tuple[int, bytes]:
    """The element a fragment of SSTRINGs begins at, and its whole texts: `offset` counts the texts before it as they
    are now. Raises `CipError`."""
    before = _bounds(stored(attribute, start, start + count, now))
    if offset not in before[:-1]:
        raise CipError(GENERAL_ERROR, (OFFSET_PAST_END,))
    index = before.index(offset)
    bounds = _bounds(data)[: count - index + 1]
    if len(bounds) == 1:
        raise CipError(NOT_ENOUGH_DATA)
    return start + index, data[: bounds[-1]]


def _bounds(data: bytes) -> list[int]:
    """Where each whole SSTRING of `data` begins, and where the last one ends."""
    bounds = [0]
    while bounds[-1] < len(data):
        end = bounds[-1] + 1 + data[bounds[-1]]
        if end > len(data):
            break
        bounds.append(end)
    return bounds
