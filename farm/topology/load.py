"""Reads a YAML file into a tree with positions, and refuses what is no honest plant file.

Plant files are copied from strangers, so a file is hostile until it is read: only regular files of a bounded size are
opened, and the tree is built from the parser's events, so that depth, aliases and size are counted while they arrive,
before anything large exists (`yaml.compose` on its own would build all of it first). Plain scalars keep their text:
what `on` or `1.10` means is decided by the key that wants it, after YAML 1.2.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import yaml

from farm.topology.collector import paused_collection
from farm.topology.document import ListNode, MapNode, Node, Scalar, Source, shown
from farm.topology.problem import Place, Report

MAX_BYTES = 5_000_000
MAX_DEPTH = 20
MAX_ALIASES = 100
MAX_VALUES = 200_000
MAX_SCALAR = 65_536

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _RefusedError(Exception):
    """The rest of the file is not worth reading; the reason is in the report."""


def read_text(path: Path, source: Source, report: Report) -> str | None:
    """The text of a file, None (and an error noted) when it is no readable UTF-8 text of at most `MAX_BYTES`.

    A device or a pipe is refused before it is read: it could hang, or never end.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        report.error("F001", Place(source), f"cannot be read: {reason}")
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            report.error("F001", Place(source), "is not a regular file", "name a YAML file")
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        report.error("F003", Place(source), f"is larger than {MAX_BYTES:,} bytes", "use groups and templates")
        return None
    return _decode(data, source, report)


def _decode(data: bytes, source: Source, report: Report) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        report.error("F001", Place(source, line, 1), f"byte 0x{data[exc.start]:02X} is not UTF-8", "save it as UTF-8")
        return None


@dataclass(slots=True)
class Budget:
    """What the files of one plant may still take together."""

    characters: int = MAX_BYTES
    values: int = MAX_VALUES
    aliases: int = MAX_ALIASES


def load(path: Path, source: Source, report: Report, budget: Budget) -> MapNode | None:
    """The map a YAML file holds; None, with errors noted, when there is none. What it took is taken off `budget`."""
    text = read_text(path, source, report)
    return None if text is None else parse(text, source, report, budget)


def parse(text: str, source: Source, report: Report, budget: Budget) -> MapNode | None:
    """The map a YAML text holds; None, with errors noted, when it is not one map."""
    source.lines = text.splitlines()
    budget.characters -= len(text)
    if budget.characters < 0:
        report.error("F003", Place(source), f"makes the plant's files larger than {MAX_BYTES:,} bytes together")
        return None
    composer = _Composer(source, report, budget)
    try:
        with paused_collection():
            root = composer.document(iter(_LOADER(text).get_event, None))
    except _RefusedError:
        return None
    except yaml.MarkedYAMLError as exc:
        _syntax_error(exc, source, report)
        return None
    except yaml.YAMLError as exc:
        _bad_character(exc, text, source, report)
        return None
    except RecursionError:
        report.error("F003", Place(source), f"is nested deeper than {MAX_DEPTH} levels")
        return None
    if isinstance(root, MapNode):
        return root
    report.error("F012", root or Place(source), "a plant file is a map, beginning with 'farm: 1'")
    return None


def _syntax_error(exc: yaml.MarkedYAMLError, source: Source, report: Report) -> None:
    mark = exc.problem_mark or exc.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    if "nesting depth" in (exc.problem or ""):  # a limit of libyaml's own, which it may meet before ours is
        report.error("F003", Place(source, line, column), f"is nested deeper than {MAX_DEPTH} levels")
        return
    text = source.lines[line - 1] if 0 < line <= len(source.lines) else ""
    hint = ""
    if text[max(0, column - 2) : column] == "${":
        column -= 1
        hint = "quote values that contain ${...} inside { }"
    elif text[column - 1 : column] == "@":
        hint = 'quote what begins with @, as in "@0-9"'
    elif text[column - 1 : column] == "\t" or "\t" in text[: column - 1]:
        hint = "indent with spaces, not tabs"
    what = exc.problem or "cannot be parsed"
    context = f" ({exc.context})" if exc.context else ""
    report.error("F002", Place(source, line, column), f"not YAML: {what}{context}", hint)


def _bad_character(exc: yaml.YAMLError, text: str, source: Source, report: Report) -> None:
    position = getattr(exc, "position", None)
    if not isinstance(position, int):
        report.error("F002", Place(source), "not YAML")
        return
    before = text[:position]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    character = ord(text[position]) if position < len(text) else 0
    report.error("F002", Place(source, line, column), f"not YAML: character U+{character:04X} is not allowed")


def _position(event: yaml.Event) -> tuple[int, int]:
    """Line and column from 1."""
    mark = event.start_mark
    return (0, 0) if mark is None else (mark.line + 1, mark.column + 1)


