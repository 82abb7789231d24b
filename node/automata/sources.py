"""What machines read: symbols that can be looked at before they are taken, and put back.

A source never reads ahead of what it was asked for, but for the one symbol that `peek` shows: the iterable may be a
connection. Whole texts, bytes and lists are kept as they are, so that a machine can run over them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

Symbol = Any
"""A character of a text, an integer of bytes, or whatever can be hashed."""

Block = str | bytes | list[Any]
WHOLE = (str, bytes, list)
"""Kinds of blocks."""


class peekable:
    """The symbols of `iterable`, one by one. `sent` counts those that were taken, less those that were put back."""

    __slots__ = ("_base", "_further", "_more", "_wall", "at", "block")

    def __init__(self, iterable: Iterable[Symbol] = "") -> None:
        self.block: Block = ""
        """Symbols that are here, those before `at` taken already."""
        self.at = 0
        self._base = 0
        self._wall: int | None = None
        self._further: list[Block] = []
        self._more: list[Iterator[Symbol]] = []
        if isinstance(iterable, str | bytes):
            self.block = iterable
        else:
            self._add(iterable)

    @property
    def sent(self) -> int:
        """Symbols that were taken, less those that were put back."""
        return self._base + self.at

    def peek(self, default: Symbol = None) -> Symbol:
        """The next symbol, which stays; `default` when there is none now."""
        if self.at < len(self.block) or self.load():
            return self.block[self.at]
        return default

    def push(self, symbol: Symbol) -> None:
        """Puts a symbol back: it will be the next."""
        if self.at and self.block[self.at - 1] == symbol:
            self.at -= 1
            return
        rest = self.block[self.at :]
        if rest:
            self._further.insert(0, rest)
        single = bytes((symbol,)) if isinstance(self.block, bytes) and type(symbol) is int else symbol
        self._base += self.at - 1
        self.at = 0
        self.block = single if isinstance(single, str | bytes) and len(single) == 1 else [symbol]

    def take(self, count: int) -> Block:
        """The next `count` symbols, or as many as there are."""
        found: Block | None = None
        while count > 0 and (self.at < len(self.block) or self.load()):
            part = self.block[self.at : self.at + count]
            self.at += len(part)
            count -= len(part)
            found = part if found is None else joined(found, part)
        return self.block[:0] if found is None else found

    def load(self) -> bool:
        """Has symbols be in `block` where all in it are taken; whether there are any. Those behind a wall are not."""
        while self.at >= len(self.block):
            self._base += len(self.block)
            self.at = 0
            self.block = self.block[:0]
            room = None if self._wall is None else self._wall - self._base
            if room is not None and room <= 0:
                return False
            found = self._next_block()
            if found is None:
                return False
            if room is not None and len(found) > room:
                self._further.insert(0, found[room:])
                found = found[:room]
            self.block = found
        return True

    def narrow(self, count: int) -> int | None:
        """Has this end after `count` more symbols, or earlier where it was to end already, until `widen` is given
        what this returns."""
        before, wall = self._wall, self.sent + max(count, 0)
        if before is None or wall < before:
            self._wall = wall
            end = wall - self._base
            if end < len(self.block):
                self._further.insert(0, self.block[end:])
                self.block = self.block[:end]
        return before

    def widen(self, before: int | None) -> None:
        """Takes the last `narrow` back."""
        self._wall = before

    def _add(self, iterable: Iterable[Symbol]) -> None:
        if isinstance(iterable, bytearray | memoryview):
            iterable = bytes(iterable)
        elif isinstance(iterable, tuple):
            iterable = list(iterable)
        if isinstance(iterable, WHOLE) and not self._more:
            if not self._further and self.at >= len(self.block):
                self._base += len(self.block)
                self.block, self.at = iterable, 0
            else:
                self._further.append(iterable)
        else:
            self._more.append(iter(iterable))

    def _next_block(self) -> Block | None:
        if self._further:
            return self._further.pop(0)
        while self._more:
            for symbol in self._more[0]:
                if isinstance(symbol, str) and len(symbol) == 1:
                    return symbol
                return bytes((symbol,)) if type(symbol) is int and 0 <= symbol < 256 else [symbol]
            self._more.pop(0)
        return None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Symbol:
        if self.at < len(self.block) or self.load():
            self.at += 1
            return self.block[self.at - 1]
        raise StopIteration


class chainable(peekable):
    """A source that goes on with what is added to it, also after it has ended."""

    __slots__ = ()

    def chain(self, iterable: Iterable[Symbol]) -> None:
        """More symbols, behind all there are."""
        self._add(iterable)


def joined(first: Block, second: Block) -> Block:
    """Both, as a list where they are not of one kind."""
    if isinstance(first, str) and isinstance(second, str):
        return first + second
    if isinstance(first, bytes) and isinstance(second, bytes):
        return first + second
    return [*first, *second]
