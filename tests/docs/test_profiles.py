"""docs/profiles.md, held to the register maps of profiles: every register is in it, and none that is not there."""

import re

import pytest

from node.config.device_map import mapped_profile, mapped_profiles, profile_map
from node.config.register_number import number
from node.config.register_row import MapRow
from node.objects.profiles import MODBUS_PROFILES
from tests.architecture.sources import ROOT

PAGE = (ROOT / "docs" / "profiles.md").read_text()


def span(first: str, last: str) -> str:
    return first if first == last else f"{first}-{last}"


def type_text(row: MapRow) -> str:
    """As the map writes it: of registers, not of the tag where that is scaled."""
    if row.tag.type == "STRING":
        return f"STRING[{2 * row.block.count}]"
    lengths = f"[{','.join(map(str, row.tag.dimensions))}]" if row.tag.dimensions else ""
    return (row.block.shown_as or row.tag.type) + lengths


def cells(row: MapRow) -> list[str]:
    """A row of the page's tables."""
    block = row.block
    last = block.start + block.count - 1
    numbers = span(number(block.table, block.start), number(block.table, last))
    wire = span(str(block.start), str(last))
    scale = "" if block.scale == 1 else f"{block.scale:g}"
    return [numbers, f"{block.table} {wire}", type_text(row), f"`{row.tag.name}`", row.tag.unit, scale]


def chapter(name: str) -> str:
    found = re.search(rf"^## {re.escape(name)}$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no chapter {name!r}"
    return found.group(1)


@pytest.mark.parametrize("name", [name for name in mapped_profiles() if not MODBUS_PROFILES[name].shift])
def test_every_register_of_a_profile_is_listed(name: str) -> None:
    profile = mapped_profile(name)
    assert profile is not None
    listed = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in chapter(name).splitlines()
        if re.match(r"\| \d", line)
    ]
    assert listed == [cells(row) for row in profile_map(profile).rows]


def test_a_profile_that_lies_elsewhere_says_so() -> None:
    assert "`PM5560-base0`" in chapter("PM5560")
    assert set(re.findall(r"^## (.*)$", PAGE, re.MULTILINE)) == {
        name for name in mapped_profiles() if not MODBUS_PROFILES[name].shift
    }
