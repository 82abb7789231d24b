"""A controller that answers as a test wants it: late, twice, in another order, cut short, byte by byte, or nonsense.

Its tags are `T[n]`, a DINT with value n each. It runs in a thread with blocking sockets and shares only codecs with the
client.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from node.cip.epath import Element, decode_epath
from node.cip.forward import ForwardOpened, decode_forward_open, encode_forward_opened
from node.cip.message import Reply, Request, decode_request, encode_reply
from node.cip.multiple import decode_multiple, encode_multiple
from node.cip.services import (
    FORWARD_CLOSE,
    FORWARD_OPEN,
    LARGE_FORWARD_OPEN,
    MULTIPLE_SERVICE_PACKET,
    READ_TAG,
    READ_TAG_FRAGMENTED,
    UNCONNECTED_SEND,
)
from node.cip.unconnected import decode_unconnected_send
from node.enip.commands import decode_connected, decode_unconnected, encode_connected, encode_unconnected
from node.enip.framing import FrameBuffer
from node.enip.header import (
    HEADER_SIZE,
    REGISTER_SESSION,
    SEND_RR_DATA,
    SEND_UNIT_DATA,
    UNREGISTER_SESSION,
    decode_header,
    pack_header,
)
from tests.client.listening import Listening

HOST = "127.64.33.8"
SESSION = 0x5151

Say = Callable[[bytes], None]
Answering = Callable[["Hostile", list[bytes], Say], None]
"""Is given the right answers to the messages that came together, and says what it likes."""


def honest(server: Hostile, answers: list[bytes], say: Say) -> None:
    """What came, answered rightly."""
    for answer in answers:
        say(answer)


class Hostile(Listening):
    """`answering` may be changed while it runs; `requests` are the services that came, bundled ones singly. `opening`
    is asked first what is said to a Forward Open; None grants it, and an `OSError` hangs up."""

    def __init__(self, answering: Answering = honest) -> None:
        self.answering = answering
        self.requests: list[int] = []
        self.own_id = 0
        self.reply: Callable[[Request], Reply] = values
        self.opening: Callable[[Request], Reply | None] | None = None
        super().__init__(HOST)  # which may be asked at once

    def speak(self, connection: socket.socket) -> None:
        buffer = FrameBuffer()
        with suppress(OSError):
            while data := connection.recv(65536):
                answers = [answer for frame in buffer.feed(data) if (answer := self._answer(frame, connection))]
                if answers:
                    self.answering(self, answers, connection.sendall)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, frame: bytes, connection: socket.socket) -> bytes | None:
        header = decode_header(frame)
        body = frame[HEADER_SIZE:]
        if header.command == UNREGISTER_SESSION:
            connection.shutdown(socket.SHUT_RDWR)
            return None
        if header.command == REGISTER_SESSION:
            connection.sendall(pack_header(header.command, len(body), SESSION, 0, header.context) + body)
            return None
        if header.command == SEND_UNIT_DATA:
            _, sequence, message = decode_connected(body)
            body = encode_connected(self.own_id, sequence, self._message(message))
        elif header.command == SEND_RR_DATA:
            message = decode_unconnected(body)
            body = encode_unconnected(self._message(message))
            if message[0] in (LARGE_FORWARD_OPEN, FORWARD_OPEN, FORWARD_CLOSE):
                connection.sendall(pack_header(header.command, len(body), SESSION, 0, header.context) + body)
                return None
        return pack_header(header.command, len(body), SESSION, 0, header.context) + body

    def _message(self, message: bytes) -> bytes:
        request = decode_request(message)
        if request.service == UNCONNECTED_SEND and request.path[:1] == b"\x20":
            return self._message(decode_unconnected_send(request.data).message)
        if request.service == MULTIPLE_SERVICE_PACKET:
            replies = [self._message(part) for part in decode_multiple(request.data)]
            return encode_reply(Reply(request.service, 0, (), encode_multiple(replies)))
        self.requests.append(request.service)
        if request.service in (LARGE_FORWARD_OPEN, FORWARD_OPEN):
            refusal = self.opening(request) if self.opening is not None else None
            if refusal is not None:
                return encode_reply(refusal)
            ask = decode_forward_open(request.data, large=request.service == LARGE_FORWARD_OPEN)
            self.own_id = ask.t_o_id
            opened = ForwardOpened(0x7001, ask.t_o_id, *ask.triplet, ask.o_t_rpi, ask.t_o_rpi)
            return encode_reply(Reply(request.service, 0, (), encode_forward_opened(opened)))
        return encode_reply(self.reply(request))


def values(request: Request) -> Reply:
    """`T[n]` and those after it."""
    if request.service not in (READ_TAG, READ_TAG_FRAGMENTED):
        return Reply(request.service, 8)
    (index,) = [segment.index for segment in decode_epath(request.path) if isinstance(segment, Element)]
    count = int.from_bytes(request.data[:2], "little")
    data = b"".join((index + place).to_bytes(4, "little") for place in range(count))
    offset = int.from_bytes(request.data[2:6], "little")
    return Reply(request.service, 0, (), b"\xc4\0" + data[offset:])


@contextmanager
def hostile(answering: Answering = honest) -> Iterator[Hostile]:
    """One that runs, and ends."""
    server = Hostile(answering)
    try:
        yield server
    finally:
        server.close()


def silent(server: Hostile, answers: list[bytes], say: Say) -> None:
    """Nothing, ever."""


def twice(server: Hostile, answers: list[bytes], say: Say) -> None:
    """Every answer two times."""
    for answer in answers:
        say(answer + answer)


def backwards(server: Hostile, answers: list[bytes], say: Say) -> None:
    """What came together, the last first."""
    say(b"".join(reversed(answers)))


def trickled(server: Hostile, answers: list[bytes], say: Say) -> None:
    """A byte at a time, for ever slower than anybody waits."""
    for byte in b"".join(answers):
        say(bytes((byte,)))
        time.sleep(0.03)


def cut(server: Hostile, answers: list[bytes], say: Say) -> None:
    """The first half of an answer, and nothing more."""
    say(answers[0][: len(answers[0]) // 2])


def flooded(server: Hostile, answers: list[bytes], say: Say) -> None:
    """Answers to somebody else, as fast as they can be read."""
    foreign = answers[0][:12] + b"somebody" + answers[0][20:]
    if answers[0][0] == SEND_UNIT_DATA:  # of another connection, then
        foreign = foreign[:36] + b"else" + foreign[40:]
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        say(foreign * 50)


def hung_up(server: Hostile, answers: list[bytes], say: Say) -> None:
    """The first half, and the end of the connection."""
    say(answers[0][: len(answers[0]) // 2])
    raise OSError("as if it had crashed")


class Late:
    """Keeps the first answer back until the second is due, and says the first then."""

    def __init__(self) -> None:
        self.held: bytes | None = None
        self.done = False

    def __call__(self, server: Hostile, answers: list[bytes], say: Say) -> None:
        """As the class says."""
        for answer in answers:
            if not self.done and self.held is None:
                self.held = answer
            elif self.held is not None:
                say(self.held)
                self.held, self.done = None, True
                say(answer)
            else:
                say(answer)
