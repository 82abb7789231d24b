"""Blocks that clients may only read, or only write, whatever their tags allow."""

from node.cip.status import ATTRIBUTE_NOT_GETTABLE, ATTRIBUTE_NOT_SETTABLE, CipError
from node.memory.view import Coils, Commit, Reader, Registers, Span

READ_ONLY, WRITE_ONLY = "read only", "write only"


class GuardedRegisters:
    """`access` is `READ_ONLY` or `WRITE_ONLY`."""

    __slots__ = ("_access", "_view", "count")

    def __init__(self, view: Registers, access: str) -> None:
        self._view = view
        self._access = access
        self.count = view.count

    def span(self, start: int, stop: int) -> Span:
        return self._view.span(start, stop)

    def read(self, start: int, stop: int, now: float) -> bytes:
        self._admit_read()
        return self._view.read(start, stop, now)

    def reader(self, start: int, stop: int) -> Reader:
        self._admit_read()
        return self._view.reader(start, stop)

    def stage(self, start: int, data: bytes, now: float) -> Commit:
        if self._access == READ_ONLY:
            raise CipError(ATTRIBUTE_NOT_SETTABLE)
        return self._view.stage(start, data, now)

    def _admit_read(self) -> None:
        if self._access == WRITE_ONLY:
            raise CipError(ATTRIBUTE_NOT_GETTABLE)


class GuardedCoils:
    """The same of coils."""

    __slots__ = ("_access", "_view", "count")

    def __init__(self, view: Coils, access: str) -> None:
        self._view = view
        self._access = access
        self.count = view.count

    def span(self, start: int, stop: int) -> Span:
        return self._view.span(start, stop)

    def read(self, start: int, stop: int, now: float) -> int:
        if self._access == WRITE_ONLY:
            raise CipError(ATTRIBUTE_NOT_GETTABLE)
        return self._view.read(start, stop, now)

    def stage(self, start: int, stop: int, bits: int, now: float) -> Commit:
        if self._access == READ_ONLY:
            raise CipError(ATTRIBUTE_NOT_SETTABLE)
        return self._view.stage(start, stop, bits, now)
