"""The file directory, as the two clients look at it that read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.slc_directory import (
    MICROLOGIX_1100,
    MICROLOGIX_1400,
    SLC,
    Entry,
    Layout,
    decode_directory,
    encode_directory,
)

FILES = [Entry(0, 0x82, 8), Entry(1, 0x83, 8), Entry(2, 0x84, 132), Entry(7, 0x89, 512), Entry(9, 0x8D, 420)]
LAYOUTS = pytest.mark.parametrize("layout", [SLC, MICROLOGIX_1100, MICROLOGIX_1400], ids=["SLC", "1100", "1400"])


@LAYOUTS
def test_files_are_listed_by_number(layout: Layout) -> None:
    data = encode_directory(layout, reversed(FILES))
    assert decode_directory(layout, data) == FILES
    assert int.from_bytes(data[52:54], "little") == len(FILES)
    assert int.from_bytes(data[46:48], "little") == 0
    assert [data[layout.first + 10 * number] for number in (3, 8)] == [0x81, 0x81]


@pytest.mark.parametrize(
    ("layout", "at", "added"),
    [(SLC, 0x23, 0), (MICROLOGIX_1100, 0x28, 19968), (MICROLOGIX_1400, 0x2B, 19968), (MICROLOGIX_1400, 0x34, 0)],
)
def test_the_size_is_where_clients_ask_for_it(layout: Layout, at: int, added: int) -> None:
    data = encode_directory(layout, FILES)
    assert len(data) % 2 == 0
    assert int.from_bytes(data[2 * at : 2 * at + 2], "little") - added == len(data)


@LAYOUTS
def test_no_files_are_a_directory_too(layout: Layout) -> None:
    assert decode_directory(layout, encode_directory(layout, [])) == []


ENTRIES = st.dictionaries(st.integers(0, 255), st.tuples(st.integers(0x82, 0x94), st.integers(0, 0xFFFF)), max_size=40)


@given(st.sampled_from([SLC, MICROLOGIX_1100, MICROLOGIX_1400]), ENTRIES)
def test_what_is_encoded_decodes_to_itself(layout: Layout, files: dict[int, tuple[int, int]]) -> None:
    entries = [Entry(number, *files[number]) for number in sorted(files)]
    assert decode_directory(layout, encode_directory(layout, entries)) == entries


@given(st.sampled_from([SLC, MICROLOGIX_1400]), st.binary(max_size=400))
def test_any_bytes_are_a_directory_of_some_kind(layout: Layout, data: bytes) -> None:
    assert all(entry.code > 0x81 for entry in decode_directory(layout, data))
