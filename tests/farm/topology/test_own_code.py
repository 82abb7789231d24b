"""Tags that run code: named in a plant file, shown with their line, and run only where that was allowed."""

from pathlib import Path

import pytest

from farm.backends.observed import ObservedShard
from farm.plan.assign import assign
from farm.topology import TopologyProblems, load_plant
from node.config.load import dump, load
from tests.farm.topology.plants import headlines, node, write

FILE = """
farm: 1
name: demo
nodes:
  weather:
    kind: logix
    tags:
      Rain: DINT
      London: {type: REAL, class: weather:Weather}
  plain: {kind: logix, tags: {Level: REAL}}
  other: {kind: logix, tags: {Level: REAL}}
"""


def test_a_tag_names_its_class_and_the_node_where_to_find_it(tmp_path: Path) -> None:
    plant = load_plant(write(tmp_path, FILE), environ={}, allow_code=True)
    weather, plain, _ = plant.nodes
    assert [tag.code for tag in weather.tags] == ["", "weather:Weather"]
    assert (weather.has_code, weather.code_folder) == (True, str(tmp_path))
    assert (plain.has_code, plain.code_folder) == (False, "")
    assert plant.warnings == ()
    assert load(dump(weather), "weather") == weather


def test_without_leave_it_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(TopologyProblems) as caught:
        load_plant(write(tmp_path, FILE), environ={}, allow_code=False)
    (problem,) = caught.value.problems
    assert (problem.line, problem.code) == (9, "F074")
    assert problem.headline.endswith(
        "plant.yaml:9:35: error: tag 'London' runs code of its own, weather:Weather (in 'weather')"
        " - read that code, then say --allow-code [F074]"
    )


def test_where_nothing_is_started_it_is_a_warning(tmp_path: Path) -> None:
    (warning,) = load_plant(write(tmp_path, FILE), environ={}).warnings
    assert "plant.yaml:9:35: warning: tag 'London' runs code of its own" in warning
    assert "`farm up --allow-code` lets it" in warning


def test_a_container_has_no_such_module(tmp_path: Path) -> None:
    with pytest.raises(TopologyProblems) as caught:
        load_plant(write(tmp_path, FILE), environ={}, backend="docker", allow_code=True)
    (problem,) = caught.value.problems
    assert problem.code == "F071"
    assert "on backend docker its module would have to be in the image" in problem.message


@pytest.mark.parametrize("name", ["weather", "weather:", ":Weather", "a b:C", "weather:Weather:x", "../x:Y", "x.py:"])
def test_what_is_no_name_of_a_class(tmp_path: Path, name: str) -> None:
    (line,) = headlines(tmp_path, f"nodes: {{p: {{kind: logix, tags: {{T: {{type: REAL, class: '{name}'}}}}}}}}\n")
    assert "wanted a class such as weather:Weather" in line


def test_an_alias_has_none(tmp_path: Path) -> None:
    (line,) = headlines(tmp_path, "nodes: {p: {kind: logix, tags: {T: REAL, A: {alias: T, class: 'w:W'}}}}\n")
    assert "'class' is the business of what alias 'A' names" in line


def test_a_node_with_code_has_a_shard_of_its_own(tmp_path: Path) -> None:
    nodes = load_plant(write(tmp_path, FILE), environ={}, allow_code=True).nodes
    made = assign(nodes, (), 10)
    assert [(shard.name, [each.name for each in shard.nodes]) for shard in made] == [
        ("shard-001", ["plain", "other"]),
        ("weather", ["weather"]),
    ]
    observed = [ObservedShard(shard.name, 1, 1, alive=True, nodes=shard.nodes) for shard in made]
    assert assign(nodes, observed, 10) == made
    assert node(tmp_path, FILE, "plain").has_code is False
