"""One tree out of several: short forms written out, then maps merged by key.

`Level: REAL` and `Level: {init: 5}` can only be one tag when both are maps, so short forms are written out first, once
a file. A null stays in the merged tree until the end: it must also take away what a layer below, merged later, brings.
"""

from dataclasses import replace

from farm.topology.document import ListNode, MapNode, Node, Scalar, is_null
from farm.topology.keys import UNIT_RANGE
from farm.topology.link_text import split_delay
from farm.topology.problem import Report
from farm.topology.scalars import BadValueError
from farm.topology.vocabulary import BlockText
from node.config.schema import TABLES

LINK_KEYS = {"latency": "delay", "jitter": "jitter", "loss": "loss", "rate": "rate"}
"""Keys of a node to those of its `link` that they are short for."""

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
    links = root.map("links")
    for _, _, link in links.items() if links is not None else ():
        if isinstance(link, MapNode):
            _delay(link, report)


def _body(body: MapNode, report: Report) -> None:
    _one_to_list(body, "use")
    _tags(body.map("tags"))
    programs = body.map("programs")
    for _, _, program in programs.items() if programs is not None else ():
        if isinstance(program, MapNode):
            _tags(program.map("tags"))
    for table in TABLES:
        _blocks(body.map(table))
    _interfaces(body.map("interfaces"))
    _link(body, report)
    units = body.map("units")
    if units is not None:
        _units(units, report)


def _interfaces(interfaces: MapNode | None) -> None:
    for text, key, value in list(interfaces.items()) if interfaces is not None else ():
        if interfaces is not None:
            interfaces.entries[text] = (key, _long(value, "address"))


def _link(body: MapNode, report: Report) -> None:
    """Put `latency`, `jitter`, `loss` and `rate` of a body into its `link`, each value under one key."""
    short = [key for key in LINK_KEYS if key in body.entries]
    if not short and body.map("link") is None:
        return
    key, old = body.entries.get("link") or (replace(body.key(short[0]), text="link"), None)
    if old is not None and not isinstance(old, MapNode):
        report.error("F055", body.key(short[0]), f"'{short[0]}' and 'link' contradict each other", "say one of them")
        return
    # a link of its own: an anchor may have given this one to several bodies
    link = MapNode(dict(old.entries) if old is not None else {}, key.source, key.line, key.column)
    for name in short:
        written, value = body.entries.pop(name)
        if LINK_KEYS[name] in link.entries:
            report.error("F055", written, f"'{name}' is said by 'link' as well", "say it once")
        link.entries[LINK_KEYS[name]] = (replace(written, text=LINK_KEYS[name]), value)
    _delay(link, report)
    body.entries["link"] = (key, link)


def _delay(link: MapNode, report: Report) -> None:
    """Write out `delay: 40ms±10ms` as delay and jitter, so that each can be overridden by itself."""
    delay = link.scalar("delay")
    if delay is None:
        return
    first, second = split_delay(delay.text)
    if second is None:
        return
    if "jitter" in link.entries:
        report.error("F055", link.key("jitter"), "'jitter' is said by the delay as well", "say it once")
    key = link.key("delay")
    link.entries["delay"] = (key, replace(delay, text=first))
    link.entries["jitter"] = (replace(key, text="jitter"), replace(delay, text=second))


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
