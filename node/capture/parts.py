"""A frame taken apart: every field with its offset, its bytes, its name and what it means, and where it goes wrong.

A decoder of a node says that a frame is wrong; this says which byte it is, and what was wanted there. It reads the same
layouts, one field after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from node.capture.line import plain
from node.errors import NodeError
from node.record import dataclass

DEEPEST = 32
"""Parts within parts; real frames have a dozen."""


@dataclass(frozen=True, slots=True)
class Part:
    """A field: `offset` and `size` in bytes from the start of what was given; `depth` is how many parts it is in. One
    that others are in has no bytes of its own, a `size` of 0."""

    offset: int
    size: int
    depth: int
    name: str
    value: str = ""


class Spoilt(NodeError):
    """Where a frame goes wrong: at byte `offset`, where `wanted` was wanted and `got` is."""

    def __init__(self, offset: int, wanted: str, got: str) -> None:
        super().__init__(f"byte {offset}: {got} where {wanted} was wanted")
        self.offset = offset
        self.wanted = wanted
        self.got = got


class Reader:
    """Takes fields off `data` from `at` on, and notes each in `parts`. Every read raises `Spoilt` where there is too
    little."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at
        self.end = len(data)
        self.parts: list[Part] = []
        self._depth = 0

    @property
    def left(self) -> int:
        """Bytes that are left of the part that is read."""
        return self.end - self.at

    def raw(self, size: int, name: str, value: str | None = None) -> bytes:
        """So many bytes, shown as `value`."""
        found = self._take(size, name)
        if size:
            self.note(self.at - size, size, name, value if value is not None else f"{size} bytes")
        return found

    def number(
        self,
        size: int,
        name: str,
        names: Mapping[int, str] | None = None,
        *,
        big: bool = False,
        hexadecimal: bool = False,
    ) -> int:
        """An unsigned number of `size` bytes; with `names`, and what it is called."""
        found = int.from_bytes(self._take(size, name), "big" if big else "little")
        code = f"0x{found:0{2 * size}X}"
        if names is not None:
            value = f"{names[found]} ({code})" if found in names else f"unknown ({code})"
        else:
            value = code if hexadecimal else str(found)
        self.note(self.at - size, size, name, value)
        return found

    def note(self, offset: int, size: int, name: str, value: str = "") -> None:
        """A part that was read otherwise."""
        self.parts.append(Part(offset, size, self._depth, name, plain(value)))

    def amend(self, value: str) -> None:
        """Says more of the last part."""
        last = self.parts[-1]
        self.parts[-1] = Part(last.offset, last.size, last.depth, last.name, plain(value))

    def back(self, size: int, wanted: str, got: str) -> Spoilt:
        """The fault that lies in the field of `size` bytes just read."""
        return Spoilt(self.at - size, wanted, got)

    @contextmanager
    def part(self, name: str, value: str = "", size: int | None = None) -> Iterator[None]:
        """A part that others are in; with a `size`, which must be there, it ends so many bytes on. What is left of it
        in the end is noted as not read."""
        begun, end = self.at, self.end
        if size is not None and size > self.left:
            raise Spoilt(self.end, f"{size} bytes of {name}", f"the end, after {self.left} of them")
        self.note(begun, 0, name, value)
        self._depth += 1
        self.end = end if size is None else begun + size
        if self._depth > DEEPEST:
            raise Spoilt(self.at, f"at most {DEEPEST} parts within each other", "one more")
        yield
        if size is not None and self.left:
            self.raw(self.left, "surplus")
        self.end = end
        self._depth -= 1

    def _take(self, size: int, name: str) -> bytes:
        if size > self.left:
            some = f"{size} byte{'s' if size != 1 else ''}"
            got = f"the end, after {self.left} of them" if self.left else "the end"
            raise Spoilt(self.end, f"{name}, {some}," if self.left == 0 else f"{name} of {some}", got)
        self.at += size
        return self.data[self.at - size : self.at]
