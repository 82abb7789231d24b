"""Tags that nodes have alike are written once, and come back as they were."""

import json
from dataclasses import replace

import pytest

from node.config.load import dump, load
from node.config.model import EnipConfig, IdentityConfig, NodeConfig, SignalConfig, TagConfig
from node.config.shared_tags import SharedTags, fold, unfold
from node.errors import ConfigError

LEVEL = TagConfig("Level", "REAL", signal=SignalConfig("sine"))
IDENTITY = IdentityConfig(1, 14, 54, (20, 11), 0x0060, 1, "1756-L61/B LOGIX5561")


def node(name: str, *tags: TagConfig) -> NodeConfig:
    return NodeConfig(name, "logix", "1756-L61", "127.64.0.1", tags, EnipConfig(IDENTITY))


NODES = [node("a", LEVEL, TagConfig("Batch", "DINT", initial=1)), node("b", LEVEL), node("c")]


def there_and_back(nodes: list[NodeConfig]) -> list[NodeConfig]:
    written, read = SharedTags(), SharedTags()
    folded = json.loads(json.dumps(fold(dump(each, written) for each in nodes)))
    return [load(body, "plant", shared=read) for body in unfold(*folded)]


def test_nodes_come_back_as_they_were_and_share_what_is_alike() -> None:
    found = there_and_back(NODES)
    assert found == NODES
    assert found[0].tags[0] is found[1].tags[0]


def test_equal_tags_are_written_once_also_where_they_are_not_the_same_object() -> None:
    shared = SharedTags()
    nodes = [node("a", LEVEL), node("b", replace(LEVEL)), node("c", replace(LEVEL, unit="m"))]
    folded, table = fold(dump(each, shared) for each in nodes)
    assert [body["tags"] for body in folded] == [[0], [0], [1]]
    assert [tag.get("unit") for tag in table] == [None, "m"]


def test_one_and_true_are_not_the_same_value() -> None:
    nodes = [node("a", TagConfig("X", "STRING", initial="1")), node("b", TagConfig("B", "BOOL", initial=True))]
    nodes.append(node("c", TagConfig("B", "BOOL", initial=False)))
    assert [each.tags[0].initial for each in there_and_back(nodes)] == ["1", True, False]
    shared = SharedTags()
    written = [dump(node("n", TagConfig("B", "BOOL", initial=value)), shared)["tags"] for value in (True, 1)]
    assert json.dumps(written) == '[[{"name": "B", "type": "BOOL", "initial": true}], ' + (
        '[{"name": "B", "type": "BOOL", "initial": 1}]]'
    )


@pytest.mark.parametrize("tags", [[2], [-1], [True], ["0"], [None], [0.0]])
def test_a_number_that_leads_nowhere_is_refused(tags: list[object]) -> None:
    with pytest.raises(ValueError, match="no entry of the table of 1 tags"):
        unfold([{"name": "a", "tags": tags}], [{"name": "Level", "type": "REAL"}])


def test_a_tag_that_is_wrong_is_wrong_in_every_node_that_has_it() -> None:
    shared = SharedTags()
    bad = {"name": "Level", "type": "REEL"}
    for name in ("a", "b"):
        with pytest.raises(ConfigError, match=f"{name}: .*REEL"):
            load({**dump(node(name)), "tags": [bad]}, name, shared=shared)


def test_a_body_that_is_no_tag_is_named_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"tags\[1\]\.sort"):
        load({**dump(node("a")), "tags": [dump(node("a", LEVEL))["tags"][0], {"sort": 1}]}, "a", shared=SharedTags())  # type: ignore[index]


def test_what_differs_by_node_is_looked_at_in_each() -> None:
    shared, tag = SharedTags(), dump(node("a", replace(LEVEL, address=(1, 2, 3))))["tags"]
    assert isinstance(tag, list)
    load({**dump(node("a")), "tags": tag}, "a", shared=shared)
    with pytest.raises(ConfigError, match="already"):
        load({**dump(node("b")), "tags": [*tag, {**tag[0], "name": "Other"}]}, "b", shared=shared)  # type: ignore[dict-item]
