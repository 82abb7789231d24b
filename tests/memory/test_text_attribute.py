"""Vectors of texts that vary in length, and which attribute a type wants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.predefined import STRING, TIMER
from node.cip.status import CipError
from node.cip.text import SSTRING
from node.cip.types import BOOL, DINT
from node.errors import NodeError
from node.memory.attribute import Attribute
from node.memory.bool_array import BoolArray
from node.memory.structured import StructuredAttribute
from node.memory.text_attribute import TextAttribute, create_attribute

LATIN = st.text(st.characters(max_codepoint=255), max_size=255)


def test_short_strings_follow_one_another() -> None:
    texts = TextAttribute(SSTRING, (3,), ("a", "", "xyz"))
    assert texts.dump(0, 3) == b"\1a\0\3xyz"
    assert (texts[0], texts[1:], texts.size) == ("a", ["", "xyz"], 0)
    texts.load(1, b"\2hi\1b")
    assert texts[:] == ["a", "hi", "b"]


@pytest.mark.parametrize("value", ["x" * 256, "\u20ac", 7])
def test_what_does_not_fit_changes_nothing(value: str | int) -> None:
    texts = TextAttribute(SSTRING, (2,), "old")
    with pytest.raises(CipError) as caught:
        texts.write(0, ["new", value])
    assert caught.value.general == 0x09
    assert texts[:] == ["old", "old"]


@pytest.mark.parametrize("data", [b"\5abc", b"\1a\1"])
def test_texts_cut_short_are_refused(data: bytes) -> None:
    texts = TextAttribute(SSTRING, (2,), "old")
    with pytest.raises(CipError):
        texts.load(0, data)
    assert texts[:] == ["old", "old"]


def test_one_text_is_set_by_its_index() -> None:
    texts = TextAttribute(SSTRING, (2,))
    texts[1] = "b"
    assert texts.read(0, 2) == ["", "b"]
    assert texts.view(0, 1) is None


def test_the_kind_follows_the_type() -> None:
    assert isinstance(create_attribute(SSTRING), TextAttribute)
    assert isinstance(create_attribute(STRING), StructuredAttribute)
    assert isinstance(create_attribute(TIMER, (3,)), StructuredAttribute)
    assert type(create_attribute(DINT)) is Attribute
    with pytest.raises(NodeError):
        create_attribute(SSTRING, (), 5)


def test_bools_are_packed_where_they_are_an_array_of_one_dimension() -> None:
    assert isinstance(create_attribute(BOOL, (40,), packed=True), BoolArray)
    assert type(create_attribute(BOOL, (40,))) is Attribute
    assert type(create_attribute(BOOL, packed=True)) is Attribute
    assert type(create_attribute(BOOL, (2, 3), packed=True)) is Attribute
    assert type(create_attribute(DINT, (3,), packed=True)) is Attribute


@given(st.lists(LATIN, min_size=1, max_size=4))
def test_texts_come_back(values: list[str]) -> None:
    texts = TextAttribute(SSTRING, (len(values),), values)
    data = texts.dump(0, len(values))
    other = TextAttribute(SSTRING, (len(values),))
    other.load(0, data)
    assert other[:] == values
