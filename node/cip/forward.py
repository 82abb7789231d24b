"""Forward Open, Large Forward Open and Forward Close: how a connection begins and ends.

    open      priority/tick u8 | ticks u8 | O->T id u32 | T->O id u32 | serial u16 | vendor u16 |
              originator serial u32 | timeout multiplier u8 | reserved 3 | O->T RPI u32 µs | O->T parameters |
              T->O RPI u32 µs | T->O parameters | transport u8 | path size u8 (words) | path
              (parameters: u16, or u32 in the large form)
    opened    O->T id u32 | T->O id u32 | serial u16 | vendor u16 | originator serial u32 |
              O->T API u32 µs | T->O API u32 µs | application reply size u8 (words) | reserved u8 | application reply
    close     priority/tick u8 | ticks u8 | serial u16 | vendor u16 | originator serial u32 |
              path size u8 (words) | reserved u8 | path
    closed    serial u16 | vendor u16 | originator serial u32 | application reply size u8 | reserved u8 | …
    failed    serial u16 | vendor u16 | originator serial u32 | remaining path size u8 | reserved u8

    u16       15 redundant owner | 14-13 type | 11-10 priority | 9 variable | 8-0 size
    u32       31 redundant owner | 30-29 type | 27-26 priority | 25 variable | 15-0 size

The target chooses the O->T id and the originator the T->O id of a point-to-point connection. The path has no pad byte
before it in an open and one in a close (CIP Vol 1, 3-5.5.2 and 3-5.5.3).
"""

import struct
from dataclasses import field

from node.cip.message import MAX_PATH
from node.cip.status import NOT_ENOUGH_DATA, TOO_MUCH_DATA, CipError
from node.cip.ticks import decode_ticks
from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

NULL, MULTICAST, POINT_TO_POINT = 0, 1, 2
LOW, HIGH, SCHEDULED, URGENT = 0, 1, 2, 3

CLASS_3_SERVER = 0xA3
"""Transport of explicit messages: server, application triggered, class 3."""

_OPEN = struct.Struct("<BBIIHHIB3xIHIHBB")
_LARGE_OPEN = struct.Struct("<BBIIHHIB3xIIIIBB")
_OPENED = struct.Struct("<IIHHIIIBx")
_CLOSE = struct.Struct("<BBHHIBx")
_CLOSED = struct.Struct("<HHIBx")

Triplet = tuple[int, int, int]
"""Connection serial, originator vendor, originator serial: what names a connection."""


@dataclass(slots=True)
class NetworkParameters:
    """One direction of a connection: `size` in bytes, `connection_type` and `priority` as the constants above."""

    size: int = 0
    variable: bool = True
    priority: int = LOW
    connection_type: int = POINT_TO_POINT
    redundant_owner: bool = False


def decode_network_parameters(value: int, large: bool) -> NetworkParameters:
    """Any value decodes; reserved bits are dropped."""
    size = value & 0xFFFF if large else value & 0x1FF
    high = value >> 16 if large else value
    return NetworkParameters(size, bool(high & 0x200), high >> 10 & 3, high >> 13 & 3, bool(high & 0x8000))


def encode_network_parameters(parameters: NetworkParameters, large: bool) -> int:
    """Raises `LocalProtocolError` when the size does not fit the form."""
    limit = 0xFFFF if large else 0x1FF
    if not 0 <= parameters.size <= limit:
        raise LocalProtocolError(
            f"a connection size of {parameters.size}: this form of Forward Open takes 0 to {limit}"
        )
    high = parameters.connection_type << 13 | parameters.priority << 10
    high |= (0x200 if parameters.variable else 0) | (0x8000 if parameters.redundant_owner else 0)
    return high << 16 | parameters.size if large else high | parameters.size


@dataclass(slots=True)
class ForwardOpen:
    """RPIs are in µs as on the wire; `path` is the padded EPATH to the application, route and key included."""

    o_t_id: int
    t_o_id: int
    serial: int
    vendor: int
    originator_serial: int
    o_t: NetworkParameters = field(default_factory=NetworkParameters)
    t_o: NetworkParameters = field(default_factory=NetworkParameters)
    path: bytes = b""
    o_t_rpi: int = 2_000_000
    t_o_rpi: int = 2_000_000
    timeout_multiplier: int = 0
    transport: int = CLASS_3_SERVER
    priority_tick: int = 0x0A
    timeout_ticks: int = 0x05

    @property
    def triplet(self) -> Triplet:
        """What a Forward Close will name it by."""
        return self.serial, self.vendor, self.originator_serial

    @property
    def transport_class(self) -> int:
        """0 or 1 for I/O, 3 for explicit messages."""
        return self.transport & 0x0F

    @property
    def trigger(self) -> int:
        """What makes the producer send: 0 cyclic, 1 change of state, 2 the application; 3 to 7 are reserved."""
        return self.transport >> 4 & 7

    @property
    def to_server(self) -> bool:
        """Whether the target is the server, as it is for explicit messages."""
        return bool(self.transport & 0x80)

    @property
    def patience(self) -> float:
        """Seconds that a router may take to open it."""
        return decode_ticks(self.priority_tick, self.timeout_ticks)

    @property
    def timeout(self) -> float:
        """Seconds without a message from the originator after which the target drops the connection."""
        return self.o_t_rpi * (4 << self.timeout_multiplier) / 1e6


