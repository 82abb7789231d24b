"""SSTRING."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import NOT_ENOUGH_DATA, CipError
from node.cip.text import SSTRING, decode_sstring, decode_texts, encode_sstring, encode_texts, text_by_name
from node.errors import LocalProtocolError
from tests.vectors import survives

LATIN = st.characters(max_codepoint=255)


def test_a_short_string_is_its_length_and_characters() -> None:
    assert encode_sstring("abc") == b"\x03abc"
    assert decode_sstring(b"..\x03abc!", 2) == ("abc", 6)
    assert SSTRING.type_bytes == b"\xda\0"


@pytest.mark.parametrize("name", ["sstring", "SSTRING", "Short_String"])
def test_a_text_type_is_found_by_name_in_any_case(name: str) -> None:
    assert text_by_name(name) is SSTRING


def test_other_names_are_no_text_type() -> None:
    assert text_by_name("DINT") is None


def test_a_text_that_is_too_long_is_refused() -> None:
    assert encode_texts(["x" * 255])
    with pytest.raises(LocalProtocolError, match="256 characters: SSTRING holds 255"):
        encode_texts(["x" * 256])


def test_a_character_that_does_not_fit_a_byte_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="ISO-8859-1"):
        encode_sstring("20 \u20ac")


@pytest.mark.parametrize("data", [b"", b"\x02a"])
def test_a_short_string_cut_short_is_not_enough_data(data: bytes) -> None:
    with pytest.raises(CipError) as caught:
        decode_sstring(data)
    assert caught.value.general == NOT_ENOUGH_DATA


@given(st.lists(st.text(LATIN, max_size=82), max_size=5))
def test_texts_that_are_encoded_decode_to_themselves(texts: list[str]) -> None:
    assert decode_texts(encode_texts(texts)) == texts


@given(st.binary(max_size=200))
def test_any_bytes_are_texts_or_refused(data: bytes) -> None:
    assert survives(decode_texts, data) in (True, False)
