"""Groups: how many members, their names and variables, and the limits."""

from pathlib import Path

import pytest

from tests.farm.topology.plants import headlines, load


def names(folder: Path, text: str) -> list[str]:
    return [node.name for node in load(folder, text).nodes]


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        ("count: 3", ["g-1", "g-2", "g-3"]),
        ('count: 2, name: "mix-${i:03d}"', ["mix-001", "mix-002"]),
        ("for: {line: 1..2, i: 1..2}", ["g-1-1", "g-1-2", "g-2-1", "g-2-2"]),
        ("for: {site: [north, south], i: 3}", ["g-north-3", "g-south-3"]),
        ('for: {n: "1..${many}"}', ["g-1", "g-2"]),
        ('count: "${many}", name: "${group}${10 - i}"', ["g9", "g8"]),
    ],
)
def test_members(tmp_path: Path, group: str, wanted: list[str]) -> None:
    assert names(tmp_path, f"vars: {{many: 2}}\ngroups: {{g: {{kind: logix, {group}}}}}\n") == wanted


def test_nodes_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    groups, nodes = "groups: {g: {count: 2, kind: logix}}\n", "nodes: {p: {kind: logix}, g-1: {unit: null}}\n"
    assert names(tmp_path, groups + nodes) == ["g-1", "g-2", "p"]
    assert names(tmp_path, nodes + groups) == ["p", "g-1", "g-2"]


def test_members_share_what_does_not_differ(tmp_path: Path) -> None:
    text = 'groups: {g: {count: 2, kind: logix, tags: {A: REAL, B: {type: DINT, init: "${i}"}}}}\n'
    one, two = load(tmp_path, text).nodes
    assert one.tags[0] is two.tags[0]
    assert (one.tags[1].initial, two.tags[1].initial) == (1, 2)


def test_the_limit_can_be_raised(tmp_path: Path) -> None:
    group = "groups: {g: {count: 10001, kind: logix}}\n"
    (found,) = headlines(tmp_path, group)
    assert "makes 10,001 nodes; allowed are 10,000 - raise 'max_nodes' [F037]" in found
    assert len(load(tmp_path, f"max_nodes: 10001\n{group}").nodes) == 10001


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("groups: {g: {kind: logix}}", "group 'g' has neither 'count' nor 'for' - give one of them [F011]"),
        ("groups: {g: {kind: logix, count: 1, for: {i: 1..2}}}", "has both 'count' and 'for'"),
        ("groups: {g: {kind: logix, count: 0}}", "wanted a whole number from 1 to 100000 [F013]"),
        ("groups: {g: {kind: logix, count: 2, name: a}}", "two nodes are called 'a'; the first is made by the same"),
        ("groups: {g: {kind: logix, count: 2, name: 'a b'}}", "node name is 'a b'; wanted a name of 1 to 32"),
        ("groups: {g: {kind: logix, for: {i: 3..1}}}", "runs backwards - write the lower one first [F013]"),
        ("groups: {g: {kind: logix, for: {i: x}}}", "wanted a number or a range such as 1..16"),
        ("groups: {g: {count: 1}}", "node 'g-1' has no 'kind' - give it 'kind: logix', 'modbus' or 'gateway' [F035]"),
        (
            "groups: {mixer: {count: 400, name: 'mix-${i:03d}', kind: logix}}\nnodes: {mix-701: {tags: {}}}",
            "node 'mix-701' overrides nothing and has no 'kind' - group 'mixer' makes mix-001 … mix-400 [F035]",
        ),
        ("groups: {a: {count: 1, kind: logix, name: x}, b: {count: 1, kind: logix, name: x}}", "the first is made at"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, wanted: str) -> None:
    assert any(wanted in line for line in headlines(tmp_path, f"{text}\n"))
