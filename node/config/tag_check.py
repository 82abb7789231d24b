"""What is wrong with the tags of a node: each by itself, and those that are other names against what they name."""

import re
from collections.abc import Iterator, Mapping, Sequence

from node.cip.template import Kind, Template
from node.cip.text import TextType
from node.cip.types import BOOL
from node.config.model import ACCESS, ON_WRITE, PartConfig, Scalar, SignalConfig, TagConfig
from node.config.moving import overlap
from node.config.places import MAX_PLACES, Spot, find, places, root
from node.config.problem import Problem
from node.config.structures import identifier_fault, tag_kind
from node.config.tagspec import check_dimensions, check_name, check_type
from node.errors import ConfigError
from node.signals import waveform

PROGRAM = "Program:"
"""How the name of a program's tag begins."""

MAX_BYTES = 1 << 25
"""Bytes of one tag."""

MAX_CHAIN = 20
"""Aliases that name each other in a row."""

_CLASS = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)

Tags = Mapping[str, TagConfig]
"""Name without case to tag."""


def tag_problems(tag: TagConfig, place: str, templates: Mapping[str, Template]) -> list[Problem]:
    """What is wrong with one tag by itself; `templates` are the node's own structures."""
    found = list(_name_problems(tag, place))
    own = [template.name for template in templates.values()]
    for field, check in (
        ("type", lambda: check_type(tag.type, "", own)),
        ("dimensions", lambda: check_dimensions(tag.dimensions, "")),
    ):
        try:
            check()
        except ConfigError as exc:
            found.append(Problem(f"{place}.{field}", exc.message))
    if tag.address is not None and not all(0 <= number <= 0xFFFF for number in tag.address):
        found.append(Problem(f"{place}.address", "class, instance and attribute are 0 to 65535 each"))
    if tag.access not in ACCESS:
        found.append(Problem(f"{place}.access", f"{tag.access!r}; wanted {', '.join(ACCESS)}"))
    if tag.code and not _CLASS.fullmatch(tag.code):
        found.append(Problem(f"{place}.code", f"{tag.code!r}; wanted a class as package.module:Class"))
    if tag.packed and (tag.type != BOOL.name or len(tag.dimensions) != 1):
        found.append(Problem(f"{place}.packed", "only BOOL arrays of one dimension are packed"))
    kind = tag_kind(tag.type, templates)
    if tag.alias:
        found += _alias_problems(tag, place)
    elif kind is not None and not found:
        if kind.size * tag.length > MAX_BYTES:
            found.append(Problem(f"{place}.dimensions", f"{kind.size * tag.length} bytes; wanted at most {MAX_BYTES}"))
        found += _initial_problems(tag.initial, tag.length, kind, place)
        found += _signal_problems(tag.signal, kind, place)
        found += _part_problems(tag, Spot(kind, tag.dimensions, packed=tag.packed), place)
    return found


def split_path(text: str, tags: Tags) -> tuple[TagConfig, str] | None:
    """The tag that `text` begins with, and the path behind it; None when there is none. The longest name wins, for
    names may have dots (`Program:Main.Step.Active`)."""
    whole = tags.get(text.casefold())
    if whole is not None:
        return whole, ""
    ends = [at for at, character in enumerate(text) if character in ".["]
    for end in reversed(ends):
        found = tags.get(text[:end].casefold())
        if found is not None:
            return found, text[end:]
    return None


def target_of(alias: str, tags: Tags) -> tuple[TagConfig, str]:
    """The tag, no alias itself, that an alias comes to, and the path behind it.

    Raises `ConfigError` for one that leads nowhere, or in a circle.
    """
    text, seen = alias, [alias]
    while len(seen) <= MAX_CHAIN:
        found = split_path(text, tags)
        if found is None:
            raise ConfigError(alias, 0, f"there is no tag {text!r}")
        tag, path = found
        if not tag.alias:
            return tag, path
        text = tag.alias + path
        if tag.alias in seen:
            raise ConfigError(alias, 0, f"aliases name each other in a circle: {' -> '.join([*seen, tag.alias])}")
        seen.append(tag.alias)
    raise ConfigError(alias, 0, f"aliases name each other more than {MAX_CHAIN} deep")


def alias_spot(alias: str, tags: Tags, templates: Mapping[str, Template]) -> Spot:
    """The place that an alias names. Raises `ConfigError` for one that is none."""
    tag, path = target_of(alias, tags)
    whole = root(tag, templates)
    if whole is None:
        raise ConfigError(alias, 0, f"tag {tag.name!r} has no type that is known")
    return find(whole, path)


def reference_problems(config: Sequence[TagConfig], tags: Tags, templates: Mapping[str, Template]) -> Iterator[Problem]:
    """Aliases that do not name what they say."""
    for tag in config:
        if not tag.alias:
            continue
        place = f"tags.{tag.name}.alias"
        try:
            spot = alias_spot(tag.alias, tags, templates)
        except ConfigError as exc:
            yield Problem(place, f"{tag.alias!r}: {exc.message}")
            continue
        if (spot.kind, spot.dimensions, spot.packed) != (tag_kind(tag.type, templates), tag.dimensions, tag.packed):
            lengths = f"[{','.join(map(str, spot.dimensions))}]" if spot.dimensions else ""
            yield Problem(place, f"{tag.alias!r} is {spot.kind.name}{lengths}, not what the tag says that it is")


