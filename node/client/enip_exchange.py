"""A session with a controller, and where it is wanted a class 3 connection over it, without a socket.

to it       RegisterSession                [Forward Open]              requests ...   [Forward Close] UnRegisterSession
from it                     its reply                     its reply    answers ...
"""

from collections.abc import Sequence

from node.cip.forward import (
    ForwardClose,
    ForwardOpen,
    NetworkParameters,
    decode_forward_opened,
    encode_forward_close,
    encode_forward_open,
)
from node.cip.message import Request, decode_reply, encode_request
from node.cip.services import FORWARD_CLOSE, FORWARD_OPEN, LARGE_FORWARD_OPEN
from node.cip.status import SUCCESS, describe
from node.client.prepared import MALFORMED, Fault, Prepared, Refused
from node.client.prepared_enip import MANAGER, ROUTER, EnipRequest, Shape, fault_of, packed_parts, shape_of
from node.enip.header import SEND_RR_DATA, describe_status
from node.enip.originator import Answer, Connection, OriginatorSession

SMALL_CONNECTION = 500
"""Bytes of a connection that every controller takes; above 511 it takes a Large Forward Open."""
LARGEST_SMALL = 0x1FF
VENDOR = 0xFFFF
TIMEOUT_MULTIPLIER = 5
"""The controller gives the connection up after 128 of its intervals, of 2 s each."""


class EnipExchange:
    """Messages go unconnected, with the route that they were prepared with, or with `connection` bytes above 0 over a
    connection of that size behind `route`. `serial` tells it from other connections of this originator, `originator`
    the originator from others."""

    def __init__(self, connection: int = 0, route: bytes | None = None, serial: int = 1, originator: int = 1) -> None:
        self.ready = False
        self._session = OriginatorSession()
        self._size = connection
        self._open = ForwardOpen(
            0,
            originator & 0xFFFF0000 | serial & 0xFFFF,
            serial & 0xFFFF,
            VENDOR,
            originator,
            NetworkParameters(connection),
            NetworkParameters(connection),
            (route or b"") + ROUTER,
            timeout_multiplier=TIMEOUT_MULTIPLIER,
        )
        self._connection: Connection | None = None
        self._shapes: dict[int, Shape] = {}  # by identity: requests live as long as what asks them
        self._outgoing = b""

    def begin(self) -> bytes:
        """RegisterSession."""
        return self._session.register()[1]

    def frame(self, request: Prepared) -> tuple[int, bytes]:
        """Token and frame."""
        assert isinstance(request, EnipRequest)
        if self._connection is not None:
            return self._session.connected(self._connection, request.message)
        return self._session.command(SEND_RR_DATA, request.body)

    def receive(self, data: bytes) -> Sequence[Answer]:
        """Answers; those that begin the session are taken here. Raises `RemoteProtocolError`, `Refused`."""
        answers = self._session.receive(data)
        if self.ready:
            return answers
        for answer in answers:
            self._begun(answer)
        return ()

    def outgoing(self) -> bytes:
        """The Forward Open, when it is time for it."""
        sent, self._outgoing = self._outgoing, b""
        return sent

    def fault(self, request: Prepared, answer: Answer) -> Fault | None:
        """What is wrong with an answer."""
        assert isinstance(request, EnipRequest)
        if answer.status:
            return Fault(f"encapsulation: {describe_status(answer.status)}")
        if not request.packed:
            return fault_of(request, answer.data)
        known = self._shapes.get(id(request))
        if known is not None and known.fits(answer.data):
            return None
        parts, fault = packed_parts(request, answer.data)
        if fault is None:
            self._shapes[id(request)] = shape_of(answer.data, parts)
        return fault

    def forget(self, token: int) -> None:
        """Drops what still comes to it."""
        self._session.forget(token)

    def end(self) -> bytes:
        """Forward Close, where there is a connection, and UnRegisterSession."""
        if not self._session.session:
            return b""
        closing = b""
        if self._connection is not None:
            close = ForwardClose(*self._open.triplet, self._open.path)
            message = encode_request(Request(FORWARD_CLOSE, MANAGER, encode_forward_close(close)))
            closing = self._session.unconnected(message)[1]
        return closing + self._session.unregister()

    def _begun(self, answer: Answer) -> None:
        if answer.status:
            raise Refused(f"session: {describe_status(answer.status)}")
        if not self._size:
            self.ready = True
        elif answer.command == SEND_RR_DATA:
            self._connected(answer)
        else:
            large = self._size > LARGEST_SMALL
            service = LARGE_FORWARD_OPEN if large else FORWARD_OPEN
            message = encode_request(Request(service, MANAGER, encode_forward_open(self._open, large)))
            self._outgoing = self._session.unconnected(message)[1]

    def _connected(self, answer: Answer) -> None:
        reply = decode_reply(answer.data)
        if reply.status != SUCCESS:
            raise Refused(f"Forward Open: {describe(reply.status, reply.extended)}")
        opened = decode_forward_opened(reply.data)
        if opened.t_o_id != self._open.t_o_id:
            raise Refused(f"Forward Open: {MALFORMED}, for connection 0x{opened.t_o_id:08X}")
        self._connection = self._session.connect(opened.o_t_id, opened.t_o_id)
        self.ready = True
