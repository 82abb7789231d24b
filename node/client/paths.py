"""Paths and routes of operations: the lists of dicts that the manual of 2016 shows, texts, and EPATHs.

    [{"symbolic": "Tag"}, {"element": 3}]                    Tag[3]
    [{"class": 4}, {"instance": 5}, {"connection": 100}]     @4/5/{"connection":100}
    [{"port": 2, "link": "10.0.0.7"}, {"class": 1}, …]       @{"port":2,"link":"10.0.0.7"}/1/…

A number after @ is the class, instance, attribute or element that its place says; hops do not count.
"""

import json
from collections.abc import Mapping, Sequence

from node.cip.epath import (
    Attribute,
    Class,
    ConnectionPoint,
    Element,
    Instance,
    Port,
    Segment,
    Symbolic,
    encode_epath,
)
from node.cip.path_text import format_path, parse_path, parse_route, route_segments
from node.errors import LocalProtocolError
from node.record import dataclass

PathSegment = dict[str, int | str]
"""One of class, instance, attribute, element, connection, symbolic with its number or name; or port with link."""

Path = str | Sequence[Mapping[str, int | str]]
RoutePath = str | bool | int | Sequence[object] | Mapping[str, object] | None

BACKPLANE = encode_epath((Port(1, 0),))
"""To slot 0 of the backplane, `[{"link": 0, "port": 1}]`: where a Logix controller is most often."""

DEFAULT_SEND_PATH = "@6/1"
"""The Connection Manager, which takes Unconnected Send."""

POSITIONS = ("class", "instance", "attribute", "element")

