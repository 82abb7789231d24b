"""The Message Router's work: a request's path leads to a tag or an object, and its service code to a handler.

Every `CipError` raised below becomes a reply here and nowhere else. Two bounded caches make polling cheap: path bytes
to target, and whole requests to replies prepared ahead (`node.objects.plans`). Both are dropped when a tag, a source
or a gate comes or goes; a hostile client that sends ever new requests only empties them.
"""

from collections.abc import Iterable
from contextlib import suppress

from node.cip.epath import decode_epath
from node.cip.message import error_reply
from node.cip.services import REPLY
from node.cip.status import (
    NOT_ENOUGH_DATA,
    PATH_SIZE_INVALID,
    REPLY_DATA_TOO_LARGE,
    SERVICE_NOT_SUPPORTED,
    CipError,
)
from node.cip.unconnected import UNCONNECTED_LIMIT
from node.errors import RemoteProtocolError
from node.memory.access import Access
from node.memory.attribute import Attribute, Instant
from node.memory.hooks import Aside
from node.memory.tags import TagTable
from node.objects.object import Call, Object, Plan, Requester, Target
from node.objects.resolve import Resolver
from node.objects.shelf import Make, Shelf
from node.objects.tag_access import READS, TagTarget

MAX_PLANS = 1024
MAX_PLAN_BYTES = 256 * 1024
MAX_TARGETS = 1024
MAX_DEPTH = 4
"""Messages within messages: Unconnected Send, Multiple Service Packet, and some to spare."""
PLAN_DEPTH = 1
"""As deep a plan is looked for: with what it may hold itself, no deeper than `MAX_DEPTH`."""


class Router:
    """Routes requests among `tags` and `objects`. `instant` is set by the server before it hands in a frame."""

    def __init__(self, tags: TagTable, instant: Instant, objects: Iterable[Object] = ()) -> None:
        self.tags = tags
        self.instant = instant
        self.objects = Shelf()
        self.resolver = Resolver(tags, self.objects, instant)
        self.plans: dict[bytes, Plan] = {}
        self.aside: Aside | None = None
        """Where hooks of its tags may block; None while there are none such."""
        self._plan_bytes = 0
        self._targets: dict[bytes, Target] = {}
        tags.watch(self.forget)
        for item in objects:
            self.add(item)

    def add(self, item: Object) -> None:
        """Adds an object, in place of one of the same class."""
        self.offer(item.class_id, lambda: item)

    def offer(self, class_id: int, make: Make) -> None:
        """Adds one that is made when it is first asked for."""
        self.objects.offer(class_id, make)
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
        if trace is None and depth <= PLAN_DEPTH:
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

    def enter(self, messages: Iterable[bytes]) -> None:
        """Raises `HookWaits`, before any of `messages` was run, where one of them comes to a hook that may block."""
        if self.aside is None:
            return
        for message in messages:
            with suppress(CipError):
                path = message[2 : 2 + 2 * message[1]] if len(message) > 1 else b""
                target = self._targets.get(path) or self._find(path)
                if not isinstance(target, TagTarget):
                    self.aside.enter(Attribute.timeout)  # there may be anything behind it
                else:
                    target.attribute.enter(False)
                    target.attribute.enter(message[0] not in READS)

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
        target = self.resolver.resolve(decode_epath(path))
        if len(self._targets) >= MAX_TARGETS:
            self._targets.clear()
        self._targets[path] = target
        return target
