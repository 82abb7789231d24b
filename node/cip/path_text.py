"""Paths and routes as a person types them.

    path    part { "." part }            Tag   Tag[3]   Tag[1,2,3].Member[4].x   Program:Main.Tag
    part    name [ "[" index { "," index } "]" ]
    path    "@" id { "/" id }            @4/5/6   @0x93/1/10   class, instance, attribute; then indices and members
    id      number | {"kind": number}    @4/{"connection":100}
    route   "[" hop { "," hop } "]"      [{"port":1,"link":0}]   ["1/0"]   1/0   1/0/2/10.0.0.7   false or 0 for none

Scanned by hand: a grammar compiled when a node or a command starts would cost each of them that time. What a person
got wrong is a `LocalProtocolError` of one line.
"""

import json
from collections.abc import Sequence

from node.cip.epath import (
    Attribute,
    Class,
    ConnectionPoint,
    Data,
    ElectronicKey,
    Element,
    Instance,
    Network,
    Port,
    Segment,
    Symbolic,
)
from node.errors import LocalProtocolError

Route = tuple[tuple[int, int | str], ...]
"""Hops of port and link: a number on a backplane, an address in text on a network."""

MAX_DIMENSIONS = 3

ETHERNET_PORT = 2
"""Of a controller. The manual of 2016 writes an address as the port, {"link": 0, "port": "10.0.0.7"}, which names no
port: it means this one."""

_KINDS: dict[str, type[Class | Instance | Attribute | Element | ConnectionPoint]] = {
    "class": Class,
    "instance": Instance,
    "attribute": Attribute,
    "element": Element,
    "connection": ConnectionPoint,
}
_POSITIONS: tuple[type[Class | Instance | Attribute], ...] = (Class, Instance, Attribute)
_WANTED = "wanted one like Tag, Tag[3].Member, Program:Main.Tag or @4/5/6"


def parse_path(text: str) -> list[Segment]:
    """The segments of a tag's or an object's path. Raises `LocalProtocolError` when it is neither."""
    stripped = text.strip()
    if not stripped:
        raise LocalProtocolError(f"an empty path; {_WANTED}")
    named, at, numeric = stripped.partition("@")
    segments = _names(named, text) if named else []
    if at:
        ids, dot, members = numeric.partition(".")
        ids, bracket, indices = ids.partition("[")
        segments += _ids(ids, text)
        if bracket:
            segments += _indices(indices, text)
        if dot:
            segments += _names(members, text)
    return segments


def format_path(segments: Sequence[Segment]) -> str:
    """The text that `parse_path` reads back; segments that no one types are shown as JSON. Never raises."""
    text = ""
    position = 0
    for index, segment in enumerate(segments):
        before = segments[index - 1] if index else None
        if isinstance(segment, Symbolic):
            text += f".{segment.name}" if text else segment.name
        elif isinstance(segment, Element):
            text = f"{text[:-1]},{segment.index}]" if isinstance(before, Element) else f"{text}[{segment.index}]"
        elif isinstance(segment, Class) and "@" not in text:
            text, position = f"{text}@{_number(segment.id)}", 1
        elif isinstance(segment, _POSITIONS[position:][:1]) and isinstance(before, _POSITIONS[:position][-1:]):
            text, position = f"{text}/{segment.id}", position + 1
        else:
            text, position = f"{text}{'/' if '@' in text else '@'}{_as_json(segment)}", 0
    return text


def parse_route(text: str) -> Route:
    """The hops of a route, () for none. Raises `LocalProtocolError` when it is no route."""
    stripped = text.strip()
    if stripped[:1].isdigit() and "/" in stripped:
        return _hops_of_text(stripped, text)
    try:
        value = json.loads(stripped)
    except (ValueError, RecursionError) as exc:
        raise _bad_route(text) from exc
    if value is False or value == 0:
        return ()
    if isinstance(value, str | dict):
        return _hop(value, text)
    if not isinstance(value, list):
        raise _bad_route(text)
    route: Route = ()
    for hop in value:
        route += _hop(hop, text)
    return route


def route_segments(route: Route) -> list[Segment]:
    """The port segments of a route, for `encode_epath`."""
    return [Port(port, link if isinstance(link, int) else link.encode("ascii")) for port, link in route]


def _names(text: str, whole: str) -> list[Segment]:
    segments: list[Segment] = []
    for part in text.split("."):
        name, bracket, indices = part.partition("[")
        name = name.strip()
        if name.isdigit() and segments:
            raise LocalProtocolError(f"{whole!r}: bit {name} has no path; read the whole value")
        if not name or name[0].isdigit() or any(char.isspace() or char in "]/" for char in name):
            raise LocalProtocolError(f"{whole!r}: {name!r} is no name; {_WANTED}")
        segments.append(Symbolic(name))
        if bracket:
            segments += _indices(indices, whole)
    return segments


