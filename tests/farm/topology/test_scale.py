"""Groups with another number of members than the file says: `farm scale`."""

from pathlib import Path

import pytest

from farm.topology import Plant, TopologyProblems, load_plant
from tests.farm.topology.plants import write

TEXT = """
farm: 1
name: demo
groups:
  mixer: {count: 4, name: "mix-${i:02d}", kind: logix}
  drive: {for: {n: 1..3}, kind: modbus}
  grid: {for: {x: 1..2, y: 1..2}, kind: modbus}
  sides: {for: {side: [north, south]}, kind: modbus}
  late: {for: {n: 2..5}, kind: modbus}
nodes:
  mix-03: {delay: 5ms}
  mix-04: null
"""


def scaled(folder: Path, text: str = TEXT, **counts: int) -> Plant:
    return load_plant(write(folder, text), environ={}, counts=counts, settings={})


def names(plant: Plant, group: str) -> list[str]:
    return [node.name for node in plant.nodes if node.name.startswith(group)]


def test_more_and_fewer(tmp_path: Path) -> None:
    plant = scaled(tmp_path, mixer=6, drive=2)
    assert names(plant, "mix") == ["mix-01", "mix-02", "mix-03", "mix-05", "mix-06"]
    assert names(plant, "drive") == ["drive-1", "drive-2"]
    assert plant.counts == {"mixer": 6, "drive": 2}
    assert scaled(tmp_path).counts == {}


def test_overrides_of_members_that_are_left_out_override_nothing(tmp_path: Path) -> None:
    assert names(scaled(tmp_path, mixer=2), "mix") == ["mix-01", "mix-02"]
    assert names(scaled(tmp_path, mixer=0), "mix") == []


def test_scaling_there_and_back_moves_nobody(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT)
    before = load_plant(path, write_lock=True)
    load_plant(path, counts={"mixer": 2}, write_lock=True)
    more = load_plant(path, counts={"mixer": 3}, write_lock=True)
    first = {node.name: node.address for node in before.nodes}
    assert all(first[node.name] == node.address for node in more.nodes if node.name != "mix-03")


def test_what_it_was_read_with_is_kept(tmp_path: Path) -> None:
    text = TEXT.replace("count: 4", "count: '${n}'")
    plant = load_plant(write(tmp_path, text), environ={}, settings={"n": "5"}, counts={"drive": 1})
    assert (plant.settings, plant.counts) == ({"n": "5"}, {"drive": 1})


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        ("mixr", "farm scale: error: there is no group 'mixr' - did you mean 'mixer'? [F072]"),
        ("grid", "group 'grid' has no single number of members to change"),
        ("sides", "group 'sides' has no single number of members to change"),
        ("late", "'count' is one, or a single range from 1 under 'for' [F072]"),
    ],
)
def test_what_cannot_be_scaled(tmp_path: Path, group: str, wanted: str) -> None:
    with pytest.raises(TopologyProblems) as caught:
        scaled(tmp_path, **{group: 3})
    assert [wanted in problem.headline for problem in caught.value.problems] == [True]


def test_too_many_are_refused_before_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(TopologyProblems, match="makes 20,000 nodes; allowed are 10,000"):
        scaled(tmp_path, mixer=20_000)
