"""docs/topology.md, held to what the loader does: every key, signal and code is in it, and its examples work."""

import re
from pathlib import Path

import pytest

from farm.topology.document import MapNode, Source
from farm.topology.keys import DEFAULTS, GROUP, KIND, NODE, PLANT, TEMPLATE, UNIT
from farm.topology.load import Budget, parse
from farm.topology.problem import CODES, Report
from farm.topology.shapes import Key, NotYet, Section, sections
from farm.topology.tag_keys import SIGNAL
from node.config.register_row import COLUMNS
from node.config.schema import MODBUS_PROFILES, PROFILES, TYPES
from tests.farm.topology.plants import HEAD, load

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "topology.md").read_text()

HEADINGS = {"plant": "Plant file", "tag": "Tag", "block": "Register block", "network": "Network", "node": "Node"}
"""Section to the heading it has, where that is not its own name."""

INHERITED = {
    DEFAULTS.name: ["Node"],
    TEMPLATE.name: ["Node"],
    KIND.name: ["Kind", "Node"],
    GROUP.name: ["Group", "Node"],
}
"""Sections whose keys are, apart from a few of their own, those of another."""

PRESENT = [section for section in sections(PLANT) if not section.name.startswith("signal")]
KEYS = [(section, key) for section in PRESENT for key in section.keys]


def chapter(heading: str) -> str:
    """The text under a heading, up to the next one."""
    found = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no heading {heading!r}"
    return found.group(2)


def chapters(section: Section) -> str:
    names = INHERITED.get(section.name) or [HEADINGS.get(section.name) or section.name]
    known = [line.lstrip("# ") for line in PAGE.splitlines() if line.startswith("#")]
    return "\n".join(chapter(next(each for each in known if each.lower() == name.lower())) for name in names)


def row(section: Section, key: Key) -> list[str]:
    """The cells of a key's row."""
    for line in chapters(section).splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and cells[0] == f"`{key.name}`":
            return cells
    return []


@pytest.mark.parametrize(("section", "key"), KEYS, ids=lambda value: getattr(value, "name", ""))
def test_every_key_is_explained(section: Section, key: Key) -> None:
    if isinstance(key.shape, NotYet):
        later = re.search(r"Known, and refused until they work: (.*)", chapters(section))
        assert later is not None and f"`{key.name}`" in later.group(1)
        return
    name, takes, default, meaning, example = row(section, key) or ["", "", "", "", ""]
    assert (name, meaning) == (f"`{key.name}`", key.meaning)
    assert default == ("must be given" if key.required else key.default)
    assert takes and example.startswith(f"`{key.name}: ")


@pytest.mark.parametrize(("section", "key"), KEYS, ids=lambda value: getattr(value, "name", ""))
def test_the_example_of_every_key_works(section: Section, key: Key) -> None:
    cells = row(section, key)
    report = Report()
    if cells:
        root = parse(cells[4].strip("`"), Source("docs/topology.md"), report, Budget())
        assert isinstance(root, MapNode) and list(root.entries) == [key.name]
        key.shape.check(root.entries[key.name][1], key.name, report)
    assert report.problems() == []
    assert bool(cells) is not isinstance(key.shape, NotYet)


@pytest.mark.parametrize("signal", SIGNAL.keys, ids=lambda key: str(key.name))
def test_every_signal_is_explained(signal: Key) -> None:
    line = next(line for line in chapter("Signals").splitlines() if line.startswith(f"| `{signal.name}` |"))
    assert isinstance(signal.shape, Section) and signal.meaning in line
    for parameter in signal.shape.keys:
        assert f"`{parameter.name}`{' ' if parameter.default else ''}{parameter.default}" in line
        assert f"| `{parameter.name}` | {parameter.meaning} |" in PAGE


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code: str) -> None:
    assert f"| `{code}` | {CODES[code]} |" in PAGE


def test_nothing_is_explained_that_is_not_there() -> None:
    codes = set(re.findall(r"^\| `(F\d{3})` \|", PAGE, re.MULTILINE))
    assert codes == set(CODES)
    known = {key.name for section in sections(PLANT) for key in section.keys}
    keys = {
        line.split("`")[1] for line in PAGE.splitlines() if re.match(r"\| `[a-z_]+` \|.*\| `[a-z_]+: .*` \|$", line)
    }
    assert keys <= known


@pytest.mark.parametrize("name", [*TYPES, *PROFILES, *MODBUS_PROFILES])
def test_types_and_profiles_are_listed(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_register_map_of_the_page_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```text\n(# heat-meter\.csv.*?)```", PAGE, re.DOTALL)
    plant = load(tmp_path, "nodes: {boiler: {kind: modbus, registers: heat-meter.csv}}\n", {"heat-meter.csv": text})
    assert len(plant.nodes[0].tags) == text.count("\n") - 2


def test_every_column_of_a_register_map_is_explained() -> None:
    page = PAGE.partition("### Register maps\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| (`.*?`) \|", page, re.MULTILINE)
    assert sorted(re.findall("`(.*?)`", " ".join(named))) == sorted(COLUMNS)


EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5 and UNIT in PRESENT and NODE in PRESENT


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_loads(tmp_path: Path, text: str) -> None:
    if text.startswith("units:"):
        text = "nodes:\n  gw:\n    kind: gateway\n" + "".join(f"    {line}\n" for line in text.splitlines())
    elif text.startswith("kinds:"):
        text += "nodes: {plc1: {kind: l8x-small}}\n"
    plant = load(tmp_path, text if text.startswith("farm:") else HEAD + text)
    assert plant.nodes
