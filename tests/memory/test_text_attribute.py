"""Vectors of texts: the interface of `Attribute` over two wire forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import CipError
from node.cip.text import SSTRING, STRING, TextType
from node.cip.types import DINT
from node.errors import NodeError
from node.memory.attribute import Attribute
from node.memory.text_attribute import TextAttribute, create_attribute

LATIN = st.text(st.characters(max_codepoint=255), max_size=82)


def test_short_strings_follow_one_another() -> None:
    texts = TextAttribute(SSTRING, (3,), ("a", "", "xyz"))
    assert texts.dump(0, 3) == b"\1a\0\3xyz"
    assert (texts[0], texts[1:], texts.size) == ("a", ["", "xyz"], 0)
    texts.load(1, b"\2hi\1b")
    assert texts[:] == ["a", "hi", "b"]


def test_a_logix_string_takes_88_bytes() -> None:
    text = TextAttribute(STRING, initial="abc")
    assert text.dump(0, 1) == b"\3\0\0\0abc" + b"\0" * 81
    assert text.type_bytes == b"\xa0\2\xce\x0f"
    assert text.size == 88


@pytest.mark.parametrize("value", ["x" * 83, "\u20ac", 7])
def test_what_does_not_fit_changes_nothing(value: str | int) -> None:
    texts = TextAttribute(STRING, (2,), "old")
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
    assert type(create_attribute(DINT)) is Attribute
    with pytest.raises(NodeError):
        create_attribute(SSTRING, (), 5)


@given(st.sampled_from((SSTRING, STRING)), st.lists(LATIN, min_size=1, max_size=4))
def test_texts_come_back(kind: TextType, values: list[str]) -> None:
    texts = TextAttribute(kind, (len(values),), values)
    data = texts.dump(0, len(values))
    other = TextAttribute(kind, (len(values),))
    other.load(0, data)
    assert other[:] == values
