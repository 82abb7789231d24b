"""Where a path behind a tag's name leads, as a person types it: `.Speed`, `[2].History[3]`, `.3`.

    path    { "." name | "[" index { "," index } "]" }       the first dot may be left out

An array takes an index for each of its dimensions, or one that counts through all of them; the last of a path may be
left out and means all elements. `.3` is a bit of an integer, 0 the lowest. BOOL arrays that travel in DWORDs are
indexed by the BOOL: `Flags[37]` is bit 5 of the DWORD `Flags[1]`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from node.cip.epath import Element, Segment, Symbolic
from node.cip.template import Kind, Template
from node.cip.types import BOOL, Type
from node.config.hint import closest
from node.config.model import TagConfig
from node.config.structures import tag_kind
from node.errors import ConfigError
from node.record import dataclass

MAX_PLACES = 10_000
"""Elements that one path may mean when it leaves indices out."""

_SHOWN = 12

Step = str | tuple[int, ...]
"""A member, or the indices of an element."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Elements of `kind`, `dimensions` () for one of them. `path` names them as a person does; on the wire they are
    reached by `steps`, and `bit` is the bit of what is there when they are no more than that. The elements of a
    `packed` array are bits of DWORDs. Where indices were left out, `every` are their places in `steps`, and `count` is
    how many elements are meant."""

    kind: Kind
    dimensions: tuple[int, ...] = ()
    packed: bool = False
    path: str = ""
    steps: tuple[Step, ...] = ()
    bit: int | None = None
    every: tuple[int, ...] = ()
    count: int = 1

    @property
    def length(self) -> int:
        """Elements in all dimensions together."""
        return math.prod(self.dimensions)

    @property
    def segments(self) -> list[Segment]:
        """What stands behind the tag's name in a path on the wire."""
        found: list[Segment] = []
        for step in self.steps:
            found += [Symbolic(step)] if isinstance(step, str) else [Element(index) for index in step]
        return found if self.bit is None else [*found, Symbolic(str(self.bit))]

    @property
    def word_path(self) -> str:
        """The path of the whole value on the wire, without a bit."""
        return "".join(f".{step}" if isinstance(step, str) else _indices(step) for step in self.steps)


def root(tag: TagConfig, templates: Mapping[str, Template]) -> Spot | None:
    """The whole of a tag; None when its type is unknown."""
    kind = tag_kind(tag.type, templates)
    return None if kind is None else Spot(kind, tag.dimensions, tag.packed)


def find(tag: Spot, path: str) -> Spot:
    """The place behind `tag`, with every index given but the last. Raises `ConfigError` of one line."""
    spot = next(_walk(tag, _steps(path), path, every=False))
    if spot.count > 1:
        raise _wrong(path, "an index is missing, as in Line[3].Motor.Run")
    return spot


def places(tag: Spot, path: str) -> Iterator[Spot]:
    """Every place that `path` means behind `tag`: where an index is left out before a member, one for each element. The
    first of them has been checked for all. Raises `ConfigError` of one line."""
    steps = _steps(path)
    first = next(_walk(tag, steps, path, every=False))
    if first.count > MAX_PLACES:
        raise _wrong(path, f"means {first.count} elements; wanted at most {MAX_PLACES}")
    yield first
    if first.count > 1:
        for number, spot in enumerate(_walk(tag, steps, path, every=True)):
            if number:
                yield spot


def _walk(spot: Spot, steps: Sequence[Step], path: str, every: bool) -> Iterator[Spot]:
    """With `every` all the places, else the first of them."""
    if not steps:
        yield spot
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, tuple):
        yield from _walk(element(spot, step, path), rest, path, every)
    elif not spot.dimensions:
        yield from _walk(_inside(spot, step, path), rest, path, every)
    else:
        for index in range(spot.length if every else 1):
            left_out = (*spot.every, len(spot.steps))
            one = replace(element(spot, (index,), path), count=spot.count * spot.length, every=left_out)
            yield from _walk(_inside(one, step, path), rest, path, every)


