"""The plant of ten thousand, with a few nodes: up, asked by pylogix, and down, as the bench has it."""

import os

import pytest

from tests.bench import large_plants
from tests.bench.large_plants import measure


@pytest.mark.net
@pytest.mark.slow
def test_a_few_of_the_ten_thousand_come_up_in_processes_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_plants, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(large_plants, "SETTLE", 0.0)
    found = measure(20, "auto")
    assert (found.nodes, found.shards, found.every) == (20, min(20, os.cpu_count() or 1), 1)
    assert (found.read, found.asked) == (16, 16), "every controller answers, and holds what the file says"
    assert found.mib > found.nodes_mib > 1.0
    assert found.line().startswith("| 20 |")
