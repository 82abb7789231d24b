"""Requests whose answer is elsewhere: what is to be sent where, and what its answer means for who asked.

The core cannot wait for another device. It raises one of these through the router instead, up to whoever holds the
socket, who sends `message` to `address`, gives up after `timeout` seconds, and turns what came into the CIP reply by
`answer` or `fail`. Until then nothing but what is noted here has happened (CIP Vol 1, 3-5.5).
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from node.cip.epath import Class, Instance, encode_epath
from node.cip.forward import (
    ForwardClose,
    ForwardOpen,
    ForwardOpened,
    decode_forward_opened,
    encode_forward_close,
    encode_forward_failure,
    encode_forward_opened,
)
from node.cip.message import Request, decode_reply, encode_request, error_reply
from node.cip.services import CONNECTION_MANAGER_CLASS, FORWARD_CLOSE
from node.cip.status import (
    CONNECTION_FAILURE,
    CONNECTION_LOST,
    CONNECTION_NOT_FOUND,
    CONNECTION_TIMED_OUT,
    REPLY_DATA_TOO_LARGE,
    RESPONSE_TOO_LARGE,
    SUCCESS,
    UNCONNECTED_TIMED_OUT,
    CipError,
)
from node.objects.connections import Connection, Connections
from node.objects.object import Requester, success
from node.objects.routes import Address

MANAGER_PATH = encode_epath((Class(CONNECTION_MANAGER_CLASS), Instance(1)))

MAX_WAIT = 10.0
"""Seconds that an answer may take, whatever was asked for."""

OPEN_WAIT = 5.0
"""Seconds that the opening of a connection may take."""


class Relay(Connection):
    """A connection that goes on to `address` and there along `path`: what comes for `o_t_id` is sent there over a
    connection whose ids are `target_id` (theirs, 0 until it is open) and `own_id` (ours). `ended` is called when it
    ends here before it ended there."""

    __slots__ = ("address", "connections", "ended", "own_id", "path", "target_id")

    here: ClassVar[bool] = False

    def __init__(
        self,
        o_t_id: int,
        opening: ForwardOpen,
        origin: Requester | None,
        now: float,
        *,
        address: Address,
        path: bytes,
        connections: Connections,
    ) -> None:
        super().__init__(o_t_id, opening, origin, now)
        self.address = address
        self.path = path
        self.connections = connections
        self.own_id = connections.new_id()
        self.target_id = 0
        self.ended: Callable[[Relay], None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it has not ended here."""
        return self.connections.find(self.opening.triplet) is self

    def onward(self, message: bytes) -> Exception:
        """The message on its way."""
        return OnwardMessage(message, self)

    def end(self) -> None:
        """Has its other half ended too."""
        if self.ended is not None:
            self.ended(self)

    def lost(self) -> None:
        """The other half is gone."""
        self.ended = None
        self.connections.drop(self)

    def closing(self) -> bytes:
        """The Forward Close for the other half, a Message Router request."""
        close = ForwardClose(*self.opening.triplet, path=self.path)
        return encode_request(Request(FORWARD_CLOSE, MANAGER_PATH, encode_forward_close(close)))


class Onward(Exception):
    """`relay` is the connection that `message` opens, or that it goes over when `connected`; None for neither."""

    connected: ClassVar[bool] = False

    def __init__(self, address: Address, message: bytes, timeout: float, relay: Relay | None = None) -> None:
        super().__init__(address, message)
        self.address = address
        self.message = message
        self.timeout = timeout
        self.relay = relay

    @abstractmethod
    def answer(self, reply: bytes) -> bytes:
        """The CIP reply to who asked, from the target's. Raises `RemoteProtocolError` when that is malformed."""

    @abstractmethod
    def fail(self, status: int) -> bytes:
        """The CIP reply when no answer came, for the extended status that says why."""


class OnwardSend(Onward):
    """An Unconnected Send whose route leads on: the reply is the embedded message's own."""

    def __init__(self, address: Address, message: bytes, timeout: float, service: int, left: bytes, limit: int) -> None:
        super().__init__(address, message, timeout)
        self._service = service
        self._left = left
        self._limit = limit

    def answer(self, reply: bytes) -> bytes:
        """The target's reply, 0x1B when there is no room for it."""
        decode_reply(reply)
        if len(reply) > self._limit:
            return error_reply(self._service, CipError(RESPONSE_TOO_LARGE, (), self._left))
        return reply

    def fail(self, status: int) -> bytes:
        """A routing failure, with the words of route that were left."""
        return error_reply(self._service, CipError(CONNECTION_FAILURE, (status,), self._left))


class OnwardOpen(Onward):
    """A Forward Open whose path leads on: `relay` holds a place for the connection until the target has opened it."""

    def __init__(self, message: bytes, timeout: float, service: int, relay: Relay) -> None:
        super().__init__(relay.address, message, timeout, relay)
        self._service = service
        self._half = relay

    def answer(self, reply: bytes) -> bytes:
        """The target's reply with this side's ids in it; its refusal as it is."""
        relay, connections = self._half, self._half.connections
        answer = decode_reply(reply)
        if answer.status != SUCCESS:
            connections.drop(relay)
            return reply
        opened = decode_forward_opened(answer.data)
        relay.target_id = opened.o_t_id
        triplet = relay.opening.triplet
        if not relay.alive:
            return self.fail(CONNECTION_NOT_FOUND)
        apis = (opened.o_t_api, opened.t_o_api, opened.application)
        return success(self._service, encode_forward_opened(ForwardOpened(relay.o_t_id, relay.t_o_id, *triplet, *apis)))

    def fail(self, status: int) -> bytes:
        """Gives the place back."""
        self._half.connections.drop(self._half)
        opening = self._half.opening
        data = encode_forward_failure(opening.triplet, len(opening.path) >> 1)
        return error_reply(self._service, CipError(CONNECTION_FAILURE, (status,), data))


class OnwardMessage(Onward):
    """A message on a connection that goes on."""

    connected: ClassVar[bool] = True

    def __init__(self, message: bytes, relay: Relay) -> None:
        super().__init__(relay.address, message, min(max(relay.timeout, 1.0), OPEN_WAIT), relay)
        self._half = relay

    def answer(self, reply: bytes) -> bytes:
        """The target's reply, 0x11 when it is longer than this side's connection. One that the target does not have
        any more ends here too."""
        if decode_reply(reply).status == CONNECTION_LOST:
            self._half.connections.drop(self._half)
        if len(reply) > self._half.limit:
            return error_reply(self.message[0], CipError(REPLY_DATA_TOO_LARGE))
        return reply

    def fail(self, status: int) -> bytes:
        """Ends the connection: it timed out, or is lost."""
        self._half.connections.drop(self._half)
        if status == UNCONNECTED_TIMED_OUT:
            return error_reply(self.message[0], CipError(CONNECTION_FAILURE, (CONNECTION_TIMED_OUT,)))
        return error_reply(self.message[0], CipError(CONNECTION_LOST))
