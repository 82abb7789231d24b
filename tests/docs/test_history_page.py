"""The code of docs/history.md is run as it stands, in order, and prints what the page says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from node.history.timestamp import ABBREVIATIONS
from tests.architecture.sources import ROOT

PAGE = (ROOT / "docs" / "history.md").read_text()
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n\n```\n(?P<shown>.*?)^```$", re.M | re.S)


def test_every_block_of_code_shows_what_it_prints() -> None:
    assert len(BLOCK.findall(PAGE)) == PAGE.count("```python\n") == 7


def test_the_code_prints_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    try:
        for match in BLOCK.finditer(PAGE):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(match["code"], "docs/history.md", "exec"), names)
            assert printed.getvalue() == match["shown"], match["code"]
    finally:
        ABBREVIATIONS.clear()
