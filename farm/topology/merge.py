"""One tree out of several: short forms written out, then maps merged by key.

`Level: REAL` and `Level: {init: 5}` can only be one tag when both are maps, so short forms are written out first, once
a file. A null stays in the merged tree until the end: it must also take away what a layer below, merged later, brings.
"""

from farm.topology.document import ListNode, MapNode, Node, Scalar, is_null
from farm.topology.keys import UNIT_RANGE
from farm.topology.problem import Report
from farm.topology.scalars import BadValueError
from farm.topology.vocabulary import BlockText
from node.config.schema import TABLES

_BODIES = ("kinds", "templates", "groups", "nodes")
_BLOCK = BlockText()


def merge(base: Node, over: Node) -> Node:
    """`over` on top of `base`: maps merge by key, anything else replaces."""
    if isinstance(base, MapNode) and isinstance(over, MapNode):
        return merge_maps(base, over)
    return over


def merge_maps(base: MapNode, over: MapNode) -> MapNode:
    """`merge` for two maps. Keys keep the order of `base`; new ones follow."""
    if not base.entries or (over.exclusive and over.entries and base.entries.keys() != over.entries.keys()):
        return over
    if not over.entries:
        return base
    entries = dict(base.entries)
    for text, (key, value) in over.entries.items():
        known = entries.get(text)
        entries[text] = (key, value) if known is None else (key, merge(known[1], value))
    return MapNode(entries, over.source, over.line, over.column, over.exclusive)


def normalise(root: MapNode, report: Report) -> None:
    """Write out the short forms of a file's tree, in place."""
    defaults = root.map("defaults")
    if defaults is not None:
        _body(defaults, report)
    for section in _BODIES:
        bodies = root.map(section)
        for _, _, body in bodies.items() if bodies is not None else ():
            if isinstance(body, MapNode):
                _body(body, report)


def _body(body: MapNode, report: Report) -> None:
    _one_to_list(body, "use")
    _tags(body.map("tags"))
    programs = body.map("programs")
    for _, _, program in programs.items() if programs is not None else ():
        if isinstance(program, MapNode):
            _tags(program.map("tags"))
    for table in TABLES:
        _blocks(body.map(table))
    units = body.map("units")
    if units is not None:
        _units(units, report)


def _tags(tags: MapNode | None) -> None:
    for text, key, value in list(tags.items()) if tags is not None else ():
        entry = _long(value, "type")
        _signal(entry)
        members = entry.map("members") if isinstance(entry, MapNode) else None
        for path, written, member in list(members.items()) if members is not None else ():
            long = _long(member, "init")
            _signal(long)
            if members is not None:
                members.entries[path] = (written, long)
        if tags is not None:
            tags.entries[text] = (key, entry)


def _blocks(blocks: MapNode | None) -> None:
    for text, key, value in list(blocks.items()) if blocks is not None else ():
        block = _long(value, _short_key(value))
        _signal(block)
        if blocks is not None:
            blocks.entries[text] = (key, block)


def _short_key(value: Node) -> str:
    """What the short form of a block gives: its type, or its initial value."""
    if not isinstance(value, Scalar) or value.dollar:
        return "init"
    try:
        return "init" if _BLOCK.read(value) is None else "type"
    except BadValueError:
        return "type"


def _long(value: Node, key: str) -> Node:
    """The long form of a value: itself, or a map with it under `key`."""
    if isinstance(value, MapNode):
        return value
    place = (value.source, value.line, value.column)
    return MapNode({key: (Scalar(key, True, *place), value)}, *place)


def _signal(entry: Node) -> None:
    """Write out `signal: sine` as `signal: {sine: {}}`, and mark it as one of several."""
    if not isinstance(entry, MapNode) or "signal" not in entry.entries:
        return
    key, value = entry.entries["signal"]
    if is_null(value) or isinstance(value, ListNode):
        return
    if isinstance(value, Scalar):
        place = (value.source, value.line, value.column)
        value = MapNode({value.text: (value, MapNode({}, *place))}, *place)
    for name, (written, parameters) in value.entries.items():
        if is_null(parameters):
            value.entries[name] = (written, MapNode({}, parameters.source, parameters.line, parameters.column))
    value.exclusive = True
    entry.entries["signal"] = (key, value)


def _units(units: MapNode, report: Report) -> None:
    """Write out ranges of units, so that one of them can be overridden by its number."""
    entries: dict[str, tuple[Scalar, Node]] = {}
    for text, (key, value) in units.entries.items():
        if isinstance(value, MapNode):
            _one_to_list(value, "use")
            for table in TABLES:
                _blocks(value.map(table))
        try:
            first, last = UNIT_RANGE.read(key)
        except BadValueError:
            entries[text] = (key, value)
            continue
        for unit in range(first, last + 1):
            if str(unit) in entries:
                report.error("F063", key, f"unit {unit} is given twice")
            entries[str(unit)] = (key, value)
    units.entries = entries


def _one_to_list(body: MapNode, name: str) -> None:
    entry = body.entries.get(name)
    if entry is not None and isinstance(entry[1], Scalar) and not entry[1].is_null:
        key, value = entry
        body.entries[name] = (key, ListNode([value], value.source, value.line, value.column))
