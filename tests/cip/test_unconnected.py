"""Unconnected Send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import NOT_ENOUGH_DATA, PATH_SIZE_INVALID, CipError
from node.cip.unconnected import UnconnectedSend, decode_unconnected_send, encode_unconnected_send
from node.errors import LocalProtocolError
from tests.vectors import check_codec, survives

THROUGH_BACKPLANE = bytes.fromhex("0a05 0600 010220012401 01 00 0100")


def test_a_message_and_its_route() -> None:
    send = UnconnectedSend(bytes.fromhex("010220012401"), b"\1\0")
    check_codec(THROUGH_BACKPLANE, send, decode_unconnected_send, encode_unconnected_send, tail="ignored")


def test_a_message_of_odd_length_is_padded() -> None:
    send = UnconnectedSend(b"\x4c\0\1", b"")
    check_codec(
        bytes.fromhex("0a05 0300 4c0001 00 00 00"), send, decode_unconnected_send, encode_unconnected_send, "ignored"
    )


@pytest.mark.parametrize(
    ("digits", "status"),
    [
        ("0a05 06", NOT_ENOUGH_DATA),
        ("0a05 0600 010220", NOT_ENOUGH_DATA),
        ("0a05 ffff 010220012401 0100 0100", NOT_ENOUGH_DATA),
        ("0a05 0600 010220012401", NOT_ENOUGH_DATA),
        ("0a05 0300 4c0001 0000", NOT_ENOUGH_DATA),
        ("0a05 0600 010220012401 02 00 0100", PATH_SIZE_INVALID),
    ],
)
def test_a_send_cut_short_says_what_is_missing(digits: str, status: int) -> None:
    with pytest.raises(CipError) as caught:
        decode_unconnected_send(bytes.fromhex(digits))
    assert caught.value.general == status


@pytest.mark.parametrize(
    "send", [UnconnectedSend(bytes(65536)), UnconnectedSend(b"", bytes(512)), UnconnectedSend(b"", b"\1")]
)
def test_what_does_not_fit_is_refused(send: UnconnectedSend) -> None:
    with pytest.raises(LocalProtocolError):
        encode_unconnected_send(send)


U8 = st.integers(0, 0xFF)
ROUTES = st.binary(max_size=20).map(lambda route: route[: len(route) & ~1])


@given(st.builds(UnconnectedSend, st.binary(max_size=40), ROUTES, U8, U8))
def test_what_is_encoded_decodes_to_itself(send: UnconnectedSend) -> None:
    assert decode_unconnected_send(encode_unconnected_send(send)) == send


@given(st.binary(max_size=60))
def test_any_bytes_are_a_send_or_refused(data: bytes) -> None:
    if survives(decode_unconnected_send, data):
        assert len(encode_unconnected_send(decode_unconnected_send(data))) <= len(data)
