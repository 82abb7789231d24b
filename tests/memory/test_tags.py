"""Names and numbers to attributes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.epath import Element, Symbolic
from node.cip.text import SSTRING
from node.cip.types import BOOL, DINT, INT
from node.errors import NodeError
from node.memory.access import Access
from node.memory.attribute import Attribute
from node.memory.place import Place, follow
from node.memory.tags import TagTable, split_program
from node.memory.text_attribute import create_attribute


def table() -> TagTable:
    tags = TagTable()
    tags.add("Scada", Attribute(DINT), (22, 1, 1))
    tags.add("TEMP", Attribute(INT))
    return tags


def works() -> TagTable:
    """A controller with two programs and aliases."""
    tags = TagTable()
    tags.add("Word", Attribute(INT, (), 8))
    tags.add("Program:Main.Level", Attribute(DINT))
    tags.add("Table", table := Attribute(DINT, (3,), (10, 20, 30)))
    tags.add("program:MAIN.Flow", Attribute(DINT))
    tags.add_program("Idle")
    tags.add_alias("Second", follow(table, [Element(1)]))
    tags.add_alias("Program:Main.All", Place(table))
    word = tags.by_name("Word")
    assert word is not None
    tags.add_alias("Bit", follow(word, [Symbolic("3")]))
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
    assert len(tags.symbols()) == 2


def test_each_scope_numbers_its_symbols_in_order() -> None:
    tags = works()
    assert [(symbol.instance, symbol.name) for symbol in tags.symbols()] == [
        (1, "Word"),
        (2, "Program:Main"),
        (3, "Table"),
        (4, "Program:Idle"),
        (5, "Second"),
        (6, "Bit"),
    ]
    assert [(symbol.instance, symbol.name) for symbol in tags.symbols("main")] == [
        (1, "Level"),
        (2, "Flow"),
        (3, "All"),
    ]
    assert tags.symbols("Idle") == []
    assert tags.symbols("nowhere") == ()
    assert tags.programs() == ["Main", "Idle"]


def test_a_symbol_is_found_by_number_and_by_name() -> None:
    tags = works()
    assert tags.symbol("", 3) is tags.find("", "TABLE") is not None
    assert tags.symbol("MAIN", 1) is tags.find("main", "level") is not None
    assert tags.symbol("", 0) is tags.symbol("", 7) is tags.symbol("Idle", 1) is tags.symbol("nowhere", 1) is None
    assert tags.find("", "Level") is tags.find("nowhere", "Level") is None


def test_a_tag_of_a_program_has_its_program_in_its_name() -> None:
    tags = works()
    assert tags.by_name("PROGRAM:main.LEVEL") is not None
    assert [name for name, _ in tags] == ["Word", "Program:Main.Level", "Table", "program:MAIN.Flow"]


def test_a_program_is_a_symbol_without_a_place() -> None:
    program = works().find("", "program:idle")
    assert program is not None
    assert (program.place, program.alias) == (None, False)
    assert works().by_name("Program:Idle") is None


def test_an_alias_is_what_it_names_and_no_more() -> None:
    tags = works()
    second, bit, everything = tags.by_name("Second"), tags.by_name("bit"), tags.by_name("Program:Main.All")
    assert second is not None
    assert bit is not None
    assert (second.dimensions, second.read(0, second.length)) == ((), [20])
    assert (bit.type, bit.read(0, 1)) == (BOOL, [True])
    assert everything is tags.by_name("Table")
    second.write(0, [21])
    assert tags.by_name("table")[:] == [10, 21, 30]  # type: ignore[index]
    assert [symbol.alias for symbol in tags.symbols()] == [False, False, False, False, True, True]


def test_an_alias_of_one_text_of_several_has_no_attribute() -> None:
    tags = TagTable()
    tags.add("Texts", texts := create_attribute(SSTRING, (2,), ("a", "b")))
    tags.add_alias("Last", place := follow(texts, [Element(1)]))
    assert tags.by_name("Last") is None
    last = tags.find("", "Last")
    assert last is not None
    assert last.place == place


@pytest.mark.parametrize(
    "name", ["Table", "SECOND", "Program:Main.level", "Program:Main", "program:Main.", "Program:.x", "Program:Idle", ""]
)
def test_names_that_no_tag_can_have(name: str) -> None:
    tags = works()
    before = (len(tags), tags.edition, tags.version)
    with pytest.raises(NodeError, match="tag"):
        tags.add(name, Attribute(DINT))
    with pytest.raises(NodeError, match="tag"):
        tags.add_alias(name, Place(Attribute(DINT)))
    assert (len(tags), tags.edition, tags.version) == before


@pytest.mark.parametrize("name", ["", "A.B"])
def test_names_that_no_program_can_have(name: str) -> None:
    with pytest.raises(NodeError, match="program"):
        TagTable().add_program(name)


def test_changes_are_told() -> None:
    tags = table()
    heard: list[int] = []
    tags.watch(lambda: heard.append(tags.version))
    version, edition = tags.version, tags.edition
    tags.add("new", attribute := Attribute(DINT))
    attribute.gate = None
    tags.add_alias("other", Place(attribute))
    assert heard == [version + 1, version + 2, version + 3]
    assert tags.edition == edition + 2


def test_a_program_that_is_there_changes_nothing() -> None:
    tags = works()
    before = (tags.version, tags.edition, list(tags.symbols()))
    tags.add_program("MAIN")
    assert (tags.version, tags.edition, list(tags.symbols())) == before


@given(st.lists(st.sampled_from(("A", "a.b", "Program:P.A", "program:p.B", "Program:Q.A", "B")), unique=True))
def test_every_symbol_is_found_where_it_says(names: list[str]) -> None:
    tags = TagTable()
    for name in names:
        tags.add(name, Attribute(DINT))
    for scope in ("", *tags.programs()):
        for symbol in tags.symbols(scope):
            assert tags.symbol(scope, symbol.instance) is symbol
            assert tags.find(scope, symbol.name) is symbol
    for name in names:
        scope, local = split_program(name)
        symbol = tags.find(scope, local)
        assert symbol is not None
        assert symbol.place == Place(tags.by_name(name))  # type: ignore[arg-type]
    assert tags.depth == (2 if "a.b" in names else 1)


def test_an_access_gives_its_values() -> None:
    attribute = Attribute(INT, (3,))
    assert Access(attribute, 0, 2, False, b"\1\0\xff\xff").values == [1, -1]
