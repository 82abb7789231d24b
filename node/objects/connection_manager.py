"""Connection Manager, class 0x06: Unconnected Send, Forward Open, Large Forward Open, Forward Close (CIP Vol 1, 3-5).

    1 open requests | 2 format rejects | 3 resource rejects | 4 other rejects | 5 close requests | 6 format rejects |
    7 other rejects | 8 time-outs                                                                          (u16 each)

Connections are of class 3 to the Message Router. Which routes an Unconnected Send or a Forward Open may name is the
node's configuration: any, none, or exactly one.
"""

from collections.abc import Callable, Sequence
from functools import partial
from struct import Struct

from node.cip.epath import Class, ElectronicKey, Instance, Network, Port, Segment, decode_epath
from node.cip.forward import (
    POINT_TO_POINT,
    ForwardOpen,
    ForwardOpened,
    decode_forward_close,
    decode_forward_open,
    encode_forward_closed,
    encode_forward_failure,
    encode_forward_opened,
)
from node.cip.services import (
    CONNECTION_MANAGER_CLASS,
    FORWARD_CLOSE,
    FORWARD_OPEN,
    LARGE_FORWARD_OPEN,
    MESSAGE_ROUTER_CLASS,
    UNCONNECTED_SEND,
)
from node.cip.status import (
    CONNECTION_FAILURE,
    CONNECTION_NOT_FOUND,
    DEVICE_TYPE_MISMATCH,
    INVALID_APPLICATION_PATH,
    INVALID_CONNECTION_SIZE,
    INVALID_NETWORK_PARAMETER,
    INVALID_NODE_ADDRESS,
    INVALID_PORT,
    INVALID_SEGMENT,
    NOT_ENOUGH_DATA,
    OUT_OF_CONNECTIONS,
    REVISION_MISMATCH,
    RPI_NOT_SUPPORTED,
    TRANSPORT_NOT_SUPPORTED,
    VENDOR_OR_PRODUCT_MISMATCH,
    CipError,
)
from node.cip.unconnected import decode_unconnected_send
from node.objects.attribute_access import READ_SERVICES
from node.objects.connections import Connections
from node.objects.identity import IdentityValues
from node.objects.object import AttributeRow, Call, Handler, Object, success

Route = tuple[tuple[int, int | str], ...]
"""Hops as (port, link)."""

STANDARD_SIZE = 511
LARGE_SIZE = 4002
"""Bytes a connection may carry, sequence count included: as in Logix controllers."""

SMALLEST_SIZE = 8
"""Bytes that a sequence count and an error reply take."""

_COUNTERS = (
    "open requests",
    "open format rejects",
    "open resource rejects",
    "open other rejects",
    "close requests",
    "close format rejects",
    "close other rejects",
)

CLASS_3 = 3
MAX_MULTIPLIER = 7

_U16 = Struct("<H")


