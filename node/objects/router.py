"""The Message Router's work: a request's path leads to a tag or an object, and its service code to a handler.

Every `CipError` raised below becomes a reply here and nowhere else. Two bounded caches make polling cheap: path bytes
to target, and whole requests to replies prepared ahead (`node.objects.plans`). Both are dropped when a tag, a source
or a gate comes or goes; a hostile client that sends ever new requests only empties them.
"""

from collections.abc import Iterable

from node.cip.epath import Attribute as AttributeSegment
from node.cip.epath import Class, Element, Instance, Segment, Symbolic, decode_epath
from node.cip.message import error_reply
from node.cip.services import REPLY
from node.cip.status import (
    GENERAL_ERROR,
    INDEX_PAST_END,
    NOT_ENOUGH_DATA,
    PATH_DESTINATION_UNKNOWN,
    PATH_SEGMENT_ERROR,
    PATH_SIZE_INVALID,
    REPLY_DATA_TOO_LARGE,
    SERVICE_NOT_SUPPORTED,
    CipError,
)
from node.cip.unconnected import UNCONNECTED_LIMIT
from node.errors import RemoteProtocolError
from node.memory.access import Access
from node.memory.attribute import Attribute, Instant
from node.memory.tags import TagTable
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import AttributeRow, Call, Object, ObjectTarget, Plan, Requester, Target
from node.objects.plans import to_wire
from node.objects.tag_access import TAG_SERVICES, TagTarget

MAX_PLANS = 1024
MAX_PLAN_BYTES = 256 * 1024
MAX_TARGETS = 1024
MAX_DEPTH = 4
"""Messages within messages: Unconnected Send, Multiple Service Packet, and some to spare."""


