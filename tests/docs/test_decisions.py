"""Decision records can be found, are numbered without gaps, and say what they must."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

FOLDER = ROOT / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))


def test_numbers_have_no_gaps() -> None:
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_a_record_is_well_formed(path: Path) -> None:
    text = path.read_text()
    number = int(path.name[:4])
    assert re.match(rf"# {number}\. \S.*\n\nStatus: (in force|replaced by \[\d{{4}}\]\(\S+\))\n", text)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= 60, "a page at most"


def test_all_are_in_the_list() -> None:
    index = (FOLDER / "README.md").read_text()
    for path in RECORDS:
        title = path.read_text().splitlines()[0].partition(". ")[2]
        assert f"[{path.name[:4]}]({path.name}) | {title}" in index
