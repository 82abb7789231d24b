"""Read Device Identification (function 43, MEI type 14): who a device says it is.

A stream of many objects does not fit one PDU, so a reply says whether more follow and where to go on; a client that
is not told loops or stops short. An object is never split.

    request  code object            code 1 basic, 2 regular, 3 extended stream; 4 one object
    reply    code conformity more next count, count x (object, length, text)

`more` is FF when objects are left, `next` is then the first of them. Modbus Application Protocol 1.1b3, 6.21.
"""

from collections.abc import Mapping
from struct import Struct

from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

BASIC = 1
REGULAR = 2
EXTENDED = 3
INDIVIDUAL = 4

OBJECTS: dict[int, str] = {
    0x00: "VendorName",
    0x01: "ProductCode",
    0x02: "MajorMinorRevision",
    0x03: "VendorUrl",
    0x04: "ProductName",
    0x05: "ModelName",
    0x06: "UserApplicationName",
}

LAST_OBJECT = {BASIC: 0x02, REGULAR: 0x7F, EXTENDED: 0xFF}
"""The last object id that a stream of this code may carry; each category holds those below it too."""
STREAM_AND_INDIVIDUAL = 0x80

_HEAD = Struct(">BBBBB")
_ROOM = 253 - 2 - _HEAD.size
"""Bytes left for objects in one PDU, after function code and MEI type."""
TEXT_LIMIT = _ROOM - 2
"""The longest object that a reply can carry, bytes."""


@dataclass(slots=True)
class IdentificationRequest:
    """`object_id` is where a stream begins, or the one object that is wanted."""

    code: int
    object_id: int


@dataclass(slots=True)
class IdentificationReply:
    """`next_object` is 0 unless `more`; `objects` are (id, text) in order."""

    code: int
    conformity: int
    more: bool
    next_object: int
    objects: tuple[tuple[int, bytes], ...]


def encode_identification_reply(reply: IdentificationReply) -> bytes:
    """What follows function code and MEI type. Raises `LocalProtocolError` when it does not fit a PDU."""
    body = b"".join(bytes((number, len(text))) + text for number, text in reply.objects)
    if len(body) > _ROOM:
        raise LocalProtocolError(f"{len(body)} bytes of identification objects; one reply holds {_ROOM}")
    more = 0xFF if reply.more else 0
    return _HEAD.pack(reply.code, reply.conformity, more, reply.next_object, len(reply.objects)) + body


def decode_identification_reply(data: bytes) -> IdentificationReply:
    """The same back. Raises `RemoteProtocolError` when count and lengths do not agree with the bytes."""
    if len(data) < _HEAD.size:
        raise RemoteProtocolError(f"an identification of {len(data)} bytes; the shortest has {_HEAD.size}")
    code, conformity, more, next_object, count = _HEAD.unpack_from(data)
    objects: list[tuple[int, bytes]] = []
    at, end = _HEAD.size, len(data)
    for _ in range(count):
        if end - at < 2 or end - at - 2 < data[at + 1]:
            raise RemoteProtocolError(f"an identification that promises {count} objects ends in object {len(objects)}")
        stop = at + 2 + data[at + 1]
        objects.append((data[at], data[at + 2 : stop]))
        at = stop
    if at != end:
        raise RemoteProtocolError(f"{end - at} bytes after the last object of an identification")
    return IdentificationReply(code, conformity, more != 0, next_object, tuple(objects))


class Identification:
    """What a device answers: its objects by id, and the category it conforms to.

    `objects` maps object id to text (ISO-8859-1, at most 244 bytes). Vendor, product code and revision must be
    there for a device to be found at all, so those that are not given are said to be "unknown".
    """

    __slots__ = ("conformity", "objects")

    def __init__(self, objects: Mapping[int, str]) -> None:
        texts = {0: "unknown", 1: "unknown", 2: "0.0"} | dict(objects)
        self.objects = {number: _encode_text(number, texts[number]) for number in sorted(texts)}
        highest = max(self.objects)
        category = next(code for code in (BASIC, REGULAR, EXTENDED) if highest <= LAST_OBJECT[code])
        self.conformity = STREAM_AND_INDIVIDUAL | category

    def answer(self, request: IdentificationRequest) -> IdentificationReply | None:
        """The reply to a well-formed request; None when the one object that it wants is not there.

        A stream that begins at an object which is not there begins at the first one. A device asked for a higher
        category than it has gives all it has.
        """
        code, wanted = request.code, request.object_id
        if code == INDIVIDUAL:
            text = self.objects.get(wanted)
            return None if text is None else IdentificationReply(code, self.conformity, False, 0, ((wanted, text),))
        ids = [number for number in self.objects if number <= LAST_OBJECT[code]]
        first = ids.index(wanted) if wanted in ids else 0
        room = _ROOM
        chosen: list[tuple[int, bytes]] = []
        for number in ids[first:]:
            text = self.objects[number]
            room -= 2 + len(text)
            if room < 0:
                return IdentificationReply(code, self.conformity, True, number, tuple(chosen))
            chosen.append((number, text))
        return IdentificationReply(code, self.conformity, False, 0, tuple(chosen))


def _encode_text(number: int, text: str) -> bytes:
    if not 0 <= number <= 0xFF:
        raise LocalProtocolError(f"device identification object {number}; ids are 0 to 255")
    data = text.encode("iso-8859-1", "replace")
    if len(data) > TEXT_LIMIT:
        raise LocalProtocolError(f"device identification object {number} has {len(data)} bytes; {TEXT_LIMIT} fit")
    return data
