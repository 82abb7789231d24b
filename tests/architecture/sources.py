"""The Python files of this tree, read and parsed once for all architecture tests."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from farm.topology.collector import paused_collection

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """A file: its path from the top of the tree and its text."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        with paused_collection():  # nothing of it is garbage, and it would be looked through again and again
            return ast.parse(self.text, str(self.path))

    @property
    def module(self) -> str:
        """The dotted name it is imported by."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement under `tree`, and every `except` and `case`: a tenth of its nodes, for expressions have none."""
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(item, name, ())
            waiting += inner
            yield from inner


def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file under `folders`, in order of path."""
    return tuple(source for folder in folders for source in _in_folder(folder))


@cache
def _in_folder(folder: str) -> tuple[Source, ...]:
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        found.append(Source(path.relative_to(ROOT), path.read_text(encoding="utf-8")))
    return tuple(found)
