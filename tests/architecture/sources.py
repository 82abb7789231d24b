"""The Python files of this tree, read and parsed once for all architecture tests."""

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """A file: its path from the top of the tree and its text."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, str(self.path))

    @property
    def module(self) -> str:
        """The dotted name it is imported by."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file under `folders`, in order of path."""
    return tuple(source for folder in folders for source in _in_folder(folder))


@cache
def _in_folder(folder: str) -> tuple[Source, ...]:
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        found.append(Source(path.relative_to(ROOT), path.read_text(encoding="utf-8")))
    return tuple(found)
