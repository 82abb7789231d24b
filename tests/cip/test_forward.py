"""Forward Open, Large Forward Open, Forward Close."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.forward import (
    HIGH,
    MULTICAST,
    ForwardClose,
    ForwardOpen,
    ForwardOpened,
    NetworkParameters,
    decode_forward_close,
    decode_forward_closed,
    decode_forward_open,
    decode_forward_opened,
    decode_network_parameters,
    encode_forward_close,
    encode_forward_closed,
    encode_forward_failure,
    encode_forward_open,
    encode_forward_opened,
    encode_network_parameters,
)
from node.cip.status import NOT_ENOUGH_DATA, TOO_MUCH_DATA, CipError
from node.errors import LocalProtocolError, RemoteProtocolError
from tests.vectors import check_codec, read_vectors, survives

PATH = bytes.fromhex("0100 2002 2401")


@pytest.mark.parametrize(
    ("value", "large", "parameters"),
    [
        (0x43F4, False, NetworkParameters(500)),
        (0x42000FA2, True, NetworkParameters(4002)),
        (0xA420, False, NetworkParameters(32, False, HIGH, MULTICAST, True)),
        (0x0000, False, NetworkParameters(0, False, 0, 0)),
    ],
)
def test_connection_parameters(value: int, large: bool, parameters: NetworkParameters) -> None:
    assert decode_network_parameters(value, large) == parameters
    assert encode_network_parameters(parameters, large) == value


@pytest.mark.parametrize(("size", "large"), [(512, False), (65536, True), (-1, True)])
def test_a_size_that_the_form_does_not_hold_is_refused(size: int, large: bool) -> None:
    with pytest.raises(LocalProtocolError, match=f"connection size of {size}"):
        encode_network_parameters(NetworkParameters(size), large)


@pytest.mark.parametrize(
    ("client", "size", "multiplier", "serial"), [("pycomm3", 4000, 7, 0x0427), ("pylogix", 4002, 3, 0x3D8A)]
)
def test_large_forward_opens_of_real_clients(client: str, size: int, multiplier: int, serial: int) -> None:
    data = read_vectors(f"{client}_requests")["large_forward_open"].data[6:]
    opened = decode_forward_open(data, large=True)
    assert (opened.o_t.size, opened.t_o.size, opened.timeout_multiplier) == (size, size, multiplier)
    assert (opened.serial, opened.transport_class, opened.path) == (serial, 3, PATH)
    check_codec(
        data,
        opened,
        lambda data: decode_forward_open(data, large=True),
        lambda opened: encode_forward_open(opened, large=True),
        tail="refused",
    )


def test_a_forward_open_of_the_small_form() -> None:
    data = read_vectors("encapsulation")["forward_open"].data[40 + 6 :]
    opened = ForwardOpen(
        0,
        0x71190427,
        0x1001,
        0x1009,
        0x12345678,
        NetworkParameters(500),
        NetworkParameters(500),
        PATH,
        2113537,
        2113537,
        7,
    )
    check_codec(
        data,
        opened,
        lambda data: decode_forward_open(data, large=False),
        lambda opened: encode_forward_open(opened, large=False),
        tail="refused",
    )
    assert opened.triplet == (0x1001, 0x1009, 0x12345678)
    assert opened.timeout == pytest.approx(2.113537 * 512)


@pytest.mark.parametrize("large", [False, True])
def test_an_open_cut_short_or_too_long_says_so(large: bool) -> None:
    data = encode_forward_open(ForwardOpen(0, 1, 2, 3, 4, path=PATH), large)
    for wrong, status in ((data[:-1], NOT_ENOUGH_DATA), (data[:20], NOT_ENOUGH_DATA), (data + b"\0", TOO_MUCH_DATA)):
        with pytest.raises(CipError) as caught:
            decode_forward_open(wrong, large)
        assert caught.value.general == status


def test_an_opened_connection() -> None:
    data = read_vectors("encapsulation")["forward_open_reply"].data[40 + 4 :]
    reply = ForwardOpened(0x11223344, 0x71190427, 0x1001, 0x1009, 0x12345678, 2113537, 2113537)
    check_codec(data, reply, decode_forward_opened, encode_forward_opened, tail="ignored")


@pytest.mark.parametrize("data", [b"", bytes(25), bytes(24) + b"\x02\0" + bytes(3)])
def test_an_opened_reply_cut_short_is_the_peer_s_fault(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_forward_opened(data)


@pytest.mark.parametrize("client", ["pycomm3", "pylogix"])
def test_forward_closes_of_real_clients(client: str) -> None:
    data = read_vectors(f"{client}_requests")["forward_close"].data[6:]
    closed = decode_forward_close(data)
    opened = decode_forward_open(read_vectors(f"{client}_requests")["large_forward_open"].data[6:], large=True)
    assert closed.triplet == opened.triplet
    assert closed.path == PATH
    check_codec(data, closed, decode_forward_close, encode_forward_close, tail="refused")


def test_a_closed_connection_and_a_failure_name_the_triplet() -> None:
    triplet = (0x1001, 0x1009, 0x12345678)
    assert encode_forward_closed(triplet).hex() == "01100910785634120000"
    assert encode_forward_failure(triplet, 3).hex() == "01100910785634120300"
    assert decode_forward_closed(encode_forward_closed(triplet, b"\1\2")) == (triplet, b"\1\2")
    with pytest.raises(RemoteProtocolError):
        decode_forward_closed(bytes(9))


@pytest.mark.parametrize("path", [b"\x20", bytes(512)], ids=["odd", "long"])
def test_a_path_that_an_open_cannot_announce_is_refused(path: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="whole words up to 510 bytes"):
        encode_forward_open(ForwardOpen(0, 1, 2, 3, 4, path=path), large=True)


U8, U16, U32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
PATHS = st.binary(max_size=30).map(lambda path: path[: len(path) & ~1])


def parameters(large: bool) -> st.SearchStrategy[NetworkParameters]:
    """Any that the form holds."""
    small = st.integers(0, 3)
    return st.builds(
        NetworkParameters, U16 if large else st.integers(0, 0x1FF), st.booleans(), small, small, st.booleans()
    )


def opens(large: bool) -> st.SearchStrategy[ForwardOpen]:
    """Any that the form holds."""
    one = parameters(large)
    return st.builds(ForwardOpen, U32, U32, U16, U16, U32, one, one, PATHS, U32, U32, U8, U8, U8, U8)


@given(st.booleans().flatmap(lambda large: st.tuples(st.just(large), opens(large))))
def test_an_open_that_is_encoded_decodes_to_itself(pair: tuple[bool, ForwardOpen]) -> None:
    large, opened = pair
    assert decode_forward_open(encode_forward_open(opened, large), large) == opened


@given(
    st.builds(ForwardOpened, U32, U32, U16, U16, U32, U32, U32, PATHS),
    st.builds(ForwardClose, U16, U16, U32, PATHS, U8, U8),
)
def test_replies_and_closes_that_are_encoded_decode_to_themselves(reply: ForwardOpened, close: ForwardClose) -> None:
    assert decode_forward_opened(encode_forward_opened(reply)) == reply
    assert decode_forward_close(encode_forward_close(close)) == close


@given(st.binary(max_size=80))
def test_any_bytes_are_services_or_refused(data: bytes) -> None:
    outcomes = [
        survives(lambda data: decode_forward_open(data, False), data),
        survives(lambda data: decode_forward_open(data, True), data),
        survives(decode_forward_opened, data),
        survives(decode_forward_close, data),
        survives(decode_forward_closed, data),
    ]
    assert len(data) >= 10 or outcomes == [False] * 5
