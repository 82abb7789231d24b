"""The code of docs/client.md is run as it stands, against the controller that the page starts, and prints what it
says."""

import contextlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.architecture.sources import ROOT
from tests.cli.lone import ready

PAGE = (ROOT / "docs" / "client.md").read_text()
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n\n```\n(?P<shown>.*?)^```$", re.M | re.S)
(START,) = re.findall(r"^```sh\n(.*?)\n```$", PAGE, re.M | re.S)


@pytest.fixture(scope="module")
def controller() -> Iterator[None]:
    """The one that the page starts."""
    command = [sys.executable, *shlex.split(START)[1:]]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        ready(process)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_every_block_of_code_shows_what_it_prints() -> None:
    assert len(BLOCK.findall(PAGE)) == PAGE.count("```python\n") == 7


@pytest.mark.net
def test_the_code_prints_what_the_page_says(controller: None) -> None:
    """In order, for they build on each other."""
    for match in BLOCK.finditer(PAGE):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(match["code"], "docs/client.md", "exec"), {"__name__": "__main__"})
        assert printed.getvalue() == match["shown"], match["code"]
