"""A plant with code of its own, from the file to an answer: refused, allowed, asked, and alone in its process."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.farm.cli.conftest import said

FILE = """
farm: 1
name: coded
shard: 8
nodes:
  weather:
    kind: gateway
    address: 127.64.206.1
    tags:
      London: {type: REAL, class: plant_code:Warm}
      Lima: {type: REAL, class: plant_code:Warm}
    holding: {"40001-40002": {tag: London}}
  wrong: {kind: logix, address: 127.64.206.2, tags: {Level: {type: REAL, class: plant_code:Nothing}}}
  plain: {kind: logix, address: 127.64.206.3, tags: {Level: REAL}}
  other: {kind: logix, address: 127.64.206.4, tags: {Level: REAL}}
"""
CODE = """
import time
from node import Attribute

class Warm(Attribute):
    def __getitem__(self, key):
        if self.name == "Lima":
            raise OSError("nobody answers")
        time.sleep(0.05)
        return 21.5
"""

Run = Callable[..., SimpleNamespace]


@pytest.mark.net
@pytest.mark.slow
def test_code_runs_where_it_was_allowed_and_beside_nobody_else(farm: Run, tmp_path: Path) -> None:
    plant = tmp_path / "plant.yaml"
    plant.write_text(FILE)
    (tmp_path / "plant_code.py").write_text(CODE)
    checked = farm("validate", cwd=tmp_path)
    assert checked.rc == 0
    assert checked.err.count("warning: tag '") == 3
    assert "plant.yaml:10:35: warning: tag 'London' runs code of its own, plant_code:Warm" in checked.err
    refused = farm("up", cwd=tmp_path)
    assert refused.rc == 1
    assert "plant.yaml:10:35: error: tag 'London' runs code of its own" in refused.err
    failed = farm("up", "--allow-code", cwd=tmp_path)
    assert failed.rc == 1
    assert f"module 'plant_code' ({tmp_path}/plant_code.py) has no such name" in failed.err
    plant.write_text("".join(line for line in FILE.splitlines(keepends=True) if "wrong" not in line))
    up = farm("up", "--allow-code", cwd=tmp_path)
    assert up.rc == 0, up.err
    ask = said(farm)
    try:
        pids = {row["name"]: row["pid"] for row in json.loads(ask("ps", "--json").out)}
        assert pids["plain"] == pids["other"] != pids["weather"]
        assert ask("read", "weather", "London").out == "21.5\n"
        assert ask("read", "weather", "Lima").rc == 1
        assert ask("read", "plain", "Level").out == "0\n"
        assert "tag 'Lima': Warm.__getitem__ failed" in ask("logs", "weather").out
    finally:
        assert farm("down").rc == 0
