"""Register maps of a plant's units: those of profiles, and files beside the plant file (`node.config.register_map`).

A file is read once, however many nodes name it, and its tags and blocks are the same objects in all of them. Like an
include it lies below the plant's folder: its lines are quoted in messages, and a plant may come from anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from farm.topology.document import Scalar, Source, shown
from farm.topology.groups import MAX_WEIGHT
from farm.topology.load import read_text
from farm.topology.problem import Place, Report, TooManyError, suggestion
from node.config.device_map import mapped_profile, mapped_profiles, profile_map, profile_text
from node.config.model import RegisterBlock, TagConfig
from node.config.register_map import RegisterMap, clear_of, parse_map
from node.config.schema import ModbusProfile

MAX_MAPS = 100


@dataclass(frozen=True, slots=True)
class MappedRow:
    """A line of a map for one unit: its tag, the block that shows it, and the line's place."""

    tag: TagConfig
    block: RegisterBlock
    place: Scalar


@dataclass(frozen=True, slots=True)
class _Way:
    """How a unit takes a map: what stands before the names of its tags, and whether BOOL arrays lie in DWORDs."""

    prefix: str
    packed: bool


@dataclass(slots=True)
class MapReader:
    """Reads the maps of one plant, whose files lie in `folder`."""

    folder: Path
    report: Report
    _maps: dict[tuple[str, str], tuple[RegisterMap, Source]] = field(default_factory=dict)
    _rows: dict[tuple[str, str, _Way], tuple[MappedRow, ...]] = field(default_factory=dict)
    _taken: int = 0

    def named(self, written: Scalar, order: str, prefix: str, packed: bool) -> Sequence[MappedRow]:
        """The rows of what `registers` names: a profile that has a map, or a file beside the one where it stands. Of
        `order` are values in a file that says nothing else. None, with every wrong line noted, when it is no good."""
        profile = mapped_profile(written.text)
        if profile is not None:
            return self.of_profile(profile, prefix, packed)
        path = Path(written.source.name).parent / written.text
        asked = (str(path), order)
        if asked not in self._maps:
            self._maps[asked] = self._read(written, path, order)
        return self._made(asked, _Way(prefix, packed))

    def of_profile(self, profile: ModbusProfile, prefix: str, packed: bool) -> Sequence[MappedRow]:
        """The rows of a profile's own map."""
        asked = (f"profile {profile.name}", "")
        if asked not in self._maps:
            self._maps[asked] = profile_map(profile), Source(asked[0], profile_text(profile).split("\n"))
        return self._made(asked, _Way(prefix, packed))

    def charge(self, rows: Sequence[MappedRow], place: Scalar | Place) -> None:
        """Count what a unit takes. Raises `TooManyError`, with an error noted, when all of them are more than
        allowed."""
        self._taken += len(rows)
        if self._taken > MAX_WEIGHT:
            message = f"the nodes have more than {MAX_WEIGHT:,} tags and registers together"
            self.report.error("F037", place, message, "make fewer nodes, or smaller ones")
            raise TooManyError

    def _made(self, asked: tuple[str, str], way: _Way) -> Sequence[MappedRow]:
        made = self._rows.get((*asked, way))
        if made is None:
            found, source = self._maps[asked]
            made = () if found.problems else tuple(_rows(found, source, way))
            self._rows[(*asked, way)] = made
        return made

    def _read(self, written: Scalar, path: Path, order: str) -> tuple[RegisterMap, Source]:
        """The map in a file; an empty one, with errors noted, when there is none."""
        source = Source(str(path))
        text = read_text(path, source, self.report) if self._allowed(written, path) else None
        if text is None:
            return RegisterMap(), source
        source.lines = text.split("\n")
        found = parse_map(text, order)
        subject, self.report.subject = self.report.subject, ""  # the file's faults, whichever node is first to use it
        for problem in found.problems:
            self.report.error("F073", Place(source, problem.line, 1 if problem.line else 0), problem.message)
        self.report.subject = subject
        return found, source

    def _allowed(self, written: Scalar, path: Path) -> bool:
        """Whether a plant may read this file, and there is one; an error is noted where not."""
        text, parts = written.text, PurePosixPath(written.text).parts
        if not parts or text.startswith("/") or "\\" in text or ".." in parts:
            hint = "name a file below the plant's folder, without .., or a profile"
            self.report.error("F073", written, f"cannot read registers from {shown(text)}", hint)
            return False
        try:
            if not path.exists():
                known = mapped_profiles()
                hint = suggestion(text, known) or f"profiles: {', '.join(known)}"
                self.report.error("F073", written, f"{shown(text)} is no file, and no profile with registers", hint)
                return False
            if not path.is_file():
                self.report.error("F073", written, f"{shown(text)} is not a regular file", "name a CSV file")
                return False
            inside = path.resolve(strict=True).is_relative_to(self.folder.resolve())
        except (OSError, RuntimeError, ValueError):
            inside = False
        if not inside:
            self.report.error("F073", written, f"{shown(text)} leads out of the plant's folder")
        elif len(self._maps) >= MAX_MAPS:
            self.report.error("F073", written, f"the plant has more than {MAX_MAPS} register maps")
            return False
        return inside


def _rows(found: RegisterMap, source: Source, way: _Way) -> list[MappedRow]:
    made = []
    for row in found.rows:
        tag = replace(row.tag, name=way.prefix + row.tag.name) if way.prefix else row.tag
        if way.packed and tag.type == "BOOL" and len(tag.dimensions) == 1:
            tag = replace(tag, packed=True)
        block = replace(row.block, tag=tag.name) if way.prefix else row.block
        made.append(MappedRow(tag, block, Scalar(row.tag.name, True, source, row.line, 1)))
    return made


def beside(rows: Sequence[MappedRow], own: Sequence[RegisterBlock]) -> Sequence[MappedRow]:
    """The rows of a map that a unit has beside blocks of its `own`, which take the place of all rows they touch."""
    if not own:
        return rows
    clear = clear_of(own)
    return [row for row in rows if clear(row.block)]
