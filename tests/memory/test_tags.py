"""Names and numbers to attributes."""

import pytest

from node.cip.types import DINT, INT
from node.errors import NodeError
from node.memory.access import Access
from node.memory.attribute import Attribute
from node.memory.tags import TagTable


def table() -> TagTable:
    tags = TagTable()
    tags.add("Scada", Attribute(DINT), (22, 1, 1))
    tags.add("TEMP", Attribute(INT))
    return tags


def test_names_compare_without_case() -> None:
    tags = table()
    assert tags.by_name("SCADA") is tags.by_name("scada") is not None
    assert tags.by_name("nothing") is None


def test_numbers_find_the_same_attribute() -> None:
    tags = table()
    found = tags.by_address(22, 1, 1)
    assert found is tags.by_name("Scada")
    assert found is not None
    assert tags.address_of(found) == (22, 1, 1)
    assert tags.by_address(22, 1, 2) is None
    assert tags.address_of(Attribute(INT)) is None
    assert list(tags.addresses()) == [(22, 1, 1)]


def test_order_and_spelling_are_kept() -> None:
    assert [name for name, _ in table()] == ["Scada", "TEMP"]
    assert len(table()) == 2


def test_a_name_or_an_address_is_taken_once() -> None:
    tags = table()
    with pytest.raises(NodeError, match="SCADA"):
        tags.add("SCADA", Attribute(DINT))
    with pytest.raises(NodeError, match="@22/1/1"):
        tags.add("other", Attribute(DINT), (22, 1, 1))
    assert len(tags) == 2


def test_changes_are_told() -> None:
    tags = table()
    heard: list[int] = []
    tags.watch(lambda: heard.append(tags.version))
    version = tags.version
    tags.add("new", attribute := Attribute(DINT))
    attribute.gate = None
    assert heard == [version + 1, version + 2]


def test_an_access_gives_its_values() -> None:
    attribute = Attribute(INT, (3,))
    assert Access(attribute, 0, 2, False, b"\1\0\xff\xff").values == [1, -1]
