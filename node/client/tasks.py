"""An operation made ready: its first message, and how a reply becomes a value.

Nearly every reply is a whole one of the type that was there last time, which `Task.quick` takes apart with one
`Struct`; every other goes through `Task.steps`, which fragments, checks and raises.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from node.cip.message import Request, encode_request
from node.cip.services import (
    GET_ATTRIBUTE_SINGLE,
    GET_ATTRIBUTES_ALL,
    READ_TAG,
    READ_TAG_FRAGMENTED,
    REPLY,
    SET_ATTRIBUTE_SINGLE,
    WRITE_TAG,
    WRITE_TAG_FRAGMENTED,
)
from node.cip.status import CipError
from node.cip.tag_services import encode_read_fragmented, encode_read_tag
from node.cip.types import BOOL, ELEMENTARY, by_code, encode_values
from node.client.exchanges import (
    Raw,
    Steps,
    ask_steps,
    encoded,
    kind_of,
    kind_steps,
    read_steps,
    whole_values,
    write_steps,
)
from node.client.operations import METHODS, Operation
from node.client.paths import encode_route_path, encode_send_path, known_path
from node.client.tag_values import Known, TagType, Value
from node.errors import LocalProtocolError
from node.record import dataclass

SLOW = object()
"""What `quick` gives for a reply that needs the steps."""

GUESS = 4
"""Bytes of an element whose type is not known yet."""

REPLY_HEAD = 8
"""Bytes of a read's reply beside its values: service, status and a structure's type."""

_NO_VALUES = struct.Struct("").unpack_from

_FORMS: Mapping[int, tuple[int, str]] = {
    kind.code: (kind.size, "?" if kind is BOOL else kind.typecode) for kind in ELEMENTARY
}

SHORT: dict[str | int, str] = {
    READ_TAG: "Read Tag ",
    READ_TAG_FRAGMENTED: "Read Frag ",
    WRITE_TAG: "Write Tag ",
    WRITE_TAG_FRAGMENTED: "Write Frag ",
    "get_attribute_single": "G_A_S ",
    "set_attribute_single": "S_A_S ",
    "get_attributes_all": "G_A_A ",
}
"""How the first service of an operation is called in its description, or its method."""

Routing = tuple[bytes | None, bytes | None]
"""EPATHs of send path and route path; no Unconnected Send without a send path. (None, None) is the connector's own."""

OWN: Routing = (None, None)


class Task:
    """`first` is its first Message Router request, `estimate` the bytes that its whole reply may have, `steps` all of
    it; `routing` where it goes unless that is the connector's own."""

    __slots__ = (
        "_length",
        "_unpack",
        "_usual",
        "decoded",
        "estimate",
        "first",
        "good",
        "operation",
        "reads",
        "routing",
        "single",
        "steps",
    )

    def __init__(
        self,
        operation: Operation,
        first: bytes,
        steps: Callable[[], Steps[Any]],
        *,
        reads: int = 0,
        single: bool = False,
        estimate: int = REPLY_HEAD,
        decoded: Callable[[bytes], Any] | None = None,
    ) -> None:
        self.operation = operation
        self.first = first
        self.steps = steps
        self.reads = reads
        self.single = single
        self.estimate = estimate
        self.decoded = decoded
        self.routing = OWN
        self.good = bytes((first[0] | REPLY, 0, 0, 0))
        self._usual = b"none yet"
        self._length = 0
        self._unpack: Callable[[bytes, int], tuple[Any, ...]] = _NO_VALUES

    @property
    def service(self) -> int:
        """The service of its first message."""
        return self.first[0]

    @property
    def tag(self) -> str:
        """What it is about, as a person types it."""
        return described(self.operation)

    def quick(self, reply: bytes) -> Any:
        """The value of a reply, `SLOW` when it is not of the kind that this can tell."""
        if reply[:6] == self._usual and len(reply) == self._length:
            values = self._unpack(reply, 6)
            return values[0] if self.single else list(values)
        if reply[:4] != self.good:
            return SLOW
        if self.reads:
            return self._learn(reply)
        return SLOW if self.decoded is None else self.decoded(reply)

    def _learn(self, reply: bytes) -> Any:
        """The value by the type that the reply has, which is remembered for the next."""
        form = _FORMS.get(reply[4]) if len(reply) > 6 and reply[5] == 0 else None
        if form is None or len(reply) != 6 + self.reads * form[0]:
            return SLOW
        self._usual = reply[:6]
        self._length = len(reply)
        self.estimate = len(reply)
        self._unpack = struct.Struct(f"<{self.reads}{form[1]}").unpack_from
        values = self._unpack(reply, 6)
        return values[0] if self.single else list(values)


def described(operation: Operation) -> str:
    """`Tag[0-9]+16`, `@0x0001/1/7`: what an operation is about."""
    path = known_path(operation["path"])
    text = path.text
    if text.startswith("@"):
        head, slash, rest = text[1:].partition("/")
        text = f"@0x{int(head, 0):04X}{slash}{rest}" if head[:1].isdigit() else text
    elements = operation.get("elements", 1)
    if elements > 1 and path.last is not None:
        cut = max(text.rfind("["), text.rfind(","))
        text = f"{text[: cut + 1]}{path.last}-{path.last + elements - 1}]"
    elif elements > 1:
        text = f"{text}[0-{elements - 1}]"
    offset = operation.get("offset")
    return f"{text}+{offset}" if offset else text


