"""Servers that behave as others' do, from reading them: what they take, what they refuse and with which status, what
they leave out. Each shares codecs with the client and nothing with our server.

`AbServer` is the test server of libplctag, `src/tests/ab_server`, of three ages; `Adapter` an adapter made of
EIPStackGroup's OpENer, `source/src`.
"""

from __future__ import annotations

import socket
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from node.cip.epath import Element, Symbolic, decode_epath
from node.cip.forward import (
    ForwardOpened,
    decode_forward_close,
    decode_forward_open,
    encode_forward_closed,
    encode_forward_opened,
)
from node.cip.message import Reply, Request, decode_request, encode_reply
from node.cip.multiple import decode_multiple, encode_multiple
from node.cip.services import (
    FORWARD_CLOSE,
    FORWARD_OPEN,
    GET_ATTRIBUTE_SINGLE,
    GET_ATTRIBUTES_ALL,
    LARGE_FORWARD_OPEN,
    MULTIPLE_SERVICE_PACKET,
    READ_TAG,
    READ_TAG_FRAGMENTED,
    UNCONNECTED_SEND,
    WRITE_TAG,
    WRITE_TAG_FRAGMENTED,
)
from node.cip.unconnected import decode_unconnected_send
from node.enip.commands import (
    IdentityItem,
    decode_connected,
    decode_unconnected,
    encode_connected,
    encode_list_identity,
    encode_unconnected,
)
from node.enip.framing import FrameBuffer
from node.enip.header import (
    HEADER_SIZE,
    LIST_IDENTITY,
    REGISTER_SESSION,
    SEND_RR_DATA,
    SEND_UNIT_DATA,
    UNREGISTER_SESSION,
    decode_header,
    pack_header,
)
from tests.client.listening import Listening

HOST = "127.64.33.14"
SESSION = 0x2A2A
MANAGER = b"\x20\x06\x24\x01"
ROUTER = b"\x20\x02\x24\x01"
TARGET_ID = 0x70010000


class Foreign(Listening):
    """Listens, and answers each frame by `answer`; `services` are the Message Router services that came."""

    def __init__(self) -> None:
        self.services: list[int] = []
        self.connections = 0
        self.own_id = 0
        super().__init__(HOST)

    @abstractmethod
    def answer(self, frame: bytes) -> bytes | None:
        """The frame that answers, None for none, b"" for the end of the connection."""

    @abstractmethod
    def message(self, message: bytes, connected: bool) -> bytes:
        """The reply to a Message Router request."""

    def speak(self, connection: socket.socket) -> None:
        buffer = FrameBuffer()
        while data := connection.recv(65536):
            for frame in buffer.feed(data):
                answer = self.answer(frame)
                if answer == b"":
                    connection.shutdown(socket.SHUT_RDWR)
                elif answer is not None:
                    connection.sendall(answer)

    def open(self, request: Request) -> Reply:
        """The grant of a Forward Open."""
        ask = decode_forward_open(request.data, large=request.service == LARGE_FORWARD_OPEN)
        self.own_id = ask.t_o_id
        self.connections += 1
        opened = ForwardOpened(TARGET_ID, ask.t_o_id, *ask.triplet, ask.o_t_rpi, ask.t_o_rpi)
        return Reply(request.service, 0, (), encode_forward_opened(opened))

    def shut(self, request: Request) -> Reply:
        """The reply to a Forward Close."""
        self.connections -= 1
        return Reply(request.service, 0, (), encode_forward_closed(decode_forward_close(request.data).triplet))


