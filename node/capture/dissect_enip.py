"""An EtherNet/IP frame and its reply in words: `Read Tag LIT101`, and `0.812` or `path segment error (0x04)`.

Reads what peers sent, so nothing here may fail: what cannot be read is said to be malformed.
"""

from node.capture.line import Line, line, listed
from node.cip import message, multiple, services, unconnected
from node.cip.epath import Class, Symbolic, decode_epath
from node.cip.path_text import format_path
from node.cip.status import (
    EMBEDDED_SERVICE_ERROR,
    OBJECT_DOES_NOT_EXIST,
    PARTIAL_TRANSFER,
    PATH_DESTINATION_UNKNOWN,
    PATH_SEGMENT_ERROR,
    SUCCESS,
    describe,
)
from node.cip.tag_services import decode_read_reply, decode_write_fragmented, decode_write_tag
from node.cip.template import STRUCTURE
from node.cip.types import by_code, decode_values
from node.enip.commands import decode_connected, decode_unconnected
from node.enip.header import COMMANDS, HEADER_SIZE, SEND_RR_DATA, SEND_UNIT_DATA, STATUS, Header, decode_header
from node.errors import NodeError

NOT_THERE = (PATH_SEGMENT_ERROR, PATH_DESTINATION_UNKNOWN, OBJECT_DOES_NOT_EXIST)
READS = (services.READ_TAG, services.READ_TAG_FRAGMENTED)
WRITES = (services.WRITE_TAG, services.WRITE_TAG_FRAGMENTED)
DEPTH = 3
"""Messages within messages that are shown."""


def dissect_enip(frame: bytes, reply: bytes | None) -> Line:
    """The line of one exchange; `reply` None where there was none."""
    try:
        header = decode_header(frame)
        kept = header.length <= len(frame) - HEADER_SIZE
        asked = _message(frame, header.command) if kept else b""
    except NodeError as exc:
        return line("malformed frame", status=str(exc))
    if not kept:
        known = len(frame) - HEADER_SIZE
        return line(f"{_command(header)}, {header.length} bytes, of which {known} are known", status=_complaint(reply))
    if reply is None:
        return line(_words(asked, 0) if asked else _command(header))
    try:
        answered = decode_header(reply)
        if not asked or answered.status:
            status = answered.status
            said = f"{STATUS.get(status, 'unknown status')} (0x{status:04X})" if status else ""
            return line(_words(asked, 0) if asked else _command(header), "" if said else "OK", said)
        return _exchange(asked, _message(reply, answered.command), 0)
    except NodeError as exc:
        return line(_words(asked, 0) if asked else _command(header), f"malformed reply: {exc}")


def _complaint(reply: bytes | None) -> str:
    """What a reply to anything complains of, "" where it does not."""
    try:
        header = decode_header(reply or b"")
        answer = message.decode_reply(_message(reply or b"", header.command))
    except NodeError:
        return ""
    return "" if answer.status in (SUCCESS, PARTIAL_TRANSFER) else describe(answer.status, answer.extended)


def _command(header: Header) -> str:
    return COMMANDS.get(header.command, f"command 0x{header.command:04X}")


def _message(frame: bytes, command: int) -> bytes:
    """The CIP message in a frame, b"" where it carries none. Raises `NodeError`."""
    if command == SEND_RR_DATA:
        return decode_unconnected(frame[HEADER_SIZE:])
    return decode_connected(frame[HEADER_SIZE:])[2] if command == SEND_UNIT_DATA else b""


def _exchange(asked: bytes, answered: bytes, depth: int) -> Line:
    """The line of a CIP request and its reply. Raises `NodeError` for a reply that is none."""
    words = _words(asked, depth)
    reply = message.decode_reply(answered)
    try:
        request = message.decode_request(asked)
        inner = _inner(request, depth)
    except NodeError:
        return line(words, "", describe(reply.status, reply.extended) if reply.status else "")
    if request.service == services.MULTIPLE_SERVICE_PACKET and reply.status in (SUCCESS, EMBEDDED_SERVICE_ERROR):
        replies = multiple.decode_multiple_reply(reply.data)
        parts = [_exchange(*pair, depth + 1) for pair in zip(inner, replies, strict=False)]
        status = "; ".join(f"{part.request}: {part.status}" for part in parts if part.status)
        said = "" if status else ", ".join(part.reply or "OK" for part in parts)
        return line(words, said, status, [name for part in parts for name in part.missing])
    if inner and reply.service == message.decode_request(inner[0]).service:
        return _exchange(inner[0], answered, depth + 1)
    if reply.status not in (SUCCESS, PARTIAL_TRANSFER):
        missing = [_path(request.path)] if reply.status in NOT_THERE else []
        return line(words, "", describe(reply.status, reply.extended), missing)
    return line(words, _answer(request, reply))


def _words(asked: bytes, depth: int) -> str:
    """A CIP request in words."""
    try:
        request = message.decode_request(asked)
        inner = _inner(request, depth)
        path = _path(request.path)
    except NodeError as exc:
        return f"malformed message: {exc}"
    if request.service == services.MULTIPLE_SERVICE_PACKET:
        return f"{len(inner)} services: " + ", ".join(_words(each, depth + 1) for each in inner)
    if inner:
        return _words(inner[0], depth + 1)
    name = services.service_name(request.service, _class_of(request.path))
    return f"{name} {path}{_written(request)}"


def _inner(request: message.Request, depth: int) -> list[bytes]:
    """The messages that a message carries. Raises `NodeError`."""
    if depth >= DEPTH:
        return []
    if request.service == services.MULTIPLE_SERVICE_PACKET:
        return multiple.decode_multiple(request.data)
    if request.service == services.UNCONNECTED_SEND and _class_of(request.path) == services.CONNECTION_MANAGER_CLASS:
        return [unconnected.decode_unconnected_send(request.data).message]
    return []


def _class_of(path: bytes) -> int | None:
    segments = decode_epath(path)
    if any(isinstance(segment, Symbolic) for segment in segments):
        return None
    return next((segment.id for segment in segments if isinstance(segment, Class)), None)


def _path(path: bytes) -> str:
    return format_path(decode_epath(path)) or "no path"


def _written(request: message.Request) -> str:
    """The values of a write, as ` = 5`."""
    if request.service not in WRITES or _class_of(request.path) == services.CONNECTION_MANAGER_CLASS:
        return ""
    try:
        if request.service == services.WRITE_TAG:
            code, _, _, data = decode_write_tag(request.data)
        else:
            code, _, _, _, data = decode_write_fragmented(request.data)
        return f" = {_values(code, data)}"
    except NodeError:
        return ""


def _answer(request: message.Request, reply: message.Reply) -> str:
    if request.service in READS and reply.data:
        try:
            code, _, data = decode_read_reply(reply.data)
            return _values(code, data) + (" (more to come)" if reply.status == PARTIAL_TRANSFER else "")
        except NodeError:
            pass
    return f"OK, {len(reply.data)} bytes" if reply.data else "OK"


def _values(code: int, data: bytes) -> str:
    """Raises `NodeError` when they do not fill whole elements."""
    kind = by_code(code)
    if kind is not None:
        return listed(decode_values(kind, data), len(data) // kind.size)
    return f"a structure of {len(data)} bytes" if code == STRUCTURE else f"{len(data)} bytes of type 0x{code:02X}"
