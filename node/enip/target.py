"""The server's end of a session: a frame in, its reply out, without sockets.

The common SendRRData and SendUnitData are read with one unpack at fixed offsets; whatever looks different goes the long
way round and gets the same answer. What a peer may rely on: a fault in the encapsulation is a status in the header, one
in CIP a CIP reply, and neither ends the session; a session handle is random and good on its own connection only
(CIP Vol 2, 2-3 to 2-5).

    SendRRData      header 24 | interface u32 | timeout u16 | 02 00 | 00 00 00 00 | B2 00, length u16 | message
    SendUnitData    header 24 | interface u32 | timeout u16 | 02 00 | A1 00 04 00, id u32 | B1 00, length u16 |
                    sequence u16 | message
"""

import os
from collections.abc import Callable, Mapping
from struct import Struct
from typing import Generic, Protocol, TypeVar

from node.cip.services import REPLY
from node.cip.status import CONNECTION_LOST, PARTIAL_TRANSFER, VENDOR_SPECIFIC_ERROR, CipError
from node.cip.unconnected import UNCONNECTED_LIMIT
from node.enip.commands import (
    ServiceItem,
    decode_connected,
    decode_list_identity,
    decode_register_session,
    decode_unconnected,
    encode_legacy_list,
    encode_list_interfaces,
    encode_list_services,
    encode_register_session,
)
from node.enip.header import (
    HEADER,
    HEADER_SIZE,
    INCORRECT_DATA,
    INVALID_COMMAND,
    INVALID_LENGTH,
    INVALID_SESSION,
    LEGACY_LIST,
    LIST_IDENTITY,
    LIST_INTERFACES,
    LIST_SERVICES,
    NOP,
    REGISTER_SESSION,
    SEND_RR_DATA,
    SEND_UNIT_DATA,
    UNREGISTER_SESSION,
    UNSUPPORTED_VERSION,
)
from node.errors import RemoteProtocolError

VERSION = 1
NO_SESSION = -1

_RR = Struct("<HHII8sQH8sH")
"""Command, length, session, status, context, options and interface (both 0), timeout, the items before the message's
length, that length."""

_RR_ITEMS = b"\x02\0\0\0\0\0\xb2\0"
_RR_SIZE = _RR.size

_UNIT = Struct("<HHII8sQH6sI2sHH")
"""The same with the connection id and the sequence count among the items."""

_UNIT_ITEMS = b"\x02\0\xa1\0\x04\0"
_UNIT_DATA = b"\xb1\0"
_UNIT_SIZE = _UNIT.size

_SERVICES = encode_list_services([ServiceItem()])
_INTERFACES = encode_list_interfaces()


Trace = TypeVar("Trace")
AnyTrace = TypeVar("AnyTrace", contravariant=True)


class Plan(Protocol):
    """A reply prepared ahead."""

    @property
    def size(self) -> int:
        """Its bytes, counted."""

    def read(self) -> bytes:
        """Its bytes."""


class Connected(Protocol):
    """A connection of class 3 (`node.objects.connections.Connection`)."""

    t_o_id: int
    limit: int
    seen: float
    sequence: int | None
    reply: bytes

    @property
    def origin(self) -> object:
        """The session it was opened on."""


class Relay(Connected, Protocol):
    """A connection that goes on to another device (`node.objects.onward.Relay`)."""

    def onward(self, message: bytes) -> Exception:
        """What to raise for a message on it."""


class Connections(Protocol):
    """The connections a node holds."""

    def get(self, o_t_id: int) -> Connected | None:
        """The one with that id that ends here."""

    def relay(self, o_t_id: int) -> Relay | None:
        """The one with that id that goes on."""

    def leave(self, origin: object) -> None:
        """Ends those that belong to `origin`."""


class Router(Protocol[AnyTrace]):
    """What answers CIP requests (`node.objects.router.Router`)."""

    @property
    def plans(self) -> Mapping[bytes, Plan]:
        """Requests to replies prepared ahead."""

    @property
    def now(self) -> float:
        """The instant of the request, in seconds."""

    def request(
        self, message: bytes, trace: AnyTrace | None = None, *, origin: object = None, limit: int = UNCONNECTED_LIMIT
    ) -> bytes:
        """The CIP reply to `message`."""


