"""The bodies of encapsulation commands."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.enip.commands import (
    IdentityItem,
    ServiceItem,
    decode_connected,
    decode_identity,
    decode_legacy_list,
    decode_list_identity,
    decode_list_interfaces,
    decode_list_services,
    decode_register_session,
    decode_send,
    decode_unconnected,
    encode_connected,
    encode_identity,
    encode_legacy_list,
    encode_list_identity,
    encode_list_interfaces,
    encode_list_services,
    encode_register_session,
    encode_send,
    encode_unconnected,
)
from node.enip.cpf import NULL_ADDRESS, UNCONNECTED_DATA, Item, encode_cpf
from node.enip.header import HEADER_SIZE
from node.errors import LocalProtocolError, RemoteProtocolError
from tests.vectors import check_codec, read_vectors, survives

BODIES = {name: vector.data[HEADER_SIZE:] for name, vector in read_vectors("encapsulation").items()}
LOGIX = IdentityItem("127.64.0.1", 1, 14, 54, (20, 11), 0x3060, 0x006C061A, "1756-L61/B LOGIX5561")


def test_a_session_is_asked_for_with_version_and_options() -> None:
    check_codec(
        BODIES["register_session"],
        (1, 0),
        decode_register_session,
        lambda asked: encode_register_session(*asked),
        tail="refused",
    )


def test_services_are_named() -> None:
    body = BODIES["list_services_reply"]
    check_codec(body, [ServiceItem("Communications", 0x0020)], decode_list_services, encode_list_services, "ignored")


def test_other_items_among_services_are_passed_over_and_short_ones_refused() -> None:
    assert decode_list_services(encode_cpf([Item(0x0086, b"\0")])) == []
    with pytest.raises(RemoteProtocolError, match="item of 3 bytes, wanted 20"):
        decode_list_services(encode_cpf([Item(0x0100, b"\1\0\0")]))


def test_the_legacy_list_gives_an_address_twice() -> None:
    check_codec(
        BODIES["legacy_list_reply"],
        ("192.168.5.253", 44818),
        decode_legacy_list,
        lambda address: encode_legacy_list(*address),
        tail="ignored",
    )
    assert BODIES["legacy_list"] == b""
    with pytest.raises(LocalProtocolError, match="IPv4"):
        encode_legacy_list("plc.local")


@given(st.ip_addresses(v=4), st.integers(0, 0xFFFF))
def test_any_address_comes_back_from_a_legacy_list(ip: object, port: int) -> None:
    assert decode_legacy_list(encode_legacy_list(str(ip), port)) == (str(ip), port)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_legacy_list_or_refused(data: bytes) -> None:
    survives(decode_legacy_list, data)


def test_an_identity_is_found_in_its_reply() -> None:
    check_codec(BODIES["list_identity_reply"], LOGIX, decode_list_identity, encode_list_identity, tail="ignored")


def test_an_identity_lies_where_scanners_look_for_it() -> None:
    frame = read_vectors("encapsulation")["list_identity_reply"].data
    assert struct.unpack_from("<H", frame, 26) == (0x000C,)
    assert struct.unpack_from(">hH4B", frame, 32) == (2, 44818, 127, 64, 0, 1)
    assert struct.unpack_from("<HHHBBHIB", frame, 48) == (1, 14, 54, 20, 11, 0x3060, 0x006C061A, 20)
    assert frame[63:83] == b"1756-L61/B LOGIX5561"
    assert frame[83:] == b"\x03"
    assert struct.unpack_from("<H", frame, 28) == (34 + 20,)


@pytest.mark.parametrize("ip", ["", "localhost", "127.0.0", "127.0.0.256", "::1", "1.2.3.²"])
def test_an_identity_needs_an_ipv4_address(ip: str) -> None:
    with pytest.raises(LocalProtocolError, match="IPv4"):
        encode_identity(IdentityItem(ip, 1, 14, 54, (20, 11), 0, 0, "PLC"))


def test_a_field_that_does_not_fit_an_identity_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="does not fit"):
        encode_identity(IdentityItem("127.0.0.1", 65536, 14, 54, (20, 11), 0, 0, "PLC"))


def test_interfaces_are_none() -> None:
    assert encode_list_interfaces() == BODIES["list_interfaces_reply"]
    assert decode_list_interfaces(BODIES["list_interfaces_reply"]) == []


def test_an_identity_cut_short_is_the_peer_s_fault() -> None:
    data = encode_identity(LOGIX)
    for end in (32, len(data) - 1):
        with pytest.raises(RemoteProtocolError, match=f"identity item of {end} bytes"):
            decode_identity(data[:end])


def test_a_reply_without_an_identity_is_the_peer_s_fault() -> None:
    with pytest.raises(RemoteProtocolError, match="without an identity item"):
        decode_list_identity(BODIES["list_services_reply"])


def test_an_unconnected_message() -> None:
    body = BODIES["read_tag"]
    message = bytes.fromhex("4c05 9105534341444100 2803 0200")
    check_codec(body, message, decode_unconnected, encode_unconnected, tail="ignored")
    items = [Item(NULL_ADDRESS), Item(UNCONNECTED_DATA, message)]
    check_codec(body, (0, 0, items), decode_send, lambda sent: encode_send(sent[2], sent[1], sent[0]), tail="ignored")


def test_a_connected_message() -> None:
    message = bytes.fromhex("4c05 9105534341444100 2803 0200")
    check_codec(
        BODIES["connected_read"],
        (0x11223344, 7, message),
        decode_connected,
        lambda sent: encode_connected(*sent),
        tail="ignored",
    )


@pytest.mark.parametrize("name", ["list_services_reply", "connected_read", "nop"])
def test_other_items_are_no_unconnected_message(name: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_unconnected(BODIES[name])


def test_other_items_are_no_connected_message() -> None:
    with pytest.raises(RemoteProtocolError, match="items 0x0000 0x00B2 in SendUnitData"):
        decode_connected(BODIES["read_tag"])
    with pytest.raises(RemoteProtocolError, match="connected address of 2 bytes"):
        decode_connected(encode_send([Item(0xA1, b"\0\0"), Item(0xB1, b"\0\0")]))


U8, U16, U32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
LATIN = st.characters(max_codepoint=255)
IDENTITIES = st.builds(
    IdentityItem,
    st.tuples(U8, U8, U8, U8).map(lambda parts: ".".join(map(str, parts))),
    *(U16,) * 3,
    st.tuples(U8, U8),
    U16,
    U32,
    st.text(LATIN, max_size=255),
    U8,
    U16,
    U16,
)
SERVICES = st.builds(ServiceItem, st.text(LATIN.filter(lambda char: char != "\0"), max_size=16), U16, U16)


@given(IDENTITIES, st.lists(SERVICES, max_size=4))
def test_what_is_listed_decodes_to_itself(identity: IdentityItem, services: list[ServiceItem]) -> None:
    assert decode_identity(encode_identity(identity)) == identity
    assert decode_list_services(encode_list_services(services)) == services


@given(U32, U16, st.binary(max_size=40), U16)
def test_messages_decode_to_themselves(connection: int, sequence: int, message: bytes, timeout: int) -> None:
    assert decode_connected(encode_connected(connection, sequence, message)) == (connection, sequence, message)
    assert decode_unconnected(encode_unconnected(message, timeout)) == message


DECODERS: list[Callable[[bytes], object]] = [
    decode_register_session,
    decode_list_services,
    decode_identity,
    decode_legacy_list,
    decode_list_identity,
    decode_list_interfaces,
    decode_send,
    decode_unconnected,
    decode_connected,
]


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=60).map(lambda tail: bytes(6) + b"\2\0" + tail)))
def test_any_bytes_are_bodies_or_refused(data: bytes) -> None:
    outcomes = [survives(decode, data) for decode in DECODERS]
    assert outcomes[0] == (len(data) == 4)
