"""Attribute requests, and the lists of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.attribute_services import (
    AttributeStatus,
    decode_attribute_statuses,
    decode_get_attribute_list,
    decode_set_attribute_list,
    encode_attribute_statuses,
    encode_get_attribute_list,
    encode_set_attribute_list,
    get_attribute_single,
    get_attributes_all,
    set_attribute_single,
    without_route,
)
from node.cip.message import encode_request
from node.cip.status import ATTRIBUTE_LIST_ERROR, NOT_ENOUGH_DATA, CipError
from node.errors import RemoteProtocolError
from tests.vectors import check_codec, survives

SIZES = {1: 2, 2: 4, 3: 0, 7: 8}


def test_requests_for_one_attribute_and_for_all() -> None:
    assert encode_request(get_attribute_single(1, 1, 7)).hex() == "0e03200124013007"
    assert encode_request(set_attribute_single(0x93, 1, 10, b"\1\0")).hex() == "100320932401300a0100"
    assert encode_request(get_attributes_all(1, 1)).hex() == "010220012401"


def test_a_list_asks_for_ids_in_an_order() -> None:
    data = bytes.fromhex("0400 0400 0300 0200 0100")
    check_codec(data, [4, 3, 2, 1], decode_get_attribute_list, encode_get_attribute_list, tail="ignored")


@pytest.mark.parametrize(
    ("digits", "status"),
    [
        ("", NOT_ENOUGH_DATA),
        ("0200 0100", NOT_ENOUGH_DATA),
        ("ffff 0100", NOT_ENOUGH_DATA),
    ],
)
def test_a_list_that_does_not_add_up_is_refused(digits: str, status: int) -> None:
    with pytest.raises(CipError) as caught:
        decode_get_attribute_list(bytes.fromhex(digits))
    assert caught.value.general == status


@pytest.mark.parametrize(
    ("digits", "size", "left"),
    [
        ("0102", 2, "0102"),
        ("0102 0000", 2, "0102"),
        ("0102 0100 0100", 2, "0102"),
        ("0000", 0, ""),
        ("0102 00", 2, "010200"),
        ("0102 0001", 2, "01020001"),
        ("0102 0200 0100", 2, "010202000100"),
        ("01", 2, "01"),
    ],
)
def test_a_route_behind_a_value_is_taken_off(digits: str, size: int, left: str) -> None:
    assert without_route(bytes.fromhex(digits), size) == bytes.fromhex(left)


def test_a_list_reply_has_a_status_each_and_values_where_it_is_success() -> None:
    data = bytes.fromhex("0300 0100 0000 ce0f 0900 1400 0200 0000 01020304")
    entries = [AttributeStatus(1, 0, b"\xce\x0f"), AttributeStatus(9, 0x14), AttributeStatus(2, 0, b"\1\2\3\4")]
    check_codec(
        data, entries, lambda data: decode_attribute_statuses(data, SIZES), encode_attribute_statuses, tail="ignored"
    )


def test_a_list_reply_cut_short_is_the_peer_s_fault() -> None:
    with pytest.raises(RemoteProtocolError, match="ends within attribute 2"):
        decode_attribute_statuses(bytes.fromhex("0100 0200 0000 0102"), SIZES)


def test_a_list_sets_values_of_known_size() -> None:
    data = bytes.fromhex("0200 0100 aabb 0200 01020304")
    values = [(1, b"\xaa\xbb"), (2, b"\1\2\3\4")]
    check_codec(
        data, values, lambda data: decode_set_attribute_list(data, SIZES), encode_set_attribute_list, tail="ignored"
    )


def test_an_attribute_of_unknown_size_is_a_list_error() -> None:
    with pytest.raises(CipError) as caught:
        decode_set_attribute_list(bytes.fromhex("0100 0900 00"), SIZES)
    assert caught.value.general == ATTRIBUTE_LIST_ERROR


@given(st.lists(st.integers(0, 0xFFFF), max_size=20), st.lists(st.sampled_from(sorted(SIZES)), max_size=8))
def test_what_is_encoded_decodes_to_itself(ids: list[int], known: list[int]) -> None:
    assert decode_get_attribute_list(encode_get_attribute_list(ids)) == ids
    values = [(ident, bytes(SIZES[ident])) for ident in known]
    assert decode_set_attribute_list(encode_set_attribute_list(values), SIZES) == values
    entries = [AttributeStatus(ident, 0, value) for ident, value in values] + [AttributeStatus(5, 0x14)]
    assert decode_attribute_statuses(encode_attribute_statuses(entries), SIZES) == entries


@given(st.binary(max_size=40))
def test_any_bytes_are_lists_or_refused(data: bytes) -> None:
    outcomes = [
        survives(decode_get_attribute_list, data),
        survives(lambda data: decode_set_attribute_list(data, SIZES), data),
        survives(lambda data: decode_attribute_statuses(data, SIZES), data),
    ]
    assert len(data) >= 2 or outcomes == [False] * 3
