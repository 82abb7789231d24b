"""Connection Manager, class 0x06: Unconnected Send, Forward Open, Large Forward Open, Forward Close (CIP Vol 1, 3-5).

    1 open requests | 2 format rejects | 3 resource rejects | 4 other rejects | 5 close requests | 6 format rejects |
    7 other rejects | 8 time-outs                                                                          (u16 each)

Connections are of class 3 to the Message Router. Which routes an Unconnected Send or a Forward Open may name is the
node's configuration (`node.objects.routes`); one that leads to another address is raised as an `Onward`. A routing
failure says how many words of route this router was given; a failure of the target itself says 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from struct import Struct

from node.cip.epath import Class, ElectronicKey, Port, Segment, decode_epath, encode_epath
from node.cip.forward import (
    ForwardOpen,
    ForwardOpened,
    decode_forward_close,
    decode_forward_open,
    encode_forward_closed,
    encode_forward_failure,
    encode_forward_open,
    encode_forward_opened,
)
from node.cip.message import Request, decode_request, encode_request
from node.cip.services import (
    CONNECTION_MANAGER_CLASS,
    FORWARD_CLOSE,
    FORWARD_OPEN,
    LARGE_FORWARD_OPEN,
    UNCONNECTED_SEND,
)
from node.cip.status import (
    CONNECTION_FAILURE,
    CONNECTION_NOT_FOUND,
    INVALID_NODE_ADDRESS,
    INVALID_PORT,
    INVALID_SEGMENT,
    NOT_ENOUGH_DATA,
    OUT_OF_CONNECTIONS,
    TARGET_OUT_OF_CONNECTIONS,
    UNCONNECTED_PARAMETER_ERROR,
    UNCONNECTED_TOO_LARGE,
    CipError,
)
from node.cip.ticks import encode_ticks
from node.cip.unconnected import (
    UNCONNECTED_LIMIT,
    UnconnectedSend,
    decode_unconnected_send,
    encode_unconnected_send,
)
from node.objects.attribute_access import READ_SERVICES
from node.objects.connection_rules import check_application, check_key, check_parameters
from node.objects.connections import Connections
from node.objects.identity import IdentityValues
from node.objects.object import AttributeRow, Call, Handler, Object, success
from node.objects.onward import MANAGER_PATH, MAX_WAIT, OPEN_WAIT, OnwardOpen, OnwardSend, Relay
from node.objects.routes import Hop, Routes

STANDARD_SIZE = 511
"""Bytes that a connection of the small form can ask for."""

LARGE_SIZE = 4002
"""Bytes a connection may carry, sequence count included: as in Logix controllers."""

_SLOT = Port(1, 0)
_ROUTING = (INVALID_PORT, INVALID_NODE_ADDRESS, INVALID_SEGMENT)
_RESOURCES = (OUT_OF_CONNECTIONS, TARGET_OUT_OF_CONNECTIONS)

_COUNTERS = (
    "open requests",
    "open format rejects",
    "open resource rejects",
    "open other rejects",
    "close requests",
    "close format rejects",
    "close other rejects",
)

_U16 = Struct("<H")


class ConnectionManager:
    """The object's state. `largest` is the bytes a connection may carry, `large` whether the large form is known,
    `slot` whether a Forward Open may name slot 0 though no route is taken, as an SLC or MicroLogix lets clients do."""

    def __init__(
        self,
        connections: Connections,
        identity: IdentityValues,
        routes: Routes | None = None,
        *,
        largest: int = LARGE_SIZE,
        large: bool = True,
        slot: bool = False,
    ) -> None:
        self.connections = connections
        self.identity = identity
        self.routes = routes or Routes()
        self.largest = largest
        self.large = large
        self.slot = slot
        self.counts = dict.fromkeys(range(1, 8), 0)

    def object(self) -> Object:
        """Its rows and services."""
        rows = [AttributeRow(index, name, self._counter(index)) for index, name in enumerate(_COUNTERS, 1)]
        rows.append(AttributeRow(8, "timeouts", lambda: _U16.pack(self.connections.timeouts & 0xFFFF)))
        services: dict[int, Handler] = {
            **READ_SERVICES,
            UNCONNECTED_SEND: self.unconnected_send,
            FORWARD_OPEN: partial(self.forward_open, large=False),
            FORWARD_CLOSE: self.forward_close,
        }
        if self.large:
            services[LARGE_FORWARD_OPEN] = partial(self.forward_open, large=True)
        return Object(CONNECTION_MANAGER_CLASS, "Connection Manager", {1: rows}, services)

    def _counter(self, index: int) -> Callable[[], bytes]:
        return lambda: _U16.pack(self.counts[index] & 0xFFFF)

    def unconnected_send(self, call: Call) -> bytes:
        """The embedded message's own reply. A routing failure is a reply of Unconnected Send.

        Raises `Onward` where the route leads on.
        """
        send = decode_unconnected_send(call.data)
        if not send.message:
            raise CipError(NOT_ENOUGH_DATA)
        try:
            hops = _segments(send.route)
            hop = self.routes.follow(hops)
            if hop is not None:
                raise self._send_on(call, send, hops, hop)
        except CipError as exc:
            raise CipError(exc.general, exc.extended, _left(send)) from exc
        reply = call.router.request(
            send.message, call.trace, origin=call.origin, limit=call.limit, depth=call.depth + 1
        )
        plan = call.router.plan_of(send.message) if call.trace is None else None
        if plan is not None and plan.size == len(reply) and not _sends_on(send.message):
            call.router.keep(call.message, plan)
        return reply

    def _send_on(self, call: Call, send: UnconnectedSend, hops: Sequence[Segment], hop: Hop) -> OnwardSend:
        """The embedded message, with what is left of the route, for the next device."""
        _check_depth(call)
        if not send.patience or _sends_on(send.message):
            raise CipError(CONNECTION_FAILURE, (UNCONNECTED_PARAMETER_ERROR,))
        if len(send.message) > UNCONNECTED_LIMIT:
            raise CipError(CONNECTION_FAILURE, (UNCONNECTED_TOO_LARGE,))
        timeout = _less(min(send.patience, MAX_WAIT))
        message, rest = send.message, hops[hop.used :]
        if rest:
            further = UnconnectedSend(message, encode_epath(rest), *encode_ticks(timeout))
            message = encode_request(Request(UNCONNECTED_SEND, MANAGER_PATH, encode_unconnected_send(further)))
        return OnwardSend(hop.address, message, timeout, call.service, _left(send), call.limit)

    def forward_open(self, call: Call, large: bool) -> bytes:
        """Opens a connection of class 3 that belongs to the caller. Raises `Onward` where its path leads on."""
        self.counts[1] += 1
        try:
            opening = decode_forward_open(call.data, large)
        except CipError:
            self.counts[2] += 1
            raise
        try:
            segments = _segments(opening.path)
            hops = [segment for segment in segments if isinstance(segment, Port)]
            here = not hops or (self.slot and hops == [_SLOT])
            hop = None if here else self.routes.follow(hops)
            if hop is not None:
                raise self._open_on(call, opening, large, segments, hop)
            return self._open(call, opening, large, segments)
        except CipError as exc:
            status = exc.extended[0] if exc.extended else 0
            self.counts[3 if status in _RESOURCES else 4] += 1
            words = len(opening.path) >> 1 if status in _ROUTING else 0
            raise CipError(exc.general, exc.extended, encode_forward_failure(opening.triplet, words)) from exc

    def _open(self, call: Call, opening: ForwardOpen, large: bool, segments: Sequence[Segment]) -> bytes:
        check_parameters(opening, self.largest if large else min(self.largest, STANDARD_SIZE))
        for segment in segments:
            if isinstance(segment, ElectronicKey):
                check_key(segment, self.identity)
        check_application(segments)
        connection = self.connections.open(opening, call.origin)
        opened = ForwardOpened(
            connection.o_t_id, opening.t_o_id, *opening.triplet, o_t_api=opening.o_t_rpi, t_o_api=opening.t_o_rpi
        )
        return success(call.service, encode_forward_opened(opened))

    def _open_on(
        self, call: Call, opening: ForwardOpen, large: bool, segments: Sequence[Segment], hop: Hop
    ) -> OnwardOpen:
        """The same Forward Open under an id of this router's, with what is left of the path, for the next device."""
        _check_depth(call)
        ports = [index for index, segment in enumerate(segments) if isinstance(segment, Port)]
        path = encode_epath(segments[ports[hop.used - 1] + 1 :])
        make = partial(Relay, address=hop.address, path=path, connections=self.connections)
        relay = self.connections.open_as(make, opening, call.origin)
        timeout = _less(min(opening.patience or OPEN_WAIT, OPEN_WAIT))
        tick, ticks = encode_ticks(timeout)
        further = replace(opening, o_t_id=0, t_o_id=relay.own_id, path=path, priority_tick=tick, timeout_ticks=ticks)
        data = encode_forward_open(further, large)
        message = encode_request(Request(call.service, MANAGER_PATH, data))
        return OnwardOpen(message, timeout, call.service, relay)

    def forward_close(self, call: Call) -> bytes:
        """Ends the connection its triplet names, whatever its path says."""
        self.counts[5] += 1
        try:
            closing = decode_forward_close(call.data)
        except CipError:
            self.counts[6] += 1
            raise
        if not self.connections.close(closing.triplet):
            self.counts[7] += 1
            failed = encode_forward_failure(closing.triplet)
            raise CipError(CONNECTION_FAILURE, (CONNECTION_NOT_FOUND,), failed)
        return success(call.service, encode_forward_closed(closing.triplet))


def _segments(path: bytes) -> list[Segment]:
    try:
        return decode_epath(path)
    except CipError as exc:
        raise CipError(CONNECTION_FAILURE, (INVALID_SEGMENT,)) from exc


def _left(send: UnconnectedSend) -> bytes:
    """The words of route that this router was given, and a reserved byte."""
    return bytes((len(send.route) >> 1, 0))


def _check_depth(call: Call) -> None:
    """Nothing inside another message is sent on: its reply could not wait for the others'."""
    if call.depth:
        raise CipError(CONNECTION_FAILURE, (INVALID_PORT,))


def _sends_on(message: bytes) -> bool:
    """Whether a message is an Unconnected Send itself."""
    try:
        request = decode_request(message)
        target = decode_epath(request.path)[:1]
    except CipError:
        return False
    return request.service == UNCONNECTED_SEND and target == [Class(CONNECTION_MANAGER_CLASS)]


def _less(patience: float) -> float:
    """How long a router waits whom somebody gives so much time: its own answer must be there before that is over."""
    return patience - min(0.25, patience / 4)