Kinds = dict[bytes, TagType]
"""Types that were asked of the controller, by path."""


@dataclass(slots=True)
class Means:
    """What tasks are made with: structures by handle, `limit` bytes of the largest message, whether `fragment` forces
    the fragmented services, and the types that are known by path."""

    known: Known
    limit: int
    fragment: bool = False
    kinds: Kinds | None = None


def prepare(operation: Operation, means: Means, *, single: bool = False) -> Task:
    """The task of an operation; `single` asks for a value instead of a list of one.

    Raises `LocalProtocolError` for a method that there is not, or values that are not of the type.
    """
    method = operation.get("method", "read")
    make = _PREPARE.get(method)
    if make is None:
        raise LocalProtocolError(f"{method!r} is no method of an operation; there are {', '.join(METHODS)}")
    path = known_path(operation["path"]).raw
    task = make(operation, path, means, single)
    if operation.get("route_path") is not None or operation.get("send_path") is not None:
        send = encode_send_path(operation.get("send_path"))
        task.routing = (send or b"", None if send is None else encode_route_path(operation.get("route_path")))
    return task


def _read(operation: Operation, path: bytes, means: Means, single: bool) -> Task:
    elements = operation.get("elements", 1)
    offset = operation.get("offset")
    fragment = means.fragment
    if offset is None and not fragment:
        first = Request(READ_TAG, path, encode_read_tag(elements))
    else:
        first = Request(READ_TAG_FRAGMENTED, path, encode_read_fragmented(elements, offset or 0))

    def steps() -> Steps[Any]:
        raw: Raw = yield from read_steps(path, elements, offset, fragment)
        values = whole_values(raw, elements, offset or 0, means.known)
        return values[0] if single else values

    quick = 0 if offset else elements
    return Task(
        operation,
        encode_request(first),
        steps,
        reads=quick,
        single=single,
        estimate=REPLY_HEAD + GUESS * elements,
    )


def _write(operation: Operation, path: bytes, means: Means, single: bool) -> Task:
    given = operation.get("tag_type")
    data: Sequence[Any] = operation.get("data", ())
    offset = operation.get("offset")
    elements = operation.get("elements") if offset is not None else None
    if elements is None and operation.get("elements", len(data)) != len(data):
        raise LocalProtocolError(
            f"{len(data)} values for {operation.get('elements')} elements of {described(operation)}"
        )

    def steps() -> Steps[Any]:
        if given is not None:
            kind = kind_of(given, means.known)
        else:
            kind = yield from _kind(path, means, described(operation))
        try:
            return (yield from write_steps(path, kind, data, means.limit, offset, elements, means.fragment))
        except CipError:
            if means.kinds is not None:
                means.kinds.pop(path, None)  # it may be of another type by now
            raise

    first = encode_request(next(steps()))
    whole = first[0] == WRITE_TAG  # else fragments follow, or it asks for the type
    return Task(operation, first, steps, estimate=4, decoded=_written if whole else None)


def _kind(path: bytes, means: Means, tag: str) -> Steps[TagType]:
    kinds = means.kinds if means.kinds is not None else {}
    kind = kinds.get(path)
    if kind is None:
        kind = kinds[path] = yield from kind_steps(path, means.known, tag)
    return kind


def _written(reply: bytes) -> Any:
    return True if len(reply) == 4 else SLOW


def _attribute(operation: Operation, path: bytes, means: Means, single: bool) -> Task:
    service, data = GET_ATTRIBUTE_SINGLE, b""
    if operation.get("method") == "get_attributes_all":
        service = GET_ATTRIBUTES_ALL
    elif operation.get("method") == "set_attribute_single":
        service, data = SET_ATTRIBUTE_SINGLE, raw_bytes(operation.get("data", ()), operation.get("tag_type"))
    request = Request(service, path, data)
    sets = service == SET_ATTRIBUTE_SINGLE

    def decoded(reply: bytes) -> Any:
        return True if sets else list(reply[4:])

    def steps() -> Steps[Any]:
        data = yield from ask_steps(request)
        return True if sets else list(data)

    return Task(operation, encode_request(request), steps, estimate=4 if sets else 128, decoded=decoded)


_PREPARE: Mapping[str, Callable[[Operation, bytes, Means, bool], Task]] = {
    "read": _read,
    "write": _write,
    "get_attribute_single": _attribute,
    "set_attribute_single": _attribute,
    "get_attributes_all": _attribute,
}


def raw_bytes(data: Any, tag_type: int | None) -> bytes:
    """An attribute's bytes: as they are, or raw SINTs with or without a sign, or values of a type.

    Raises `LocalProtocolError` for what fits none.
    """
    if isinstance(data, bytes | bytearray):
        return bytes(data)
    values: Sequence[Value] = data
    if tag_type is not None and tag_type not in (0xC2, 0xC6):
        kind = kind_of(tag_type, {})
        if by_code(tag_type) is None:
            return b"".join(encoded(kind, values))
        return encode_values(kind, list(data))  # type: ignore[arg-type]
    try:
        return bytes(int(value) & 0xFF if -0x80 <= value < 0 else value for value in data)
    except (TypeError, ValueError) as exc:
        raise LocalProtocolError(f"{data!r} where bytes were wanted, -128 to 255 each") from exc
