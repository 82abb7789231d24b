"""Which unit a range or a profile on a command line is for: unit 1, or what the last `--unit` before it says.

    modbus_sim 40001-40100=99 --unit 2 40001=5 30001-30010=1 --unit 3-5,9 --profile SDM630

argparse keeps values and forgets what stood between them, so each word is told its units before it is parsed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import starmap

from node.cli.column import located_word
from node.config.model import RegisterBlock, TagConfig, UnitConfig
from node.errors import ConfigError
from node.modbus.ranges import BIT_TABLES, Range, RangeError, adjoining, parse_ranges
from node.record import dataclass

UNIT, PROFILE = "--unit", "--profile"
UNIT_ID = 1
"""The unit before any is named."""
UNIT_IDS = range(256)

_PLAIN = {"BOOL": 1, "UINT": 0x10000, "WORD": 0x10000, "INT": 0x8000}
"""Types whose elements are a register or a bit each, to the first number that they do not hold."""


class Word(str):
    """A word of a command line that knows the `--unit` before it, "" for none."""

    units: str

    def __new__(cls, text: str, units: str) -> "Word":
        """As `str`."""
        word = super().__new__(cls, text)
        word.units = units
        return word


@dataclass(slots=True)
class Typed:
    """What was typed for one unit: ranges, and a profile or the file of a register map, "" for none."""

    ranges: list[str]
    profile: str = ""


def placed(arguments: Sequence[str]) -> list[str]:
    """The words of a command line, each with the units it is for."""
    found: list[str] = []
    units, named = "", False
    for argument in arguments:
        option, equals, value = argument.partition("=")
        parts = [option, value] if equals and option in (UNIT, PROFILE) else [argument]
        for part in parts:
            if named:
                units = part
            named = part == UNIT
            found.append(Word(part, units))
    return found


def gathered(ranges: Sequence[str], profiles: Sequence[str], units: Sequence[str]) -> dict[int, Typed]:
    """What was typed, by unit, the lowest first. Raises `ConfigError`."""
    found: dict[int, Typed] = {}
    for text in ranges:
        for unit in _units_of(text):
            found.setdefault(unit, Typed([])).ranges.append(text)
    for text in profiles:
        for unit in _units_of(text):
            there = found.setdefault(unit, Typed([]))
            if there.profile:
                raise ConfigError(PROFILE, 0, f"unit {unit} has {there.profile} and {text}; wanted one")
            there.profile = text
    for text in units:
        for unit in parse_units(text):
            if unit not in found:
                raise ConfigError(f"{UNIT} {text}", 0, f"unit {unit} has no registers; type some behind it")
    if not found:
        raise ConfigError("registers", 0, f"none; type some, as 40001-40100=99, or {PROFILE} NAME")
    return dict(sorted(found.items()))


def _units_of(word: str) -> Sequence[int]:
    units = word.units if isinstance(word, Word) else ""
    return parse_units(units) if units else (UNIT_ID,)


def parse_units(text: str) -> list[int]:
    """Unit ids as they are typed: `2`, `2,5`, `3-7,9`. Raises `ConfigError`."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = (each.strip() for each in part.partition("-"))
        numbers = [int(each) if each.isascii() and each.isdigit() else -1 for each in (first, last if dash else first)]
        if not all(number in UNIT_IDS for number in numbers) or numbers[0] > numbers[1]:
            raise ConfigError(f"{UNIT} {text}", 0, f"{part!r} is no unit; wanted 0 to 255, as 2, 2,5 or 3-7,9")
        found += range(numbers[0], numbers[1] + 1)
    if len(set(found)) < len(found):
        raise ConfigError(f"{UNIT} {text}", 0, "a unit is there twice")
    return found


def build_unit(
    unit: int, ranges: Sequence[str], mapped: tuple[Sequence[TagConfig], Sequence[RegisterBlock]] = ((), ())
) -> tuple[tuple[TagConfig, ...], UnitConfig]:
    """A unit with the registers of `ranges` and of a map (`mapped`: tags and blocks), over which those of `ranges` win.
    Its tags are called after their registers, those of other units than 1 with `U2_` in front. Raises `ConfigError`."""
    try:
        typed = parse_ranges(ranges)
    except RangeError as exc:
        source = "registers" if unit == UNIT_ID else f"registers of unit {unit}"
        raise ConfigError(source, 0, located_word(str(exc), "range", ranges)) from exc
    tags, blocks, left = _laid_over(*mapped, typed)
    own = adjoining(left)
    made = [_tag(each) for each in own]
    tags += made
    blocks += starmap(_block, zip(own, made, strict=True))
    if unit != UNIT_ID:
        tags = [replace(tag, name=f"U{unit}_{tag.name}") for tag in tags]
        blocks = [replace(block, tag=f"U{unit}_{block.tag}") for block in blocks]
    return tuple(tags), UnitConfig(unit, tuple(blocks))


def _laid_over(
    tags: Sequence[TagConfig], blocks: Sequence[RegisterBlock], typed: Sequence[Range]
) -> tuple[list[TagConfig], list[RegisterBlock], list[Range]]:
    """Tags and blocks of a map with typed values in the rows that are plain registers or bits, without the other rows
    that something was typed over; and what was typed that is left."""
    if not blocks:
        return [], [], list(typed)
    values = {(each.table, each.start + at): value for each in typed for at, value in enumerate(each.values)}
    by_name = {tag.name: tag for tag in tags}
    kept: list[RegisterBlock] = []
    for block in blocks:
        over = {at: values[place] for at in range(block.count) if (place := (block.table, block.start + at)) in values}
        if over and not _plain(block, by_name[block.tag]):
            del by_name[block.tag]
            continue
        kept.append(block)
        if over:
            by_name[block.tag] = _started(by_name[block.tag], over)
            for at in over:
                del values[block.table, block.start + at]
    return list(by_name.values()), kept, [Range(table, start, (value,)) for (table, start), value in values.items()]


def _plain(block: RegisterBlock, tag: TagConfig) -> bool:
    """Whether each register of a row is an element of its tag, as it is."""
    return (
        tag.type in _PLAIN
        and block.count == tag.length
        and block.order == "ABCD"
        and not (block.scaled or tag.signal is not None)
    )


def _started(tag: TagConfig, over: Mapping[int, int]) -> TagConfig:
    """A tag of a plain row that starts with other values."""
    held = tag.initial if isinstance(tag.initial, tuple) else (tag.initial or 0,) * tag.length
    beyond = _PLAIN[tag.type]
    typed = {at: value if value < beyond else value - 0x10000 for at, value in over.items()}
    values = tuple(typed.get(at, value) for at, value in enumerate(held))
    return replace(tag, initial=tuple(map(bool, values)) if tag.type == "BOOL" else values)


def _tag(block: Range) -> TagConfig:
    """The memory behind registers that are next to one another: `holding_40001` holds 40001 and on."""
    bits = block.table in BIT_TABLES
    initial = tuple(value != 0 for value in block.values) if bits else block.values
    name = f"{block.table}_{block.number}"
    return TagConfig(name, "BOOL" if bits else "UINT", (len(block.values),), initial)


def _block(block: Range, tag: TagConfig) -> RegisterBlock:
    return RegisterBlock(block.table, block.start, tag.length, tag.name)
