"""Lists of symbols, and the word that says what one is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.browse import (
    BASE_TAG,
    PROGRAM_TYPE,
    READ_ONLY,
    SYMBOL_ATTRIBUTES,
    SymbolType,
    SymbolValues,
    decode_symbol_type,
    decode_symbols,
    encode_symbol,
    encode_symbol_attribute,
    symbol_type,
)
from node.cip.predefined import STRING
from node.cip.status import ATTRIBUTE_NOT_SUPPORTED, CipError
from node.cip.template import Kind
from node.cip.text import SSTRING
from node.cip.types import BOOL, DINT, DWORD, INT, REAL
from node.errors import RemoteProtocolError
from tests.vectors import check_codec, read_vectors, survives

VECTORS = read_vectors("browse")
PYCOMM3 = (1, 2, 3, 5, 6, 8, 10)
PYLOGIX = (1, 2, 8)
LIBPLCTAG = (2, 7, 8, 1)

Listed = list[tuple[int, SymbolValues]]

LISTS: dict[str, tuple[tuple[int, ...], Listed]] = {
    "pycomm3_dint": (PYCOMM3, [(1, SymbolValues("Count", 0xC4, 0x20000010, 0x40000010))]),
    "pycomm3_alias": (
        PYCOMM3,
        [(300, SymbolValues("Other", 0x40C3, 0x200012C0, 0x400012C0, 0, 0, (3, 4), READ_ONLY))],
    ),
    "pycomm3_program": (PYCOMM3, [(2, SymbolValues("Program:Main", PROGRAM_TYPE, 0x20000020, 0x40000020))]),
    "pylogix_three": (
        PYLOGIX,
        [
            (4, SymbolValues("Bits", 0x20D3, lengths=(3,))),
            (5, SymbolValues("Name", 0x8FCE)),
            (6, SymbolValues("UA", 0xA101, lengths=(2,))),
        ],
    ),
    "libplctag_cube": (LIBPLCTAG, [(7, SymbolValues("Cube", 0x60CA, size=4, lengths=(2, 3, 4)))]),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_has_values_in_the_order_asked_for(name: str) -> None:
    attributes, symbols = LISTS[name]

    def encode(listed: Listed) -> bytes:
        return b"".join([encode_symbol(instance, values, attributes) for instance, values in listed])

    check_codec(VECTORS[name].data, symbols, lambda data: decode_symbols(data, attributes), encode, tail="refused")


@pytest.mark.parametrize(
    ("kind", "dimensions", "bit", "word", "parts"),
    [
        (BOOL, 0, 0, 0x00C1, SymbolType(0xC1)),
        (BOOL, 0, 13, 0x05C1, SymbolType(0xC1, bit=5)),
        (DINT, 0, 0, 0x00C4, SymbolType(0xC4)),
        (INT, 1, 0, 0x20C3, SymbolType(0xC3, dimensions=1)),
        (REAL, 3, 0, 0x60CA, SymbolType(0xCA, dimensions=3)),
        (DWORD, 1, 0, 0x20D3, SymbolType(0xD3, dimensions=1)),
        (SSTRING, 2, 0, 0x40DA, SymbolType(0xDA, dimensions=2)),
        (STRING, 0, 0, 0x8FCE, SymbolType(0xFCE, True)),
        (STRING, 1, 0, 0xAFCE, SymbolType(0xFCE, True, 1)),
    ],
)
def test_a_symbol_type_says_what_a_tag_is(kind: Kind, dimensions: int, bit: int, word: int, parts: SymbolType) -> None:
    assert symbol_type(kind, dimensions, bit) == word
    assert decode_symbol_type(word) == parts


def test_a_program_is_of_the_system() -> None:
    assert decode_symbol_type(PROGRAM_TYPE).system
    assert not decode_symbol_type(PROGRAM_TYPE).structure


@pytest.mark.parametrize("attribute", [0, 4, 9, 11, 0xFFFF])
def test_an_attribute_that_no_symbol_has(attribute: int) -> None:
    with pytest.raises(CipError) as caught:
        encode_symbol_attribute(SymbolValues("A", 0xC4), attribute)
    assert caught.value.general == ATTRIBUTE_NOT_SUPPORTED
    with pytest.raises(RemoteProtocolError, match=f"attribute {attribute}"):
        decode_symbols(b"\1\0\0\0", (attribute,))


WORDS = st.integers(0, 0xFFFFFFFF)
VALUES = st.builds(
    SymbolValues,
    st.text(st.characters(max_codepoint=255), max_size=40),
    st.integers(0, 0xFFFF),
    WORDS,
    WORDS,
    st.sampled_from((0, BASE_TAG)),
    st.integers(0, 0xFFFF),
    st.lists(st.integers(1, 0xFFFFFFFF), max_size=3).map(tuple),
    st.integers(0, 3),
)


@given(st.lists(st.tuples(WORDS, VALUES), max_size=5), st.permutations(list(SYMBOL_ATTRIBUTES)))
def test_what_is_encoded_decodes_to_itself(symbols: Listed, attributes: list[int]) -> None:
    data = b"".join([encode_symbol(instance, values, attributes) for instance, values in symbols])
    assert decode_symbols(data, attributes) == symbols


@given(st.binary(max_size=80), st.lists(st.sampled_from(sorted(SYMBOL_ATTRIBUTES)), max_size=8))
def test_any_bytes_are_symbols_or_refused(data: bytes, attributes: list[int]) -> None:
    if survives(lambda data: decode_symbols(data, attributes), data):
        symbols = decode_symbols(data, attributes)
        assert len(symbols) <= len(data) // 4
        assert bool(symbols) == bool(data)