class Counters(Protocol):
    """Where faults are counted."""

    errors: int


class TargetSession(Generic[Trace]):
    """One TCP connection. `identity` gives the ListIdentity reply (it names the address that was dialled).

    `closing` is set once the connection must be closed; `handle` is `NO_SESSION` until a session is registered.
    """

    __slots__ = ("_connections", "_counters", "_identity", "_plans", "_router", "closing", "handle")

    def __init__(
        self, router: Router[Trace], connections: Connections, identity: Callable[[], bytes], counters: Counters
    ) -> None:
        self._router = router
        self._plans = router.plans
        self._connections = connections
        self._identity = identity
        self._counters = counters
        self.handle = NO_SESSION
        self.closing = False

    def answer(self, frame: bytes, trace: Trace | None = None) -> bytes | None:
        """The reply to one whole frame, None when there is none to send.

        Raises `RemoteProtocolError` for less than a header, and what the router raises where the answer is elsewhere
        (`node.objects.onward.Onward`): then `finish` gives the reply, before any later frame is answered.
        """
        if len(frame) < _RR_SIZE:
            return self._answer_other(frame, trace)
        command, _, session, _, context, zero, _, items, size = _RR.unpack_from(frame)
        if (
            command != SEND_RR_DATA
            or session != self.handle
            or items != _RR_ITEMS
            or zero
            or size != len(frame) - _RR_SIZE
        ):
            if command == SEND_UNIT_DATA and session == self.handle and not zero:
                return self._answer_unit(frame, trace)
            return self._answer_other(frame, trace)
        message = frame[_RR_SIZE:]
        plan = self._plans.get(message)
        if plan is not None and trace is None and plan.size <= UNCONNECTED_LIMIT:
            try:
                reply = plan.read()
            except CipError:
                reply = self._router.request(message, trace, origin=self)
        elif message:
            reply = self._router.request(message, trace, origin=self)
        else:
            return self._refuse(frame, INCORRECT_DATA)
        size = len(reply)
        if reply[2] and reply[2] != PARTIAL_TRANSFER:
            self._counters.errors += 1
        return _RR.pack(SEND_RR_DATA, 16 + size, session, 0, context, 0, 0, _RR_ITEMS, size) + reply

    def finish(self, frame: bytes, reply: bytes, connection: Connected | None = None) -> bytes:
        """The reply to a frame that was answered elsewhere, from the CIP reply; `connection` is the one that went on
        and may have ended since."""
        self._count(reply)
        if frame[0] | frame[1] << 8 == SEND_RR_DATA:
            return self._rr_reply(frame, reply)
        ident, sequence, _ = decode_connected(frame[HEADER_SIZE:])
        connection = connection or self._connections.get(ident)
        if connection is None:
            return self._unit_reply(frame, ident, sequence, reply)
        connection.sequence = sequence
        connection.reply = reply
        return self._unit_reply(frame, connection.t_o_id, sequence, reply)

    def leave(self) -> None:
        """The TCP connection is gone: so are the CIP connections opened on it."""
        self.handle = NO_SESSION
        self._connections.leave(self)

    def failure(self, frame: bytes) -> bytes | None:
        """The reply to a frame that a bug kept from being answered: general status 0x1F, where it carried a CIP
        request; a bare encapsulation status otherwise."""
        try:
            command = HEADER.unpack_from(frame)[0]
            if command == SEND_RR_DATA:
                return self._rr_reply(frame, _status(decode_unconnected(frame[HEADER_SIZE:])[0], VENDOR_SPECIFIC_ERROR))
            if command == SEND_UNIT_DATA:
                ident, sequence, message = decode_connected(frame[HEADER_SIZE:])
                connection = self._connections.get(ident) or self._connections.relay(ident)
                reply = _status(message[0], VENDOR_SPECIFIC_ERROR)
                return self._unit_reply(frame, connection.t_o_id if connection else ident, sequence, reply)
        except (RemoteProtocolError, IndexError):
            return self._refuse(frame, INCORRECT_DATA)
        return None if command in (NOP, UNREGISTER_SESSION) else self._refuse(frame, INCORRECT_DATA)

    def refusal(self, frame: bytes, status: tuple[int, ...]) -> bytes | None:
        """The reply to a frame whose CIP message is to be refused with `status`, general and extended; nothing of it is
        run. None for a frame that is answered as ever: one without such a message, or with one about connections."""
        from node.cip.refusal import refused  # hardly any node ever needs it

        command, _, session, _, _, options = HEADER.unpack_from(frame)
        if command not in (SEND_RR_DATA, SEND_UNIT_DATA) or session != self.handle or options:
            return None
        connection, ident, sequence = None, 0, 0
        try:
            if command == SEND_RR_DATA:
                message = decode_unconnected(frame[HEADER_SIZE:])
            else:
                ident, sequence, message = decode_connected(frame[HEADER_SIZE:])
                connection = self._connections.get(ident) or self._connections.relay(ident)
        except RemoteProtocolError:
            return None
        reply = refused(message, status)
        if reply is None:
            return None
        if command == SEND_RR_DATA:
            self._count(reply)
            return self._rr_reply(frame, reply)
        if connection is None or connection.origin is not self or sequence == connection.sequence:
            return None
        self._count(reply)
        connection.seen, connection.sequence, connection.reply = self._router.now, sequence, reply
        return self._unit_reply(frame, connection.t_o_id, sequence, reply)

    def _answer_unit(self, frame: bytes, trace: Trace | None) -> bytes | None:
        if len(frame) < _UNIT_SIZE:
            return self._answer_other(frame, trace)
        _, _, session, _, context, _, _, items, ident, data, size, sequence = _UNIT.unpack_from(frame)
        connection = self._connections.get(ident)
        if (
            items != _UNIT_ITEMS
            or data != _UNIT_DATA
            or size != len(frame) - _UNIT_SIZE + 2
            or connection is None
            or connection.origin is not self
            or size < 3
        ):
            return self._answer_other(frame, trace)
        connection.seen = self._router.now
        if sequence == connection.sequence:
            reply = connection.reply
        else:
            reply = self._router.request(frame[_UNIT_SIZE:], trace, origin=self, limit=connection.limit)
            connection.sequence = sequence
            connection.reply = reply
        size = len(reply)
        if reply[2] and reply[2] != PARTIAL_TRANSFER:
            self._counters.errors += 1
        head = _UNIT.pack(
            SEND_UNIT_DATA,
            22 + size,
            session,
            0,
            context,
            0,
            0,
            _UNIT_ITEMS,
            connection.t_o_id,
            _UNIT_DATA,
            2 + size,
            sequence,
        )
        return head + reply

    def _answer_other(self, frame: bytes, trace: Trace | None) -> bytes | None:
        if len(frame) < HEADER_SIZE:
            raise RemoteProtocolError(f"a frame of {len(frame)} bytes, wanted a header of {HEADER_SIZE} or more")
        command, _, session, _, _, options = HEADER.unpack_from(frame)
        if options or command == NOP:
            return None
        if command == REGISTER_SESSION:
            return self._register(frame)
        if command in (UNREGISTER_SESSION, SEND_RR_DATA, SEND_UNIT_DATA):
            if session != self.handle:
                return self._refuse(frame, INVALID_SESSION)
            if command == UNREGISTER_SESSION:
                self.closing = True
                return None
            return self._send(frame, command, trace)
        return answer_list(frame, self._identity) or self._refuse(frame, INVALID_COMMAND)

    def _register(self, frame: bytes) -> bytes:
        try:
            version, options = decode_register_session(frame[HEADER_SIZE:])
        except RemoteProtocolError:
            return self._refuse(frame, INVALID_LENGTH)
        body = encode_register_session(VERSION)
        if version != VERSION or options:
            return self._refuse(frame, UNSUPPORTED_VERSION, body)
        if self.handle != NO_SESSION:
            return self._refuse(frame, INVALID_COMMAND, body)
        self.handle = int.from_bytes(os.urandom(4), "little") or 1
        return _reply(frame, body, session=self.handle)

    def _send(self, frame: bytes, command: int, trace: Trace | None) -> bytes:
        """A send that is not laid out as usual: socket address items, surplus bytes, an unknown connection."""
        body = frame[HEADER_SIZE:]
        try:
            if body[:4] != b"\0\0\0\0":
                raise RemoteProtocolError("an interface handle other than 0")
            if command == SEND_RR_DATA:
                reply = self._router.request(decode_unconnected(body), trace, origin=self)
                self._count(reply)
                return self._rr_reply(frame, reply)
            ident, sequence, message = decode_connected(body)
            if not message:
                raise RemoteProtocolError("a connected message of no bytes")
        except RemoteProtocolError:
            return self._refuse(frame, INCORRECT_DATA)
        relay = self._connections.relay(ident)
        connection = relay or self._connections.get(ident)
        if connection is None or connection.origin is not self:
            self._counters.errors += 1
            return self._unit_reply(frame, ident, sequence, _status(message[0], CONNECTION_LOST))
        connection.seen = self._router.now
        if sequence != connection.sequence:
            if relay is not None:
                raise relay.onward(message)
            connection.reply = self._router.request(message, trace, origin=self, limit=connection.limit)
            connection.sequence = sequence
        self._count(connection.reply)
        return self._unit_reply(frame, connection.t_o_id, sequence, connection.reply)

    def _count(self, reply: bytes) -> None:
        if reply[2] and reply[2] != PARTIAL_TRANSFER:
            self._counters.errors += 1

    def _rr_reply(self, frame: bytes, reply: bytes) -> bytes:
        size = len(reply)
        return _RR.pack(SEND_RR_DATA, 16 + size, self.handle, 0, frame[12:20], 0, 0, _RR_ITEMS, size) + reply

    def _unit_reply(self, frame: bytes, ident: int, sequence: int, reply: bytes) -> bytes:
        size = len(reply)
        fixed = (SEND_UNIT_DATA, 22 + size, self.handle, 0, frame[12:20], 0, 0, _UNIT_ITEMS, ident)
        return _UNIT.pack(*fixed, _UNIT_DATA, 2 + size, sequence) + reply

    def _refuse(self, frame: bytes, status: int, body: bytes = b"") -> bytes:
        self._counters.errors += 1
        return _reply(frame, body, status)


