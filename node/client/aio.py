"""An EtherNet/IP client on asyncio: what `farm read`, `farm write` and hundreds of probes at once use.

One TCP session; requests are matched by sender context, so calls may overlap. Each call has one deadline for all it
sends. Messages go unconnected, plain or with a route inside Unconnected Send, or over a class 3 connection. A fault
that the controller answers is a `CipError`; no usable answer at all is a `NoAnswer` that names host and port.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, TypeVar, cast

from node.cip.epath import encode_epath
from node.cip.message import Reply, Request, encode_request
from node.cip.path_text import Route, parse_path, route_segments
from node.cip.predefined import PREDEFINED
from node.cip.services import GET_ATTRIBUTE_SINGLE, READ_MODIFY_WRITE
from node.cip.status import CipError
from node.cip.tag_services import encode_read_modify_write
from node.cip.template import Template
from node.client.browsing import Tag, browse_steps
from node.client.exchanges import (
    Steps,
    arun,
    checked_reply,
    kind_of,
    kind_steps,
    read_steps,
    successful,
    whole_values,
    write_steps,
)
from node.client.failure import BadAnswer, NoAnswer, Refused, TagError, no_answer
from node.client.forward_open import Opened, close_steps, open_steps, opens
from node.client.operations import WRITE, Operation, parse_operation, tag_type_code
from node.client.pipeline import Outcome, Packet, Pipeline
from node.client.structures import as_members
from node.client.tag_values import TagType, Value, tag_type
from node.client.tasks import OWN, Means, Task, prepare
from node.enip.commands import IdentityItem, decode_list_identity
from node.enip.header import COMMANDS, LIST_IDENTITY, PORT, describe_status
from node.enip.header import SUCCESS as ENCAPSULATION_SUCCESS
from node.enip.originator import Answer, Connection, OriginatorSession
from node.errors import LocalProtocolError, RemoteProtocolError

T = TypeVar("T")

MESSAGE_LIMIT = 504
"""Bytes of an unconnected Message Router request that every controller takes."""

ROUTE_OVERHEAD = 13
"""Bytes of Unconnected Send beside its paths and its message."""

CLOSE_TIMEOUT = 1.0
OPENING = 5.0
"""Seconds that a connection which need not be may take to open."""


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

    @property
    def lost(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport is None

    def send(self, token: int, frame: bytes) -> asyncio.Future[Answer]:
        """Sends a frame of `session`; what its answer will be in. `forget` it in the end. Raises `ConnectionError`."""
        if self._transport is None:
            self.session.forget(token)
            raise ConnectionError("connection closed by the controller")
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiters[token] = waiter
        self._transport.write(frame)
        return waiter

    def forget(self, token: int) -> None:
        """Waits for an answer no longer."""
        self._waiters.pop(token, None)
        self.session.forget(token)

    async def ask(self, token: int, frame: bytes) -> Answer:
        """Sends a frame of `session` and waits for its answer. Raises `ConnectionError`, `RemoteProtocolError`."""
        waiter = self.send(token, frame)
        try:
            return await waiter
        finally:
            self.forget(token)

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
    over its hops, () for none. `templates` are structures it knows beside STRING, TIMER and the like. `connected` True
    opens a class 3 connection and fails without, None goes on unconnected then. Every method raises `NoAnswer`, those
    that send a message `CipError` as well.
    """

    def __init__(
        self,
        host: str,
        port: int = PORT,
        timeout: float = 5.0,
        route: Route | None = None,
        templates: Iterable[Template] = (),
        connected: bool | None = False,
    ) -> None:
        self.host = host
        self.port = port
        self.timeout = timeout
        self._route = None if route is None else encode_epath(route_segments(route))
        self._link: Link | None = None
        self.known = {template.handle: template for template in (*PREDEFINED, *templates)}
        self._connected = connected
        self._opened: Opened | None = None
        self._connection: Connection | None = None
        self._kinds: dict[bytes, TagType] = {}
        self._tasks: dict[str, Task] = {}

    async def __aenter__(self) -> "AsyncConnector":
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Connects and registers a session."""
        self._opened = self._connection = None  # of a session that is gone
        async with deadline(self.host, self.port, self.timeout):
            link = await self._registered()
            try:
                if self._connected is not False:
                    link = await self._choose(link)
            except BaseException:
                link.abort()
                raise
            self._link = link

    async def close(self) -> None:
        """Ends the session; does nothing without one."""
        link, opened = self._link, self._opened
        self._opened = self._connection = None
        if link is not None and opened is not None:
            with contextlib.suppress(NoAnswer, CipError):  # it is forgotten with the session
                async with deadline(self.host, self.port, CLOSE_TIMEOUT):
                    await arun(close_steps(opened), self._message)
        self._link = None
        if link is not None:
            await link.close()

    @property
    def closed(self) -> bool:
        """Whether there is no session: it was not opened yet, or closed, or the controller ended the connection."""
        return self._link is None or self._link.lost

    async def list_identity(self) -> IdentityItem:
        """Who the controller says it is."""
        async with deadline(self.host, self.port, self.timeout):
            return await _list_identity(self._open_link())

    async def request(self, request: Request) -> Reply:
        """Any Message Router request; the reply may be partial (status 0x06), every other fault is a `CipError`."""
        async with deadline(self.host, self.port, self.timeout):
            return successful(await self._message(request))

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
            raw = await arun(read_steps(path, count), self._message)
            kind = tag_type(raw[0], raw[1], self.known)
            if kind is not None:
                self._kinds[path] = kind
            return whole_values(raw, count, 0, self.known)

    async def write(self, tag: str, values: Value | Sequence[Value], type: str | TagType | None = None) -> None:
        """Writes one value or several from `tag` on. `type` (`"DINT"`) is asked of the controller when not given.

        Texts for a number are read as a person types them. A write larger than a message goes in several: another
        client may see it half done. Raises `LocalProtocolError` for values that are not of the type.
        """
        path = encode_epath(parse_path(tag))
        listed = list(values) if isinstance(values, Sequence) and not isinstance(values, str | bytes) else [values]
        async with deadline(self.host, self.port, self.timeout):
            kind = kind_of(type, self.known) if type is not None else await self._kind(path, tag)
            members = [as_members(value) for value in listed]
            await arun(write_steps(path, kind, members, self.message_limit), self._message)

    async def read_tags(self, tags: Iterable[str], checking: bool = True) -> list[Any]:
        """The values of many tags or ranges (`Tag[0-9]`), in as few requests as they fit; each of them may take the
        time-out. The first fault is raised as a `TagError`; with `checking` False each is in the place of its value."""
        values = []
        async for outcome in self.outcomes(tags, multiple=True, single=True):
            if outcome.status and checking:
                raise self._tag_error(outcome)
            values.append(self._tag_error(outcome) if outcome.status else outcome.value)
        return values

    async def write_tags(self, values: Mapping[str, Any], type: str | None = None) -> None:
        """Writes many tags, in as few requests as fit. When all are done, the first fault is raised, a `TagError`."""
        faults = []
        operations = [self._write_operation(tag, value, type) for tag, value in values.items()]
        async for outcome in self.outcomes(operations, multiple=True):
            if outcome.status:
                faults.append(self._tag_error(outcome))
        if faults:
            raise faults[0]

    async def outcomes(
        self,
        operations: Iterable[Operation | Mapping[str, Any] | str],
        *,
        depth: int = 1,
        multiple: int | bool = 0,
        fragment: bool = False,
        index: int = 0,
        single: bool = False,
    ) -> AsyncIterator[Outcome]:
        """How each operation ended, in their order, with up to `depth` requests under way and `multiple` bytes of them
        in a packet (True: as many as fit). Each request may take the time-out; a fault is an outcome with a status."""
        means = Means(self.known, self.message_limit, fragment, self._kinds)
        tasks = (self._prepared(operation, means, single) for operation in operations)
        limit = self.message_limit if multiple is True else int(multiple)
        pipeline = Pipeline(tasks, depth=depth, limit=limit, index=index)
        flying: dict[int, tuple[Packet, asyncio.Future[Answer], float]] = {}
        link, clock = self._open_link(), asyncio.get_running_loop().time
        try:
            while True:
                async with deadline(self.host, self.port, self.timeout):
                    while (packet := pipeline.next()) is not None:
                        token, frame = self._framed(link, packet)
                        flying[token] = packet, link.send(token, frame), clock()
                if not flying:
                    return
                token, (packet, waiter, sent) = next(iter(flying.items()))
                async with deadline(self.host, self.port, self.timeout, used=clock() - sent):
                    answer = _checked(await waiter)
                    del flying[token]
                    due = pipeline.take(packet, answer.data)
                for outcome in due:
                    yield outcome
        finally:
            for token, (_, waiter, _) in flying.items():
                link.forget(token)
                waiter.cancel()

    async def browse(self, programs: bool = True) -> list[Tag]:
        """The tags of the controller, and of its programs; their structures are known from then on."""
        async with deadline(self.host, self.port, self.timeout):
            return await arun(browse_steps(self.known, programs), self._message)

    async def run(self, steps: Steps[T]) -> T:
        """The result of steps (`node.client.exchanges`), for which there is the time-out in all."""
        async with deadline(self.host, self.port, self.timeout):
            return await arun(steps, self._message)

    @property
    def message_limit(self) -> int:
        """Bytes of the largest Message Router request."""
        if self._opened is not None:
            return self._opened.size
        return MESSAGE_LIMIT - (ROUTE_OVERHEAD + 4 + len(self._route) if self._route is not None else 0)

    async def modify(self, tag: str, ones: int, zeros: int, size: int) -> None:
        """Sets the bits `ones` of an integer of `size` bytes and clears the bits `zeros`, and leaves the others as they
        are, whoever writes them meanwhile. Raises `LocalProtocolError` when `tag` is no path."""
        every = (1 << 8 * size) - 1
        masks = (mask.to_bytes(size, "little") for mask in (ones & every, every & ~zeros))
        await self.request(Request(READ_MODIFY_WRITE, encode_epath(parse_path(tag)), encode_read_modify_write(*masks)))

    async def _kind(self, path: bytes, tag: str) -> TagType:
        kind = self._kinds.get(path)
        if kind is None:
            kind = self._kinds[path] = await arun(kind_steps(path, self.known, tag), self._message)
        return kind

    async def _registered(self) -> Link:
        link = await _connect(self.host, self.port)
        try:
            _checked(await link.ask(*link.session.register()))
        except BaseException:
            link.abort()
            raise
        return link

    async def _choose(self, link: Link) -> Link:
        """The link with a connection, which `connected` None does without: there are devices that refuse one, that say
        nothing to it, and that hang up, so that another link is needed."""
        patience = None if self._connected else min(self.timeout / 2, OPENING)
        try:
            async with asyncio.timeout(patience):
                await self._connect(link)
        except (CipError, _Refused, OSError):
            if self._connected:
                raise
            return await self._registered() if link.lost else link
        return link

    async def _connect(self, link: Link) -> None:
        opened = await arun(open_steps(self._route or b""), lambda request: self._ask(link, request))
        self._opened = opened
        self._connection = link.session.connect(opened.target_id, opened.own_id)

    def _prepared(self, operation: Operation | Mapping[str, Any] | str, means: Means, single: bool) -> Task:
        if not isinstance(operation, str):
            return prepare(cast(Operation, operation), means)
        task = self._tasks.get(operation) if single else None
        if task is None:
            parsed = parse_operation(operation)
            one = single and parsed.get("elements", 1) == 1 and "offset" not in parsed
            task = prepare(parsed, means, single=one)
            if single:
                self._tasks[operation] = task
        return task

    def _write_operation(self, tag: str, value: Any, type: str | None) -> Operation:
        operation = parse_operation(tag)
        data = [as_members(item) for item in (value if isinstance(value, list | tuple) else [value])]
        if operation["elements"] not in (1, len(data)):
            raise LocalProtocolError(f"{tag!r}: {len(data)} values where {operation['elements']} were wanted")
        operation.update({"method": WRITE, "elements": len(data), "data": data})
        if type is not None:
            operation["tag_type"] = tag_type_code(kind_of(type, self.known))
        return operation

    def _framed(self, link: Link, packet: Packet) -> tuple[int, bytes]:
        if packet.routing is not OWN:
            send, route = packet.routing
            return link.session.unconnected(packet.message, route, send_path=send or b"", index=packet.idx)
        if self._connection is not None:
            return link.session.connected(self._connection, packet.message, index=packet.idx)
        return link.session.unconnected(packet.message, self._route, index=packet.idx)

    def _tag_error(self, outcome: Outcome) -> TagError:
        return TagError(outcome.task.tag, self.host, self.port, CipError(outcome.status, outcome.extended))

    async def _message(self, request: Request) -> Reply:
        return await self._ask(self._open_link(), request)

    async def _ask(self, link: Link, request: Request) -> Reply:
        message = encode_request(request)
        if self._connection is not None:
            token, frame = link.session.connected(self._connection, message)
        else:
            token, frame = link.session.unconnected(message, None if opens(request) else self._route)
        return checked_reply(_checked(await link.ask(token, frame)).data, request.service)

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
async def deadline(host: str, port: int, seconds: float, used: float = 0.0) -> AsyncIterator[None]:
    """Ends what is inside after `seconds`, of which some are `used`; lost, late and malformed answers become
    `NoAnswer`."""
    try:
        async with asyncio.timeout(seconds - used):
            yield
    except OSError as exc:
        raise no_answer(host, port, exc, seconds) from exc
    except _Refused as exc:
        raise Refused(host, port, str(exc)) from exc
    except NoAnswer:
        raise
    except RemoteProtocolError as exc:
        raise BadAnswer(host, port, f"a malformed answer: {exc}") from exc


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
