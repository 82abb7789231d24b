"""Every metric of a node and every environment variable that changes something stands in the docs."""

import re

from node.config.model import NodeConfig
from node.controller import Controller
from tests.architecture.sources import ROOT

FOREIGN = {"TERM", "PYTHONPATH"}
"""The terminal's and Python's own."""


def test_every_metric_is_documented_and_none_is_made_up() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    section = page.split("## What is counted")[1].split("\n## ")[0]
    counted = set(Controller(NodeConfig("n", "logix", "1756-L61", "127.0.0.1")).telemetry())
    named = {name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall("`(.*?)`", row)}
    assert named == counted


def test_every_environment_variable_is_documented() -> None:
    read = re.compile(r'environ\.get\("([A-Z_]+)"|environ\["([A-Z_]+)"\]|_VARIABLE = "([A-Z_]+)"')
    sources = [path.read_text() for folder in ("farm", "node") for path in (ROOT / folder).rglob("*.py")]
    names = {name for text in sources for found in read.findall(text) for name in found if name}
    pages = "".join((ROOT / "docs" / name).read_text() for name in ("cli.md", "architecture.md"))
    assert {"PLCFARM_RUN", "XDG_RUNTIME_DIR", "NO_COLOR", "FARM_RUN"} <= names
    assert [name for name in sorted(names - FOREIGN) if name not in pages] == []
