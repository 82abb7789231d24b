"""The encapsulation header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.enip.header import (
    COMMANDS,
    HEADER_SIZE,
    LIST_IDENTITY,
    REGISTER_SESSION,
    SEND_RR_DATA,
    Header,
    decode_header,
    describe_status,
    encode_header,
    pack_header,
)
from node.errors import RemoteProtocolError
from tests.vectors import check_codec, read_vectors

FRAMES = read_vectors("encapsulation")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("register_session", Header(REGISTER_SESSION, 4)),
        ("register_session_reply", Header(REGISTER_SESSION, 4, session=0x0A0B0C0D)),
        ("list_identity", Header(LIST_IDENTITY, context=b"\xfa\0HiMom\0")),
        ("read_tag", Header(SEND_RR_DATA, 0, session=0x0A0B0C0D, context=b"12345678")),
    ],
)
def test_headers_of_frames(name: str, header: Header) -> None:
    data = FRAMES[name].data
    header.length = len(data) - HEADER_SIZE
    check_codec(data[:HEADER_SIZE], header, decode_header, encode_header, tail="ignored")


def test_a_short_header_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="23 bytes, wanted 24"):
        decode_header(bytes(23))


def test_every_command_of_the_specification_is_named_and_one_that_is_in_none() -> None:
    assert sorted(COMMANDS) == [0x00, 0x01, 0x04, 0x63, 0x64, 0x65, 0x66, 0x6F, 0x70]


@pytest.mark.parametrize(
    ("status", "text"),
    [(0x64, "invalid session handle (0x0064)"), (0x08, "unknown encapsulation status (0x0008)")],
)
def test_a_status_is_described_with_its_code(status: int, text: str) -> None:
    assert describe_status(status) == text


U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)


@given(st.builds(Header, U16, U16, U32, U32, st.binary(min_size=8, max_size=8), U32))
def test_what_is_encoded_decodes_to_itself(header: Header) -> None:
    data = encode_header(header)
    assert decode_header(data) == header
    packed = pack_header(header.command, header.length, header.session, header.status, header.context, header.options)
    assert packed == data


@given(st.binary(min_size=HEADER_SIZE, max_size=40))
def test_any_24_bytes_are_a_header(data: bytes) -> None:
    assert encode_header(decode_header(data)) == data[:HEADER_SIZE]
