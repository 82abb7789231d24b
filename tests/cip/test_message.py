"""Message Router requests and replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.message import (
    Reply,
    Request,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
    error_reply,
)
from node.cip.status import NOT_ENOUGH_DATA, PATH_SIZE_INVALID, CipError
from node.errors import LocalProtocolError, RemoteProtocolError
from tests.vectors import check_codec, survives


def test_a_request_is_service_path_and_data() -> None:
    data = bytes.fromhex("4c 04 9105534341444100 0100")
    assert decode_request(data) == Request(0x4C, data[2:10], b"\1\0")
    check_codec(data, decode_request(data), decode_request, encode_request, tail="kept")


@pytest.mark.parametrize(
    ("digits", "status"),
    [("", NOT_ENOUGH_DATA), ("4c", NOT_ENOUGH_DATA), ("4c01", PATH_SIZE_INVALID), ("4c02 2004 24", PATH_SIZE_INVALID)],
)
def test_a_request_cut_short_says_what_is_missing(digits: str, status: int) -> None:
    with pytest.raises(CipError) as caught:
        decode_request(bytes.fromhex(digits))
    assert caught.value.general == status


@pytest.mark.parametrize("path", [b"\x20", bytes(512)], ids=["odd", "long"])
def test_a_path_that_a_request_cannot_announce_is_refused(path: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="even number up to 510"):
        encode_request(Request(1, path))


@pytest.mark.parametrize(
    ("digits", "reply"),
    [
        ("cc 00 00 00 c400 01000000", Reply(0x4C, 0, (), bytes.fromhex("c40001000000"))),
        ("cc 00 ff 01 0521", Reply(0x4C, 0xFF, (0x2105,))),
        ("d4 00 01 02 0901 f801 aabb", Reply(0x54, 1, (0x109, 504), b"\xaa\xbb")),
    ],
)
def test_a_reply_is_status_extended_status_and_data(digits: str, reply: Reply) -> None:
    check_codec(bytes.fromhex(digits), reply, decode_reply, encode_reply, tail="kept")


@pytest.mark.parametrize("digits", ["", "cc0000", "4c000000", "cc000001 05"])
def test_what_is_no_reply_is_the_peer_s_fault(digits: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_reply(bytes.fromhex(digits))


def test_a_fault_becomes_the_reply_to_its_service() -> None:
    assert error_reply(0x4C, CipError(0x05, (0,), b"\x07")).hex() == "cc0005010000" + "07"


REPLIES = st.builds(
    Reply,
    st.integers(0, 0x7F),
    st.integers(0, 0xFF),
    st.lists(st.integers(0, 0xFFFF), max_size=4).map(tuple),
    st.binary(max_size=20),
)
REQUESTS = st.builds(
    Request,
    st.integers(0, 0xFF),
    st.binary(max_size=20).map(lambda path: path[: len(path) & ~1]),
    st.binary(max_size=20),
)


@given(REPLIES, REQUESTS)
def test_what_is_encoded_decodes_to_itself(reply: Reply, request: Request) -> None:
    assert decode_reply(encode_reply(reply)) == reply
    assert decode_request(encode_request(request)) == request


@given(st.binary(max_size=64))
def test_any_bytes_are_messages_or_refused(data: bytes) -> None:
    if survives(decode_request, data):
        assert encode_request(decode_request(data)) == data
    if survives(decode_reply, data):
        assert encode_reply(decode_reply(data)) == data[:1] + b"\0" + data[2:]
