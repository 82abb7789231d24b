"""An EtherNet/IP client on asyncio: what `farm read`, `farm write` and hundreds of probes at once use.

One TCP session; requests are matched by sender context, so calls may overlap. Each call has one deadline for all it
sends. Messages go unconnected: plain, or with a route inside Unconnected Send. A fault that the controller answers is
a `CipError`; no usable answer at all is a `NoAnswer` that names host and port.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType

from node.cip.epath import encode_epath
from node.cip.message import Reply, Request, decode_reply, encode_request
from node.cip.path_text import Route, parse_path, route_segments
from node.cip.predefined import PREDEFINED
from node.cip.services import (
    GET_ATTRIBUTE_SINGLE,
    READ_MODIFY_WRITE,
    READ_TAG,
    READ_TAG_FRAGMENTED,
    WRITE_TAG,
    WRITE_TAG_FRAGMENTED,
)
from node.cip.status import PARTIAL_TRANSFER, REPLY_DATA_TOO_LARGE, SUCCESS, CipError
from node.cip.tag_services import (
    decode_read_reply,
    encode_read_fragmented,
    encode_read_modify_write,
    encode_read_tag,
    encode_write_fragmented,
    encode_write_tag,
)
from node.cip.template import Template
from node.client.failure import NoAnswer, no_answer
from node.client.tag_values import TagType, Value, cut, decode_values, encode_elements, named_type, tag_type, type_code
from node.enip.commands import IdentityItem, decode_list_identity
from node.enip.header import COMMANDS, LIST_IDENTITY, PORT, describe_status
from node.enip.header import SUCCESS as ENCAPSULATION_SUCCESS
from node.enip.originator import Answer, OriginatorSession
from node.errors import LocalProtocolError, RemoteProtocolError

MESSAGE_LIMIT = 504
"""Bytes of an unconnected Message Router request that every controller takes."""

WRITE_OVERHEAD = 22
"""Bytes of a fragmented write beside its path, route and values: heads, type, count and offset."""

MAX_READ = 1 << 25
"""Bytes of one read: more than 65535 elements of any type known here take."""

CLOSE_TIMEOUT = 1.0


class _Refused(RemoteProtocolError):
    """The encapsulation's own status says no."""


