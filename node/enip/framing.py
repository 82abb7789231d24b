"""Bytes in, whole frames out.

TCP splits and joins as it likes: several requests come in one segment and one request in several. A frame is the
24-byte header and as many bytes as its length says (CIP Vol 2, 2-3.2).
"""

import struct

from node.enip.header import HEADER_SIZE
from node.errors import RemoteProtocolError

MAX_FRAME = 0xFFFF + HEADER_SIZE

_LENGTH = struct.Struct("<2xH")


class FrameBuffer:
    """Keeps what is not yet a frame: never more than `limit` bytes and one feed."""

    __slots__ = ("_rest", "limit")

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self.limit = limit
        self._rest = b""

    @property
    def pending(self) -> int:
        """Bytes of an unfinished frame."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that `data` completes, in order.

        Raises `RemoteProtocolError` for a frame longer than the limit, once the frames before it have been given:
        then the buffer is of no more use.
        """
        size = len(data)
        if not self._rest and size >= HEADER_SIZE and size == HEADER_SIZE + (data[2] | data[3] << 8) <= self.limit:
            return [data]  # what nearly always comes
        if self._rest:
            data = self._rest + data
            size = len(data)
        frames: list[bytes] = []
        start = 0
        while size - start >= HEADER_SIZE:
            end = start + HEADER_SIZE + _LENGTH.unpack_from(data, start)[0]
            if end - start > self.limit:
                if frames:
                    break
                raise RemoteProtocolError(f"a frame of {end - start} bytes; {self.limit} are taken here")
            if end > size:
                break
            frames.append(data[start:end])
            start = end
        self._rest = data[start:] if start else data
        return frames