def _indices(text: str, whole: str) -> list[Segment]:
    body, bracket, rest = text.partition("]")
    if not bracket or rest.strip():
        raise LocalProtocolError(f"{whole!r}: wanted indices like [3] or [1,2,3] and then a dot or the end")
    parts = body.split(",")
    if len(parts) > MAX_DIMENSIONS:
        raise LocalProtocolError(f"{whole!r}: {len(parts)} indices; an array has at most {MAX_DIMENSIONS} dimensions")
    return [Element(_index(part, whole)) for part in parts]


def _index(text: str, whole: str) -> int:
    if "-" in text.strip()[1:]:
        raise LocalProtocolError(f"{whole!r}: {text.strip()!r} is a range; give the first index and a count")
    return _whole_number(text, whole, "an index")


def _ids(text: str, whole: str) -> list[Segment]:
    parts = text.split("/")
    segments: list[Segment] = []
    for position, part in enumerate(parts):
        if part.lstrip().startswith("{"):
            segments.append(_id_of_json(part, whole))
        elif position < len(_POSITIONS):
            kind = _POSITIONS[position]
            segments.append(kind(_whole_number(part, whole, f"the number of a CIP {kind.__name__.lower()}")))
        else:
            raise LocalProtocolError(f"{whole!r}: {len(parts)} numbers after @, wanted class, instance and attribute")
    return segments


def _id_of_json(text: str, whole: str) -> Segment:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise LocalProtocolError(f"{whole!r}: {text!r} is no JSON") from exc
    if isinstance(value, dict) and len(value) == 1:
        ((kind, number),) = value.items()
        if kind in _KINDS and type(number) is int and 0 <= number <= 0xFFFFFFFF:
            return _KINDS[kind](number)
    raise LocalProtocolError(f"{whole!r}: {text} where one of {', '.join(_KINDS)} and its number was wanted")


def _whole_number(text: str, whole: str, what: str) -> int:
    try:
        number = int(text, 0)
    except ValueError as exc:
        raise LocalProtocolError(f"{whole!r}: {text.strip()!r} where {what} was wanted; {_WANTED}") from exc
    if not 0 <= number <= 0xFFFFFFFF:
        raise LocalProtocolError(f"{whole!r}: {number} where {what} was wanted, 0 to 4294967295")
    return number


def _number(value: int) -> str:
    return str(value) if value < 10 else f"0x{value:02X}"


def _as_json(segment: Segment) -> str:
    for kind, segment_type in _KINDS.items():
        if isinstance(segment, segment_type):
            value: object = segment.index if isinstance(segment, Element) else segment.id
            return json.dumps({kind: value}, separators=(",", ":"))
    return json.dumps(_described(segment), separators=(",", ":"))


def _described(segment: Segment) -> dict[str, object]:
    if isinstance(segment, Port):
        link = segment.link if isinstance(segment.link, int) else segment.link.decode("iso-8859-1")
        return {"port": segment.port, "link": link}
    if isinstance(segment, ElectronicKey):
        return {"key": [segment.vendor, segment.device_type, segment.product_code, segment.major, segment.minor]}
    if isinstance(segment, Data):
        return {"data": segment.words.hex()}
    return {"network": segment.raw.hex() if isinstance(segment, Network) else ""}


def _hop(hop: object, whole: str) -> Route:
    if isinstance(hop, str):
        return _hops_of_text(hop, whole)
    if isinstance(hop, dict) and hop.keys() == {"port", "link"}:
        port, link = hop["port"], hop["link"]
        if type(link) is int and isinstance(port, str) and not _decimal(port):
            port, link = link or ETHERNET_PORT, port
        if type(port) is int and type(link) in (int, str):
            return (_checked_hop(port, link, whole),)
    raise _bad_route(whole)


def _hops_of_text(text: str, whole: str) -> Route:
    parts = [part.strip() for part in text.split("/")]
    if len(parts) % 2:
        raise _bad_route(whole)
    hops = []
    for port, link in zip(parts[::2], parts[1::2], strict=True):
        if not _decimal(port):
            raise _bad_route(whole)
        hops.append(_checked_hop(int(port), int(link) if _decimal(link) else link, whole))
    return tuple(hops)


def _checked_hop(port: int, link: int | str, whole: str) -> tuple[int, int | str]:
    fits = 0 <= link <= 0xFF if isinstance(link, int) else link.isascii() and 0 < len(link) <= 0xFF
    if not 0 < port <= 0xFFFF or not fits:
        raise LocalProtocolError(f"route {whole!r}: a port is 1 to 65535, a link 0 to 255 or an address in text")
    return port, link


def _decimal(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _bad_route(text: str) -> LocalProtocolError:
    return LocalProtocolError(
        f'{text!r} is no route; wanted one like [{{"port":1,"link":0}}] or 1/0, or false for none'
    )