def decode_forward_open(data: bytes, large: bool) -> ForwardOpen:
    """Raises `CipError`: not enough data when head or path are cut short, too much data for bytes after the path."""
    head = _LARGE_OPEN if large else _OPEN
    if len(data) < head.size:
        raise CipError(NOT_ENOUGH_DATA)
    (priority_tick, ticks, o_t_id, t_o_id, serial, vendor, originator_serial, multiplier, *rest) = head.unpack_from(
        data
    )
    o_t_rpi, o_t, t_o_rpi, t_o, transport, words = rest
    return ForwardOpen(
        o_t_id,
        t_o_id,
        serial,
        vendor,
        originator_serial,
        decode_network_parameters(o_t, large),
        decode_network_parameters(t_o, large),
        _path(data, head.size, words),
        o_t_rpi,
        t_o_rpi,
        multiplier,
        transport,
        priority_tick,
        ticks,
    )


def encode_forward_open(request: ForwardOpen, large: bool) -> bytes:
    """Raises `LocalProtocolError` when a size or the path does not fit the form."""
    head = _LARGE_OPEN if large else _OPEN
    fixed = head.pack(
        request.priority_tick,
        request.timeout_ticks,
        request.o_t_id,
        request.t_o_id,
        *request.triplet,
        request.timeout_multiplier,
        request.o_t_rpi,
        encode_network_parameters(request.o_t, large),
        request.t_o_rpi,
        encode_network_parameters(request.t_o, large),
        request.transport,
        _words(request.path),
    )
    return fixed + request.path


@dataclass(slots=True)
class ForwardOpened:
    """The reply of success: `o_t_id` is the target's choice; APIs are the intervals granted, in µs."""

    o_t_id: int
    t_o_id: int
    serial: int
    vendor: int
    originator_serial: int
    o_t_api: int
    t_o_api: int
    application: bytes = b""


def encode_forward_opened(reply: ForwardOpened) -> bytes:
    """`application` must be whole words."""
    fixed = (reply.o_t_id, reply.t_o_id, reply.serial, reply.vendor, reply.originator_serial)
    return _OPENED.pack(*fixed, reply.o_t_api, reply.t_o_api, _words(reply.application)) + reply.application


def decode_forward_opened(data: bytes) -> ForwardOpened:
    """Raises `RemoteProtocolError` when the reply is cut short."""
    if len(data) < _OPENED.size:
        raise RemoteProtocolError(f"a Forward Open reply of {len(data)} bytes, wanted {_OPENED.size} or more")
    o_t_id, t_o_id, serial, vendor, originator_serial, o_t_api, t_o_api, words = _OPENED.unpack_from(data)
    application = data[_OPENED.size : _OPENED.size + 2 * words]
    if len(application) < 2 * words:
        raise RemoteProtocolError(f"a Forward Open reply with {len(application)} of {2 * words} application bytes")
    return ForwardOpened(o_t_id, t_o_id, serial, vendor, originator_serial, o_t_api, t_o_api, application)


@dataclass(slots=True)
class ForwardClose:
    """The triplet names the connection; the path is there for routers."""

    serial: int
    vendor: int
    originator_serial: int
    path: bytes = b""
    priority_tick: int = 0x0A
    timeout_ticks: int = 0x05

    @property
    def triplet(self) -> Triplet:
        """The connection meant."""
        return self.serial, self.vendor, self.originator_serial


def decode_forward_close(data: bytes) -> ForwardClose:
    """Raises `CipError`: not enough data when head or path are cut short, too much data for bytes after the path."""
    if len(data) < _CLOSE.size:
        raise CipError(NOT_ENOUGH_DATA)
    priority_tick, ticks, serial, vendor, originator_serial, words = _CLOSE.unpack_from(data)
    path = _path(data, _CLOSE.size, words)
    return ForwardClose(serial, vendor, originator_serial, path, priority_tick, ticks)


def encode_forward_close(request: ForwardClose) -> bytes:
    """Raises `LocalProtocolError` when the path does not fit."""
    fixed = _CLOSE.pack(request.priority_tick, request.timeout_ticks, *request.triplet, _words(request.path))
    return fixed + request.path


def encode_forward_closed(triplet: Triplet, application: bytes = b"") -> bytes:
    """The reply of a Forward Close that succeeded."""
    return _CLOSED.pack(*triplet, _words(application)) + application


def encode_forward_failure(triplet: Triplet, remaining_words: int = 0) -> bytes:
    """What follows the status of an open or close that failed: `CipError(…, data=this)`."""
    return _CLOSED.pack(*triplet, remaining_words)


def decode_forward_closed(data: bytes) -> tuple[Triplet, bytes]:
    """The triplet and the application reply (of a failure, nothing). Raises `RemoteProtocolError` when cut short."""
    if len(data) < _CLOSED.size:
        raise RemoteProtocolError(f"a Forward Close reply of {len(data)} bytes, wanted {_CLOSED.size} or more")
    serial, vendor, originator_serial, words = _CLOSED.unpack_from(data)
    return (serial, vendor, originator_serial), data[_CLOSED.size : _CLOSED.size + 2 * words]


def _path(data: bytes, start: int, words: int) -> bytes:
    end = start + 2 * words
    if end > len(data):
        raise CipError(NOT_ENOUGH_DATA)
    if end < len(data):
        raise CipError(TOO_MUCH_DATA)
    return data[start:end]


def _words(path: bytes) -> int:
    if len(path) & 1 or len(path) > MAX_PATH:
        raise LocalProtocolError(f"{len(path)} bytes where whole words up to {MAX_PATH} bytes are wanted")
    return len(path) >> 1
