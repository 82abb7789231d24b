"""A controller that does what a test tells it to: answers, answers wrongly, says nothing, or hangs up.

It shares codecs with the client and nothing with our server, so a fault of the client cannot hide behind one of ours.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from node.cip.message import Reply, Request, decode_request, encode_reply
from node.cip.status import CipError
from node.enip.commands import IdentityItem, decode_unconnected, encode_list_identity, encode_unconnected
from node.enip.framing import FrameBuffer
from node.enip.header import (
    HEADER_SIZE,
    LIST_IDENTITY,
    REGISTER_SESSION,
    SEND_RR_DATA,
    UNREGISTER_SESSION,
    Header,
    decode_header,
    pack_header,
)

HOST = "127.64.33.7"
IDENTITY = IdentityItem(HOST, 1, 14, 54, (20, 11), 0x3060, 0x1234, "1756-L61/B LOGIX5561")

Handler = Callable[[Request], Reply | bytes | None]


@dataclass(slots=True)
class Scripted:
    """`handler` makes a reply, raises `CipError`, gives a whole frame body as bytes, or None to say nothing.

    `status` is the encapsulation status of every answer; `mute` says nothing to anything, `hang_up` closes at the
    first message. `requests` and `commands` are what came.
    """

    handler: Handler | None = None
    status: int = 0
    mute: bool = False
    hang_up: bool = False
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    commands: list[int] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, frame: bytes) -> bytes | None:
        """The answer to one frame, None for none."""
        header = decode_header(frame)
        self.commands.append(header.command)
        if self.mute or header.command == UNREGISTER_SESSION:
            return None
        body: bytes | None = frame[HEADER_SIZE:]
        if header.command == LIST_IDENTITY:
            body = encode_list_identity(IDENTITY)
        elif header.command == SEND_RR_DATA:
            body = self.message(frame[HEADER_SIZE:])
        return None if body is None else self.frame(header, body)

    def frame(self, header: Header, body: bytes) -> bytes:
        """A frame that answers one with `header`."""
        session = 0x77 if header.command == REGISTER_SESSION else header.session
        return pack_header(header.command, len(body), session, self.status, header.context) + body

    def message(self, body: bytes) -> bytes | None:
        """The body that answers a SendRRData body."""
        request = decode_request(decode_unconnected(body))
        self.requests.append(request)
        assert self.handler is not None
        try:
            reply = self.handler(request)
        except CipError as exc:
            reply = Reply(request.service, exc.general, exc.extended, exc.data)
        return encode_unconnected(encode_reply(reply)) if isinstance(reply, Reply) else reply


class _Serving(asyncio.Protocol):
    def __init__(self, script: Scripted) -> None:
        self.script = script
        self.frames = FrameBuffer()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        for frame in self.frames.feed(data):
            if self.script.hang_up and decode_header(frame).command == SEND_RR_DATA:
                self.transport.close()
                return
            self.transport.write(self.script.answer(frame) or b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self.script.closed.set()


@asynccontextmanager
async def serving(script: Scripted) -> AsyncIterator[Scripted]:
    """`script` behind a port of its own on `HOST`, for as long as the block lasts."""
    server = await asyncio.get_running_loop().create_server(lambda: _Serving(script), HOST, 0)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        await server.wait_closed()
