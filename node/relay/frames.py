"""Frames of the pipe between a relay and its farm, which carries many streams of bytes.

    frame   kind u8 | stream u32 | size u32 | body of `size` bytes                                  big-endian

    kind      stream         body
    1 OPEN    a new number   who dials, UTF-8                                       relay to farm
    2 DATA    its number     bytes of the stream, 1 to `CHUNK`
    3 GRANT   its number     u32: so many bytes of DATA more may be sent
    4 CLOSE   its number     why, UTF-8, "" for an ordinary end; the stream's last frame from this side

A stream begins with `WINDOW` bytes granted to each side. Whoever grants only what it has handed on never holds more
than a window of a stream, and a stream that nobody reads stops itself and no other.
"""

from struct import Struct

from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

HEADER = Struct(">BII")
COUNT = Struct(">I")

OPEN, DATA, GRANT, CLOSE = 1, 2, 3, 4

WINDOW = 64 << 10
"""Bytes that one side may send on a stream before the other says that it has handed them on."""
CHUNK = 16 << 10
"""Bytes of one DATA, so that a stream does not keep the pipe for long."""
TEXT = 1 << 10
SIZES = {OPEN: (0, TEXT), DATA: (1, CHUNK), GRANT: (4, 4), CLOSE: (0, TEXT)}
"""Kinds, and the least and most bytes of their bodies."""


@dataclass(slots=True)
class Frame:
    """One frame."""

    kind: int
    stream: int
    body: bytes = b""

    def encode(self) -> bytes:
        """Its bytes. Raises `LocalProtocolError` for a body that is too short or too long for its kind."""
        least, most = SIZES[self.kind]
        if not least <= len(self.body) <= most:
            raise LocalProtocolError(f"a frame of kind {self.kind} has {least} to {most} bytes, not {len(self.body)}")
        return HEADER.pack(self.kind, self.stream, len(self.body)) + self.body


def text_frame(kind: int, stream: int, text: str) -> Frame:
    """A frame with a text, cut where it gets too long."""
    return Frame(kind, stream, text.encode()[:TEXT])


def granted(frame: Frame) -> int:
    """How many bytes a GRANT is about."""
    count: int = COUNT.unpack(frame.body)[0]
    return count


class FrameReader:
    """Frames of bytes as they come; holds at most one that is not whole."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def decode(self, data: bytes) -> list[Frame]:
        """All frames that are whole now. Raises `RemoteProtocolError` with what is wrong: there is no way to find the
        next frame then, and the pipe is of no use any more."""
        self._pending += data
        found, at = [], 0
        try:
            while len(self._pending) - at >= HEADER.size:
                kind, stream, size = HEADER.unpack_from(self._pending, at)
                _check(kind, size)
                end = at + HEADER.size + size
                if end > len(self._pending):
                    break
                found.append(Frame(kind, stream, bytes(self._pending[at + HEADER.size : end])))
                at = end
        finally:
            del self._pending[:at]
        return found

    @property
    def whole(self) -> bool:
        """Whether nothing of a frame is waiting for its end."""
        return not self._pending


def _check(kind: int, size: int) -> None:
    if kind not in SIZES:
        raise RemoteProtocolError(f"a frame of kind {kind}: wanted {OPEN} to {CLOSE}; is it another version?")
    least, most = SIZES[kind]
    if not least <= size <= most:
        raise RemoteProtocolError(f"a frame of kind {kind} with {size} bytes: wanted {least} to {most}")
