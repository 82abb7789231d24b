"""Code of somebody's own behind an attribute: `__getitem__` and `__setitem__` of a subclass, and what becomes of them.

A hook may ask a server far away, and it may fail as only strangers' code does. Without this file one slow hook would
stop every client of the node, and each of its exceptions would be a bug of ours.

An attribute whose hooks may block has an `Aside`. The core cannot wait: it raises `HookWaits` before anything of the
request was done, up to whoever holds the socket, who has the whole request run again aside, where hooks may take their
time. What a hook raises becomes a `CipError`, and is logged once:

    CipError             as it is
    PermissionError      0xFF/0x2100, no access      Modbus 02
    IndexError           0xFF/0x2105, past the end   Modbus 04
    TimeoutError         0x02, resource unavailable  Modbus 06
    ValueError, TypeError of a write   0x09, invalid attribute value   Modbus 04
    any other            0x1F, vendor specific error Modbus 04
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from node.cip.status import (
    GENERAL_ERROR,
    INDEX_PAST_END,
    INVALID_ATTRIBUTE_VALUE,
    NO_ACCESS,
    RESOURCE_UNAVAILABLE,
    VENDOR_SPECIFIC_ERROR,
    CipError,
)
from node.cip.structure_values import StructureValue as Value

if TYPE_CHECKING:
    from node.memory.attribute import Attribute

T = TypeVar("T")

MAX_KINDS = 100
"""Different faults of one attribute's hooks that are logged."""

log = logging.getLogger(__name__)


class HookWaits(Exception):
    """A request has come to a hook that may block, where nothing may wait. It is to be run again by `aside.run`, which
    gives up where it cannot begin within `seconds`."""

    def __init__(self, aside: "Aside", seconds: float) -> None:
        super().__init__(seconds)
        self.aside = aside
        self.seconds = seconds


class HookTimeout(Exception):
    """There was no room for a request whose hook may block."""


class GivenUp(BaseException):
    """Ends what was put aside, and whose answer nobody waits for any more."""


class Aside(Protocol):
    """Where hooks may take their time (`node.server.hook_pool`)."""

    def enter(self, seconds: float) -> None:
        """Raises `HookWaits`, unless what runs was put aside."""

    def call(self, hook: Callable[[], T], seconds: float, what: str) -> T:
        """What `hook` gives, while all others go on; `what` it is, for people. Raises `HookWaits` as `enter` does,
        `CipError` 0x02 where it takes longer than `seconds`, and `GivenUp`."""

    def run(self, work: Callable[[], T], seconds: float) -> Awaitable[T]:
        """Puts `work` aside: core code, whose hooks may wait. Awaiting it raises `HookTimeout`."""


def fetch(attribute: "Attribute", start: int, stop: int) -> list[Value]:
    """Elements [start, stop) by `__getitem__`: with the key 0 where the tag has no dimensions, else with a slice.

    Raises `CipError`, `HookWaits`.
    """
    if attribute.recalled is not None and attribute.recalled[:2] == (start, stop):
        return attribute.recalled[2]
    scalar = not attribute.dimensions
    key = 0 if scalar else slice(start, stop)
    with _faults_of(attribute, "__getitem__", False):
        found: object = _call(attribute, "__getitem__", lambda: attribute[key])
        values = cast("list[Value]", [found] if scalar else _sequence(found, stop - start))
        try:
            attribute.encode(values)
        except CipError as exc:
            raise TypeError(f"it gave {found!r:.80}, which does not fit {attribute.type.name}") from exc
    attribute.passed = start, stop, values
    return values


def put(attribute: "Attribute", start: int, values: Sequence[Value]) -> None:
    """Sets elements from `start` on by `__setitem__`, with keys as `fetch` has them. Raises the same."""
    stop = start + len(values)

    def act() -> None:
        if attribute.dimensions:
            attribute[start:stop] = values
        else:
            attribute[0] = values[0]

    with _faults_of(attribute, "__setitem__", True):
        _call(attribute, "__setitem__", act)
    attribute.passed = start, stop, list(values)


@contextmanager
def recalling(attribute: "Attribute") -> Iterator[None]:
    """While it lasts, who reads the elements that passed a hook of `attribute` last gets those, without calling it."""
    if attribute.passed is None:
        yield
        return
    attribute.recalled = attribute.passed
    try:
        yield
    finally:
        attribute.recalled = None


@contextmanager
def bypassing(attribute: "Attribute") -> Iterator[None]:
    """While it lasts, `attribute` is memory and nothing else: what a tag starts with is no access."""
    if not attribute.hooked:
        yield
        return
    attribute._direct = attribute._direct_set = True
    try:
        yield
    finally:
        del attribute._direct, attribute._direct_set


def without_waiting(attribute: "Attribute", act: Callable[[], T]) -> T:
    """What `act`, which reads `attribute` or a part of it, gives, where nothing may wait: of what passed a hook last,
    where it is just those elements, else of the memory."""
    try:
        with recalling(attribute):
            return act()
    except HookWaits:
        with bypassing(attribute):
            return act()


def _call(attribute: "Attribute", method: str, hook: Callable[[], T]) -> T:
    aside = attribute.aside
    return hook() if aside is None else aside.call(hook, attribute.timeout, _named(attribute, method))


def _named(attribute: "Attribute", method: str) -> str:
    return f"tag {attribute.name!r}: {type(attribute).__name__}.{method}"


def _sequence(found: object, count: int) -> list[object]:
    try:
        values = [*found]  # type: ignore[misc]
    except TypeError:
        raise TypeError(f"it gave {found!r:.80} for a slice; wanted a sequence of {count}") from None
    if len(values) != count or isinstance(found, str):
        raise TypeError(f"it gave {found!r:.80} for a slice; wanted a sequence of {count}")
    return values


@contextmanager
def _faults_of(attribute: "Attribute", method: str, writing: bool) -> Iterator[None]:
    try:
        yield
    except (CipError, HookWaits):
        raise
    except (Exception, SystemExit) as exc:
        error = _error(exc, writing)
        _log_once(attribute, method, exc, error)
        raise error from exc


def _error(exc: BaseException, writing: bool) -> CipError:
    match exc:
        case PermissionError():
            return CipError(GENERAL_ERROR, (NO_ACCESS,))
        case IndexError():
            return CipError(GENERAL_ERROR, (INDEX_PAST_END,))
        case TimeoutError():
            return CipError(RESOURCE_UNAVAILABLE)
        case ValueError() | TypeError() if writing:
            return CipError(INVALID_ATTRIBUTE_VALUE)
    return CipError(VENDOR_SPECIFIC_ERROR)


def _log_once(attribute: "Attribute", method: str, exc: BaseException, error: CipError) -> None:
    """With where it comes from; the same from the same line is not news."""
    trace = shown = _beyond_here(exc.__traceback__)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else ("", 0)
    kind = (type(exc).__name__, *place)
    if kind in attribute.faults or len(attribute.faults) >= MAX_KINDS:
        return
    attribute.faults |= {kind}
    log.warning("%s failed, clients get %s", _named(attribute, method), error, exc_info=(type(exc), exc, shown))


def _beyond_here(trace: TracebackType | None) -> TracebackType | None:
    """From the hook on: how it was called is nobody's affair."""
    found = trace
    while found is not None and found.tb_frame.f_globals.get("__name__") in (__name__, "node.server.hook_pool"):
        found = found.tb_next
    return found