_KINDS: dict[str, type[Class | Instance | Attribute | Element | ConnectionPoint]] = {
    "class": Class,
    "instance": Instance,
    "attribute": Attribute,
    "element": Element,
    "connection": ConnectionPoint,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_LARGEST = 0xFFFFFFFF


def parse_target(text: str) -> list[PathSegment]:
    """The path of a tag or an object, without a range. Raises `LocalProtocolError` of one line."""
    stripped = text.strip()
    return (
        _numeric(stripped, text) if stripped.startswith("@") else [_told(segment) for segment in parse_path(stripped)]
    )


@dataclass(slots=True)
class KnownPath:
    """What is asked of a path again and again: its EPATH, how a person types it, the index that it ends in, if one."""

    raw: bytes
    text: str
    last: int | None


_KNOWN: dict[object, KnownPath] = {}
_REMEMBERED = 10_000


def known_path(path: Path) -> KnownPath:
    """The same for paths that are alike, which most of a long list of operations are."""
    key: object = path
    if not isinstance(path, str):
        key = tuple([pair for segment in path for pair in segment.items()])
    try:
        known = _KNOWN.get(key)
    except TypeError:
        raise LocalProtocolError(f"{path!r} is no path: a segment has a number or a name") from None
    if known is None:
        segments = segments_of(path)
        end = segments[-1] if segments else None
        last = end.index if isinstance(end, Element) else None
        known = KnownPath(encode_epath(segments), format_path(segments), last)
        if len(_KNOWN) >= _REMEMBERED:
            _KNOWN.clear()
        _KNOWN[key] = known
    return known


def segments_of(path: Path) -> list[Segment]:
    """The EPATH segments of a path, or of a text that is one. Raises `LocalProtocolError`."""
    return [_segment(segment) for segment in (parse_target(path) if isinstance(path, str) else path)]


def encode_path(path: Path) -> bytes:
    """The padded EPATH of a path. Raises `LocalProtocolError` for a segment that is none."""
    return encode_epath(segments_of(path))


def encode_route_path(route_path: RoutePath) -> bytes:
    """The EPATH of a route: None is slot 0 of the backplane, False, 0 and "" are none. Raises `LocalProtocolError`."""
    if route_path is None:
        return BACKPLANE
    if not route_path:
        return b""
    if isinstance(route_path, str):
        return encode_epath(route_segments(parse_route(route_path)))
    try:
        text = json.dumps(route_path)
    except (TypeError, ValueError) as exc:
        raise LocalProtocolError(
            f'{route_path!r} is no route path; wanted one like [{{"port": 1, "link": 0}}]'
        ) from exc
    if isinstance(route_path, tuple) and all(isinstance(hop, tuple) and len(hop) == 2 for hop in route_path):
        text = json.dumps([{"port": port, "link": link} for port, link in route_path])
    return encode_epath(route_segments(parse_route(text)))


def encode_send_path(send_path: Path | bool | None) -> bytes | None:
    """The EPATH that Unconnected Send goes to; None for "", False or []: no Unconnected Send at all."""
    if send_path is None or send_path is True:
        send_path = DEFAULT_SEND_PATH
    return encode_path(send_path) if send_path else None


def _numeric(text: str, whole: str) -> list[PathSegment]:
    body, members = _cut_members(text[1:])
    body, bracket, index = body.partition("[") if not body.rstrip().endswith("}") else (body, "", "")
    path: list[PathSegment] = []
    position = 0
    for part in _split(body):
        segment = _json_segment(part, whole) if part.strip().startswith("{") else _by_place(part, position, whole)
        path.append(segment)
        position += "port" not in segment
    if bracket:
        path += [_told(segment) for segment in parse_path(f"x[{index}")[1:]]
    if members:
        path += [_told(segment) for segment in parse_path(members)]
    return path


def _cut_members(text: str) -> tuple[str, str]:
    """A numeric path and the members behind a dot, which may not be one of an address within braces."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if char == "." and not depth:
            return text[:at], text[at + 1 :]
    return text, ""


def _split(text: str) -> list[str]:
    """The parts between slashes that are not within braces."""
    parts = [""]
    depth = 0
    for char in text:
        depth += (char == "{") - (char == "}")
        if char == "/" and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _by_place(part: str, position: int, whole: str) -> PathSegment:
    if position >= len(POSITIONS):
        raise LocalProtocolError(f"{whole!r}: more numbers after @ than class, instance, attribute and element")
    return {POSITIONS[position]: whole_number(part, whole, f"the number of a CIP {POSITIONS[position]}")}


def whole_number(text: str, whole: str, what: str) -> int:
    """Decimal, or with 0x, 0o, 0b in front; 01 is 1. Raises `LocalProtocolError` for what is none, or over 32 bits."""
    word = text.strip()
    try:
        number = int(word) if word.isdigit() and word.isascii() else int(word, 0)
    except ValueError as exc:
        raise LocalProtocolError(
            f"{whole!r}: {word!r} where {what} was wanted, like 26, 0x1A, 0o32 or 0b11010"
        ) from exc
    if not 0 <= number <= _LARGEST:
        raise LocalProtocolError(f"{whole!r}: {number} where {what} was wanted, 0 to {_LARGEST}")
    return number


def _json_segment(part: str, whole: str) -> PathSegment:
    try:
        value = json.loads(part)
    except (ValueError, RecursionError) as exc:
        raise LocalProtocolError(f"{whole!r}: {part.strip()!r} is no JSON") from exc
    if not isinstance(value, dict):
        raise LocalProtocolError(f"{whole!r}: {part.strip()} where a JSON object was wanted")
    _segment(value, whole)
    return value


def _segment(segment: Mapping[str, object], whole: str = "") -> Segment:
    where = f"{whole!r}: " if whole else ""
    if segment.keys() == {"port", "link"}:
        return _hop(segment["port"], segment["link"], where)
    if len(segment) == 1:
        ((name, value),) = segment.items()
        if name == "symbolic" and isinstance(value, str) and value:
            return Symbolic(value)
        if name in _KINDS and type(value) is int and 0 <= value <= _LARGEST:
            return _KINDS[name](value)
    wanted = f"one of {', '.join(_KINDS)} with its number, symbolic with a name, or port and link"
    raise LocalProtocolError(f"{where}{json.dumps(dict(segment), default=str)} in a path, where {wanted} was wanted")


def _hop(port: object, link: object, where: str) -> Port:
    if type(port) is int and 0 < port <= 0xFFFF:
        if isinstance(link, str) and link.isascii() and 0 < len(link) <= 0xFF:
            return Port(port, int(link) if link.isdigit() and int(link) <= 0xFF else link.encode("ascii"))
        if type(link) is int and 0 <= link <= 0xFF:
            return Port(port, link)
    raise LocalProtocolError(
        f"{where}port {port!r}, link {link!r} in a path: wanted 1 to 65535, and 0 to 255 or an address"
    )


def _told(segment: Segment) -> PathSegment:
    """A segment as a dict."""
    if isinstance(segment, Symbolic):
        return {"symbolic": segment.name}
    if isinstance(segment, Element):
        return {"element": segment.index}
    if isinstance(segment, Class | Instance | Attribute | ConnectionPoint):
        return {_NAMES[type(segment)]: segment.id}
    if isinstance(segment, Port):
        return {"port": segment.port, "link": segment.link if isinstance(segment.link, int) else segment.link.decode()}
    raise LocalProtocolError(f"{segment} in the path of an operation")