class AbServer(Foreign):
    """Tags `T`, a DINT[2000]. It wants RegisterSession with a context of zero, knows no List command and no object but
    the Connection Manager's, wants the path of a Forward Open to be `path`, and counts extended status in bytes.

    Of 2020 to 2024 (`age` 2020) it leaves the contexts of all answers zero, has connected replies' items six bytes too
    early and without a count, and takes tags plainly alone; what is in an Unconnected Send it cannot find. Of 2025 it
    answers connected messages rightly. Of 2026 it gives contexts back, knows bundles, and takes tags within Unconnected
    Send and over connections alone.
    """

    room = 400
    """Bytes of values in a reply."""

    def __init__(self, age: int = 2026, path: bytes = b"\1\0" + ROUTER, refusals: int = 0) -> None:
        self.age = age
        self.path = path
        self.refusals = refusals
        self.values = bytearray(b"".join(number.to_bytes(4, "little") for number in range(2000)))
        super().__init__()

    def answer(self, frame: bytes) -> bytes | None:
        """By command; another than these four is encapsulation status 100005."""
        header = decode_header(frame)
        body, status = frame[HEADER_SIZE:], 0
        context = header.context if self.age >= 2026 else bytes(8)
        if header.command == UNREGISTER_SESSION:
            return b""
        if header.command == REGISTER_SESSION:
            refused = header.context != bytes(8)
            body, status = (b"", 1) if refused else (body, 0)
        elif header.command == SEND_RR_DATA:
            body = encode_unconnected(self.message(decode_unconnected(body), connected=False))
        elif header.command == SEND_UNIT_DATA:
            ident, sequence, message = decode_connected(body)
            assert ident == TARGET_ID
            answered = encode_connected(self.own_id, sequence, self.message(message, connected=True))
            body = answered if self.age >= 2025 else answered[6:20] + bytes(2) + body[16:22] + answered[22:]
        else:
            body, status = b"", 100005
        return pack_header(header.command, len(body), SESSION, status, context) + body

    def message(self, message: bytes, connected: bool) -> bytes:
        """Tags, bundles, connections, and nothing else."""
        request = decode_request(message)
        self.services.append(request.service)
        manager = request.path == MANAGER
        if request.service == UNCONNECTED_SEND and manager and self.age >= 2026:
            return self.message(decode_unconnected_send(request.data).message, connected=True)
        if request.service in (FORWARD_OPEN, LARGE_FORWARD_OPEN) and manager:
            return self.asked_to_open(request)
        if request.service == FORWARD_CLOSE and manager:
            return encode_reply(self.shut(request))
        if self.age >= 2026 and not connected:
            return encode_reply(Reply(request.service, 8))
        if request.service == MULTIPLE_SERVICE_PACKET and self.age >= 2026:
            replies = [self.message(part, connected=True) for part in decode_multiple(request.data)]
            status = 0x1E if any(reply[2] for reply in replies) else 0
            return encode_reply(Reply(request.service, status, (), encode_multiple(replies)))
        if request.service in (READ_TAG, READ_TAG_FRAGMENTED, WRITE_TAG, WRITE_TAG_FRAGMENTED):
            return self.tag(request)
        return encode_reply(Reply(request.service, 8))

    def asked_to_open(self, request: Request) -> bytes:
        """Refused for another path, and so often as it was told to refuse, as being open already."""
        if decode_forward_open(request.data, large=request.service == LARGE_FORWARD_OPEN).path != self.path:
            return encode_reply(Reply(request.service, 5 if self.age >= 2026 else 8))
        if self.refusals:
            self.refusals -= 1
            return in_bytes(request.service, 1, 0x0100)
        return encode_reply(self.open(request))

    def tag(self, request: Request) -> bytes:
        """A read or a write of `T`; a name that there is not is a service that there is not, of 2026 a parameter."""
        no = encode_reply(Reply(request.service, 3 if self.age >= 2026 else 8))
        try:
            name, *rest = decode_epath(request.path)
        except Exception:
            return no
        if name != Symbolic("T") or not all(isinstance(segment, Element) for segment in rest):
            return no
        start = 4 * sum(segment.index for segment in rest if isinstance(segment, Element))
        data = request.data
        if request.service in (WRITE_TAG, WRITE_TAG_FRAGMENTED):
            offset = int.from_bytes(data[4:8], "little") if request.service == WRITE_TAG_FRAGMENTED else 0
            written = data[8:] if request.service == WRITE_TAG_FRAGMENTED else data[4:]
            self.values[start + offset : start + offset + len(written)] = written
            return encode_reply(Reply(request.service))
        count, offset = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:6], "little")
        if start + 4 * count > len(self.values):
            return in_bytes(request.service, 0xFF, 0x2105)
        wanted = bytes(self.values[start + offset : start + 4 * count])
        status = 6 if len(wanted) > self.room else 0
        return encode_reply(Reply(request.service, status, (), b"\xc4\0" + wanted[: self.room]))