class Router:
    """Routes requests among `tags` and `objects`. `instant` is set by the server before it hands in a frame."""

    def __init__(self, tags: TagTable, instant: Instant, objects: Iterable[Object] = ()) -> None:
        self.tags = tags
        self.instant = instant
        self.objects: dict[int, Object] = {}
        self.plans: dict[bytes, Plan] = {}
        self._plan_bytes = 0
        self._targets: dict[bytes, Target] = {}
        tags.watch(self.forget)
        for item in objects:
            self.add(item)

    def add(self, item: Object) -> None:
        """Adds an object, in place of one of the same class."""
        self.objects[item.class_id] = item
        self.forget()

    def forget(self) -> None:
        """Drops what was prepared."""
        self.plans.clear()
        self._plan_bytes = 0
        self._targets.clear()

    @property
    def now(self) -> float:
        """The instant of the request, in seconds."""
        return self.instant.now

    def request(
        self,
        message: bytes,
        trace: list[Access] | None = None,
        *,
        origin: Requester | None = None,
        limit: int = UNCONNECTED_LIMIT,
        depth: int = 0,
    ) -> bytes:
        """The reply to a Message Router request, at most `limit` bytes (an error's few bytes fit any).

        Raises `RemoteProtocolError` for no bytes at all: there is no service to reply to.
        """
        if trace is None:
            plan = self.plans.get(message)
            if plan is not None and plan.size <= limit:
                try:
                    return plan.read()
                except CipError:
                    del self.plans[message]
        if not message:
            raise RemoteProtocolError("a CIP message of no bytes, wanted a service and a path")
        try:
            reply = self._handle(message, trace, origin, limit, depth)
            if len(reply) > limit:
                raise CipError(REPLY_DATA_TOO_LARGE)
            return reply
        except CipError as exc:
            return error_reply(message[0] & ~REPLY, exc)

    def keep(self, message: bytes, plan: Plan) -> None:
        """Remembers how to answer the same bytes again."""
        if len(self.plans) >= MAX_PLANS or self._plan_bytes > MAX_PLAN_BYTES:
            self.plans.clear()
            self._plan_bytes = 0
        self.plans[message] = plan
        self._plan_bytes += len(message)

    def plan_of(self, message: bytes) -> Plan | None:
        """What was remembered for these bytes."""
        return self.plans.get(message)

    def _handle(
        self, message: bytes, trace: list[Access] | None, origin: Requester | None, limit: int, depth: int
    ) -> bytes:
        if len(message) < 2:
            raise CipError(NOT_ENOUGH_DATA)
        end = 2 + 2 * message[1]
        if end > len(message):
            raise CipError(PATH_SIZE_INVALID)
        path = message[2:end]
        target = self._targets.get(path) or self._find(path)
        service = message[0]
        handler = target.services.get(service)
        if handler is None or depth > MAX_DEPTH:
            raise CipError(SERVICE_NOT_SUPPORTED)
        return handler(Call(self, service, target, message[end:], message, limit, origin, trace, depth))

    def _find(self, path: bytes) -> Target:
        target = self._resolve(decode_epath(path))
        if len(self._targets) >= MAX_TARGETS:
            self._targets.clear()
        self._targets[path] = target
        return target

    def _resolve(self, segments: list[Segment]) -> Target:
        if not segments:
            raise CipError(PATH_SEGMENT_ERROR)
        if isinstance(segments[0], Symbolic):
            return self._named(segments)
        if isinstance(segments[0], Class):
            return self._numbered(segments[0].id, segments[1:])
        raise CipError(PATH_SEGMENT_ERROR)

    def _named(self, segments: list[Segment]) -> Target:
        names = []
        for segment in segments:
            if not isinstance(segment, Symbolic):
                break
            names.append(segment.name)
        attribute = self.tags.by_name(".".join(names))
        if attribute is None:
            raise CipError(PATH_SEGMENT_ERROR, (0,))
        return _aim(attribute, segments[len(names) :])

    def _numbered(self, class_id: int, rest: list[Segment]) -> Target:
        instance = 0
        number = None
        if rest and isinstance(rest[0], Instance):
            instance = rest.pop(0).id  # type: ignore[union-attr]
        if rest and isinstance(rest[0], AttributeSegment):
            number = rest.pop(0).id  # type: ignore[union-attr]
        if number is not None:
            tag = self.tags.by_address(class_id, instance, number)
            if tag is not None:
                return _aim(tag, rest)
        if rest:
            raise CipError(PATH_SEGMENT_ERROR)
        found = self.objects.get(class_id) or self._of_tags(class_id)
        found.rows(instance)
        return ObjectTarget(found, instance, number, found.services)

    def _of_tags(self, class_id: int) -> Object:
        """A class that exists because tags have addresses in it. Raises `CipError` 0x05 when none has."""
        instances: dict[int, list[AttributeRow]] = {}
        for address in sorted(self.tags.addresses()):
            attribute = self.tags.by_address(*address)
            if address[0] == class_id and attribute is not None:
                instances.setdefault(address[1], []).append(self._row_of(address[2], attribute))
        if not instances:
            raise CipError(PATH_DESTINATION_UNKNOWN)
        return Object(class_id, "tags", instances, READ_SERVICES)

    def _row_of(self, number: int, attribute: Attribute) -> AttributeRow:
        return AttributeRow(
            number, attribute.name, lambda: to_wire(attribute, attribute.dump(0, attribute.length, self.now))
        )


def _aim(attribute: Attribute, rest: list[Segment]) -> TagTarget:
    """The element that the segments behind a tag's name mean: none, or one for each dimension (a scalar takes 0)."""
    indexes = [segment.index for segment in rest if isinstance(segment, Element)]
    if len(indexes) != len(rest):
        raise CipError(PATH_SEGMENT_ERROR, (0,))
    dimensions = attribute.dimensions or (1,)
    if not indexes:
        return TagTarget(attribute, 0, False, TAG_SERVICES)
    if len(indexes) != len(dimensions):
        raise CipError(PATH_SEGMENT_ERROR, (0,))
    flat = 0
    for index, dimension in zip(indexes, dimensions, strict=True):
        if index >= dimension:
            raise CipError(GENERAL_ERROR, (INDEX_PAST_END,))
        flat = flat * dimension + index
    return TagTarget(attribute, flat, True, TAG_SERVICES)
