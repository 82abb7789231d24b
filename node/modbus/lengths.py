"""How long a frame is, by its function: what there is to go by where nothing else says where it ends.

    function            request               reply
    1 to 4              8                     5 + byte 2
    5, 6                8                     8
    7                   4                     5
    8                   8 (sub 0: or more)    the same
    11                  4                     8
    12, 17              4                     5 + byte 2
    15, 16              9 + byte 6            8
    20, 21              5 + byte 2            5 + byte 2
    22                  10                    10
    23                  13 + byte 10          5 + byte 2
    24                  6                     6 + word 2
    43 / 14             7                     10 + the sum of 2 + length of each object
    +128                -                     5

These are bytes of an RTU frame: a station, the PDU, and two bytes of check. Modbus Application Protocol 1.1b3, 6.
"""

from node.modbus.functions import (
    DIAGNOSTICS,
    ENCAPSULATED_INTERFACE,
    EXCEPTION,
    FUNCTIONS,
    READ_DEVICE_IDENTIFICATION,
    READ_FIFO_QUEUE,
)

LONGEST = 256
"""Bytes of a frame."""
CHECK_SIZE = 2
SHORTEST = 4

_REQUESTS: dict[int, tuple[int, int]] = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6, 8), (8, 0)),
    **dict.fromkeys((7, 11, 12, 17), (SHORTEST, 0)),
    **dict.fromkeys((15, 16), (9, 6)),
    **dict.fromkeys((20, 21), (5, 2)),
    22: (10, 0),
    23: (13, 10),
    24: (6, 0),
    43: (7, 0),
}
"""Function to the length of its request, and where the byte stands that counts the rest of it (0: nowhere)."""
_REPLIES: dict[int, tuple[int, int]] = {
    **dict.fromkeys((1, 2, 3, 4, 12, 17, 20, 21, 23), (5, 2)),
    **dict.fromkeys((5, 6, 8, 11, 15, 16), (8, 0)),
    7: (5, 0),
    22: (10, 0),
}
_EXCEPTION_SIZE = 5
_OBJECTS_AT = 8
"""Where the objects of an identification begin."""


def request_size(data: bytes, at: int = 0) -> int:
    """Bytes of the request that begins at `at`; while the byte that counts them has not come yet, the least that they
    can be, which is more than are there. 0 where no request begins so, or none that tells its length."""
    room = len(data) - at
    if room < 2:
        return SHORTEST
    size, count_at = _REQUESTS.get(data[at + 1], (0, 0))
    if data[at + 1] == ENCAPSULATED_INTERFACE and room > 2 and data[at + 2] != READ_DEVICE_IDENTIFICATION:
        return 0
    return _counted(data, at, size, count_at)


def reply_size(data: bytes, at: int = 0) -> int:
    """The same of a reply."""
    room = len(data) - at
    if room < 2:
        return SHORTEST
    function = data[at + 1]
    if function & EXCEPTION:
        return _EXCEPTION_SIZE if function & ~EXCEPTION in FUNCTIONS else 0
    if function == READ_FIFO_QUEUE:
        size = 6 if room < 4 else 6 + int.from_bytes(data[at + 2 : at + 4], "big")
        return size if size <= LONGEST else 0
    if function == ENCAPSULATED_INTERFACE:
        return _identification_size(data, at)
    size, count_at = _REPLIES.get(function, (0, 0))
    return _counted(data, at, size, count_at)


def ends_in_silence(data: bytes, at: int = 0) -> bool:
    """Whether a request that begins at `at` may have any length: one of a function that is not known here, or an echo
    of more than a word."""
    if len(data) - at < 2:
        return False
    function = data[at + 1]
    if function == DIAGNOSTICS:
        return data[at + 2 : at + 4] == b"\0\0"
    return 0 < function < EXCEPTION and not request_size(data, at)


def _counted(data: bytes, at: int, size: int, count_at: int) -> int:
    if count_at and len(data) - at > count_at:
        size += data[at + count_at]
    return size if size <= LONGEST else 0


def _identification_size(data: bytes, at: int) -> int:
    room = len(data) - at
    if room > 2 and data[at + 2] != READ_DEVICE_IDENTIFICATION:
        return 0
    size = _OBJECTS_AT + CHECK_SIZE
    if room < _OBJECTS_AT:
        return size
    for _ in range(data[at + _OBJECTS_AT - 1]):
        length_at = size - CHECK_SIZE + 1
        size += 2 + (data[at + length_at] if room > length_at else 0)
        if size > LONGEST:
            return 0
    return size