def in_bytes(service: int, status: int, extended: int) -> bytes:
    """An error reply whose one word of extended status is counted as two."""
    return bytes((service | 0x80, 0, status, 2)) + extended.to_bytes(2, "little")


class Adapter(Foreign):
    """An Identity and no tags. Connections go to the Message Router by a path without a port, its Connection Manager
    knows no Unconnected Send and its Message Router no bundles, a symbol is no segment of a path, and a class that it
    does not have is an unknown destination."""

    identity = IdentityItem(HOST, 1, 12, 65001, (2, 3), 0, 0x12345, "OpENer PC")
    attributes: ClassVar = {1: b"\1\0", 2: b"\x0c\0", 3: b"\xe9\xfd", 7: b"\x09OpENer PC"}

    def __init__(self) -> None:
        self.last: tuple[int, bytes] = (0, b"")
        super().__init__()

    def answer(self, frame: bytes) -> bytes | None:
        """By command; a sequence count that was the last is answered by the last reply."""
        header = decode_header(frame)
        body, status = frame[HEADER_SIZE:], 0
        session = header.session
        if header.command == UNREGISTER_SESSION:
            return b""
        if header.command == REGISTER_SESSION:
            session = 1
        elif header.command == LIST_IDENTITY:
            body = encode_list_identity(self.identity)
        elif header.command == SEND_RR_DATA:
            body = encode_unconnected(self.message(decode_unconnected(body), connected=False))
        elif header.command == SEND_UNIT_DATA:
            ident, sequence, message = decode_connected(body)
            if ident != TARGET_ID or not self.connections:
                return None  # it says nothing to a connection that there is not
            if sequence != self.last[0]:
                self.last = sequence, self.message(message, connected=True)
            body = encode_connected(self.own_id, sequence, self.last[1])
        else:
            body, status = b"", 1
        return pack_header(header.command, len(body), session, status, header.context) + body

    def message(self, message: bytes, connected: bool) -> bytes:
        """The three objects there are."""
        request = decode_request(message)
        self.services.append(request.service)
        if request.path[:1] == b"\x91":
            return encode_reply(Reply(request.service, 4))
        if request.path == MANAGER:
            if request.service in (FORWARD_OPEN, LARGE_FORWARD_OPEN):
                ask = decode_forward_open(request.data, large=request.service == LARGE_FORWARD_OPEN)
                if ask.path != ROUTER:
                    return encode_reply(Reply(request.service, 1, (0x0315,), bytes(10)))
                self.last = (0, b"")
                return encode_reply(self.open(request))
            if request.service == FORWARD_CLOSE:
                return encode_reply(self.shut(request))
            return encode_reply(Reply(request.service, 8))
        if request.path[:2] != b"\x20\x01":
            return encode_reply(Reply(request.service, 8 if request.path == ROUTER else 5))
        if request.service == GET_ATTRIBUTES_ALL:
            return encode_reply(Reply(request.service, 0, (), b"".join(self.attributes.values())))
        if request.service != GET_ATTRIBUTE_SINGLE:
            return encode_reply(Reply(request.service, 8))
        value = self.attributes.get(request.path[-1])
        return encode_reply(Reply(request.service, 0x14) if value is None else Reply(request.service, 0, (), value))


@contextmanager
def running(server: Foreign) -> Iterator[Foreign]:
    """`server`, ended afterwards."""
    try:
        yield server
    finally:
        server.close()
