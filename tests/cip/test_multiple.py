"""Multiple Service Packets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.multiple import decode_multiple, decode_multiple_reply, encode_multiple
from node.cip.status import INVALID_PARAMETER_VALUE, NOT_ENOUGH_DATA, CipError
from node.errors import LocalProtocolError, RemoteProtocolError
from tests.vectors import check_codec, survives


def test_messages_are_found_by_their_offsets() -> None:
    data = bytes.fromhex("0200 0600 0900 4c0000 0e00")
    check_codec(data, [b"\x4c\0\0", b"\x0e\0"], decode_multiple, encode_multiple, tail="kept")


@pytest.mark.parametrize(
    ("digits", "status"),
    [
        ("", NOT_ENOUGH_DATA),
        ("0100", NOT_ENOUGH_DATA),
        ("ffff 0600 4c00", NOT_ENOUGH_DATA),
        ("0200 0600 ff00 4c00 4c00", NOT_ENOUGH_DATA),
        ("0200 0600 0500 4c00 4c00", INVALID_PARAMETER_VALUE),
        ("0100 0000 4c00", INVALID_PARAMETER_VALUE),
        ("0200 0800 0600 4c00 4c00", INVALID_PARAMETER_VALUE),
    ],
)
def test_counts_and_offsets_that_lie_are_refused(digits: str, status: int) -> None:
    with pytest.raises(CipError) as caught:
        decode_multiple(bytes.fromhex(digits))
    assert caught.value.general == status
    with pytest.raises(RemoteProtocolError, match="Multiple Service Packet reply"):
        decode_multiple_reply(bytes.fromhex(digits))


def test_a_packet_of_none_is_empty() -> None:
    assert decode_multiple(encode_multiple([])) == []


def test_a_message_that_would_begin_past_the_offsets_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="2 messages"):
        encode_multiple([bytes(0xFFFF), b"\0\0"])


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_what_is_encoded_decodes_to_itself(messages: list[bytes]) -> None:
    assert decode_multiple(encode_multiple(messages)) == messages
    assert decode_multiple_reply(encode_multiple(messages)) == messages


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=30).map(lambda tail: b"\x02\0\x06\0" + tail)))
def test_any_bytes_are_a_packet_or_refused(data: bytes) -> None:
    if survives(decode_multiple, data):
        assert sum(len(message) for message in decode_multiple(data)) <= len(data)
