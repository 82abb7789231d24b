"""What a CIP object is here: a class with instances, attributes as rows, services by code (CIP Vol 1, 4-4).

Each object of a controller is a file that declares its rows and services; this one holds what they share, and what
travels with a request through them (`Call`). A handler gives the whole reply, because some replies carry data and a
status that is not success.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from struct import Struct
from typing import ClassVar, Protocol

from node.cip.attribute_values import Codec, Raw
from node.cip.services import REPLY
from node.cip.status import ATTRIBUTE_NOT_SUPPORTED, PATH_DESTINATION_UNKNOWN, CipError
from node.cip.unconnected import UNCONNECTED_LIMIT
from node.memory.access import Access
from node.record import dataclass

_U16 = Struct("<H")


class Requester(Protocol):
    """Whoever a request came from: an object that stays the same for the life of its TCP connection."""


class Service(Protocol):
    """What a handler may ask of the router it was called by."""

    def request(
        self,
        message: bytes,
        trace: list[Access] | None = None,
        *,
        origin: Requester | None = None,
        limit: int = UNCONNECTED_LIMIT,
        depth: int = 0,
    ) -> bytes:
        """The reply to an embedded message."""

    def enter(self, messages: Iterable[bytes]) -> None:
        """Raises `HookWaits` where one of the embedded messages comes to a hook that may block."""

    def keep(self, message: bytes, plan: Plan) -> None:
        """Remembers how to answer the same bytes again."""

    def plan_of(self, message: bytes) -> Plan | None:
        """What was remembered."""

    @property
    def now(self) -> float:
        """The instant of the request."""


class Plan(Protocol):
    """A reply prepared ahead: the values are taken when it is sent. Its size never changes."""

    @property
    def size(self) -> int:
        """Its bytes, counted."""

    def read(self) -> bytes:
        """The reply's bytes."""


@dataclass(slots=True)
class Call:
    """One request on its way: `message` its bytes, `data` what follows the path, `limit` the bytes its reply may take,
    `trace` where accesses are noted, `depth` how many messages it is embedded in."""

    router: Service
    service: int
    target: Target
    data: bytes
    message: bytes
    limit: int
    origin: Requester | None = None
    trace: list[Access] | None = None
    depth: int = 0


Handler = Callable[[Call], bytes]


class Target(Protocol):
    """Where a path led."""

    services: Mapping[int, Handler]


def success(service: int, data: bytes = b"", status: int = 0) -> bytes:
    """The reply to `service` that carries `data`."""
    return bytes((service | REPLY, 0, status, 0)) + data


_BYTES = Raw()


@dataclass(slots=True)
class AttributeRow:
    """One attribute: `get` gives its bytes, `set` takes them (None: not settable; raises `CipError`); `listed` says
    whether Get Attributes All returns it.

    `codec` is how its value is written in JSON; one with a size promises that `get` always gives so many bytes.
    `aliases` are other names a configuration may call it by, `preset` puts what was configured (None: it is what the
    row says from then on), `restore` goes back to that after a client set something else.
    """

    id: int
    name: str
    get: Callable[[], bytes]
    set: Callable[[bytes], None] | None = None
    listed: bool = True
    codec: Codec = _BYTES
    aliases: tuple[str, ...] = ()
    preset: Callable[[bytes], None] | None = None
    restore: Callable[[], None] | None = None

    def configure(self, value: object) -> None:
        """Gives it a value in JSON. Raises `LocalProtocolError` for one that does not fit."""
        data = self.codec.encode(value, self.get())
        if self.preset is not None:
            self.preset(data)
        else:
            self.get = lambda: data


def constant(
    ident: int,
    name: str,
    data: bytes,
    listed: bool = True,
    codec: Codec = _BYTES,
    aliases: tuple[str, ...] = (),
) -> AttributeRow:
    """A row whose bytes never change."""
    return AttributeRow(ident, name, lambda: data, None, listed, codec, aliases)


def optional_lists(attributes: tuple[int, ...], services: tuple[int, ...]) -> tuple[AttributeRow, ...]:
    """Class attributes 4 and 5: which of its optional attributes and services an object has."""
    return tuple(
        constant(ident, name, b"".join([_U16.pack(number) for number in (len(numbers), *numbers)]))
        for ident, name, numbers in (
            (4, "optional attribute list", attributes),
            (5, "optional service list", services),
        )
    )


