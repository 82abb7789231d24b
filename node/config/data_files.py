"""Tags that are the data files of an SLC 500 or MicroLogix: whether their type is the one that their name says.

    N7: INT[100]     T4: SLC_TIMER[8]     ST9: SLC_STRING[5]

A tag of such a controller that is called otherwise is a tag like any, which PCCC does not reach.
"""

from collections.abc import Iterator

from node.cip.slc_files import belongs, by_number, parse_file_name
from node.cip.slc_structures import slc_by_name
from node.config.model import NodeConfig, TagConfig
from node.config.problem import Problem
from node.objects.profiles import PCCC, PROFILES


def data_file_problems(config: NodeConfig) -> Iterator[Problem]:
    """What is wrong with the data files of a node, and with tags of their types on any other."""
    profile = PROFILES.get(config.profile)
    if profile is None or profile.family != PCCC or config.enip is None:
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
