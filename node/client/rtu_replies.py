"""The one reply that a client waits for, out of what a serial line gives: noise, other stations' words, halves.

A client knows whom it asked and what, so it looks for that station's address with that function, or its exception, and
takes the first place from which on the length that the function says ends in a CRC that is right. A place where bytes
are still missing does not end the search: noise may look like a beginning. Nothing but what lies before the reply is
dropped, so a spoilt byte costs no good one. Modbus over Serial Line 1.02, 2.5.1.
"""

from collections.abc import Callable

from node.modbus.functions import (
    COMM_EVENT_COUNTER,
    COMM_EVENT_LOG,
    DIAGNOSTICS,
    ENCAPSULATED_INTERFACE,
    EXCEPTION,
    MASK_WRITE_REGISTER,
    READ_COILS,
    READ_DISCRETE_INPUTS,
    READ_EXCEPTION_STATUS,
    READ_FIFO_QUEUE,
    READ_FILE_RECORD,
    READ_HOLDING_REGISTERS,
    READ_INPUT_REGISTERS,
    READ_WRITE_REGISTERS,
    REPORT_SERVER_ID,
    WRITE_COIL,
    WRITE_COILS,
    WRITE_FILE_RECORD,
    WRITE_REGISTER,
    WRITE_REGISTERS,
)

LONGEST = 256
"""Bytes of a frame, at most."""

Crc = Callable[[bytes], bytes]
"""The two bytes that end a frame, as they travel."""

_FIXED = {
    READ_EXCEPTION_STATUS: 5,
    COMM_EVENT_COUNTER: 8,
    MASK_WRITE_REGISTER: 10,
    **dict.fromkeys((WRITE_COIL, WRITE_REGISTER, DIAGNOSTICS, WRITE_COILS, WRITE_REGISTERS), 8),
}
_COUNTED = {
    READ_COILS,
    READ_DISCRETE_INPUTS,
    READ_HOLDING_REGISTERS,
    READ_INPUT_REGISTERS,
    COMM_EVENT_LOG,
    REPORT_SERVER_ID,
    READ_FILE_RECORD,
    WRITE_FILE_RECORD,
    READ_WRITE_REGISTERS,
}
_EXCEPTION_LENGTH = 5
_OBJECTS_AT, _OBJECT_COUNT_AT = 8, 7


def reply_length(data: bytes) -> int | None:
    """Bytes of the frame that `data` begins, address and CRC included; None when that is not told yet, or never."""
    if len(data) < 3:
        return None
    function = data[1]
    if function & EXCEPTION:
        return _EXCEPTION_LENGTH
    if function in _FIXED:
        return _FIXED[function]
    if function in _COUNTED:
        return 5 + data[2]
    if function == READ_FIFO_QUEUE:
        return 6 + int.from_bytes(data[2:4], "big") if len(data) > 3 else None
    return _identification_length(data) if function == ENCAPSULATED_INTERFACE else None


def _identification_length(data: bytes) -> int | None:
    """Function 43: its objects say their lengths one by one."""
    if len(data) < _OBJECTS_AT:
        return None
    at = _OBJECTS_AT
    for _ in range(data[_OBJECT_COUNT_AT]):
        if len(data) < at + 2:
            return None
        at += 2 + data[at + 1]
    return at + 2


class RtuReplies:
    """Bytes in, at last the reply of `unit` to `function`, whole and with its CRC."""

    def __init__(self, unit: int, function: int, crc: Crc) -> None:
        self._beginnings = (bytes((unit, function)), bytes((unit, function | EXCEPTION)))
        self._crc = crc
        self._buffer = b""

    def feed(self, data: bytes) -> bytes:
        """The reply, once it is there; until then nothing."""
        self._buffer += data
        for at in range(len(self._buffer) - 3):
            if self._buffer[at : at + 2] in self._beginnings and (frame := self._frame(at)):
                return frame
        self._buffer = self._buffer[-LONGEST:]
        return b""

    def _frame(self, at: int) -> bytes:
        data = self._buffer[at : at + LONGEST]
        length = reply_length(data)
        if length is None or not 4 < length <= len(data):
            return b""
        return data[:length] if self._crc(data[: length - 2]) == data[length - 2 : length] else b""