class Link(asyncio.Protocol):
    """The connection: frames of an `OriginatorSession` out, answers to whoever waits for them."""

    def __init__(self) -> None:
        self.session = OriginatorSession()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._waiters: dict[int, asyncio.Future[Answer]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hands each answer on; bytes that make no sense end the connection."""
        try:
            answers = self.session.receive(data)
        except RemoteProtocolError as exc:
            self._fail(exc)
            self.abort()
            return
        for answer in answers:
            waiter = self._waiters.pop(answer.token, None)
            if waiter is not None and not waiter.done():
                waiter.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells all who wait."""
        self._transport = None
        self._fail(exc if isinstance(exc, OSError) else ConnectionError("connection closed by the controller"))
        if not self.closed.done():
            self.closed.set_result(None)

    async def ask(self, token: int, frame: bytes) -> Answer:
        """Sends a frame of `session` and waits for its answer. Raises `ConnectionError`, `RemoteProtocolError`."""
        if self._transport is None:
            self.session.forget(token)
            raise ConnectionError("connection closed by the controller")
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiters[token] = waiter
        self._transport.write(frame)
        try:
            return await waiter
        finally:
            self._waiters.pop(token, None)
            self.session.forget(token)

    async def close(self) -> None:
        """Ends the session and the connection, in a second at most."""
        if self._transport is not None:
            if self.session.session:
                self._transport.write(self.session.unregister())
            self._transport.close()
        await asyncio.wait((self.closed,), timeout=CLOSE_TIMEOUT)
        self.abort()

    def abort(self) -> None:
        """Drops the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, exc: Exception) -> None:
        waiters = list(self._waiters.values())
        self._waiters.clear()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(exc)


class AsyncConnector:
    """A session with one controller: `async with AsyncConnector("127.64.0.1") as plc: await plc.read("SCADA")`.

    `timeout` is the seconds a call may take in all. With `route` None messages go plain, else inside Unconnected Send
    over its hops, () for none. `templates` are structures it knows beside STRING, TIMER and the like. Every method
    raises `NoAnswer`, those that send a message `CipError` as well.
    """

    def __init__(
        self,
        host: str,
        port: int = PORT,
        timeout: float = 5.0,
        route: Route | None = None,
        templates: Iterable[Template] = (),
    ) -> None:
        self.host = host
        self.port = port
        self.timeout = timeout
        self._route = None if route is None else encode_epath(route_segments(route))
        self._link: Link | None = None
        self._known = {template.handle: template for template in (*PREDEFINED, *templates)}
        self._kinds: dict[bytes, TagType | None] = {}

    async def __aenter__(self) -> "AsyncConnector":
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Connects and registers a session."""
        async with deadline(self.host, self.port, self.timeout):
            link = await _connect(self.host, self.port)
            try:
                _checked(await link.ask(*link.session.register()))
            except BaseException:
                link.abort()
                raise
        self._link = link

    async def close(self) -> None:
        """Ends the session; does nothing without one."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def list_identity(self) -> IdentityItem:
        """Who the controller says it is."""
        async with deadline(self.host, self.port, self.timeout):
            return await _list_identity(self._open_link())

    async def request(self, request: Request) -> Reply:
        """Any Message Router request; the reply may be partial (status 0x06), every other fault is a `CipError`."""
        async with deadline(self.host, self.port, self.timeout):
            return _successful(await self._message(request))

    async def get_attribute_single(self, path: str) -> bytes:
        """The bytes of an attribute such as `@1/1/7`."""
        return (await self.request(Request(GET_ATTRIBUTE_SINGLE, encode_epath(parse_path(path))))).data

    async def read(self, tag: str, count: int = 1) -> list[Value]:
        """`count` elements of a tag such as `SCADA[3]`: bool, int, float or str; a structure as a dict of its
        members, or as its bytes, all in one value, when it is not known.

        Raises `LocalProtocolError` when `tag` is no path.
        """
        path = encode_epath(parse_path(tag))
        async with deadline(self.host, self.port, self.timeout):
            return decode_values(*await self._read(path, count), self._known)

    async def write(self, tag: str, values: Value | Sequence[Value], type: str | TagType | None = None) -> None:
        """Writes one value or several from `tag` on. `type` (`"DINT"`) is asked of the controller when not given.

        Texts for a number are read as a person types them. A write larger than a message goes in several: another
        client may see it half done. Raises `LocalProtocolError` for values that are not of the type.
        """
        path = encode_epath(parse_path(tag))
        listed = list(values) if isinstance(values, Sequence) and not isinstance(values, str | bytes) else [values]
        async with deadline(self.host, self.port, self.timeout):
            kind = named_type(type) if isinstance(type, str) else type or await self._kind(path, tag)
            await self._write(path, kind, encode_elements(kind, listed))

    async def modify(self, tag: str, ones: int, zeros: int, size: int) -> None:
        """Sets the bits `ones` of an integer of `size` bytes and clears the bits `zeros`, and leaves the others as they
        are, whoever writes them meanwhile. Raises `LocalProtocolError` when `tag` is no path."""
        every = (1 << 8 * size) - 1
        masks = (mask.to_bytes(size, "little") for mask in (ones & every, every & ~zeros))
        await self.request(Request(READ_MODIFY_WRITE, encode_epath(parse_path(tag)), encode_read_modify_write(*masks)))

    async def _read(self, path: bytes, count: int) -> tuple[int, int | None, bytes]:
        reply = await self._message(Request(READ_TAG, path, encode_read_tag(count)))
        if reply.status == REPLY_DATA_TOO_LARGE:
            reply = await self._message(Request(READ_TAG_FRAGMENTED, path, encode_read_fragmented(count, 0)))
        code, handle, first = decode_read_reply(_successful(reply).data)
        data = bytearray(first)
        while reply.status == PARTIAL_TRANSFER:
            reply = await self._message(Request(READ_TAG_FRAGMENTED, path, encode_read_fragmented(count, len(data))))
            _, _, part = decode_read_reply(_successful(reply).data)
            data += part
            if not part or len(data) > MAX_READ:
                raise RemoteProtocolError(f"a read that does not end: {len(data)} bytes after a part of {len(part)}")
        self._kinds[path] = tag_type(code, handle, self._known)
        return code, handle, bytes(data)

    async def _kind(self, path: bytes, tag: str) -> TagType:
        if path not in self._kinds:
            await self._read(path, 1)
        kind = self._kinds[path]
        if kind is None:
            raise LocalProtocolError(f"{tag} is a structure or of a type unknown here; write its members instead")
        return kind

    async def _write(self, path: bytes, kind: TagType, elements: list[bytes]) -> None:
        if not elements:
            raise LocalProtocolError("no values to write; give one or more")
        code, handle = type_code(kind)
        room = MESSAGE_LIMIT - WRITE_OVERHEAD - len(path)
        parts = cut(elements, room if self._route is None else room - len(self._route) - WRITE_OVERHEAD)
        if len(parts) == 1:
            data = encode_write_tag(code, handle, len(elements), parts[0].data)
            _successful(await self._message(Request(WRITE_TAG, path, data)))
            return
        for part in parts:
            data = encode_write_fragmented(code, handle, len(elements), part.offset, part.data)
            _successful(await self._message(Request(WRITE_TAG_FRAGMENTED, path, data)))

    async def _message(self, request: Request) -> Reply:
        link = self._open_link()
        message = encode_request(request)
        return decode_reply(_checked(await link.ask(*link.session.unconnected(message, self._route))).data)

    def _open_link(self) -> Link:
        if self._link is None:
            raise LocalProtocolError("no session; use `async with`, or `open` first")
        return self._link


async def probe_enip(host: str, port: int, timeout: float) -> str:  # noqa: ASYNC109  a deadline for all, with a message
    """The product name a controller gives in ListIdentity, in one short connection. Raises `NoAnswer`."""
    async with deadline(host, port, timeout):
        link = await _connect(host, port)
        try:
            return (await _list_identity(link)).product_name
        finally:
            link.abort()


@asynccontextmanager
async def deadline(host: str, port: int, seconds: float) -> AsyncIterator[None]:
    """Ends what is inside after `seconds`; lost, late and malformed answers become `NoAnswer`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except OSError as exc:
        raise no_answer(host, port, exc, seconds) from exc
    except _Refused as exc:
        raise NoAnswer(host, port, str(exc)) from exc
    except RemoteProtocolError as exc:
        raise NoAnswer(host, port, f"a malformed answer: {exc}") from exc


async def _connect(host: str, port: int) -> Link:
    _, link = await asyncio.get_running_loop().create_connection(Link, host, port)
    return link


async def _list_identity(link: Link) -> IdentityItem:
    return decode_list_identity(_checked(await link.ask(*link.session.command(LIST_IDENTITY))).data)


def _checked(answer: Answer) -> Answer:
    if answer.status != ENCAPSULATION_SUCCESS:
        name = COMMANDS.get(answer.command, f"command 0x{answer.command:04X}")
        raise _Refused(f"{name} got {describe_status(answer.status)}")
    return answer


def _successful(reply: Reply) -> Reply:
    if reply.status not in (SUCCESS, PARTIAL_TRANSFER):
        raise CipError(reply.status, reply.extended, reply.data)
    return reply
