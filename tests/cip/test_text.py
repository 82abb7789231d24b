"""SSTRING and the Logix STRING."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import INVALID_ATTRIBUTE_VALUE, NOT_ENOUGH_DATA, CipError
from node.cip.text import (
    SSTRING,
    STRING,
    STRING_HANDLE,
    STRING_SIZE,
    TEXT,
    TextType,
    decode_sstring,
    decode_string,
    decode_texts,
    encode_sstring,
    encode_string,
    encode_texts,
    text_by_name,
)
from node.errors import LocalProtocolError
from tests.vectors import check_codec, survives

LATIN = st.characters(max_codepoint=255)


def test_a_short_string_is_its_length_and_characters() -> None:
    assert encode_sstring("abc") == b"\x03abc"
    assert decode_sstring(b"..\x03abc!", 2) == ("abc", 6)


def test_a_logix_string_is_always_88_bytes() -> None:
    data = b"\x03\0\0\0abc" + bytes(81)
    check_codec(data, "abc", decode_string, encode_string, tail="ignored")


def test_type_bytes_name_the_string_structure() -> None:
    assert STRING.type_bytes == b"\xa0\x02" + STRING_HANDLE.to_bytes(2, "little")
    assert SSTRING.type_bytes == b"\xda\0"


@pytest.mark.parametrize(("name", "kind"), [("string", STRING), ("SSTRING", SSTRING), ("Short_String", SSTRING)])
def test_a_text_type_is_found_by_name_in_any_case(name: str, kind: TextType) -> None:
    assert text_by_name(name) is kind


def test_other_names_are_no_text_type() -> None:
    assert text_by_name("DINT") is None


@pytest.mark.parametrize(("kind", "length"), [(STRING, 83), (SSTRING, 256)])
def test_a_text_that_is_too_long_is_refused(kind: TextType, length: int) -> None:
    assert encode_texts(kind, ["x" * (length - 1)])
    with pytest.raises(LocalProtocolError, match=f"{length} characters: {kind.name} holds {length - 1}"):
        encode_texts(kind, ["x" * length])


def test_a_character_that_does_not_fit_a_byte_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="ISO-8859-1"):
        encode_string("20 €")


@pytest.mark.parametrize("length", [-1, 83, 1 << 30])
def test_a_length_a_string_cannot_have_is_an_invalid_value(length: int) -> None:
    data = length.to_bytes(4, "little", signed=True) + bytes(STRING_SIZE - 4)
    with pytest.raises(CipError) as caught:
        decode_string(data)
    assert caught.value.general == INVALID_ATTRIBUTE_VALUE


@pytest.mark.parametrize("data", [b"", b"\x02a"])
def test_a_short_string_cut_short_is_not_enough_data(data: bytes) -> None:
    with pytest.raises(CipError) as caught:
        decode_sstring(data)
    assert caught.value.general == NOT_ENOUGH_DATA


@given(st.sampled_from(TEXT), st.lists(st.text(LATIN, max_size=82), max_size=5))
def test_texts_that_are_encoded_decode_to_themselves(kind: TextType, texts: list[str]) -> None:
    assert decode_texts(kind, encode_texts(kind, texts)) == texts


@given(st.sampled_from(TEXT), st.binary(max_size=200))
def test_any_bytes_are_texts_or_refused(kind: TextType, data: bytes) -> None:
    assert survives(lambda data: decode_texts(kind, data), data) in (True, False)
