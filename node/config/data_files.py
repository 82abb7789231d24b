"""Tags that are the data files of an SLC 500 or MicroLogix: those that are always there, and whether the type of the
others is the one that their name says.

    N7: INT[100]     T4: SLC_TIMER[8]     ST9: SLC_STRING[5]

A tag of such a controller that is called otherwise is a tag like any, which PCCC does not reach.
"""

from collections.abc import Iterator
from dataclasses import replace

from node.cip.slc_files import DEFAULT_SIZES, belongs, by_number, parse_file_name
from node.cip.slc_structures import slc_by_name
from node.config.model import NodeConfig, TagConfig
from node.config.problem import Problem
from node.objects.profiles import PCCC, PROFILES

STATUS_FILE, RUN = 2, (0, 6)
"""S:1 holds the processor's mode in its low five bits; 6 is run."""


def has_data_files(config: NodeConfig) -> bool:
    """Whether clients reach what this node holds as data files."""
    profile = PROFILES.get(config.profile)
    return profile is not None and profile.family == PCCC and config.enip is not None


def data_file_address(tag: TagConfig) -> str:
    """How clients call all of a data file: `N7:0-99`, `S:0-65`; "" for any other tag."""
    found = parse_file_name(tag.name)
    if found is None:
        return ""
    kind, number = found
    last = f"-{tag.length - 1}" if tag.length > 1 else ""
    return f"{kind.letter}{'' if kind.alone else number}:0{last}"


def with_data_files(config: NodeConfig) -> NodeConfig:
    """`config` with the files that its controller always has and that it does not declare; any other as it is."""
    if not has_data_files(config):
        return config
    declared = {found[1] for tag in config.tags if (found := parse_file_name(tag.name))}
    missing = []
    for number, elements in enumerate(DEFAULT_SIZES):
        kind = by_number(number)
        if kind is not None and number not in declared:
            initial = (*RUN, *(0,) * (elements - len(RUN))) if number == STATUS_FILE else None
            missing.append(TagConfig(f"{kind.letter}{number}", kind.kind.name, (elements,), initial))
    return replace(config, tags=(*config.tags, *missing))


def data_file_problems(config: NodeConfig) -> Iterator[Problem]:
    """What is wrong with the data files of a node, and with tags of their types on any other."""
    if not has_data_files(config):
        for tag in config.tags:
            kind = slc_by_name(tag.type)
            if kind is not None:
                message = f"{kind.name} is a type of SLC and MicroLogix data files; profile {config.profile} has none"
                yield Problem(f"tags.{tag.name}.type", message)
        return
    seen: dict[int, str] = {}
    for tag in config.tags:
        found = parse_file_name(tag.name)
        if found is None:
            continue
        number = found[1]
        message = _fault(tag)
        if message:
            yield Problem(f"tags.{tag.name}", message)
        elif seen.setdefault(number, tag.name) != tag.name:
            yield Problem(f"tags.{tag.name}", f"file {number} is {seen[number]} already; a number is given once")


def _fault(tag: TagConfig) -> str:
    """Why a tag cannot be the data file that its name says; "" when it can."""
    found = parse_file_name(tag.name)
    assert found is not None
    kind, number = found
    if not belongs(kind, number):
        there = by_number(number)
        if kind.alone or there is None:
            return f"there is one file {kind.letter} and it is {kind.letter}{kind.fixed}; give the tag another name"
        return f"file {number} of an SLC or MicroLogix is {there.letter}{number}; {kind.letter} files are 9 to 255"
    if tag.alias:
        return f"is the name of a data file and cannot be another name for {tag.alias}"
    if tag.type not in [usual.name for usual in kind.kinds] or len(tag.dimensions) > 1 or tag.packed:
        length = f"[{','.join(map(str, tag.dimensions))}]" if tag.dimensions else ""
        return f"is {tag.type}{length}; a data file {kind.letter} is {kind.kind.name}[elements]"
    return ""
