"""Modbus/TCP frames: the MBAP header, and whole frames out of a stream.

A TCP segment may hold a part of a frame or several of them; a server that takes "what one read gave" for one request
answers one of ten. So frames are cut by the length field alone, always.

     0        2        4        6      7
    +--------+--------+--------+------+-----------------+
    | trans- | proto- | length | unit | PDU             |     big-endian
    | action | col 0  |        | id   | 1 to 253 bytes  |
    +--------+--------+--------+------+-----------------+
                               |<----- length --------->|     2 to 254

Modbus Messaging on TCP/IP 1.0b, 3.1.
"""

from struct import Struct

from node.errors import LocalProtocolError, RemoteProtocolError

MBAP = Struct(">HHHB")
HEADER_SIZE = 7
"""Bytes before the PDU."""
PREFIX_SIZE = 6
"""Bytes that the length field does not count."""
PDU_LIMIT = 253
LENGTH_LIMITS = (2, PDU_LIMIT + 1)
"""What the length field may hold: unit id and function code at least, unit id and the longest PDU at most."""

_PREFIX = Struct(">HHH")


def encode_adu(transaction: int, unit: int, pdu: bytes) -> bytes:
    """One frame. Raises `LocalProtocolError` when the PDU is empty or longer than 253 bytes."""
    if not 1 <= len(pdu) <= PDU_LIMIT:
        raise LocalProtocolError(f"a PDU of {len(pdu)} bytes; 1 to {PDU_LIMIT} can be sent")
    return MBAP.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def decode_adu(adu: bytes) -> tuple[int, int, bytes]:
    """Transaction id, unit id and PDU of one whole frame. Raises `RemoteProtocolError` when the header lies."""
    if len(adu) <= HEADER_SIZE:
        raise RemoteProtocolError(f"a frame of {len(adu)} bytes; the shortest has {HEADER_SIZE + 1}")
    transaction, protocol, length, unit = MBAP.unpack_from(adu)
    if protocol:
        raise RemoteProtocolError(f"protocol id {protocol} in the header; Modbus has 0")
    if length != len(adu) - PREFIX_SIZE or length > LENGTH_LIMITS[1]:
        raise RemoteProtocolError(f"the header says {length} bytes follow its length, {len(adu) - PREFIX_SIZE} do")
    return transaction, unit, adu[HEADER_SIZE:]


class TcpFramer:
    """Bytes in, whole Modbus frames out.

    A frame of another protocol (its id is not 0) is skipped by its length, without a word. A length that no frame
    can have ends the stream: the good frames before it are still handed out, `fault` says what was wrong, and
    whatever comes later is ignored, for there is no way to find the next frame.
    """

    __slots__ = ("_buffer", "fault")

    def __init__(self) -> None:
        self._buffer = b""
        self.fault: RemoteProtocolError | None = None

    @property
    def pending(self) -> int:
        """Bytes of a frame whose end has not come yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that `data` completes, headers included. Never raises: look at `fault` afterwards."""
        if self.fault is not None:
            return []
        if self._buffer:
            data = self._buffer + data
        frames: list[bytes] = []
        start, end = 0, len(data)
        shortest, longest = LENGTH_LIMITS
        while end - start >= PREFIX_SIZE:
            _, protocol, length = _PREFIX.unpack_from(data, start)
            if not shortest <= length <= longest:
                self.fault = RemoteProtocolError(f"a frame length of {length}; Modbus has {shortest} to {longest}")
                start = end
                break
            stop = start + PREFIX_SIZE + length
            if stop > end:
                break
            if protocol == 0:
                frames.append(data[start:stop])
            start = stop
        self._buffer = data[start:]
        return frames
