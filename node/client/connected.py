"""Messages that wait for their replies: over a class 3 connection where one can be had, else unconnected.

`ConnectedClient` chooses the way by itself or is told. Replies are matched by sender context, or by connection and
sequence count, so that a late, doubled or foreign one is never taken for another's.

Where nobody told a route, Unconnected Send goes to slot 0; a device that knows no Unconnected Send, as adapters and
drives do not, did nothing of what was in it, and is asked again, plainly from then on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

from node.cip.epath import Attribute, Class, Instance, encode_epath
from node.cip.message import Reply, Request, decode_reply, encode_request
from node.cip.services import GET_ATTRIBUTE_SINGLE, REPLY, UNCONNECTED_SEND
from node.cip.status import CONNECTION_FAILURE, CipError
from node.cip.template import Template
from node.client.client import MESSAGE_LIMIT, SEND_HEAD, Client
from node.client.exchanges import Steps, checked_reply, run
from node.client.failure import BadAnswer, ConnectionLost, NoAnswer, Refused, TagError, TimedOut
from node.client.forward_open import IDLE, ROUTES_NOTHING, Opened, close_steps, open_steps, unroutable
from node.client.paths import Path, RoutePath
from node.client.pipeline import Outcome, Packet, Pipeline
from node.client.tasks import OWN, Routing, Task
from node.client.transport import TcpTransport, deadline_after
from node.enip.header import PORT, SUCCESS, describe_status
from node.enip.originator import Answer, Connection
from node.errors import RemoteProtocolError

T = TypeVar("T")

Flying = dict[int, tuple[Packet, float | None, bool]]
"""What is under way, by token: by when it must be answered, and whether the client's own route is in it."""

CLOSING = 0.5
"""Seconds that closing a connection may take."""

TRUSTED = 0.9 * IDLE
"""Seconds without a message after which a connection is opened anew."""

OPENING = 5.0
"""Seconds that a connection which need not be may take to open."""

_REFUSALS = tuple(bytes((status,)) for status in (CONNECTION_FAILURE, *ROUTES_NOTHING))
_UNSENT = bytes((UNCONNECTED_SEND | REPLY,))
_VENDOR = encode_request(Request(GET_ATTRIBUTE_SINGLE, encode_epath((Class(1), Instance(1), Attribute(1)))))
"""What every device can be asked: the vendor of its Identity."""

UNREAD = 1 << 15
"""Bytes sent after which what has come is read first, lest both ends wait for each other to read."""


