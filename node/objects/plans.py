"""Replies prepared ahead, for requests whose bytes come again and again, as polls do.

The router remembers a plan by the request's bytes; the values are taken when the reply is sent, from a view on the
attribute's array where that is all there is to it. Plans are dropped when a tag, a source or a gate comes or goes, so a
plan need not look whether one did. (A dictionary hit costs 0.1 µs; decoding the request and its path some 5.)
"""

from collections.abc import Callable, Sequence

from node.cip.types import BOOL
from node.memory.attribute import Attribute, Source
from node.memory.bit import BitAttribute
from node.objects.object import Call, Plan, Service


def to_wire(attribute: Attribute, data: bytes) -> bytes:
    """Memory bytes as they are sent: a true BOOL is the byte that its device answers."""
    return data.translate(attribute.wire_bools) if attribute.type is BOOL else data


class ViewPlan:
    """Plain memory."""

    __slots__ = ("_head", "_view", "size")

    def __init__(self, head: bytes, view: memoryview) -> None:
        self._head = head
        self._view = view
        self.size = len(head) + len(view)

    def read(self) -> bytes:
        """The reply."""
        return self._head + self._view


class SourcePlan:
    """Memory that a source writes first."""

    __slots__ = ("_attribute", "_head", "_router", "_source", "_start", "_stop", "_view", "size")

    def __init__(
        self,
        head: bytes,
        view: memoryview,
        source: Source,
        attribute: Attribute,
        start: int,
        stop: int,
        router: Service,
    ) -> None:
        self._head = head
        self._view = view
        self._source = source
        self._attribute = attribute
        self._start = start
        self._stop = stop
        self._router = router
        self.size = len(head) + len(view)

    def read(self) -> bytes:
        """The reply."""
        self._source.fill(self._attribute, self._router.now, self._start, self._stop)
        return self._head + self._view


class BoolPlan:
    """Plain memory of BOOLs, whose wire form differs."""

    __slots__ = ("_head", "_view", "_wire", "size")

    def __init__(self, head: bytes, view: memoryview, wire: bytes) -> None:
        self._head = head
        self._view = view
        self._wire = wire
        self.size = len(head) + len(view)

    def read(self) -> bytes:
        """The reply."""
        return self._head + self._view.tobytes().translate(self._wire)


class BitPlan:
    """One bit of plain memory: there are two replies."""

    __slots__ = ("_false", "_mask", "_true", "_view", "size")

    def __init__(self, head: bytes, view: memoryview, mask: int, wire: bytes) -> None:
        self._view = view
        self._mask = mask
        self._false, self._true = head + wire[0:1], head + wire[1:2]
        self.size = len(self._true)

    def read(self) -> bytes:
        """The reply."""
        return self._true if self._view[0] & self._mask else self._false


class DumpPlan:
    """Anything of fixed size: BOOLs that a source writes first, overrides, gates."""

    __slots__ = ("_attribute", "_head", "_router", "_start", "_stop", "size")

    def __init__(self, head: bytes, attribute: Attribute, start: int, stop: int, router: Service) -> None:
        self._head = head
        self._attribute = attribute
        self._start = start
        self._stop = stop
        self._router = router
        self.size = len(head) + (stop - start) * attribute.size

    def read(self) -> bytes:
        """The reply. Raises `CipError` when the attribute refuses."""
        data = self._attribute.dump(self._start, self._stop, self._router.now)
        return self._head + to_wire(self._attribute, data)


class RowsPlan:
    """Attributes of an object, each of fixed size: what stands before one, then its bytes."""

    __slots__ = ("_head", "_parts", "size")

    def __init__(self, head: bytes, parts: Sequence[tuple[bytes, Callable[[], bytes]]], size: int) -> None:
        self._head = head
        self._parts = parts
        self.size = size

    def read(self) -> bytes:
        """The reply."""
        return self._head + b"".join([before + get() for before, get in self._parts])


class MultiplePlan:
    """A Multiple Service Packet of which every message has a plan."""

    __slots__ = ("_head", "_plans", "size")

    def __init__(self, head: bytes, plans: Sequence[Plan]) -> None:
        self._head = head
        self._plans = [plan.read for plan in plans]
        self.size = len(head) + sum(plan.size for plan in plans)

    def read(self) -> bytes:
        """The reply. Raises `CipError` when one of its attributes refuses: then the whole is run again, one by one."""
        return self._head + b"".join([read() for read in self._plans])


def plan_read(call: Call, attribute: Attribute, start: int, stop: int, head: bytes, within: int = 0) -> None:
    """Has the router remember how `call`, a read of elements [start, stop) from byte `within` of the first on, is
    answered: `head`, then the values."""
    view = attribute.view(start, stop)
    plan: Plan
    if attribute.type is BOOL:
        plan = _plan_bools(head, attribute, start, stop, view) or DumpPlan(head, attribute, start, stop, call.router)
    elif view is None:
        if within:
            return
        plan = DumpPlan(head, attribute, start, stop, call.router)
    elif attribute.source is None:
        plan = ViewPlan(head, view[within:])
    else:
        plan = SourcePlan(head, view[within:], attribute.source, attribute, start, stop, call.router)
    call.router.keep(call.message, plan)


def _plan_bools(head: bytes, attribute: Attribute, start: int, stop: int, view: memoryview | None) -> Plan | None:
    """For BOOLs that nothing moves; None where reading them is more than looking at memory."""
    if attribute.source is not None:
        return None
    if isinstance(attribute, BitAttribute) and (start, stop) == (0, 1):
        live = attribute.live()
        return None if live is None else BitPlan(head, *live, attribute.wire_bools)
    return None if view is None else BoolPlan(head, view, attribute.wire_bools)
