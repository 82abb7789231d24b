"""Modbus RTU: frames that end in a check, found in a stream by what they say of their own length.

     0         1                               n-2
    +---------+-------------------------------+-----------+
    | station | PDU, 1 to 253 bytes           | CRC       |     the CRC low byte first, all else big-endian
    +---------+-------------------------------+-----------+

On a line silence ends a frame; whoever reads it through a driver, an adapter and a busy machine sees silences where
there are none, and misses others. So a frame is found by its content: its function gives the length
(`node.modbus.lengths`), the check says whether it was one. Silence only ends the waiting for what does not come.
Modbus over Serial Line 1.02, 2.5.1.
"""

from collections.abc import Container

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.adu import PDU_LIMIT
from node.modbus.lengths import CHECK_SIZE, LONGEST, SHORTEST, ends_in_silence, reply_size, request_size
from node.modbus.line import BROADCAST, SILENCE, Turns

_WAITS = -1
"""In place of a length: what is there may be the beginning of a frame."""


def _table() -> tuple[int, ...]:
    """What each byte does to the check: x^16 + x^15 + x^2 + 1, lowest bit first."""
    made = []
    for entry in range(256):
        for _ in range(8):
            entry = entry >> 1 ^ (0xA001 if entry & 1 else 0)
        made.append(entry)
    return tuple(made)


_TABLE = _table()


def crc16(data: bytes) -> int:
    """The check of `data`; 0 over data that ends in its own right one."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def encode_rtu(station: int, pdu: bytes, meant: bytes = b"") -> bytes:
    """One frame. `meant` is the PDU that its check is of, where that is another than it holds. Raises
    `LocalProtocolError` when the PDU is empty or longer than 253 bytes."""
    if not 1 <= len(pdu) <= PDU_LIMIT:
        raise LocalProtocolError(f"a PDU of {len(pdu)} bytes; 1 to {PDU_LIMIT} can be sent")
    head = bytes((station,))
    return head + pdu + crc16(head + (meant or pdu)).to_bytes(CHECK_SIZE, "little")


def decode_rtu(frame: bytes) -> tuple[int, bytes]:
    """Station and PDU of one whole frame. Raises `RemoteProtocolError` for one whose check does not fit, or that is
    too short or too long."""
    if not SHORTEST <= len(frame) <= LONGEST:
        raise RemoteProtocolError(f"a frame of {len(frame)} bytes; there are {SHORTEST} to {LONGEST}")
    if crc16(frame):
        raise RemoteProtocolError(f"the check does not fit in frame {frame.hex()}")
    return frame[0], frame[1:-CHECK_SIZE]


class RtuFramer:
    """Bytes of a line in, whole requests out, each with its check. `stations` are those that are served here.

    On a line one also hears others: requests to them, and their replies, whose data may look like anything, a request
    to a station here with its right check too. So nothing is taken out of the middle of what may be a longer frame:
    it waits until that is whole, or the line is silent for `silence` seconds. A frame for a station here is a request;
    one for another is a reply where it answers the request before, or could be nothing else; replies are not given.

    `spoilt` counts what was no frame, a run of such bytes as one; `lost` the bytes of the present run.
    """

    __slots__ = ("_buffer", "_heard", "_stations", "_turns", "lost", "silence", "spoilt")

    def __init__(self, stations: Container[int], silence: float = SILENCE) -> None:
        self.silence = silence
        self.spoilt = 0
        self.lost = 0
        self._stations = stations
        self._turns = Turns(stations)
        self._buffer = b""
        self._heard = 0.0

    @property
    def pending(self) -> int:
        """Bytes of what may still become a frame: fewer than 256."""
        return len(self._buffer)

    def feed(self, data: bytes, now: float) -> list[bytes]:
        """The requests that `data`, heard at the instant `now` (in seconds), completes."""
        frames = self.quiet() if self._buffer and now - self._heard > self.silence else []
        self._heard = now
        self._buffer += data
        return frames + self._scan(over=False)

    def quiet(self) -> list[bytes]:
        """The line has been silent for `silence` seconds: the requests in what waited, and nothing waits any more."""
        frames = self._scan(over=True)
        self.lost = 0
        return frames

    def decode(self, frame: bytes) -> tuple[int, bytes]:
        """Station and PDU of a frame that was given."""
        return frame[0], frame[1:-CHECK_SIZE]

    def encode(self, station: int, pdu: bytes, meant: bytes = b"") -> bytes:
        """As `encode_rtu`."""
        return encode_rtu(station, pdu, meant)

    def _scan(self, over: bool) -> list[bytes]:
        frames: list[bytes] = []
        data, at = self._buffer, 0
        while at < len(data):
            size = self._size(data, at, over)
            if size == _WAITS:
                break
            if size == 0:
                self.spoilt += not self.lost
                self.lost += 1
                at += 1
                continue
            frame = data[at : at + size]
            possible = request_size(frame) == size or ends_in_silence(frame)
            if self._turns.is_request(frame[0], frame[1], possible):
                frames.append(frame)
            self.lost = 0
            at += size
        self._buffer = data[at:]
        return frames

    def _size(self, data: bytes, at: int, over: bool) -> int:
        """The length of the frame at `at`, 0 for none; `_WAITS` while more bytes may make one, unless it is `over`."""
        room = len(data) - at
        waits = False
        answers = room > 1 and self._turns.awaits(data[at], data[at + 1])
        # The beginning of a request may be a whole reply by chance, which none from here is: nobody hears himself.
        asks = data[at] == BROADCAST or data[at] in self._stations
        for sized in (reply_size, request_size) if answers else (request_size, reply_size):
            size = sized(data, at)
            if 0 < size <= room:
                if not crc16(data[at : at + size]):
                    return size
            elif size and not over:
                if answers or asks:
                    return _WAITS
                waits = True
        if data[at] in self._stations and ends_in_silence(data, at):
            waits = waits or room < LONGEST
            if over and SHORTEST <= room <= LONGEST and not crc16(data[at:]):
                return room
        return _WAITS if waits and not over else 0