class ConnectedClient(Client):
    """A registered session. `connected` True opens a class 3 connection and fails without, False never does; None does
    for requests one at a time where the device grants one, and sends unconnected where not, or when several are to be
    under way. `size` is the connection size that is tried first. Other arguments are those of `Client`."""

    def __init__(
        self,
        host: str,
        port: int = PORT,
        timeout: float | None = 5.0,
        *,
        connected: bool | None = None,
        size: int | None = None,
        udp: bool = False,
        broadcast: bool = False,
        route_path: RoutePath = None,
        send_path: Path | bool | None = None,
        simple: bool = False,
        source_address: str | None = None,
        templates: Iterable[Template] = (),
    ) -> None:
        super().__init__(
            host,
            port,
            timeout,
            udp=udp,
            broadcast=broadcast,
            route_path=route_path,
            send_path=send_path,
            simple=simple,
            source_address=source_address,
            templates=templates,
        )
        self.connected = connected
        self._size = size
        self._untold = route_path is None and send_path is None and not simple
        self._opened: Opened | None = None
        self._connection: Connection | None = None
        self._used = 0.0
        self._chosen = connected is False or self.udp or (connected is None and self._send is None)
        try:
            if not self.udp:
                self.register()
            if not self._chosen and connected:
                self._choose(deadline_after(self.timeout))
        except BaseException:
            self.close()
            raise

    @property
    def connection_size(self) -> int:
        """Bytes of a message in the connection, 0 without one."""
        return self._opened.size if self._opened is not None else 0

    def close(self) -> None:
        """Closes the connection, ends the session, closes the socket; does nothing when it is closed."""
        opened = self._opened
        self.forget_connection()
        if opened is not None and not self.closed:
            deadline = monotonic() + CLOSING
            with contextlib.suppress(NoAnswer, CipError, RemoteProtocolError):  # it is forgotten with the session
                run(close_steps(opened), lambda request: self._reply(request, deadline, plain=True))
        super().close()

    def forget_connection(self) -> None:
        """Gives the class 3 connection up as lost; the next message opens another."""
        if self._connection is not None:
            self._session.disconnect(self._connection)
            self._chosen = False
        self._connection = self._opened = None

    def message_limit(self, depth: int = 1) -> int:
        """Bytes of the largest Message Router request, `depth` of them under way."""
        if self._over(depth) is not None:
            return self.connection_size
        return MESSAGE_LIMIT - (SEND_HEAD + len(self._route) + len(self._send) if self._send is not None else 0)

    def transact(self, message: bytes, timeout: float | None = None) -> bytes:
        """The reply's bytes to those of a Message Router request."""
        return self.transact_until(message, self._deadline(timeout))

    def transact_until(self, message: bytes, deadline: float | None) -> bytes:
        """As `transact`, by an instant of `time.monotonic`, None for ever."""
        over, now = self._connection, monotonic()
        if over is not None and now - self._used < TRUSTED:
            self._used = now
        else:
            over = self._ready(1, deadline)
        routed = over is None and self._send is not None
        if over is not None:
            token, frame = self._session.connected(over, message)
        else:
            token, frame = self._framed(message, OWN, None)
        transport = self._transport
        if not isinstance(transport, TcpTransport):
            return self._message(self._ask(token, frame, deadline))
        try:
            transport.send(frame, deadline)
            while True:
                answers = self._understood(transport.receive(deadline))
                if len(answers) == 1 and answers[0].token == token:  # what nearly always comes
                    answer = answers[0]
                    break
                self._mail.extend((answer, transport.peer) for answer in answers)
                found = self._taken(token)
                if found is not None:
                    answer = found
                    break
        except BaseException:
            self._session.forget(token)
            raise
        reply = answer.data if answer.status == SUCCESS else self._message(answer)
        if routed and reply[:1] == _UNSENT and self._unrouted(message, reply, deadline):
            return self.transact_until(message, deadline)
        return reply

    def request(self, request: Request, timeout: float | None = None) -> Reply:
        """The reply to any Message Router request, whatever its status."""
        with self.naming():
            return checked_reply(self.transact(encode_request(request), timeout), request.service)

    def run(self, steps: Steps[T], timeout: float | None = None) -> T:
        """The result of steps (`node.client.exchanges`), for which there are `timeout` seconds in all."""
        deadline = self._deadline(timeout)
        with self.naming():
            return run(steps, lambda request: self._reply(request, deadline))

    def drive(
        self,
        tasks: Iterator[Task],
        *,
        index: int = 0,
        multiple: int | bool | None = 0,
        timeout: float | None = None,
        depth: int = 1,
    ) -> Iterator[Outcome]:
        """The outcomes of tasks, in their order; each request may take `timeout` seconds from when it was sent."""
        over = self._ready(depth, self._deadline(timeout))
        timeout = self.timeout if timeout is None else timeout
        automatic = multiple is None or multiple is True
        limit = self.message_limit(depth) if automatic else int(multiple or 0)
        pipeline = Pipeline(tasks, depth=depth, limit=limit, index=index)
        flying: Flying = {}
        try:
            while True:
                self._fly(pipeline, flying, over, timeout)
                if not flying:
                    return
                answer = self._landed(flying)
                packet, _, routed = flying.pop(answer.token)
                message = self._message(answer)
                if routed and self._unrouted(packet.message, message, self._deadline(timeout)):
                    self._launch(packet, flying, over, timeout)
                    continue
                with self.naming():
                    outcomes = pipeline.take(packet, message)
                yield from outcomes
        finally:
            for token in flying:
                self._session.forget(token)

    @contextmanager
    def naming(self, what: str = "") -> Iterator[None]:
        """What is malformed within becomes a `BadAnswer`, with `what` it was about."""
        try:
            yield
        except NoAnswer:
            raise
        except RemoteProtocolError as exc:
            about = f"{what}: " if what else ""
            raise BadAnswer(self.host, self.port, f"{about}a malformed answer: {exc}") from exc

    # --- within -------------------------------------------------------------------------------------------------

    def _ready(self, depth: int, deadline: float | None) -> Connection | None:
        """The connection to use, opened if it is time for it; None to send unconnected."""
        if self._connection is not None:
            now = monotonic()
            if now - self._used < TRUSTED:
                self._used = now
                return self._connection if depth <= 1 or self.connected else None
            self.forget_connection()
        if not self._chosen and (depth <= 1 or self.connected):
            self._choose(deadline)
        return self._over(depth)

    def _over(self, depth: int) -> Connection | None:
        return self._connection if depth <= 1 or self.connected else None

    def _choose(self, deadline: float | None) -> None:
        """Opens a connection, or settles for none. Raises what stopped it when there has to be one."""
        self._chosen = True
        if self.connected is None:  # the rest of the time is for what was asked
            now = monotonic()
            deadline = now + OPENING if deadline is None else min((now + deadline) / 2, now + OPENING)
        try:
            with self.naming("Forward Open"):
                opened = self._granted(deadline)
        except CipError as exc:
            if self.connected:
                self._chosen = False
                raise TagError("Forward Open", self.host, self.port, exc) from exc
            return
        except (TimedOut, ConnectionLost, Refused):
            if self.connected:
                self._chosen = False
                raise
            if self.closed:  # there are devices that hang up on what they do not know
                self._session = type(self._session)()
                self._transport = self._connect(deadline_after(self.timeout))
                self.register()
            return
        self._opened = opened
        self._connection = self._session.connect(opened.target_id, opened.own_id)
        self._used = monotonic()

    def _granted(self, deadline: float | None) -> Opened:
        """A connection, without a route when one has to be had from a device that has none, and none was told."""
        route = self._route if self._send is not None else b""
        try:
            return run(open_steps(route, self._size), lambda request: self._reply(request, deadline, plain=True))
        except CipError as exc:
            if not (route and self.connected and self._untold and unroutable(exc)):
                raise
        return run(open_steps(b"", self._size), lambda request: self._reply(request, deadline, plain=True))

    def _unrouted(self, message: bytes, reply: bytes, deadline: float | None) -> bool:
        """Whether `message`, which went by Unconnected Send, has to go again without: the device knows none of it."""
        if not _unsent(reply):
            return False
        if self._send is not None and self.connected is None and self._untold:
            if message[0] == UNCONNECTED_SEND and self._routes(deadline):  # Read Tag Fragmented has the same code
                self._untold = False
            else:
                self._send = None
        return self._send is None

    def _routes(self, deadline: float | None) -> bool:
        """Whether the device knows Unconnected Send, by a question that cannot be mistaken for it."""
        return not _unsent(self._message(self._ask(*self._framed(_VENDOR, OWN, None), deadline)))

    def _framed(
        self, message: bytes, routing: Routing, over: Connection | None, index: int | None = None
    ) -> tuple[int, bytes]:
        """Token and frame of a message; one with a routing of its own does not go over the connection."""
        if routing is not OWN:
            send, route = routing
            return self._session.unconnected(message, route, send_path=send or b"", index=index)
        if over is not None:
            return self._session.connected(over, message, index=index)
        if self._send is None:
            return self._session.unconnected(message, index=index)
        return self._session.unconnected(message, self._route, send_path=self._send, index=index)

    def _reply(self, request: Request, deadline: float | None, plain: bool = False) -> Reply:
        message = encode_request(request)
        if not plain:
            return checked_reply(self.transact_until(message, deadline), request.service)
        answer = self._ask(*self._session.unconnected(message), deadline)
        return checked_reply(self._message(answer), request.service)

    def _message(self, answer: Answer) -> bytes:
        """The Message Router reply of an answer. Raises `Refused` when the encapsulation's status says no."""
        if answer.status != SUCCESS:
            if self._connection is not None:
                self.forget_connection()
            raise Refused(self.host, self.port, f"the message got {describe_status(answer.status)}")
        return answer.data

    def _understood(self, data: bytes) -> list[Answer]:
        try:
            return self._session.receive(data)
        except RemoteProtocolError as exc:
            self._transport.close()
            raise self._malformed(exc) from exc

    def _fly(self, pipeline: Pipeline, flying: Flying, over: Connection | None, timeout: float | None) -> None:
        """Sends what may be sent."""
        sent = 0
        while (packet := pipeline.next()) is not None:
            sent += len(packet.message)
            if sent > UNREAD and self._transport.readable(monotonic()):
                self._collect(monotonic() + 0.001)
            self._launch(packet, flying, over, timeout)

    def _launch(self, packet: Packet, flying: Flying, over: Connection | None, timeout: float | None) -> None:
        routed = self._send is not None and over is None and packet.routing is OWN
        token, frame = self._framed(packet.message, packet.routing, over, packet.idx)
        deadline = None if timeout is None else monotonic() + timeout
        flying[token] = (packet, deadline, routed)
        self._transport.send(frame, deadline)

    def _landed(self, flying: Flying) -> Answer:
        """The next answer to what is under way; the oldest has to be there by its time."""
        _, deadline, _ = next(iter(flying.values()))
        while True:
            for place, (answer, _) in enumerate(self._mail):
                if answer.token in flying:
                    del self._mail[place]
                    return answer
            late = deadline is not None and monotonic() >= deadline
            if late and not self._transport.readable(monotonic()):
                raise self._transport.too_late()
            before = len(self._mail)
            self._collect(monotonic() + 0.001 if late else deadline)
            if late and len(self._mail) == before:
                raise self._transport.too_late()


def _unsent(message: bytes) -> bool:
    """Whether a reply to an Unconnected Send is that of a device which cannot send it on, as it routes nothing."""
    if message[:1] != _UNSENT or message[2:3] not in _REFUSALS:
        return False
    try:
        reply = decode_reply(message)
    except RemoteProtocolError:
        return False  # whoever asked is told what is wrong with it
    return unroutable(CipError(reply.status, reply.extended))
