"""CIP messages taken apart: requests and replies, their paths, and the messages in them."""

from __future__ import annotations

from itertools import pairwise

from node.capture.line import listed
from node.capture.parts import Reader, Spoilt
from node.cip import services
from node.cip.epath import Attribute, Class, ConnectionPoint, Element, Instance, Port, Segment, decode_epath
from node.cip.forward import decode_network_parameters
from node.cip.path_text import format_path
from node.cip.services import service_name
from node.cip.status import EMBEDDED_SERVICE_ERROR, GENERAL_STATUS, PARTIAL_TRANSFER, SUCCESS, CipError, describe
from node.cip.tag_services import STRUCTURE_TYPE
from node.cip.ticks import decode_ticks
from node.cip.types import by_code, decode_values

OPENS = (services.FORWARD_OPEN, services.LARGE_FORWARD_OPEN)
_TYPES = ("class", "instance", "element", "connection point", "attribute")
_CONNECTIONS = ("null", "multicast", "point to point", "reserved")
_PRIORITIES = ("low", "high", "scheduled", "urgent")


def take_message(reader: Reader) -> None:
    """A Message Router request or reply, to the end of the part that is read. Raises `Spoilt`."""
    if reader.left and reader.data[reader.at] & services.REPLY:
        _take_reply(reader)
    else:
        _take_request(reader)


def _take_request(reader: Reader) -> None:
    with reader.part("request"):
        service = reader.number(1, "service")
        words = reader.number(1, "path size, words")
        path = take_path(reader, 2 * words)
        kind = _class_of(path)
        _name_service(reader, service, kind)
        if reader.left:
            _take_request_data(reader, service, kind)
            reader.raw(reader.left, "surplus")


def _name_service(reader: Reader, service: int, kind: int | None) -> None:
    """Says what a service is, which its class decides, and so the path behind it."""
    for index in range(len(reader.parts) - 1, -1, -1):
        part = reader.parts[index]
        if part.name == "service":
            reader.parts[index] = type(part)(
                part.offset, part.size, part.depth, part.name, f"{service_name(service, kind)} (0x{service:02X})"
            )
            return


def take_path(reader: Reader, size: int, name: str = "path") -> list[Segment]:
    """An EPATH of `size` bytes, segment by segment. Raises `Spoilt` at one that is none."""
    if not size:
        return []
    found: list[Segment] = []
    with reader.part(name, "", size):
        place = len(reader.parts) - 1
        while reader.left:
            found += _take_segment(reader)
        whole = reader.parts[place]
        text = format_path(found)
        reader.parts[place] = type(whole)(whole.offset, whole.size, whole.depth, whole.name, text)
    return found


def _take_segment(reader: Reader) -> list[Segment]:
    """The next one: as many bytes as make a whole segment."""
    for size in range(1, reader.left + 1):
        try:
            segments = decode_epath(reader.data[reader.at : reader.at + size])
        except CipError:
            continue
        reader.raw(size, _segment_kind(reader.data[reader.at]), _segment_value(segments[0]))
        return segments
    code = reader.data[reader.at]
    what = f"one of kind {_segment_kind(code)} (0x{code:02X}) that is cut short" if _known(code) else f"0x{code:02X}"
    raise Spoilt(reader.at, "a path segment", what)


def _segment_value(segment: Segment) -> str:
    if isinstance(segment, Class | Instance | Attribute | ConnectionPoint):
        return f"{segment.id} (0x{segment.id:02X})"
    if isinstance(segment, Element):
        return str(segment.index)
    if isinstance(segment, Port):
        link = segment.link if isinstance(segment.link, int) else segment.link.decode("iso-8859-1")
        return f"port {segment.port}, link {link}"
    return format_path([segment])


def _known(code: int) -> bool:
    return code < 0x20 or (code < 0x34 and code & 3 != 3) or code in (0x34, 0x80, 0x91) or 0x40 <= code < 0x60


def _segment_kind(code: int) -> str:
    if code < 0x20:
        return "port"
    if code < 0x34:
        return _TYPES[code >> 2 & 7]
    if code == 0x91:
        return "name"
    if 0x40 <= code < 0x60:
        return "network"
    return {0x34: "electronic key", 0x80: "data"}.get(code, "segment")


def _class_of(path: list[Segment]) -> int | None:
    """The class that a path leads to, None where a name does."""
    return path[0].id if path and isinstance(path[0], Class) else None


def _take_request_data(reader: Reader, service: int, kind: int | None) -> None:
    if service == services.MULTIPLE_SERVICE_PACKET:
        take_multiple(reader)
    elif kind == services.CONNECTION_MANAGER_CLASS and service == services.UNCONNECTED_SEND:
        _take_unconnected_send(reader)
    elif kind == services.CONNECTION_MANAGER_CLASS and service in OPENS:
        _take_forward_open(reader, service == services.LARGE_FORWARD_OPEN)
    elif kind == services.CONNECTION_MANAGER_CLASS and service == services.FORWARD_CLOSE:
        _take_forward_close(reader)
    elif kind == services.TEMPLATE_CLASS and service == services.READ_TAG:
        reader.number(4, "byte offset")
        reader.number(2, "bytes")
    elif service in (services.READ_TAG, services.READ_TAG_FRAGMENTED):
        reader.number(2, "elements")
        if service == services.READ_TAG_FRAGMENTED:
            reader.number(4, "byte offset")
    elif service in (services.WRITE_TAG, services.WRITE_TAG_FRAGMENTED):
        code = _take_type(reader)
        elements: int | None = reader.number(2, "elements")
        if service == services.WRITE_TAG_FRAGMENTED:
            reader.number(4, "byte offset")
            elements = None
        _take_values(reader, code, elements)
    else:
        reader.raw(reader.left, "data")