def answer_list(frame: bytes, identity: Callable[[], bytes]) -> bytes | None:
    """The reply to ListServices, ListIdentity, ListInterfaces or the legacy 0x0001, which need no session and come over
    UDP too; None for any other command. `frame` is at least a header."""
    command = frame[0] | frame[1] << 8
    if command == LIST_IDENTITY:
        return _reply(frame, identity())
    if command == LIST_SERVICES:
        return _reply(frame, _SERVICES)
    if command == LIST_INTERFACES:
        return _reply(frame, _INTERFACES)
    if command == LEGACY_LIST:
        own = decode_list_identity(identity())
        return _reply(frame, encode_legacy_list(own.ip, own.port))
    return None


def answer_datagram(frame: bytes, identity: Callable[[], bytes]) -> bytes | None:
    """The reply to a UDP datagram: the List commands only; another command gets status 0x0001, and what is no frame
    nothing at all."""
    if len(frame) < HEADER_SIZE:
        return None
    command, length, _, _, _, options = HEADER.unpack_from(frame)
    if options or length != len(frame) - HEADER_SIZE or command == NOP:
        return None
    return answer_list(frame, identity) or _reply(frame, b"", INVALID_COMMAND)


def _reply(frame: bytes, body: bytes, status: int = 0, session: int | None = None) -> bytes:
    """Command, session and context as they came, options 0."""
    command, _, asked, _, context, _ = HEADER.unpack_from(frame)
    return HEADER.pack(command, len(body), asked if session is None else session, status, context, 0) + body


def _status(service: int, status: int) -> bytes:
    return bytes((service | REPLY, 0, status, 0))
