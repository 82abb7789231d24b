"""Machines that end in a value: what they read is at `<context>` in the data when they have ended.

integer    -12    0x1F          an int
real       1.5    -2e3          a float
string     "a ""quoted"" word"  a str, without its quotes
structure  <HHI                 what `struct` unpacks, as bytes come
octets     5 or a length read before   that many bytes, or characters
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from struct import Struct

from node.automata.dotted import dotdict
from node.automata.grammars import grammar
from node.automata.machine import Amount, amount, dfa
from node.automata.sources import Block, peekable
from node.automata.states import state
from node.automata.table import Pair


class _Read(dfa):
    """A machine over text whose input, when it has ended, becomes a value in its place."""

    grammar_name = ""

    def __init__(self, name: str, *, terminal: bool = False, greedy: bool = True, context: str = "value") -> None:
        first = grammar(self.grammar_name).states(text=True)
        super().__init__(name, first, terminal=terminal, greedy=greedy, context=context)

    def value(self, text: str) -> object:
        """What a text that was accepted means."""
        return text

    def began(self, data: dotdict, path: str) -> None:
        """A value that was there before makes way."""
        data.pop(path, None)

    def ended(self, source: peekable, data: dotdict | None, path: str) -> bool:
        """Puts the value where the input was."""
        if data is not None:
            data[path] = self.value(str(data[f"{path}.input"]))
        return True


class integer(_Read):
    """A whole number, signed or not; 0x, 0o and 0b say its base."""

    grammar_name = "integer"

    def value(self, text: str) -> int:
        """The number."""
        return int(text, 10 if text.lstrip("+-").isdigit() else 0)


class real(_Read):
    """A number with a point or an exponent, or without."""

    grammar_name = "real"

    def value(self, text: str) -> float:
        """The number."""
        return float(text)


class string(_Read):
    """A text in double quotes; two of them within it are one."""

    grammar_name = "string"

    def value(self, text: str) -> str:
        """What is between the quotes."""
        return text[1:-1].replace('""', '"')


class octets(dfa):
    """As many symbols as `size` says, whatever they are; fewer are not accepted."""

    def __init__(self, name: str, size: Amount, *, terminal: bool = False, context: str = "octets") -> None:
        super().__init__(name, state(name, terminal=True), terminal=terminal, context=context)
        self.size = size

    @property
    def settled(self) -> bool:
        """Its size may depend on the data."""
        return False

    def put(self, block: Block, data: dotdict, path: str) -> None:
        """Keeps what came."""
        data[path] = block

    def fits(self, data: dotdict, path: str) -> bool:
        """Whether what was kept can be: else it goes back to the source, and is not accepted."""
        return True

    def silently(self, source: peekable, data: dotdict | None, path: str) -> bool:
        """Takes them at once."""
        wanted = amount(self.size, data, path)
        return self._took(source, source.take(wanted), wanted, data, path)

    def aloud(self, source: peekable, data: dotdict | None, path: str) -> Generator[Pair, None, bool]:
        """Takes them as they come, and says when there are too few."""
        wanted = amount(self.size, data, path)
        block = source.take(wanted)
        while len(block) < wanted:
            yield self, None
            more = source.take(wanted - len(block))
            if not more:
                break
            block = [*block, *more] if isinstance(block, list) else block + more  # type: ignore[operator]
        return self._took(source, block, wanted, data, path)

    def _took(self, source: peekable, block: Block, wanted: int, data: dotdict | None, path: str) -> bool:
        fits = len(block) >= wanted
        here = self.context(path)
        if data is not None and fits:
            self.put(block, data, here)
            fits = self.fits(data, here)
            if not fits:
                for symbol in reversed(block):
                    source.push(symbol)
        self.current = self.initial if fits else None
        return fits


class structure(octets):
    """A structure of fixed size, in bytes. `names` are those of its fields in the data; one without a name is the value
    itself, several are a tuple."""

    def __init__(
        self, name: str, layout: str, names: Sequence[str] = (), *, terminal: bool = False, context: str = "structure"
    ) -> None:
        self.layout = Struct(layout)
        self.names = tuple(names)
        super().__init__(name, self.layout.size, terminal=terminal, context=context)

    def put(self, block: Block, data: dotdict, path: str) -> None:
        """Unpacks them."""
        fields = self.layout.unpack(block if isinstance(block, bytes) else bytes(block))  # type: ignore[arg-type]
        if not self.names:
            data[path] = fields[0] if len(fields) == 1 else fields
            return
        for name, field in zip(self.names, fields, strict=True):
            data[f"{path}.{name}" if path else name] = field