def _take_reply(reader: Reader) -> None:
    with reader.part("reply"):
        service = reader.number(1, "service")
        reader.amend(f"reply to {service_name(service)} (0x{service:02X})")
        code = service & ~services.REPLY
        reader.number(1, "reserved")
        status = reader.number(1, "general status", GENERAL_STATUS)
        words = reader.number(1, "extended status, words")
        extended = []
        for _ in range(words):
            extended.append(reader.number(2, "extended status", hexadecimal=True))
            reader.amend(describe(status, tuple(extended)))
        if not reader.left:
            return
        if code == services.MULTIPLE_SERVICE_PACKET and status in (SUCCESS, EMBEDDED_SERVICE_ERROR):
            take_multiple(reader)
        elif code in (services.READ_TAG, services.READ_TAG_FRAGMENTED) and status in (SUCCESS, PARTIAL_TRANSFER):
            _take_values(reader, _take_type(reader))
        elif code in OPENS and status == SUCCESS:
            _take_forward_opened(reader)
        else:
            reader.raw(reader.left, "data")


def take_multiple(reader: Reader) -> None:
    """Several messages with their offsets in front. Raises `Spoilt` at an offset that leads elsewhere."""
    begun = reader.at
    count = reader.number(2, "messages")
    offsets: list[int] = []
    least = 2 + 2 * count
    for index in range(count):
        offset = reader.number(2, f"offset of message {index}")
        highest = reader.end - begun
        if not (offsets[-1] if offsets else least) <= offset <= highest:
            low = offsets[-1] if offsets else least
            raise reader.back(2, f"an offset from {low} to {highest}", str(offset))
        offsets.append(offset)
    for index, (offset, after) in enumerate(pairwise([*offsets, reader.end - begun])):
        if begun + offset > reader.at:
            reader.raw(begun + offset - reader.at, "gap")
        with reader.part(f"message {index}", f"{after - offset} bytes", after - offset):
            take_message(reader)


def _take_unconnected_send(reader: Reader) -> None:
    _take_ticks(reader)
    length = reader.number(2, "message length")
    with reader.part("message", f"{length} bytes", length):
        take_message(reader)
    if length & 1:
        reader.raw(1, "pad")
    words = reader.number(1, "route size, words")
    reader.number(1, "reserved")
    take_path(reader, 2 * words, "route")


def _take_ticks(reader: Reader) -> None:
    tick = reader.number(1, "priority and tick", hexadecimal=True)
    ticks = reader.number(1, "timeout, ticks")
    reader.amend(f"{ticks}, which is {decode_ticks(tick, ticks):g} s")


def _take_connection(reader: Reader) -> None:
    reader.number(2, "connection serial", hexadecimal=True)
    reader.number(2, "originator vendor")
    reader.number(4, "originator serial", hexadecimal=True)


def _take_forward_open(reader: Reader, large: bool) -> None:
    _take_ticks(reader)
    reader.number(4, "O->T connection id", hexadecimal=True)
    reader.number(4, "T->O connection id", hexadecimal=True)
    _take_connection(reader)
    multiplier = reader.number(1, "timeout multiplier")
    reader.amend(f"{multiplier}, which is {4 << multiplier} times" if multiplier < 8 else f"{multiplier}, reserved")
    reader.raw(3, "reserved")
    for direction in ("O->T", "T->O"):
        reader.number(4, f"{direction} RPI, µs")
        value = reader.number(4 if large else 2, f"{direction} parameters", hexadecimal=True)
        found = decode_network_parameters(value, large)
        kinds = f"{_CONNECTIONS[found.connection_type]}, {_PRIORITIES[found.priority]} priority"
        reader.amend(f"{found.size} bytes, {'variable' if found.variable else 'fixed'}, {kinds}")
    transport = reader.number(1, "transport", hexadecimal=True)
    reader.amend(f"class {transport & 0x0F}, {'server' if transport & 0x80 else 'client'} (0x{transport:02X})")
    take_path(reader, 2 * reader.number(1, "path size, words"), "connection path")


def _take_forward_opened(reader: Reader) -> None:
    reader.number(4, "O->T connection id", hexadecimal=True)
    reader.number(4, "T->O connection id", hexadecimal=True)
    _take_connection(reader)
    reader.number(4, "O->T API, µs")
    reader.number(4, "T->O API, µs")
    words = reader.number(1, "application reply, words")
    reader.number(1, "reserved")
    reader.raw(2 * words, "application reply")


def _take_forward_close(reader: Reader) -> None:
    _take_ticks(reader)
    _take_connection(reader)
    words = reader.number(1, "path size, words")
    reader.number(1, "reserved")
    take_path(reader, 2 * words, "connection path")


def _take_type(reader: Reader) -> int:
    code = reader.number(2, "type")
    if code == STRUCTURE_TYPE:
        reader.amend(f"structure (0x{code:04X})")
        reader.number(2, "structure handle", hexadecimal=True)
        return code
    kind = by_code(code)
    if kind is None:
        raise reader.back(2, "a type", f"0x{code:04X}")
    reader.amend(f"{kind.name} (0x{code:04X})")
    return code


def _take_values(reader: Reader, code: int, elements: int | None = None) -> None:
    """So many values, None for as many as there are; what clients send behind them is surplus."""
    kind = by_code(code)
    if kind is None:
        reader.raw(reader.left, "structure")
        return
    whole = reader.left // kind.size * kind.size if elements is None else elements * kind.size
    if whole:
        data = reader.raw(whole, "values")
        reader.amend(listed(decode_values(kind, data), whole // kind.size))
    if elements is not None:
        reader.raw(reader.left, "surplus")
    elif reader.left:
        raise Spoilt(reader.at, f"a whole {kind.name}, {kind.size} bytes,", f"{reader.left} of them")
