"""What a CIP object is here: a class with instances, attributes as rows, services by code (CIP Vol 1, 4-4).

Each object of a controller is a file that declares its rows and services; this one holds what they share, and what
travels with a request through them (`Call`). A handler gives the whole reply, because some replies carry data and a
status that is not success.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import ClassVar, Protocol

from node.cip.services import REPLY
from node.cip.status import ATTRIBUTE_NOT_SUPPORTED, PATH_DESTINATION_UNKNOWN, CipError
from node.cip.unconnected import UNCONNECTED_LIMIT
from node.memory.access import Access

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


@dataclass(slots=True)
class AttributeRow:
    """One attribute: `get` gives its bytes, `set` takes them (None: not settable; raises `CipError`); `listed` says
    whether Get Attributes All returns it."""

    id: int
    name: str
    get: Callable[[], bytes]
    set: Callable[[bytes], None] | None = None
    listed: bool = True


def constant(ident: int, name: str, data: bytes, listed: bool = True) -> AttributeRow:
    """A row whose bytes never change."""
    return AttributeRow(ident, name, lambda: data, None, listed)


@dataclass(slots=True)
class Object:
    """One class: `instances` maps an instance number to its rows, `services` a code to its handler. Instance 0, the
    class itself, always has attributes 1, 2, 3, 6 and 7."""

    class_id: int
    name: str
    instances: dict[int, list[AttributeRow]]
    services: dict[int, Handler] = field(default_factory=dict)
    revision: int = 1

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

    def _class_rows(self) -> list[AttributeRow]:
        last = max((row.id for rows in self.instances.values() for row in rows), default=0)
        values = (
            (1, "revision", self.revision),
            (2, "max instance", max(self.instances, default=0)),
            (3, "number of instances", len(self.instances)),
            (6, "max class attribute", 7),
            (7, "max instance attribute", last),
        )
        return [constant(ident, name, _U16.pack(value)) for ident, name, value in values]


@dataclass(slots=True)
class ObjectTarget:
    """An instance of an object, and an attribute of it (None when the path names none)."""

    object: Object
    instance: int
    attribute: int | None
    services: Mapping[int, Handler]
