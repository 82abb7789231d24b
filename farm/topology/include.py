"""A plant file with everything it includes, as one tree in which the including file wins.

An include names files below the plant's own folder and nothing else: a plant that was copied from somewhere must not
read `../../etc/passwd` into an error message, nor follow a link out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from farm.topology.document import ListNode, MapNode, Node, Scalar, Source, shown
from farm.topology.keys import PLANT
from farm.topology.load import Budget, load
from farm.topology.merge import merge_maps, normalise
from farm.topology.problem import Report
from farm.topology.shapes import Section

MAX_FILES = 100

INCLUDED: Section = replace(PLANT, keys=tuple(replace(key, required=False) for key in PLANT.keys), _by_name={})
"""The keys of an included file: the same, none of them needed."""


@dataclass(slots=True)
class PlantFile:
    """The merged tree, and every file that went into it."""

    root: MapNode
    sources: list[Source]


def read_plant(path: Path, report: Report) -> PlantFile | None:
    """The plant file at `path` with its includes, checked. None, with errors noted, when a file cannot be read."""
    reader = _Reader(path.parent, path.parent.resolve(), report)
    root = reader.read(path, ())
    return None if root is None or reader.broken else PlantFile(root, reader.sources)


@dataclass(slots=True)
class _Reader:
    folder: Path
    boundary: Path
    report: Report
    budget: Budget = field(default_factory=Budget)
    sources: list[Source] = field(default_factory=list)
    done: set[Path] = field(default_factory=set)
    broken: bool = False

    def read(self, path: Path, opened: tuple[Path, ...]) -> MapNode | None:
        """The tree of one file and of what it includes; `opened` are the files that led here."""
        source = Source(str(path))
        self.sources.append(source)
        tree = load(path, source, self.report, self.budget)
        if tree is None:
            self.broken = True
            return None
        (INCLUDED if opened else PLANT).check(tree, "an included file" if opened else "the plant file", self.report)
        normalise(tree, self.report)
        merged: MapNode | None = None
        real = path.resolve()
        self.done.add(real)
        for place, included in self.files(tree, path):
            inner = self.follow(place, included, (*opened, real))
            if inner is not None:
                merged = inner if merged is None else merge_maps(merged, inner)
        return tree if merged is None else merge_maps(merged, tree)

    def follow(self, place: Node, path: Path, opened: tuple[Path, ...]) -> MapNode | None:
        """One included file, unless it is being read already (an error) or was (once is enough)."""
        real = path.resolve()
        if real in opened:
            self.report.error("F006", place, f"{shown(str(path))} includes itself in a circle")
            return None
        if real in self.done:
            return None
        if len(self.sources) >= MAX_FILES:
            self.report.error("F006", place, f"the plant has more than {MAX_FILES} files")
            self.broken = True
            return None
        return self.read(path, opened)

    def files(self, tree: MapNode, including: Path) -> Iterator[tuple[Node, Path]]:
        """The files that `include` of a tree names, in order, each with the place that names it."""
        node = tree.get("include")
        items = node.items if isinstance(node, ListNode) else [node] if node is not None else []
        for item in items:
            if isinstance(item, Scalar):
                for path in self.matches(item, including):
                    yield item, path

    def matches(self, pattern: Scalar, including: Path) -> list[Path]:
        """The files a pattern names, sorted; an error when there is none or one lies outside the plant's folder."""
        text = pattern.text
        parts = PurePosixPath(text).parts
        if not parts or text.startswith("/") or "\\" in text or "**" in text or ".." in parts or "$" in text:
            hint = "name files below the plant's folder, with * and ? but no .., ** or ${…}"
            self.report.error("F006", pattern, f"cannot include {shown(text)}", hint)
            return []
        try:
            found = sorted(including.parent.glob(text))[: MAX_FILES + 1]
        except (OSError, ValueError) as exc:
            self.report.error("F006", pattern, f"cannot include {shown(text)}: {exc}")
            return []
        if any(mark in text for mark in "*?["):
            found = [path for path in found if path.name != including.name or path.parent != including.parent]
        if not found:
            self.report.error("F006", pattern, f"{shown(text)} matches no file")
        return [path for path in found if self.inside(path, pattern)]

    def inside(self, path: Path, pattern: Scalar) -> bool:
        """Whether a file really lies in the plant's folder, links followed."""
        try:
            inside = path.resolve(strict=True).is_relative_to(self.boundary)
        except (OSError, RuntimeError):
            inside = False
        if not inside:
            self.report.error("F006", pattern, f"{shown(str(path))} leads out of the plant's folder")
        return inside