class ConnectionManager:
    """The object's state: `route` None takes any route, () none, a tuple exactly that one."""

    def __init__(self, connections: Connections, identity: IdentityValues, route: Route | None) -> None:
        self.connections = connections
        self.identity = identity
        self.route = route
        self.counts = dict.fromkeys(range(1, 8), 0)

    def object(self) -> Object:
        """Its rows and services."""
        rows = [AttributeRow(index, name, self._counter(index)) for index, name in enumerate(_COUNTERS, 1)]
        rows.append(AttributeRow(8, "timeouts", lambda: _U16.pack(self.connections.timeouts & 0xFFFF)))
        services: dict[int, Handler] = {
            **READ_SERVICES,
            UNCONNECTED_SEND: self.unconnected_send,
            FORWARD_OPEN: partial(self.forward_open, large=False),
            LARGE_FORWARD_OPEN: partial(self.forward_open, large=True),
            FORWARD_CLOSE: self.forward_close,
        }
        return Object(CONNECTION_MANAGER_CLASS, "Connection Manager", {1: rows}, services)

    def _counter(self, index: int) -> Callable[[], bytes]:
        return lambda: _U16.pack(self.counts[index] & 0xFFFF)

    def unconnected_send(self, call: Call) -> bytes:
        """The embedded message's own reply. A routing failure is a reply of Unconnected Send, with the words of route
        that were left."""
        send = decode_unconnected_send(call.data)
        if not send.message:
            raise CipError(NOT_ENOUGH_DATA)
        left = bytes((len(send.route) >> 1,))
        try:
            hops = decode_epath(send.route)
        except CipError as exc:
            raise CipError(CONNECTION_FAILURE, (INVALID_SEGMENT,), left) from exc
        fault = route_fault(self.route, hops)
        if fault:
            raise CipError(CONNECTION_FAILURE, (fault,), left)
        reply = call.router.request(
            send.message, call.trace, origin=call.origin, limit=call.limit, depth=call.depth + 1
        )
        plan = call.router.plan_of(send.message) if call.trace is None else None
        if plan is not None and plan.size == len(reply):
            call.router.keep(call.message, plan)
        return reply

    def forward_open(self, call: Call, large: bool) -> bytes:
        """Opens a connection of class 3 that belongs to the caller."""
        self.counts[1] += 1
        try:
            opening = decode_forward_open(call.data, large)
        except CipError:
            self.counts[2] += 1
            raise
        failed = encode_forward_failure(opening.triplet)
        try:
            self._check_path(opening)
            check_parameters(opening, LARGE_SIZE if large else STANDARD_SIZE)
            connection = self.connections.open(opening, call.origin)
        except CipError as exc:
            self.counts[3 if exc.extended[:1] == (OUT_OF_CONNECTIONS,) else 4] += 1
            raise CipError(exc.general, exc.extended, failed) from exc
        opened = ForwardOpened(
            connection.o_t_id, opening.t_o_id, *opening.triplet, o_t_api=opening.o_t_rpi, t_o_api=opening.t_o_rpi
        )
        return success(call.service, encode_forward_opened(opened))

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

    def _check_path(self, opening: ForwardOpen) -> None:
        try:
            segments = decode_epath(opening.path)
        except CipError as exc:
            raise CipError(CONNECTION_FAILURE, (INVALID_SEGMENT,)) from exc
        hops: list[Segment] = [segment for segment in segments if isinstance(segment, Port)]
        fault = route_fault(self.route, hops) if hops else 0
        if fault:
            raise CipError(CONNECTION_FAILURE, (fault,))
        for segment in segments:
            if isinstance(segment, ElectronicKey):
                self._check_key(segment)
        target = [segment for segment in segments if not isinstance(segment, Port | ElectronicKey | Network)]
        if target != [Class(MESSAGE_ROUTER_CLASS), Instance(1)]:
            raise CipError(CONNECTION_FAILURE, (INVALID_APPLICATION_PATH,))

    def _check_key(self, key: ElectronicKey) -> None:
        mine = self.identity
        if key.vendor not in (0, mine.vendor) or key.product_code not in (0, mine.product_code):
            raise CipError(CONNECTION_FAILURE, (VENDOR_OR_PRODUCT_MISMATCH,))
        if key.device_type not in (0, mine.device_type):
            raise CipError(CONNECTION_FAILURE, (DEVICE_TYPE_MISMATCH,))
        major, minor = mine.revision
        exact = key.major in (0, major) and (key.minor in (0, minor) or (key.compatible and key.minor <= minor))
        if not exact:
            raise CipError(CONNECTION_FAILURE, (REVISION_MISMATCH,))


def check_parameters(opening: ForwardOpen, largest: int) -> None:
    """Raises `CipError` with general status 0x01 for what a connection of class 3 cannot be."""
    if opening.transport_class != CLASS_3:
        raise CipError(CONNECTION_FAILURE, (TRANSPORT_NOT_SUPPORTED,))
    for parameters in (opening.o_t, opening.t_o):
        if parameters.connection_type != POINT_TO_POINT:
            raise CipError(CONNECTION_FAILURE, (INVALID_NETWORK_PARAMETER,))
        if not SMALLEST_SIZE <= parameters.size <= largest:
            raise CipError(CONNECTION_FAILURE, (INVALID_CONNECTION_SIZE, largest))
    if opening.o_t_rpi == 0 or opening.timeout_multiplier > MAX_MULTIPLIER:
        raise CipError(CONNECTION_FAILURE, (RPI_NOT_SUPPORTED,))


def route_fault(route: Route | None, hops: Sequence[Segment]) -> int:
    """The extended status of a route that is not taken here, 0 for one that is."""
    if any(not isinstance(hop, Port) for hop in hops):
        return INVALID_SEGMENT
    if route is None:
        return 0
    ports = [hop for hop in hops if isinstance(hop, Port)]
    for hop, (port, link) in zip(ports, route, strict=False):
        if hop.port != port:
            return INVALID_PORT
        if hop.link != (link.encode("iso-8859-1") if isinstance(link, str) else link):
            return INVALID_NODE_ADDRESS
    return 0 if len(ports) == len(route) else INVALID_SEGMENT