class Stored:
    """The bytes of an attribute that clients set; `accept` raises `CipError` for a value that is not taken."""

    def __init__(self, codec: Codec, data: bytes, accept: Callable[[object], None] | None = None) -> None:
        self._codec = codec
        self._accept = accept
        self._start = data
        self.data = data

    def get(self) -> bytes:
        """What it was told."""
        return self.data

    def set(self, data: bytes) -> None:
        """Raises `CipError`: 0x13 and 0x15 for too few and too many bytes, 0x09 for a value that is not taken."""
        value = self._codec.decode(data)
        if self._accept is not None:
            self._accept(value)
        self.data = data

    def preset(self, data: bytes) -> None:
        """What it starts with."""
        self._start = self.data = data

    def restore(self) -> None:
        """What it started with."""
        self.data = self._start


def stored(
    ident: int,
    name: str,
    codec: Codec,
    value: object,
    *,
    listed: bool = True,
    aliases: tuple[str, ...] = (),
    accept: Callable[[object], None] | None = None,
) -> AttributeRow:
    """A row that clients may set; it starts with `value`, in JSON."""
    cell = Stored(codec, codec.encode(value), accept)
    return AttributeRow(ident, name, cell.get, cell.set, listed, codec, aliases, cell.preset, cell.restore)


@dataclass(slots=True)
class Object:
    """One class: `instances` maps an instance number to its rows, `services` a code to its handler. Instance 0, the
    class itself, always has attributes 1, 2, 3, 6 and 7, and `class_attributes` besides; Get Attributes All of it
    returns those of `class_listed`. `names` are what a configuration may call the object besides `name`."""

    class_id: int
    name: str
    instances: dict[int, list[AttributeRow]]
    services: dict[int, Handler] = field(default_factory=dict)
    revision: int = 1
    class_attributes: tuple[AttributeRow, ...] = ()
    class_listed: tuple[int, ...] = (1, 2, 3, 6, 7)
    names: tuple[str, ...] = ()

    CLASS_INSTANCE: ClassVar[int] = 0

    def rows(self, instance: int) -> list[AttributeRow]:
        """The rows of `instance`, in the order they are listed. Raises `CipError` 0x05 when there is none."""
        if instance == self.CLASS_INSTANCE:
            return self._class_rows()
        rows = self.instances.get(instance)
        if rows is None:
            raise CipError(PATH_DESTINATION_UNKNOWN)
        return rows

    def row(self, instance: int, attribute: int) -> AttributeRow:
        """One row. Raises `CipError` 0x05 or 0x14."""
        for row in self.rows(instance):
            if row.id == attribute:
                return row
        raise CipError(ATTRIBUTE_NOT_SUPPORTED)

    def restore(self) -> None:
        """All that clients have set is again as it was configured."""
        for rows in self.instances.values():
            for row in rows:
                if row.restore is not None:
                    row.restore()

    def extent(self) -> tuple[int, int, int]:
        """The highest instance, how many there are, and the highest attribute of one."""
        last = max((row.id for rows in self.instances.values() for row in rows), default=0)
        return max(self.instances, default=0), len(self.instances), last

    def _class_rows(self) -> list[AttributeRow]:
        highest_instance, count, last = self.extent()
        highest = max((7, *(row.id for row in self.class_attributes)))
        values = (
            (1, "revision", self.revision),
            (2, "max instance", min(highest_instance, 0xFFFF)),
            (3, "number of instances", min(count, 0xFFFF)),
            (6, "max class attribute", highest),
            (7, "max instance attribute", last),
        )
        rows = [constant(ident, name, _U16.pack(value), ident in self.class_listed) for ident, name, value in values]
        return sorted([*rows, *self.class_attributes], key=lambda row: row.id)


@dataclass(slots=True)
class ObjectTarget:
    """An instance of an object, and an attribute of it (None when the path names none)."""

    object: Object
    instance: int
    attribute: int | None
    services: Mapping[int, Handler]
