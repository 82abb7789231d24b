"""A tree that paths lead into."""

import json

import pytest

from node import automata, client
from node.client.dotted import dotdict, latedict


@pytest.fixture
def tree() -> dotdict:
    return dotdict(
        {"peer": ("10.0.0.4", 44818), "enip": {"status": 0, "CPF": {"item": [{"type_id": 0}, {"length": 4}]}}}
    )


def test_there_is_one_of_it() -> None:
    assert automata.dotdict is client.dotdict is dotdict


def test_paths_lead_in(tree: dotdict) -> None:
    assert tree["enip.CPF.item[1].length"] == 4
    assert tree.enip.CPF.item[1].length == 4
    assert tree["enip"]["CPF"]["item"][0]["type_id"] == 0
    assert "enip.CPF.item[0].type_id" in tree
    assert "enip.CPF.item[2].type_id" not in tree
    assert "enip.nothing" not in tree
    assert 5 not in tree
    assert tree.get("enip.status") == 0
    assert tree.get("enip.nothing", "x") == "x"


@pytest.mark.parametrize(
    "key", ["nothing", "enip.nothing", "enip.CPF.item[9]", "enip.CPF.item[x]", "peer.x", "enip[0]"]
)
def test_where_nothing_is_there_is_an_error(tree: dotdict, key: str) -> None:
    with pytest.raises(KeyError):
        tree[key]


def test_a_missing_attribute_is_an_attribute_error(tree: dotdict) -> None:
    with pytest.raises(AttributeError):
        _ = tree.enip.nothing


def test_items_are_the_leaves(tree: dotdict) -> None:
    assert list(tree.items()) == [
        ("peer", ("10.0.0.4", 44818)),
        ("enip.status", 0),
        ("enip.CPF.item[0].type_id", 0),
        ("enip.CPF.item[1].length", 4),
    ]
    assert list(tree) == list(tree.keys())
    assert len(tree) == 4
    assert list(tree.values())[-1] == 4
    assert dict(tree)["enip.status"] == 0


def test_setting_makes_the_way(tree: dotdict) -> None:
    tree["a.b.c"] = 1
    tree.enip.CPF.item[0].type_id = 178
    tree["enip.CPF.item[1].length"] = 5
    assert (tree.a.b.c, tree["enip.CPF.item[0].type_id"], tree.enip.CPF.item[1].length) == (1, 178, 5)
    del tree["a.b.c"]
    assert "a.b.c" not in tree
    assert tree.pop("enip.status") == 0
    assert tree.setdefault("enip.status", 9) == 9
    with pytest.raises(KeyError):
        tree["enip.CPF.item[7].length"] = 1


def test_an_empty_branch_is_a_leaf() -> None:
    assert list(dotdict({"enip": {"CIP": {"list_identity": {}}}}).items()) == [("enip.CIP.list_identity", {})]
    assert not dotdict()


def test_trees_are_equal_by_their_leaves(tree: dotdict) -> None:
    assert tree == dict(tree.items())
    assert tree == tree.copy()
    assert tree != dotdict({"peer": 1})
    assert json.loads(json.dumps(tree))["enip.status"] == 0
    assert eval(repr(tree)) == tree


def test_a_late_one_is_made_when_looked_into() -> None:
    made = []

    def make() -> dict[str, object]:
        made.append(1)
        return {"a": {"b": 2}}

    late = latedict(make)
    assert not made
    assert late.a.b == 2
    assert list(late.items()) == [("a.b", 2)]
    assert "a.b" in late
    assert made == [1]
