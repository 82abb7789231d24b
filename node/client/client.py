"""A client that sends what it is told and hands out what comes: the manual's `client.client`.

    with Client("10.0.0.7") as conn:                 Client("255.255.255.255", udp=True, broadcast=True)
        conn.register()
        request = conn.read("Tag[0-1]")
        assert conn.readable(timeout=1.0)
        reply = next(conn)

Each request gets a sender context of its own; replies to none of them are dropped, whoever sent them. `Connector`
builds on it what waits, matches and decodes.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic
from types import TracebackType
from typing import Any, Self

from node.cip.attribute_services import encode_get_attribute_list
from node.cip.message import Request, encode_request
from node.cip.multiple import encode_multiple
from node.cip.predefined import PREDEFINED
from node.cip.services import (
    GET_ATTRIBUTE_LIST,
    GET_ATTRIBUTE_SINGLE,
    GET_ATTRIBUTES_ALL,
    READ_TAG,
    READ_TAG_FRAGMENTED,
    SET_ATTRIBUTE_SINGLE,
    WRITE_TAG,
    WRITE_TAG_FRAGMENTED,
)
from node.cip.tag_services import (
    encode_read_fragmented,
    encode_read_tag,
    encode_write_fragmented,
    encode_write_tag,
)
from node.cip.template import Template
from node.client.dotted import dotdict, latedict
from node.client.exchanges import encoded, kind_of
from node.client.failure import BadAnswer, ConnectionLost, NoAnswer, Refused, TimedOut
from node.client.operations import parse_range
from node.client.paths import Path, PathSegment, RoutePath, encode_path, encode_route_path, encode_send_path
from node.client.pipeline import MULTIPLE_HEAD
from node.client.replies import COMMAND_NAMES, frame_tree, request_tree
from node.client.tag_values import type_code
from node.client.tasks import raw_bytes
from node.client.transport import Peer, TcpTransport, UdpTransport, deadline_after, discard
from node.enip.header import (
    COMMANDS,
    LEGACY_LIST,
    LIST_IDENTITY,
    LIST_INTERFACES,
    LIST_SERVICES,
    PORT,
    SUCCESS,
    describe_status,
)
from node.enip.originator import Answer, OriginatorSession
from node.errors import LocalProtocolError, RemoteProtocolError

MESSAGE_LIMIT = 504
"""Bytes of an unconnected Message Router request that every controller takes."""

SPREAD = 2.0
"""Seconds over which devices spread their answers to a broadcast unless told."""

IN_TIME = 0.8
"""The part of the time-out by which they are to be sent."""

SEND_HEAD = 13
"""Bytes of Unconnected Send beside its paths and its message: service, path size, ticks, length, a pad, route size."""


class Client:
    """A TCP connection to a device, made at once, or a UDP socket; `broadcast` lets anybody answer.

    `timeout` is the seconds for connecting, and for each call that says nothing else; None is for ever. `route_path`
    and `send_path` are those of Unconnected Send: slot 0 and the Connection Manager unless told, none for `simple`
    devices, which route nothing. `templates` are structures it can decode beside STRING, TIMER and the like.

    Every method raises `NoAnswer` of its kind, and `LocalProtocolError` for what cannot be sent.
    """

    def __init__(
        self,
        host: str,
        port: int = PORT,
        timeout: float | None = 5.0,
        *,
        udp: bool = False,
        broadcast: bool = False,
        route_path: RoutePath = None,
        send_path: Path | bool | None = None,
        simple: bool = False,
        source_address: str | None = None,
        templates: Iterable[Template] = (),
    ) -> None:
        self.host = host
        self.port = port
        self.timeout = timeout
        self.udp = udp
        self.broadcast = broadcast
        self.known = {template.handle: template for template in (*PREDEFINED, *templates)}
        self._send = None if simple and send_path is None else encode_send_path(send_path)
        self._route = encode_route_path(False if simple and route_path is None else route_path)
        self._source = source_address
        self._session = OriginatorSession()
        self._mail: deque[tuple[Answer, Peer]] = deque()
        self._transport: TcpTransport | UdpTransport = self._connect(deadline_after(timeout))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def session_handle(self) -> int:
        """The session's, 0 before it is registered."""
        return self._session.session

    @property
    def peer(self) -> Peer:
        """Address and port it is connected to."""
        return self._transport.peer

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return self._transport.closed

    def close(self) -> None:
        """Ends the session and closes; does nothing when it is closed."""
        discard(self._transport, self._session.unregister() if self._session.session else b"")
        self._session.session = 0

    def register(self, timeout: float | None = None) -> int:
        """Registers a session, which a TCP connection needs for messages; its handle. Raises `Refused`."""
        deadline = self._deadline(timeout)
        self._accepted(self._ask(*self._session.register(), deadline))
        return self._session.session

    # --- what is sent, and answered by `next` -------------------------------------------------------------------

    def list_services(self, timeout: float | None = None) -> dotdict:
        """Asks which services there are; the request that was sent."""
        return self._command(LIST_SERVICES, timeout)

    def list_identity(self, timeout: float | None = None) -> dotdict:
        """Asks who it is; the request that was sent."""
        return self._command(LIST_IDENTITY, timeout)

    def list_interfaces(self, timeout: float | None = None) -> dotdict:
        """Asks for interfaces beside EtherNet/IP; the request that was sent."""
        return self._command(LIST_INTERFACES, timeout)

    def legacy(self, command: int = LEGACY_LIST, timeout: float | None = None) -> dotdict:
        """Sends a command of old; 0x0001 is answered with the address. The request that was sent."""
        return self._command(command, timeout)

    def read(
        self,
        path: Path,
        elements: int | None = None,
        offset: int | None = 0,
        *,
        send: bool = True,
        **routing: Any,
    ) -> dotdict:
        """Read Tag Fragmented from byte `offset` on, with None Read Tag; `Tag[0-9]` is path and elements. The request.

        With `send` False it is made and not sent. `routing` is `route_path`, `send_path` and `timeout`, as for
        `unconnected_send`.
        """
        segments, count = _target(path, elements)
        if offset is None:
            message = Request(READ_TAG, encode_path(segments), encode_read_tag(count))
            detail = {"elements": count}
        else:
            message = Request(READ_TAG_FRAGMENTED, encode_path(segments), encode_read_fragmented(count, offset))
            detail = {"elements": count, "offset": offset}
        return self._request(message, segments, send, detail, routing)

    def write(
        self,
        path: Path,
        data: Sequence[Any],
        elements: int | None = None,
        offset: int | None = 0,
        tag_type: int | str = "INT",
        *,
        send: bool = True,
        **routing: Any,
    ) -> dotdict:
        """Write Tag Fragmented from byte `offset` on, with None Write Tag: `data` of `tag_type`. The request."""
        segments, count = _target(path, elements)
        kind = kind_of(tag_type, self.known)
        values = b"".join(encoded(kind, list(data)))
        total = len(data) if elements is None and count == 1 else count
        code, handle = type_code(kind)
        detail = {"elements": total, "type": code, "data": list(data)}
        if offset is None:
            service, body = WRITE_TAG, encode_write_tag(code, handle, total, values)
        else:
            service, body = WRITE_TAG_FRAGMENTED, encode_write_fragmented(code, handle, total, offset, values)
            detail["offset"] = offset
        return self._request(Request(service, encode_path(segments), body), segments, send, detail, routing)

    def get_attribute_single(self, path: Path, *, send: bool = True, **routing: Any) -> dotdict:
        """Get Attribute Single of `@class/instance/attribute`. The request."""
        return self._attribute(GET_ATTRIBUTE_SINGLE, path, b"", send, routing)

    def get_attributes_all(self, path: Path, *, send: bool = True, **routing: Any) -> dotdict:
        """Get Attributes All of `@class/instance`. The request."""
        return self._attribute(GET_ATTRIBUTES_ALL, path, b"", send, routing)

    def get_attribute_list(
        self, path: Path, attributes: Sequence[int], *, send: bool = True, **routing: Any
    ) -> dotdict:
        """Get Attribute List of `@class/instance`, the values of `attributes` in that order. The request."""
        return self._attribute(GET_ATTRIBUTE_LIST, path, encode_get_attribute_list(attributes), send, routing)

    def set_attribute_single(
        self, path: Path, data: Any, tag_type: int | None = None, *, send: bool = True, **routing: Any
    ) -> dotdict:
        """Set Attribute Single: bytes, raw SINTs, or values of `tag_type`. The request."""
        return self._attribute(SET_ATTRIBUTE_SINGLE, path, raw_bytes(data, tag_type), send, routing)

    def multiple(self, requests: Sequence[dotdict], *, send: bool = True, **routing: Any) -> dotdict:
        """A Multiple Service Packet of requests that were made with `send=False`. The request."""
        message = MULTIPLE_HEAD + encode_multiple([request["input"] for request in requests])
        tree = dotdict({"multiple": {"request": list(requests)}, "service": message[0], "input": message})
        if send:
            self.unconnected_send(tree, **routing)
        return tree

    def unconnected_send(
        self,
        request: dotdict | bytes,
        route_path: RoutePath = None,
        send_path: Path | bool | None = None,
        timeout: float | None = None,
    ) -> int:
        """Sends a request that was made with `send=False`, or its bytes, by Unconnected Send to `send_path` over
        `route_path`, the client's own unless told; plain when there is no send path. The number that its sender context
        is, in little-endian order."""
        message = request if isinstance(request, bytes) else request["input"]
        token, frame = self._unconnected(message, route_path, send_path)
        self._transport.send(frame, self._deadline(timeout))
        return token

    # --- what comes ---------------------------------------------------------------------------------------------

    def readable(self, timeout: float | None = 0) -> bool:
        """Whether `next` has something, a reply or the end, within `timeout` seconds (None: however long it takes)."""
        deadline = None if timeout is None else monotonic() + timeout
        while not self._mail and not self.closed:
            if not self._transport.readable(deadline):
                return False
            self._collect_at_once()
            if deadline is not None and monotonic() >= deadline:
                break
        return bool(self._mail) or self.closed

    def __iter__(self) -> Iterator[dotdict | None]:
        return self

    def __next__(self) -> dotdict | None:
        """The next reply as a tree, None when none is there yet; ends with the connection."""
        if not self._mail and not self.closed and self._transport.readable(monotonic()):
            self._collect_at_once()
        if self._mail:
            answer, peer = self._mail.popleft()
            return self._tree(answer.frame, peer)
        if self.closed:
            raise StopIteration
        return None

    # --- within -------------------------------------------------------------------------------------------------

    def _connect(self, deadline: float | None) -> TcpTransport | UdpTransport:
        if self.udp:
            return UdpTransport(self.host, self.port, self.timeout, self.broadcast, self._source)
        return TcpTransport(self.host, self.port, self.timeout, deadline, self._source)

    def _deadline(self, timeout: float | None) -> float | None:
        if timeout is None:
            timeout = self.timeout
        self._transport.timeout = timeout  # what it says when that is over
        return deadline_after(timeout)

    def _tree(self, frame: bytes, peer: Peer) -> dotdict:
        try:
            return dotdict(frame_tree(frame, peer, self.known))
        except RemoteProtocolError as exc:
            raise self._malformed(exc) from exc

    def _command(self, command: int, timeout: float | None) -> dotdict:
        deadline = self._deadline(timeout)
        _, frame = self._session.command(command, index=self._spread(timeout) if command == LIST_IDENTITY else 0)
        self._transport.send(frame, deadline)
        return dotdict(
            {"enip": {"command": command, "CIP": {COMMAND_NAMES.get(command, "legacy"): dotdict()}}, "input": frame}
        )

    def _spread(self, timeout: float | None) -> int:
        """By how many milliseconds the answers to a broadcast may be spread, in the first bytes of the context; 0 is
        the 2 s that devices take by themselves, longer than many wait (CIP Vol 2, 2-4.2)."""
        seconds = self.timeout if timeout is None else timeout
        if not self.broadcast or seconds is None or seconds >= SPREAD / IN_TIME:
            return 0
        return max(int(seconds * IN_TIME * 1000), 1)

    def _attribute(self, service: int, path: Path, data: bytes, send: bool, routing: dict[str, Any]) -> dotdict:
        segments, _ = _target(path, None)
        return self._request(Request(service, encode_path(segments), data), segments, send, {}, routing)

    def _request(
        self,
        request: Request,
        segments: list[PathSegment],
        send: bool,
        detail: dict[str, Any],
        routing: dict[str, Any],
    ) -> dotdict:
        message = encode_request(request)
        tree = latedict(lambda: request_tree(message, segments, self.known, **detail))
        if send:
            self.unconnected_send(message, **routing)
        return tree

    def _unconnected(
        self, message: bytes, route_path: RoutePath, send_path: Path | bool | None, index: int | None = None
    ) -> tuple[int, bytes]:
        send = self._send if send_path is None else encode_send_path(send_path)
        if send is None:
            return self._session.unconnected(message, index=index)
        route = self._route if route_path is None else encode_route_path(route_path)
        return self._session.unconnected(message, route, send_path=send, index=index)

    def _ask(self, token: int, frame: bytes, deadline: float | None) -> Answer:
        """Sends a frame and waits for its answer; others go to `next`."""
        try:
            self._transport.send(frame, deadline)
            while True:
                self._collect(deadline)
                answer = self._taken(token)
                if answer is not None:
                    return answer
        finally:
            self._session.forget(token)

    def _taken(self, token: int) -> Answer | None:
        """The answer to a request out of the mail, None when it is not there."""
        for place, (answer, _) in enumerate(self._mail):
            if answer.token == token:
                del self._mail[place]
                return answer
        return None

    def _collect_at_once(self) -> None:
        """Puts what is there into the mail; the end of the connection leaves it closed."""
        with contextlib.suppress(ConnectionLost, TimedOut):
            self._collect(monotonic() + 0.001)

    def _collect(self, deadline: float | None) -> None:
        """Puts what comes next into the mail, perhaps nothing yet. Raises `TimedOut`, `ConnectionLost`, `BadAnswer`."""
        transport = self._transport
        try:
            if isinstance(transport, TcpTransport):
                answers = self._session.receive(transport.receive(deadline))
                self._mail.extend((answer, transport.peer) for answer in answers)
            else:
                data, peer = transport.receive(deadline)
                answer = self._session.datagram(data)
                if answer is not None:
                    if not self.broadcast:
                        self._session.forget(answer.token)
                    self._mail.append((answer, peer))
        except RemoteProtocolError as exc:
            if isinstance(exc, NoAnswer):
                raise
            if self.udp:
                return  # a datagram of nobody's
            transport.close()
            raise self._malformed(exc) from exc

    def _accepted(self, answer: Answer) -> Answer:
        if answer.status != SUCCESS:
            name = COMMANDS.get(answer.command, f"command 0x{answer.command:04X}")
            raise Refused(self.host, self.port, f"{name} got {describe_status(answer.status)}")
        return answer

    def _malformed(self, exc: RemoteProtocolError) -> BadAnswer:
        return BadAnswer(self.host, self.port, f"a malformed answer: {exc}")


def await_response(client: Client, timeout: float | None = None) -> tuple[dotdict | None, float]:
    """(reply, seconds it took): None when nothing came within `timeout`, an empty tree at the end of the connection.

    The manual's `client.await`, which Python has taken for a word of its own.
    """
    begun = monotonic()
    reply: dotdict | None = None
    try:
        if client.readable(timeout):
            reply = next(client)
    except (StopIteration, ConnectionLost):
        reply = dotdict()
    except TimedOut:
        reply = None
    return reply, monotonic() - begun


def _target(path: Path, elements: int | None) -> tuple[list[PathSegment], int]:
    if not isinstance(path, str):
        return [dict(segment) for segment in path], elements or 1
    segments, count, offset = parse_range(path)
    if offset is not None:
        raise LocalProtocolError(f"{path!r}: give the byte offset as `offset`")
    return segments, elements or count or 1
