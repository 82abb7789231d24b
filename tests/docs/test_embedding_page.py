"""The code of docs/embedding.md is run as it stands, and prints what it says."""

import contextlib
import io
import re

import pytest

from tests.architecture.sources import ROOT

PAGE = (ROOT / "docs" / "embedding.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```$)?", PAGE, re.M | re.S)


def printed_by(code: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "docs/embedding.md", "exec"), {"__name__": "__main__"})
    return out.getvalue()


def test_every_block_of_code_is_here() -> None:
    assert len(BLOCKS) == PAGE.count("```python\n") == 4
    assert [bool(shown) for _, shown in BLOCKS] == [True, True, True, False]


@pytest.mark.net
@pytest.mark.parametrize(("code", "shown"), BLOCKS[:3])
def test_the_code_prints_what_the_page_says(code: str, shown: str) -> None:
    assert printed_by(code) == shown


@pytest.mark.net
def test_main_in_a_thread_calls_the_hook() -> None:
    """Its first line has a port and a process in it."""
    ready, written = printed_by(BLOCKS[3][0]).splitlines()
    assert ready.startswith("EtherNet/IP controller")
    assert written == "written SCADA 1 5"
