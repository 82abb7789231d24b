"""What a serial line is looked after with: exception status, diagnostics, event counter and log, server id.

    function                    request after its code    reply after its code
    7  read exception status    -                         status (8 coils)
    8  diagnostics              sub data                  the same form
    11 event counter            -                         status count
    12 event log                -                         n, status events messages, n - 6 events (newest first)
    17 report server id         -                         n, n bytes of the device's own (id, run FF|00, more)

Sub, status, count, events and messages have two bytes, big-endian; an event has one. Sub-function 0 takes any data,
all others one word. Modbus Application Protocol 1.1b3, 6.7 to 6.10 and 6.13.
"""

from struct import Struct

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.functions import (
    COMM_EVENT_COUNTER,
    COMM_EVENT_LOG,
    DIAGNOSTICS,
    ILLEGAL_FUNCTION,
    READ_EXCEPTION_STATUS,
    REPORT_SERVER_ID,
    ModbusError,
    need,
)
from node.record import dataclass

RETURN_QUERY_DATA = 0
RESTART = 1
RETURN_REGISTER = 2
CHANGE_DELIMITER = 3
LISTEN_ONLY = 4
CLEAR_COUNTERS = 10
BUS_MESSAGES = 11
BUS_ERRORS = 12
BUS_EXCEPTIONS = 13
SERVER_MESSAGES = 14
NO_RESPONSES = 15
NAKS = 16
BUSY = 17
OVERRUNS = 18
CLEAR_OVERRUNS = 20

SUBS = frozenset(
    (
        RETURN_QUERY_DATA,
        RESTART,
        RETURN_REGISTER,
        CHANGE_DELIMITER,
        LISTEN_ONLY,
        CLEAR_COUNTERS,
        *range(BUS_MESSAGES, OVERRUNS + 1),
        CLEAR_OVERRUNS,
    )
)
"""Sub-functions that there are."""

EVENTS_LIMIT = 64
"""Events that a log keeps."""

BARE = (READ_EXCEPTION_STATUS, COMM_EVENT_COUNTER, COMM_EVENT_LOG, REPORT_SERVER_ID)
"""Functions whose request is their code alone."""

_SUB = Struct(">BH")
_STATUS = Struct(">BB")
_COUNTER = Struct(">BHH")
_LOG = Struct(">BBHHH")
_LOG_HEAD = 6
"""Bytes of a log's count that are no events."""


@dataclass(slots=True)
class Bare:
    """A request of functions 7, 11, 12 or 17."""

    function: int


@dataclass(slots=True)
class Diagnostics:
    """Function 8, request and reply: `data` is a word, of sub-function 0 whatever is to come back."""

    sub: int
    data: bytes


@dataclass(slots=True)
class ExceptionStatus:
    """The reply of function 7: eight coils, the first of them the lowest bit."""

    status: int


@dataclass(slots=True)
class EventCounter:
    """The reply of function 11: `status` is FFFF while a program command runs, else 0."""

    status: int
    count: int


@dataclass(slots=True)
class EventLog:
    """The reply of function 12: `messages` is the count of diagnostics' sub-function 11, `log` newest first."""

    status: int
    count: int
    messages: int
    log: bytes


@dataclass(slots=True)
class ServerId:
    """The reply of function 17."""

    data: bytes


DiagnosticRequest = Bare | Diagnostics
DiagnosticReply = ExceptionStatus | Diagnostics | EventCounter | EventLog | ServerId

ANSWERS: dict[int, type] = {
    READ_EXCEPTION_STATUS: ExceptionStatus,
    COMM_EVENT_COUNTER: EventCounter,
    COMM_EVENT_LOG: EventLog,
    REPORT_SERVER_ID: ServerId,
}
"""What answers a bare request."""
COUNTED = (RETURN_REGISTER, *range(BUS_MESSAGES, OVERRUNS + 1))
"""Sub-functions whose reply holds a word of the device's own; all others give back what they were given."""


def encode_diagnostic_request(request: DiagnosticRequest) -> bytes:
    """The PDU."""
    if isinstance(request, Bare):
        return bytes((request.function,))
    return _SUB.pack(DIAGNOSTICS, request.sub) + request.data


def decode_diagnostic_request(pdu: bytes) -> DiagnosticRequest:
    """The request of function 7, 8, 11, 12 or 17. Raises `ModbusError` 01 for a sub-function that there is not, 03 for
    a request of the wrong length."""
    if pdu[0] in BARE:
        need(len(pdu) == 1, f"{len(pdu) - 1} bytes after function {pdu[0]}, which has none")
        return Bare(pdu[0])
    need(len(pdu) >= _SUB.size, "diagnostics without a sub-function")
    _, sub = _SUB.unpack_from(pdu)
    if sub not in SUBS:
        raise ModbusError(ILLEGAL_FUNCTION, f"diagnostics {sub} is not supported")
    data = pdu[_SUB.size :]
    need(len(data) == 2 or (sub == RETURN_QUERY_DATA and len(data) >= 2), f"diagnostics with {len(data)} bytes of data")
    return Diagnostics(sub, data)


def encode_diagnostic_reply(reply: DiagnosticReply) -> bytes:
    """The PDU. Raises `LocalProtocolError` when it holds more than fits."""
    match reply:
        case ExceptionStatus(status):
            return _STATUS.pack(READ_EXCEPTION_STATUS, status)
        case Diagnostics(sub, data):
            return _SUB.pack(DIAGNOSTICS, sub) + data
        case EventCounter(status, count):
            return _COUNTER.pack(COMM_EVENT_COUNTER, status, count)
        case EventLog(status, count, messages, log):
            if len(log) > EVENTS_LIMIT:
                raise LocalProtocolError(f"a log of {len(log)} events; {EVENTS_LIMIT} fit")
            return _LOG.pack(COMM_EVENT_LOG, _LOG_HEAD + len(log), status, count, messages) + log
        case ServerId(data):
            if len(data) > 251:
                raise LocalProtocolError(f"a server id of {len(data)} bytes; 251 fit")
            return bytes((REPORT_SERVER_ID, len(data))) + data


def decode_diagnostic_reply(pdu: bytes) -> DiagnosticReply:
    """The same back. Raises `RemoteProtocolError` when lengths do not agree with the bytes."""
    function = pdu[0]
    size = {READ_EXCEPTION_STATUS: _STATUS.size, COMM_EVENT_COUNTER: _COUNTER.size}.get(function)
    if function in (COMM_EVENT_LOG, REPORT_SERVER_ID):
        size = 2 + pdu[1]
    least = {DIAGNOSTICS: _SUB.size + 2, COMM_EVENT_LOG: _LOG.size}.get(function, 2)
    if len(pdu) < least or (size is not None and len(pdu) != size):
        raise RemoteProtocolError(
            f"a reply of function {function} has {len(pdu)} bytes; it should have {size or least}"
        )
    if function == READ_EXCEPTION_STATUS:
        return ExceptionStatus(pdu[1])
    if function == DIAGNOSTICS:
        return Diagnostics(_SUB.unpack_from(pdu)[1], pdu[_SUB.size :])
    if function == COMM_EVENT_COUNTER:
        return EventCounter(*_COUNTER.unpack(pdu)[1:])
    if function == COMM_EVENT_LOG:
        _, _, status, count, messages = _LOG.unpack_from(pdu)
        return EventLog(status, count, messages, pdu[_LOG.size :])
    return ServerId(pdu[2:])
