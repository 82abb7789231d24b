"""PCCC inside Execute PCCC: requestor, command, reply and the addresses of typed commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.message import Request, decode_reply, decode_request, encode_request
from node.cip.pccc import (
    EXTENDED,
    ILLEGAL_COMMAND,
    Address,
    Answer,
    Command,
    PcccError,
    decode_address,
    decode_answer,
    decode_command,
    encode_address,
    encode_answer,
    encode_command,
)
from node.cip.services import EXECUTE_PCCC
from node.cip.status import NOT_ENOUGH_DATA, CipError
from node.errors import LocalProtocolError, RemoteProtocolError
from tests.vectors import Vector, check_codec, read_vectors, survives

VECTORS = read_vectors("pccc")
REQUESTS = [vector for name, vector in VECTORS.items() if not name.endswith("_reply")]
REPLIES = [vector for name, vector in VECTORS.items() if name.endswith("_reply")]
PYCOMM3 = bytes.fromhex("07091066bbf656")


def command(vector: Vector) -> Command:
    """What a request's data says."""
    return decode_command(decode_request(vector.data).data)


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector.name)
def test_every_request_is_read_in_all_ways(vector: Vector) -> None:
    request = decode_request(vector.data)
    assert request == Request(EXECUTE_PCCC, bytes.fromhex("20672401"), request.data)
    assert encode_request(request) == vector.data
    check_codec(request.data, command(vector), decode_command, encode_command, tail="kept")


@pytest.mark.parametrize("vector", REPLIES, ids=lambda vector: vector.name)
def test_every_reply_is_read_in_all_ways(vector: Vector) -> None:
    data = decode_reply(vector.data).data
    check_codec(data, decode_answer(data), decode_answer, encode_answer, tail="kept")


def test_a_read_says_what_it_is_about() -> None:
    read = command(VECTORS["pycomm3_read"])
    assert read == Command(PYCOMM3, 0x0F, 1, 0xA2, bytes.fromhex("0607890000"))
    assert decode_address(read.data) == (Address(6, 7, 0x89, 0), b"")


def test_a_masked_write_keeps_mask_and_words_behind_its_address() -> None:
    address, rest = decode_address(command(VECTORS["pycomm3_write_bit"]).data)
    assert (address, rest.hex()) == (Address(2, 7, 0x89, 2), "08000800")


@pytest.mark.parametrize(
    ("digits", "address", "two"),
    [
        ("02 07 89 05 00", Address(2, 7, 0x89, 5), False),
        ("02 07 89 fe fe", Address(2, 7, 0x89, 254, 254), False),
        ("02 ffff00 89 ff0001 ffff00", Address(2, 255, 0x89, 256, 255), False),
        ("04 00 01 23", Address(4, 0, 1, 0x23), True),
        ("50 00 03 ff1801", Address(0x50, 0, 3, 0x118), True),
    ],
)
def test_addresses_are_short_or_wide(digits: str, address: Address, two: bool) -> None:
    data = bytes.fromhex(digits)
    assert decode_address(data, two) == (address, b"")
    assert encode_address(address, two) == data
    assert decode_address(data + b"ab", two) == (address, b"ab")
    for end in range(len(data)):
        with pytest.raises(PcccError) as caught:
            decode_address(data[:end], two)
        assert caught.value.status == ILLEGAL_COMMAND


def test_a_wide_field_may_hold_a_small_number() -> None:
    assert decode_address(bytes.fromhex("02 ff0700 89 ff0000 ff0200"))[0] == Address(2, 7, 0x89, 0, 2)


@pytest.mark.parametrize(
    "digits", ["", "07", "07091066bbf6", "07091066bbf656", "07091066bbf6560f0001", "00 0f000100a2"]
)
def test_a_message_without_its_head_is_a_fault_of_cip(digits: str) -> None:
    with pytest.raises(CipError) as caught:
        decode_command(bytes.fromhex(digits))
    assert caught.value.general == NOT_ENOUGH_DATA


@pytest.mark.parametrize("digits", ["01", "03abcd", "0b0102030405060708090a"])
def test_a_requestor_of_another_length_is_echoed(digits: str) -> None:
    requestor = bytes.fromhex(digits)
    read = decode_command(requestor + bytes.fromhex("0f000100a2"))
    assert (read.requestor, read.function, read.data) == (requestor, 0xA2, b"")
    assert encode_answer(Answer(read.requestor, read.command, read.transaction)) == requestor + b"\x4f\0\1\0"


def test_a_command_may_end_before_its_function() -> None:
    assert decode_command(PYCOMM3 + b"\x0f\0\1\0") == Command(PYCOMM3, 0x0F, 1, None)


def test_an_extended_status_stands_before_the_data() -> None:
    refused = decode_answer(decode_reply(VECTORS["too_large_reply"].data).data)
    assert (refused.status, refused.extended, refused.data) == (EXTENDED, 7, b"")
    assert str(PcccError(EXTENDED, 7)) == "see the extended status (0xF0), 0x07"
    assert str(PcccError(ILLEGAL_COMMAND)) == "illegal command or format, or no such address (0x10)"


@pytest.mark.parametrize("digits", ["", "07", "01 4f 00 01", "01 0f 00 0100", "01 4f f0 0100"])
def test_what_is_no_reply_is_the_peer_s_fault(digits: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_answer(bytes.fromhex(digits))


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="its first byte is not its length"):
        encode_command(Command(b"\7\1", 0x0F, 1, 0xA2))
    with pytest.raises(LocalProtocolError, match="65536 in a PCCC address"):
        encode_address(Address(2, 7, 0x89, 65536))
    with pytest.raises(LocalProtocolError, match="two address fields"):
        encode_address(Address(2, 7, 0x89, 1, 1), two=True)


U8, U16 = st.integers(0, 0xFF), st.integers(0, 0xFFFF)
REQUESTORS = st.binary(max_size=20).map(lambda rest: bytes((len(rest) + 1,)) + rest)


@given(REQUESTORS, U8, U16, U8, st.binary(max_size=40), U8)
def test_what_is_encoded_decodes_to_itself(
    requestor: bytes, code: int, transaction: int, function: int, data: bytes, status: int
) -> None:
    asked = Command(requestor, code, transaction, function, data, status)
    assert decode_command(encode_command(asked)) == asked
    extended = function if status == EXTENDED else 0
    answer = Answer(requestor, code & ~0x40, transaction, status, extended, data)
    assert decode_answer(encode_answer(answer)) == answer


@given(U8, U16, U8, U16, U16, st.binary(max_size=8))
def test_an_address_decodes_to_itself(size: int, file: int, kind: int, element: int, sub: int, rest: bytes) -> None:
    address = Address(size, file, kind, element, sub)
    assert decode_address(encode_address(address) + rest) == (address, rest)


@given(st.binary(max_size=40))
def test_any_bytes_are_messages_or_refused(data: bytes) -> None:
    survives(decode_command, data)
    survives(decode_answer, data)
    survives(decode_address, data)
