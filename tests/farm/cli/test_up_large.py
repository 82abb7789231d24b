"""What `farm up` does otherwise where there are thousands of nodes: it says how often they report, and hands the plant
over only where another is wanted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.cli import plants
from farm.cli import up as module
from farm.cli.up import apply_plant, large
from farm.cli.wire_access import running_plant
from farm.supervisor.link import Link, run_named
from farm.topology.plant import Plant
from tests.farm.cli.conftest import Run
from tests.farm.plan.plants import node, plant

FILE = """
farm: 1
name: large
vars: {unit: bar}
nodes:
  plc-1: {kind: logix, address: 127.64.206.1, tags: {Level: {type: REAL, unit: "${unit}"}}}
  plc-2: {kind: logix, address: 127.64.206.2, tags: {Level: REAL}}
"""


def plant_of(nodes: int, shard: int | str) -> Plant:
    one = node("pump-1")
    return replace(plant(one), nodes=(one,) * nodes, shard=shard)


@pytest.mark.parametrize(("nodes", "shard"), [(12, 1), (1000, 1), (2500, 300)])
def test_of_most_plants_nothing_is_said(nodes: int, shard: int) -> None:
    assert large(plant_of(nodes, shard)) == ""


def test_of_thousands_it_says_how_often_they_report() -> None:
    assert large(plant_of(10_000, 300)) == "works: 10000 nodes in 34 processes, which report every 4 s"
    assert large(plant_of(1500, 1)) == "works: 1500 nodes in 1500 processes, which report every 2 s"


@pytest.mark.net
@pytest.mark.slow
def test_a_plant_that_is_wanted_already_is_not_handed_over_again(running: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []
    ask = Link.ask

    def noted(link: Link, op: str, on_event: Any = None, **fields: Any) -> dict[str, Any]:
        asked.append({"known", "plant"} & set(fields))
        return ask(link, op, on_event, **fields)

    link = Link.open(run_named(None))
    monkeypatch.chdir(Path(running_plant(link).file).parent)
    monkeypatch.setattr(module, "MANY", 2)
    monkeypatch.setattr(Link, "ask", noted)
    same, other = plants.load(None), plants.load(None, settings=["unit=kPa"])
    done = apply_plant(link, same, again=True)
    assert (done["changes"], len(done["rows"]), asked) == (0, 2, [{"known"}])
    asked.clear()
    assert (apply_plant(link, other, again=True)["changes"], asked) == (2, [{"known"}, {"plant"}])
    asked.clear()
    assert (apply_plant(link, other, again=True)["changes"], asked) == (0, [{"known"}])
    assert apply_plant(link, same)["changes"] == 2