@dataclass(slots=True)
class _Anchor:
    node: Node
    size: int
    height: int


@dataclass(slots=True)
class _Composer:
    """Builds the tree of one document from parser events, counting what it makes."""

    source: Source
    report: Report
    budget: Budget
    anchors: dict[str, _Anchor | None] = field(default_factory=dict)

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        """The root of the only document; None for an empty file."""
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.refuse("F002", event, "a second document begins", "keep one plant in one file")
                root = self.node(next(events), events, 1)[0]
        return root

    def node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> tuple[Node, int]:
        """The value that begins with `event`, and its height in levels."""
        if isinstance(event, yaml.ScalarEvent) and event.anchor is None and event.tag is None:
            return self.scalar(event, depth), 1
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        before = self.budget.values
        self.charge(1, event)
        self.check_depth(depth, event)
        anchor: str | None = getattr(event, "anchor", None)
        tag: str | None = getattr(event, "tag", None)
        if anchor is not None:
            self.anchors[anchor] = None
        if tag is not None:
            hint = "write the value without it"
            self.report.error("F005", self.place(event), f"YAML tag {shown(tag)} is refused", hint)
        node, height = self.content(event, events, depth)
        if anchor is not None:
            self.anchors[anchor] = _Anchor(node, before - self.budget.values, height)
        return node, height

    def content(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> tuple[Node, int]:
        """A scalar, or a list or map with all that is in it; it is charged already."""
        if isinstance(event, yaml.ScalarEvent):
            self.budget.values += 1
            return self.scalar(event, depth), 1
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, events, depth)
        return self.mapping(event, events, depth)

    def scalar(self, event: yaml.ScalarEvent, depth: int) -> Scalar:
        """A text, charged here. Most values of a file are one, so it calls nothing while all is well."""
        budget = self.budget
        budget.values -= 1
        if budget.values < 0 or depth > MAX_DEPTH or len(event.value) > MAX_SCALAR:
            self.charge(0, event)
            self.check_depth(depth, event)
            self.refuse("F003", event, f"a text is longer than {MAX_SCALAR:,} characters")
        mark = event.start_mark
        line, column = (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
        return Scalar(event.value, not event.style, self.source, line, column)

    def sequence(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> tuple[Node, int]:
        items: list[Node] = []
        tallest = 0
        for inner in events:
            if isinstance(inner, yaml.SequenceEndEvent):
                break
            item, height = self.node(inner, events, depth + 1)
            items.append(item)
            tallest = max(tallest, height)
        return ListNode(items, self.source, *_position(event)), tallest + 1

    def mapping(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> tuple[Node, int]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        tallest = 0
        for inner in events:
            if isinstance(inner, yaml.MappingEndEvent):
                break
            key, _ = self.node(inner, events, depth + 1)
            value, height = self.node(next(events), events, depth + 1)
            if height > tallest:  # max() takes longer
                tallest = height
            if isinstance(key, Scalar) and key.text not in entries:
                entries[key.text] = (key, value)
            else:
                self.refuse_key(entries, key)
        return MapNode(entries, self.source, *_position(event)), tallest + 1

    def refuse_key(self, entries: dict[str, tuple[Scalar, Node]], key: Node) -> None:
        if isinstance(key, Scalar):
            first = entries[key.text][0]
            self.report.error("F004", key, f"key {shown(key.text)} stands twice; first at line {first.line}")
        else:
            self.report.error("F012", key, "a key must be a plain text", "quote it")

    def check_depth(self, depth: int, event: yaml.Event) -> None:
        if depth > MAX_DEPTH:
            self.refuse("F003", event, f"is nested deeper than {MAX_DEPTH} levels")

    def alias(self, event: yaml.AliasEvent, depth: int) -> tuple[Node, int]:
        """The anchored value itself, charged as if it were written out here."""
        name = event.anchor or ""
        anchor = self.anchors.get(name)
        if anchor is None:
            why = "refers to a value that contains it" if name in self.anchors else "has no anchor"
            self.refuse("F005", event, f"alias {shown('*' + name)} {why}")
        self.budget.aliases -= 1
        if self.budget.aliases < 0:
            self.refuse("F003", event, f"has more than {MAX_ALIASES} aliases", "use templates")
        self.charge(anchor.size, event)
        self.check_depth(depth + anchor.height - 1, event)
        return anchor.node, anchor.height

    def charge(self, values: int, event: yaml.Event) -> None:
        self.budget.values -= values
        if self.budget.values < 0:
            message = f"has more than {MAX_VALUES:,} values, aliases written out"
            self.refuse("F003", event, message, "use groups and templates")

    def place(self, event: yaml.Event) -> Place:
        return Place(self.source, *_position(event))

    def refuse(self, code: str, event: yaml.Event, message: str, hint: str = "") -> NoReturn:
        self.report.error(code, self.place(event), message, hint)
        raise _RefusedError