def part_spots(tag: TagConfig, path: str, templates: Mapping[str, Template]) -> Iterator[Spot]:
    """The members or elements of `tag` that `path` means. Raises `ConfigError` when there are none."""
    whole = root(tag, templates)
    if whole is None:
        raise ConfigError(tag.name, 0, f"type {tag.type!r} is unknown")
    yield from places(whole, path)


def takes_text(kind: Kind) -> bool:
    """Whether a value of `kind` is a text."""
    return isinstance(kind, TextType) or (isinstance(kind, Template) and kind.capacity > 0)


def misfit(kind: Kind, value: Scalar) -> str:
    """What `kind` takes, when it does not take `value`; else ""."""
    if isinstance(kind, TextType) or (isinstance(kind, Template) and kind.capacity):
        fits = isinstance(value, str) and len(value) <= kind.capacity and all(ord(c) < 256 for c in value)
        return "" if fits else f"a text of at most {kind.capacity} ISO-8859-1 characters"
    if isinstance(kind, Template):
        return "a value for each member by itself"
    if kind is BOOL:
        return "" if not isinstance(value, str) and value in (0, 1) else "true or false"
    whole = isinstance(kind.low, int)
    fits = (
        not isinstance(value, str | bool) and (isinstance(value, int) or not whole) and kind.low <= value <= kind.high
    )
    return "" if fits else f"{kind.low} to {kind.high}" if whole else "a number"


def _name_problems(tag: TagConfig, place: str) -> Iterator[Problem]:
    try:
        check_name(tag.name, "")
    except ConfigError as exc:
        yield Problem(f"{place}.name", exc.message)
        return
    if tag.name[: len(PROGRAM)].casefold() == PROGRAM.casefold():
        program, _, rest = tag.name[len(PROGRAM) :].partition(".")
        fault = identifier_fault(program, "program") or ("" if rest else "wanted Program:NAME.TAG")
        if fault:
            yield Problem(f"{place}.name", fault)


def _alias_problems(tag: TagConfig, place: str) -> Iterator[Problem]:
    plain = TagConfig(tag.name, tag.type)
    for field in ("initial", "signal", "parts", "address", "access", "constant", "code"):
        if getattr(tag, field) != getattr(plain, field):
            yield Problem(f"{place}.{field}", f"is the business of {tag.alias}, of which this is another name")


def _initial_problems(
    initial: Scalar | tuple[Scalar, ...] | None, length: int, kind: Kind, place: str
) -> Iterator[Problem]:
    values = initial if isinstance(initial, tuple) else () if initial is None else (initial,)
    if isinstance(initial, tuple) and len(values) != length:
        yield Problem(f"{place}.initial", f"{len(values)} values for {length} elements")
    for value in values:
        wanted = misfit(kind, value)
        if wanted:
            yield Problem(f"{place}.initial", f"{value!r} does not fit {kind.name}; wanted {wanted}")
            return


def _signal_problems(signal: SignalConfig | None, kind: Kind, place: str) -> Iterator[Problem]:
    if signal is None:
        return
    if isinstance(kind, TextType | Template):
        yield Problem(f"{place}.signal", f"a signal is a number and the type is {kind.name}")
    if signal.on_write not in ON_WRITE:
        yield Problem(f"{place}.signal", f"on_write {signal.on_write!r}; wanted {' or '.join(ON_WRITE)}")
    for message in waveform.problems(signal.kind, dict(signal.parameters)):
        yield Problem(f"{place}.signal", message)


def _part_problems(tag: TagConfig, whole: Spot, place: str) -> Iterator[Problem]:
    moving: list[Spot] = []
    for part in tag.parts:
        inner = f"{place}.parts.{part.path}"
        try:
            spot = next(places(whole, part.path))
        except ConfigError as exc:
            yield Problem(inner, exc.message)
            continue
        found = list(_one_part(part, spot, inner))
        yield from found
        if part.signal is not None and not found:
            moving.append(spot)
    count = sum(spot.count for spot in moving)
    if count > MAX_PLACES:
        yield Problem(f"{place}.parts", f"{count} elements with signals; wanted at most {MAX_PLACES}")
    shared = overlap(moving)
    if shared is not None:
        one, other = (spot.path.lstrip(".") for spot in shared)
        yield Problem(f"{place}.parts", f"the signals of {one} and {other} move the same")
    if tag.signal is not None and moving:
        yield Problem(f"{place}.signal", "moves the whole tag, so none of its parts can have a signal too")


def _one_part(part: PartConfig, spot: Spot, place: str) -> Iterator[Problem]:
    if not spot.path:
        yield Problem(place, "names no part of the tag")
    yield from _initial_problems(part.initial, spot.length, spot.kind, place)
    yield from _signal_problems(part.signal, spot.kind, place)
