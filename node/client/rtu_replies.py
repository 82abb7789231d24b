"""The one reply that a client waits for, out of what a serial line gives: noise, other stations' words, halves.

A client knows whom it asked and what, so it looks for that station's address with that function, or its exception, and
takes the first place from which on the length that the function says ends in a check that is right. A place where bytes
are still missing does not end the search: noise may look like a beginning. Nothing but what lies before the reply is
dropped, so a spoilt byte costs no good one. Modbus over Serial Line 1.02, 2.5.1.
"""

from collections.abc import Callable

from node.modbus.functions import EXCEPTION
from node.modbus.lengths import CHECK_SIZE, LONGEST, reply_size
from node.modbus.rtu import crc16


class RtuReplies:
    """Bytes in, at last the reply of `unit` to `function`, whole and with its check, whose PDU `fits`."""

    def __init__(self, unit: int, function: int, fits: Callable[[bytes], bool] = lambda pdu: True) -> None:
        self._beginnings = (bytes((unit, function)), bytes((unit, function | EXCEPTION)))
        self._fits = fits
        self._buffer = b""

    def feed(self, data: bytes) -> bytes:
        """The reply, once it is there; until then nothing."""
        self._buffer += data
        for at in range(len(self._buffer) - 1):
            if self._buffer[at : at + 2] in self._beginnings:
                size = reply_size(self._buffer, at)
                frame = self._buffer[at : at + size]
                if 0 < size == len(frame) and crc16(frame) == 0 and self._fits(frame[1:-CHECK_SIZE]):
                    return frame
        self._buffer = self._buffer[-LONGEST:]
        return b""