def element(spot: Spot, indices: tuple[int, ...], path: str = "") -> Spot:
    """One element of an array, by an index for each dimension or one for all. Raises `ConfigError`."""
    dimensions = spot.dimensions
    if not dimensions:
        raise _wrong(path, f"{spot.path.lstrip('.') or 'the tag'} is no array")
    if len(indices) == 1:
        rest = indices[0]
        found: tuple[int, ...] = ()
        for length in reversed(dimensions[1:]):
            rest, index = divmod(rest, length)
            found = (index, *found)
        indices = (rest, *found)
    if len(indices) != len(dimensions):
        raise _wrong(path, f"{len(indices)} indices for {len(dimensions)} dimensions")
    if not all(index < length for index, length in zip(indices, dimensions, strict=True)):
        what = f"0 to {spot.length - 1}" if len(dimensions) == 1 else _indices(dimensions) + ", counted from 0"
        raise _wrong(path, f"{_indices(indices)} is past the end; elements are {what}")
    path = spot.path + _indices(indices)
    if spot.packed:
        word, bit = divmod(indices[0], 32)
        return Spot(spot.kind, (), False, path, (*spot.steps, (word,)), bit, spot.every, spot.count)
    return Spot(spot.kind, (), False, path, (*spot.steps, indices), None, spot.every, spot.count)


def _inside(spot: Spot, name: str, path: str) -> Spot:
    """A member of a structure, or a bit of an integer."""
    kind = spot.kind
    if isinstance(kind, Template):
        return _member(spot, kind, name, path)
    if not name.isdecimal():
        raise _wrong(path, f"{kind.name} has no members")
    if not isinstance(kind, Type) or kind is BOOL or not isinstance(kind.low, int):
        raise _wrong(path, f"{kind.name} has no bits")
    bit = int(name)
    if bit >= 8 * kind.size:
        raise _wrong(path, f"{kind.name} has bits 0 to {8 * kind.size - 1}")
    return replace(spot, kind=BOOL, path=f"{spot.path}.{bit}", bit=bit)


def _member(spot: Spot, template: Template, name: str, path: str) -> Spot:
    member = template.member(name)
    if member is None or member.hidden:
        names = [each.name for each in template.visible]
        close = closest(name, names)
        some = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
        hint = f"did you mean {close}?" if close else f"it has {some}"
        raise _wrong(path, f"{template.name} has no member {name!r}; {hint}")
    length = member.bits or member.length
    return replace(
        spot,
        kind=BOOL if member.bits else member.type,
        dimensions=(length,) if length else (),
        packed=bool(member.bits),
        path=f"{spot.path}.{member.name}",
        steps=(*spot.steps, member.name),
    )


def _steps(path: str) -> list[Step]:
    """`[2].History[3]` as [(2,), "History", (3,)]."""
    steps: list[Step] = []
    rest = path if path[:1] in (".", "[", "") else f".{path}"
    while rest:
        if rest[0] == "[":
            inside, bracket, rest = rest[1:].partition("]")
            parts = [part.strip() for part in inside.split(",")]
            if not bracket or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
                raise _wrong(path, "wanted indices as [3] or [1,2,3], closed by ]")
            steps.append(tuple(map(int, parts)))
        elif rest[0] == ".":
            end = min((at for at in (rest.find(".", 1), rest.find("[", 1)) if at > 0), default=len(rest))
            name, rest = rest[1:end], rest[end:]
            if not (name.isascii() and name.replace("_", "a").isalnum()):
                raise _wrong(path, f"{name!r} is no member")
            steps.append(name)
        else:
            raise _wrong(path, "wanted a dot or the end behind ]")
    return steps


def _indices(indices: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, indices))}]"


def _wrong(path: str, message: str) -> ConfigError:
    return ConfigError(path, 0, message)
