"""Connections for explicit messages (transport class 3): opened by a Forward Open, the large one first.

A connection carries larger messages than Unconnected Send does, and no route in each. What a device does not take is
tried smaller: a large Forward Open that it does not know becomes a small one, and a size it refuses becomes the one it
names (CIP Vol 1, 3-5.5.2; general status 0x01, extended 0x0109 and a word more).
"""

from os import urandom

from node.cip.epath import Class, Instance, encode_epath
from node.cip.forward import (
    ForwardClose,
    ForwardOpen,
    NetworkParameters,
    decode_forward_closed,
    decode_forward_opened,
    encode_forward_close,
    encode_forward_open,
)
from node.cip.message import Reply, Request
from node.cip.services import FORWARD_CLOSE, FORWARD_OPEN, LARGE_FORWARD_OPEN, MESSAGE_ROUTER_CLASS
from node.cip.status import (
    CONNECTION_FAILURE,
    CONNECTION_IN_USE,
    INVALID_CONNECTION_SIZE,
    INVALID_PORT,
    INVALID_SEGMENT,
    OBJECT_DOES_NOT_EXIST,
    PATH_DESTINATION_UNKNOWN,
    SERVICE_NOT_SUPPORTED,
    SUCCESS,
    CipError,
)
from node.client.exchanges import Steps
from node.enip.originator import CONNECTION_MANAGER
from node.errors import RemoteProtocolError
from node.record import dataclass

LARGE_SIZE = 4002
SMALL_SIZE = 500
"""Bytes of a message that Logix controllers take by a large and a small Forward Open, the sequence count included."""

MESSAGE_ROUTER = encode_epath((Class(MESSAGE_ROUTER_CLASS), Instance(1)))

TIMEOUT_MULTIPLIER = 7
RPI = 2_000_000
IDLE = RPI * (4 << TIMEOUT_MULTIPLIER) / 1e6
"""Seconds without a message after which the target forgets a connection that is opened here."""

VENDOR = 0x504C
"""Ours, as originators give one; it is nobody's."""

ROUTES_NOTHING = (PATH_DESTINATION_UNKNOWN, SERVICE_NOT_SUPPORTED, OBJECT_DOES_NOT_EXIST)
"""How a device without routes says no to what only a router knows: OpENer and libplctag's `ab_server` for two."""

_SEQUENCE_COUNT = 2
_TRIES = 5
_OPENING = (FORWARD_OPEN, LARGE_FORWARD_OPEN, FORWARD_CLOSE)


@dataclass(slots=True)
class Opened:
    """A connection that was granted: `size` bytes of a message in it, without the sequence count."""

    target_id: int
    own_id: int
    size: int
    close: ForwardClose


def open_steps(route: bytes, size: int | None = None) -> Steps[Opened]:
    """Opens a connection to the Message Router at the end of `route`; `size`, the sequence count included, is the first
    that is tried. Raises `CipError` when none is granted, `RemoteProtocolError` for a grant of something else."""
    wanted = LARGE_SIZE if size is None else size
    large = wanted > 0x1FF
    fault = CipError(CONNECTION_FAILURE)
    for _ in range(_TRIES):
        ask = _forward_open(route, wanted)
        service = LARGE_FORWARD_OPEN if large else FORWARD_OPEN
        reply = yield Request(service, CONNECTION_MANAGER, encode_forward_open(ask, large))
        if reply.status == SUCCESS:
            return _granted(reply, ask, wanted)
        fault = CipError(reply.status, reply.extended, reply.data)
        told = _size_told(reply)
        if told and told < wanted:
            wanted = told
            large = large and wanted > 0x1FF
        elif _already_open(reply):
            continue
        elif large:
            wanted, large = SMALL_SIZE, False
        else:
            break
    raise fault


def opens(request: Request) -> bool:
    """Whether a request opens or closes a connection: it has its route in itself, and goes plain."""
    return request.service in _OPENING and request.path == CONNECTION_MANAGER


def unroutable(fault: CipError) -> bool:
    """Whether a refusal is that of a device which routes nothing: without a route it may do what was asked."""
    in_path = fault.general == CONNECTION_FAILURE and fault.extended[:1] in ((INVALID_PORT,), (INVALID_SEGMENT,))
    return in_path or fault.general in ROUTES_NOTHING


def close_steps(opened: Opened) -> Steps[None]:
    """Closes a connection. Raises `CipError` when the target does not know it."""
    reply = yield Request(FORWARD_CLOSE, CONNECTION_MANAGER, encode_forward_close(opened.close))
    if reply.status != SUCCESS:
        raise CipError(reply.status, reply.extended, reply.data)
    decode_forward_closed(reply.data)


def _forward_open(route: bytes, size: int) -> ForwardOpen:
    """Its ids are random: a target may still have the connections of a client that was killed."""
    path = route + MESSAGE_ROUTER
    parameters = NetworkParameters(size)
    own_id, serial, originator = _some(4), _some(2), _some(4)
    return ForwardOpen(
        0, own_id, serial, VENDOR, originator, parameters, parameters, path, RPI, RPI, TIMEOUT_MULTIPLIER
    )


def _some(size: int) -> int:
    """Any number of `size` bytes but 0. Without `random`, whose import takes longer than a request."""
    return int.from_bytes(urandom(size), "little") or 1


def _granted(reply: Reply, ask: ForwardOpen, size: int) -> Opened:
    opened = decode_forward_opened(reply.data)
    if (opened.serial, opened.vendor, opened.originator_serial) != ask.triplet:
        raise RemoteProtocolError("a Forward Open reply that is about another connection")
    close = ForwardClose(*ask.triplet, ask.path)
    return Opened(opened.o_t_id, opened.t_o_id or ask.t_o_id, size - _SEQUENCE_COUNT, close)


def _size_told(reply: Reply) -> int:
    """The size that a refusal names, 0 when it names none."""
    extended = reply.extended
    if reply.status == CONNECTION_FAILURE and len(extended) > 1 and extended[0] == INVALID_CONNECTION_SIZE:
        return extended[1]
    return 0


def _already_open(reply: Reply) -> bool:
    return reply.status == CONNECTION_FAILURE and reply.extended[:1] == (CONNECTION_IN_USE,)
