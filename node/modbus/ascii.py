"""Modbus ASCII: frames that a person could read, from a colon to CR LF, each byte as two hexadecimal digits.

    ":"  station  PDU, 1 to 253 bytes  LRC  CR LF            at most 513 characters

The LRC is minus the sum of the bytes before it, modulo 256. The last character can be made another than LF by function
8, sub-function 3. Modbus over Serial Line 1.02, 2.5.2.
"""

from binascii import Error, unhexlify
from collections.abc import Container

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.adu import PDU_LIMIT
from node.modbus.functions import EXCEPTION
from node.modbus.lengths import CHECK_SIZE, ends_in_silence, reply_size, request_size
from node.modbus.line import ASCII_SILENCE, Turns

START = 0x3A
CR, LF = 0x0D, 0x0A
LONGEST = 513
"""Characters of a frame."""

_SHORTEST = 9
_DIGITS = frozenset(b"0123456789ABCDEFabcdef")


def lrc(data: bytes) -> int:
    """The check of `data`; 0 over data that ends in its own right one."""
    return -sum(data) & 0xFF


def encode_ascii(station: int, pdu: bytes, delimiter: int = LF, meant: bytes = b"") -> bytes:
    """One frame. `meant` is the PDU that its check is of, where that is another than it holds. Raises
    `LocalProtocolError` when the PDU is empty or longer than 253 bytes."""
    if not 1 <= len(pdu) <= PDU_LIMIT:
        raise LocalProtocolError(f"a PDU of {len(pdu)} bytes; 1 to {PDU_LIMIT} can be sent")
    head = bytes((station,))
    digits = (head + pdu).hex() + f"{lrc(head + (meant or pdu)):02x}"
    return b":%b\r%c" % (digits.upper().encode(), delimiter)


def decode_ascii(frame: bytes) -> tuple[int, bytes]:
    """Station and PDU of one whole frame, whatever its last character is. Raises `RemoteProtocolError`."""
    if not _SHORTEST <= len(frame) <= LONGEST or frame[0] != START or frame[-2] != CR:
        raise RemoteProtocolError(f"no ASCII frame: {frame[:40]!r}")
    try:
        body = unhexlify(frame[1:-2])
    except Error as exc:
        raise RemoteProtocolError(f"no hexadecimal digits: {frame[:40]!r}") from exc
    if lrc(body):
        raise RemoteProtocolError(f"the check does not fit in frame {frame!r}")
    return body[0], body[1:-1]


class AsciiFramer:
    """Bytes of a line in, whole requests to anybody out, as they came; `stations` are those that are served here, and
    others' replies are not given. What comes before a colon is nothing; a frame that another one breaks into, that has
    a check that does not fit or a character that is no digit, that is too long, or whose next character is more than
    `silence` seconds late, is counted by `spoilt`. `delimiter` is the last character of a frame."""

    __slots__ = ("_buffer", "_heard", "_turns", "delimiter", "lost", "silence", "spoilt")

    def __init__(self, stations: Container[int], silence: float = ASCII_SILENCE) -> None:
        self.silence = silence
        self.delimiter = LF
        self.spoilt = 0
        self.lost = 0
        self._turns = Turns(stations)
        self._buffer = bytearray()
        self._heard = 0.0

    @property
    def pending(self) -> int:
        """Characters of a frame whose end has not come yet."""
        return len(self._buffer)

    def feed(self, data: bytes, now: float) -> list[bytes]:
        """The requests that `data`, heard at the instant `now` (in seconds), completes."""
        if self._buffer and now - self._heard > self.silence:
            self.quiet()
        self._heard = now
        frames: list[bytes] = []
        for byte in data:
            if byte == START:
                self.quiet()
                self._buffer.append(byte)
            elif not self._buffer:
                self.lost += 1
            else:
                self._take(byte, frames)
        return frames

    def quiet(self) -> list[bytes]:
        """What was begun will not be ended."""
        if self._buffer:
            self._spoil()
        return []

    def decode(self, frame: bytes) -> tuple[int, bytes]:
        """Station and PDU of a frame that was given."""
        return decode_ascii(frame)

    def encode(self, station: int, pdu: bytes, meant: bytes = b"") -> bytes:
        """As `encode_ascii`."""
        return encode_ascii(station, pdu, self.delimiter, meant)

    def _take(self, byte: int, frames: list[bytes]) -> None:
        buffer = self._buffer
        ends = buffer[-1] == CR
        if byte != self.delimiter if ends else byte not in _DIGITS and byte != CR:
            self._spoil()
            return
        buffer.append(byte)
        if not ends:
            if len(buffer) >= LONGEST:
                self._spoil()
            return
        frame = bytes(buffer)
        try:
            station, pdu = decode_ascii(frame)
        except RemoteProtocolError:
            self._spoil()
            return
        buffer.clear()
        self.lost = 0
        if self._turns.is_request(station, pdu[0], _may_ask(frame_of(station, pdu))):
            frames.append(frame)

    def _spoil(self) -> None:
        self.spoilt += 1
        self.lost += len(self._buffer)
        self._buffer.clear()


def _may_ask(frame: bytes) -> bool:
    """Whether it may be a request: also one of the wrong length, for it has its ends and its check. An exception, and
    what has the form of a reply alone, is one that is heard."""
    size = len(frame)
    return not frame[1] & EXCEPTION and (
        request_size(frame) == size or ends_in_silence(frame) or reply_size(frame) != size
    )


def frame_of(station: int, pdu: bytes) -> bytes:
    """The same as an RTU frame, its check left open."""
    return bytes((station,)) + pdu + bytes(CHECK_SIZE)
