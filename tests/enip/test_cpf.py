"""Common Packet Format items."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.enip.cpf import NULL_ADDRESS, SOCKADDR_O_T, UNCONNECTED_DATA, Item, decode_cpf, encode_cpf
from node.errors import LocalProtocolError, RemoteProtocolError
from tests.vectors import check_codec, survives


def test_items_in_their_order() -> None:
    data = bytes.fromhex("0200 00000000 b2000300 010203")
    items = [Item(NULL_ADDRESS), Item(UNCONNECTED_DATA, b"\1\2\3")]
    check_codec(data, items, decode_cpf, encode_cpf, tail="ignored")


def test_items_may_begin_further_on() -> None:
    assert decode_cpf(b"....\1\0\0\x80\1\0\xff", 4) == [Item(SOCKADDR_O_T, b"\xff")]


@pytest.mark.parametrize(
    ("digits", "message"),
    [
        ("", "0 bytes where an item count was wanted"),
        ("01", "1 bytes where an item count was wanted"),
        ("0500", "5 items in a packet; 4 are taken here"),
        ("ffff", "65535 items"),
        ("0200 00000000 b200", "a packet of 2 items that ends after 1"),
        ("0100 b200ffff 0102", "item 0x00B2 of 65535 bytes, of which 2 are there"),
    ],
)
def test_counts_and_lengths_that_lie_are_refused(digits: str, message: str) -> None:
    with pytest.raises(RemoteProtocolError, match=message):
        decode_cpf(bytes.fromhex(digits))


def test_an_item_that_is_too_long_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="65536 bytes"):
        encode_cpf([Item(UNCONNECTED_DATA, bytes(65536))])


@given(st.lists(st.builds(Item, st.integers(0, 0xFFFF), st.binary(max_size=30)), max_size=4))
def test_what_is_encoded_decodes_to_itself(items: list[Item]) -> None:
    assert decode_cpf(encode_cpf(items)) == items


@given(st.binary(max_size=60), st.integers(0, 70))
def test_any_bytes_are_items_or_refused(data: bytes, offset: int) -> None:
    if survives(lambda data: decode_cpf(data, offset), data):
        items = decode_cpf(data, offset)
        assert data[offset:].startswith(encode_cpf(items))
