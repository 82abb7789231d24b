"""Read Tag, Write Tag, their Fragmented forms and Read Modify Write."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import INVALID_PARAMETER_VALUE, NOT_ENOUGH_DATA, CipError
from node.cip.tag_services import (
    Written,
    WrittenPart,
    decode_read_fragmented,
    decode_read_modify_write,
    decode_read_reply,
    decode_read_tag,
    decode_write_fragmented,
    decode_write_tag,
    encode_read_fragmented,
    encode_read_modify_write,
    encode_read_reply,
    encode_read_tag,
    encode_type,
    encode_write_fragmented,
    encode_write_tag,
)
from node.errors import LocalProtocolError, RemoteProtocolError
from tests.vectors import check_codec, survives

DECODERS: list[Callable[[bytes], object]] = [
    decode_read_tag,
    decode_read_fragmented,
    decode_write_tag,
    decode_write_fragmented,
    decode_read_modify_write,
]


def test_a_read_asks_for_elements_and_ignores_surplus() -> None:
    check_codec(b"\xe8\x03", 1000, decode_read_tag, encode_read_tag, tail="ignored")


def test_a_fragmented_read_asks_from_a_byte_offset() -> None:
    data = bytes.fromhex("8813 980f0000")
    check_codec(data, (5000, 3992), decode_read_fragmented, lambda asked: encode_read_fragmented(*asked), "ignored")


def test_a_write_of_an_atomic_type() -> None:
    data = bytes.fromhex("c400 0200 01000000 02000000")
    written: Written = (0xC4, None, 2, data[4:])
    check_codec(data, written, decode_write_tag, lambda parts: encode_write_tag(*parts), tail="kept")


def test_a_write_of_a_structure_carries_its_handle() -> None:
    data = bytes.fromhex("a002ce0f 0100") + bytes(88)
    written: Written = (0xA0, 0x0FCE, 1, bytes(88))
    check_codec(data, written, decode_write_tag, lambda parts: encode_write_tag(*parts), tail="kept")


def test_a_second_type_byte_that_means_nothing_matches_no_type() -> None:
    code, handle, _, _ = decode_write_tag(bytes.fromhex("c401 0100 00"))
    assert (code, handle) == (0x1C4, None)


def test_a_part_of_a_write_comes_with_its_offset() -> None:
    data = bytes.fromhex("c400 b80b b02e0000 01000000")
    written: WrittenPart = (0xC4, None, 3000, 11952, data[8:])
    check_codec(data, written, decode_write_fragmented, lambda parts: encode_write_fragmented(*parts), tail="kept")
    structure = bytes.fromhex("a002cdab 0200 10000000 ff")
    parted: WrittenPart = (0xA0, 0xABCD, 2, 16, b"\xff")
    check_codec(structure, parted, decode_write_fragmented, lambda parts: encode_write_fragmented(*parts), "kept")


@pytest.mark.parametrize("surplus", [b"", b"\xff" * 4], ids=["exact", "eight bytes of AND mask"])
def test_masks_are_taken_by_their_size(surplus: bytes) -> None:
    data = bytes.fromhex("0400 08000000 ffffffff") + surplus
    assert decode_read_modify_write(data) == (4, b"\x08\0\0\0", b"\xff" * 4)


def test_masks_back_and_byte_by_byte() -> None:
    data = bytes.fromhex("0200 0100 feff")
    masks = (2, b"\1\0", b"\xfe\xff")
    check_codec(data, masks, decode_read_modify_write, lambda parts: encode_read_modify_write(*parts[1:]), "ignored")


@pytest.mark.parametrize("size", [0, 3, 5, 16, 0xFFFF])
def test_a_mask_size_no_type_has_is_an_invalid_parameter(size: int) -> None:
    with pytest.raises(CipError) as caught:
        decode_read_modify_write(size.to_bytes(2, "little") + bytes(64))
    assert caught.value.general == INVALID_PARAMETER_VALUE


def test_masks_that_differ_in_size_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="masks of 2 and 4 bytes"):
        encode_read_modify_write(b"\0\0", b"\0\0\0\0")


@pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: decode.__name__)
def test_nothing_at_all_is_not_enough_data(decode: Callable[[bytes], object]) -> None:
    with pytest.raises(CipError) as caught:
        decode(b"")
    assert caught.value.general == NOT_ENOUGH_DATA


def test_more_elements_than_a_request_can_ask_for_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="65536 elements"):
        encode_read_tag(65536)


@pytest.mark.parametrize(
    ("digits", "reply"),
    [
        ("c300 0100ffff", (0xC3, None, b"\1\0\xff\xff")),
        ("a002ce0f 0300", (0xA0, 0xFCE, b"\3\0")),
        ("c100", (0xC1, None, b"")),
    ],
)
def test_a_read_reply_begins_with_its_type(digits: str, reply: tuple[int, int | None, bytes]) -> None:
    data = bytes.fromhex(digits)
    check_codec(
        data, reply, decode_read_reply, lambda parts: encode_read_reply(encode_type(*parts[:2]), parts[2]), tail="kept"
    )


@pytest.mark.parametrize("digits", ["", "c4", "a002", "a002ce"])
def test_a_read_reply_without_its_type_is_the_peer_s_fault(digits: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_read_reply(bytes.fromhex(digits))


U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
ATOMIC = st.tuples(U16.filter(lambda code: code != 0x02A0), st.none())
STRUCTURE = st.tuples(st.just(0xA0), U16)


@given(st.one_of(ATOMIC, STRUCTURE), U16, U32, st.binary(max_size=40))
def test_what_is_encoded_decodes_to_itself(
    kind: tuple[int, int | None], elements: int, offset: int, values: bytes
) -> None:
    assert decode_write_tag(encode_write_tag(*kind, elements, values)) == (*kind, elements, values)
    part = (*kind, elements, offset, values)
    assert decode_write_fragmented(encode_write_fragmented(*part)) == part
    assert decode_read_fragmented(encode_read_fragmented(elements, offset)) == (elements, offset)
    assert decode_read_reply(encode_read_reply(encode_type(*kind), values)) == (*kind, values)


@given(st.binary(max_size=40))
def test_any_bytes_are_requests_or_refused(data: bytes) -> None:
    outcomes = [survives(decode, data) for decode in [*DECODERS, decode_read_reply]]
    assert outcomes[0] == (len(data) >= 2)
