"""What a connection of class 3 may be, and the extended status of each thing it may not (CIP Vol 1, table 3-5.29).

Where two codes would do, the one is given that clients act on or that says more: 0x0109 with the size that is taken for
one too large (clients ask again with that), 0x0127 and 0x0128 for one too small; 0x0103 for the I/O classes, which are
known and not served, 0x011C for those that do not exist; 0x0123 and 0x0124 for a connection type, 0x0108 for a
redundant owner. An application path is judged by its place: one path is both consumer and producer (0x0117), two are
consumer (0x012A) and producer (0x012B), and of three the first is the configuration (0x0129), which explicit messages
have none of (0x0118, or 0x0126 for its data).
"""

from collections.abc import Sequence

from node.cip.epath import (
    Class,
    ConnectionPoint,
    Data,
    ElectronicKey,
    Instance,
    Network,
    Port,
    Segment,
    Symbolic,
)
from node.cip.forward import POINT_TO_POINT, ForwardOpen, NetworkParameters
from node.cip.services import MESSAGE_ROUTER_CLASS
from node.cip.status import (
    CONNECTION_FAILURE,
    DEVICE_TYPE_MISMATCH,
    DIRECTION_NOT_SUPPORTED,
    INVALID_APPLICATION_PATH,
    INVALID_CONFIGURATION_APPLICATION,
    INVALID_CONFIGURATION_PATH,
    INVALID_CONFIGURATION_SIZE,
    INVALID_CONNECTION_SIZE,
    INVALID_CONSUMING_APPLICATION,
    INVALID_NETWORK_PARAMETER,
    INVALID_O_T_SIZE,
    INVALID_O_T_TYPE,
    INVALID_PRODUCING_APPLICATION,
    INVALID_T_O_SIZE,
    INVALID_T_O_TYPE,
    REVISION_MISMATCH,
    RPI_NOT_ACCEPTABLE,
    RPI_NOT_SUPPORTED,
    TRANSPORT_CLASS_NOT_SUPPORTED,
    TRANSPORT_NOT_SUPPORTED,
    TRIGGER_NOT_SUPPORTED,
    VENDOR_OR_PRODUCT_MISMATCH,
    CipError,
)
from node.objects.identity import IdentityValues

SMALLEST_SIZE = 8
"""Bytes that a sequence count and an error reply take."""

LEAST_RPI = 1000
"""Microseconds."""

MAX_MULTIPLIER = 7

_CLASS_3 = 3
_LAST_TRIGGER = 2
_RPI_ACCEPTED, _RPI_LEAST = 0, 2
_MESSAGE_ROUTER: list[Segment] = [Class(MESSAGE_ROUTER_CLASS), Instance(1)]


def check_parameters(opening: ForwardOpen, largest: int) -> None:
    """Raises `CipError` 0x01 for what a connection of class 3 of up to `largest` bytes cannot be."""
    _check_transport(opening)
    _check_direction(opening.o_t, INVALID_O_T_TYPE, INVALID_O_T_SIZE, largest)
    _check_direction(opening.t_o, INVALID_T_O_TYPE, INVALID_T_O_SIZE, largest)
    if opening.o_t_rpi == 0 or opening.timeout_multiplier > MAX_MULTIPLIER:
        raise _failure(RPI_NOT_SUPPORTED)
    if opening.o_t_rpi < LEAST_RPI:
        asked = opening.t_o_rpi
        kinds = _RPI_LEAST | _RPI_ACCEPTED << 8
        raise _failure(RPI_NOT_ACCEPTABLE, kinds, LEAST_RPI, 0, asked & 0xFFFF, asked >> 16)


def _check_transport(opening: ForwardOpen) -> None:
    if opening.transport_class < _CLASS_3:
        raise _failure(TRANSPORT_NOT_SUPPORTED)
    if opening.transport_class > _CLASS_3:
        raise _failure(TRANSPORT_CLASS_NOT_SUPPORTED)
    if opening.trigger > _LAST_TRIGGER:
        raise _failure(TRIGGER_NOT_SUPPORTED)
    if not opening.to_server:
        raise _failure(DIRECTION_NOT_SUPPORTED)


def _check_direction(parameters: NetworkParameters, bad_type: int, bad_size: int, largest: int) -> None:
    if parameters.connection_type != POINT_TO_POINT:
        raise _failure(bad_type)
    if parameters.redundant_owner:
        raise _failure(INVALID_NETWORK_PARAMETER)
    if parameters.size > largest:
        raise _failure(INVALID_CONNECTION_SIZE, largest)
    if parameters.size < SMALLEST_SIZE:
        raise _failure(bad_size, SMALLEST_SIZE)


def check_key(key: ElectronicKey, mine: IdentityValues) -> None:
    """Raises `CipError` 0x01 when this device is not the one that `key` asks for; 0 in a key is any."""
    if key.vendor not in (0, mine.vendor) or key.product_code not in (0, mine.product_code):
        raise _failure(VENDOR_OR_PRODUCT_MISMATCH)
    if key.device_type not in (0, mine.device_type):
        raise _failure(DEVICE_TYPE_MISMATCH)
    major, minor = mine.revision
    exact = key.major in (0, major) and (key.minor in (0, minor) or (key.compatible and key.minor <= minor))
    if not exact:
        raise _failure(REVISION_MISMATCH)


def check_application(segments: Sequence[Segment]) -> None:
    """Raises `CipError` 0x01 unless the path's applications are all the Message Router."""
    paths = _applications(segments)
    data = any(isinstance(segment, Data) for segment in segments)
    statuses = {
        1: (INVALID_APPLICATION_PATH,),
        2: (INVALID_CONSUMING_APPLICATION, INVALID_PRODUCING_APPLICATION),
        3: (INVALID_CONFIGURATION_APPLICATION, INVALID_CONSUMING_APPLICATION, INVALID_PRODUCING_APPLICATION),
    }.get(len(paths))
    if statuses is None:
        raise _failure(INVALID_APPLICATION_PATH)
    if data and len(paths) > 1:
        raise _failure(INVALID_CONFIGURATION_PATH)
    for path, status in zip(paths, statuses, strict=True):
        if path != _MESSAGE_ROUTER:
            raise _failure(status)
    if data:
        raise _failure(INVALID_CONFIGURATION_SIZE, 0)


def _applications(segments: Sequence[Segment]) -> list[list[Segment]]:
    """The application paths one behind the other: each begins with a class or a name, or is a further instance or
    connection point of the class before it."""
    paths: list[list[Segment]] = []
    for segment in segments:
        if isinstance(segment, Port | ElectronicKey | Network | Data):
            continue
        further = isinstance(segment, Instance | ConnectionPoint) and paths and len(paths[-1]) > 1
        if isinstance(segment, Class | Symbolic) or not paths:
            paths.append([segment])
        elif further:
            paths.append([paths[-1][0], segment])
        else:
            paths[-1].append(segment)
    return paths


def _failure(*extended: int) -> CipError:
    return CipError(CONNECTION_FAILURE, extended)
