"""Attribute values in JSON and in bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.attribute_values import (
    Codec,
    Flag,
    Number,
    Numbers,
    PaddedString,
    Path,
    Raw,
    Revision,
    ShortString,
)
from node.cip.interface_configuration import InterfaceConfiguration
from node.cip.status import INVALID_ATTRIBUTE_VALUE, NOT_ENOUGH_DATA, TOO_MUCH_DATA, CipError
from node.cip.types import REAL, UDINT, UINT, USINT
from node.errors import LocalProtocolError
from tests.vectors import check_codec, read_vectors, survives

VECTORS = read_vectors("attributes")

ADDRESSES = {
    "ip_address": "192.168.0.201",
    "network_mask": "255.255.255.0",
    "gateway_address": "0.0.0.0",
    "dns_primary": "8.8.8.8",
    "dns_secondary": "8.8.4.4",
    "domain_name": "example.com",
}

VALUES: dict[str, tuple[Codec, object]] = {
    "UINT": (Number(UINT), 1),
    "UDINT": (Number(UDINT), 7079450),
    "REAL": (Number(REAL), 50.0),
    "SHORT_STRING": (ShortString(32), "1756-L61/B LOGIX5561"),
    "STRING": (PaddedString(64), "plc"),
    "revision": (Revision(), "20.11"),
    "EPATH": (Path(), "@0xF6/1"),
    "bytes": (Raw(6), "02fa006c061a"),
    "numbers": (Numbers(UINT, 2), [1, 0]),
    "interface": (InterfaceConfiguration(), ADDRESSES),
}


def test_every_vector_has_its_value() -> None:
    assert set(VECTORS) == set(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_vectors(name: str) -> None:
    codec, value = VALUES[name]
    data = VECTORS[name].data
    check_codec(data, value, codec.decode, codec.encode, tail="refused")
    assert codec.measure(data + b"\xff\xff\xff") == len(data)
    assert codec.size in (0, len(data))
    for end in range(len(data)):
        with pytest.raises(CipError) as caught:
            codec.measure(data[:end])
        assert caught.value.general == NOT_ENOUGH_DATA


@pytest.mark.parametrize(
    ("codec", "value", "digits"),
    [
        (Number(UINT), "0x3060", "6030"),
        (Number(UINT), " 12 ", "0c00"),
        (Number(REAL), 2, "00000040"),
        (Number(REAL), "1.5", "0000c03f"),
        (Flag(), True, "01"),
        (Flag(), "false", "00"),
        (Flag(), 1, "01"),
        (Revision(), 20.11, "140b"),
        (Revision(), 2836, "140b"),
        (Revision(), "2836", "140b"),
        (Revision(), "20.1", "1401"),
        (Revision(), "20.10", "140a"),
        (Revision(), [20, 11], "140b"),
        (Path(), [{"class": 246}, {"instance": 1}], "0200 20f62401"),
        (Raw(6), "02:FA:00:6C:06:1A", "02fa006c061a"),
        (Raw(), "0x0102", "0102"),
        (Raw(), "", ""),
        (Numbers(USINT), [1, 2, 3], "010203"),
        (InterfaceConfiguration(), {}, "00" * 22),
    ],
)
def test_people_write_them_as_they_like(codec: Codec, value: object, digits: str) -> None:
    assert codec.encode(value) == bytes.fromhex(digits)


def test_what_is_left_open_stays() -> None:
    before = VECTORS["interface"].data
    after = InterfaceConfiguration().decode(InterfaceConfiguration().encode({"ip_address": "10.0.0.1"}, before))
    assert after == {**ADDRESSES, "ip_address": "10.0.0.1"}


@pytest.mark.parametrize(
    ("codec", "value", "message"),
    [
        (Number(UINT), 65536, "got 65536, wanted a number of 0 to 65535"),
        (Number(UINT), -1, "wanted a number of 0 to 65535"),
        (Number(UINT), 1.5, "wanted a number of 0 to 65535"),
        (Number(UINT), True, "got true, wanted a number"),
        (Number(UINT), "ten", 'got "ten", wanted a number'),
        (Number(UINT), "9" * 5000, "wanted a number"),
        (Number(REAL), "nan", "wanted a number"),
        (Number(REAL), 1e39, "wanted a number"),
        (Number(UINT), None, "got null, wanted a number"),
        (Flag(), 2, "got 2, wanted true or false"),
        (Flag(), 1.0, "wanted true or false"),
        (Revision(), "20", None),
        (Revision(), "20.", "wanted a revision"),
        (Revision(), "1.2.3", "wanted a revision"),
        (Revision(), "256.0", "wanted a revision"),
        (Revision(), 65536, "wanted a revision"),
        (Revision(), [1], "wanted a revision"),
        (Revision(), {"major": 1}, "wanted a revision"),
        (ShortString(4), "12345", "wanted a text of at most 4 ISO-8859-1 characters"),
        (ShortString(4), "π", "wanted a text of at most 4"),
        (ShortString(4), 5, "got 5, wanted a text"),
        (PaddedString(4), "12345", "wanted a text of at most 4"),
        (Path(), 5, "wanted a path as @0xF6/1"),
        (Path(), "@x", "@x"),
        (Raw(6), "0102", "wanted 6 bytes in hex"),
        (Raw(), "xyz", "wanted bytes in hex"),
        (Raw(), 5, "wanted bytes in hex"),
        (Numbers(UINT, 2), [1], "wanted a list of 2 numbers"),
        (Numbers(UINT), 1, "wanted a list of numbers"),
        (Numbers(UINT), ["a"], "wanted a number"),
        (InterfaceConfiguration(), {"ip": "1.2.3.4"}, "got 'ip', wanted only ip_address"),
        (InterfaceConfiguration(), {"ip_address": 5}, "got 5, wanted an IPv4 address"),
        (InterfaceConfiguration(), {"ip_address": "1.2.3.256"}, "wanted an IPv4 address"),
        (InterfaceConfiguration(), [], "wanted an object of ip_address"),
        (Raw(), ["x" * 100], '"xxxx'),
    ],
)
def test_what_does_not_fit_says_what_was_wanted(codec: Codec, value: object, message: str | None) -> None:
    if message is None:
        assert codec.encode(value) == b"\x14\0"
        return
    with pytest.raises(LocalProtocolError) as caught:
        codec.encode(value)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("codec", "digits", "status"),
    [
        (ShortString(2), "03616263", INVALID_ATTRIBUTE_VALUE),
        (PaddedString(2), "030061626300", INVALID_ATTRIBUTE_VALUE),
        (PaddedString(2), "0200 616263", TOO_MUCH_DATA),
        (PaddedString(2), "0200 61", NOT_ENOUGH_DATA),
        (Number(UINT), "01", NOT_ENOUGH_DATA),
        (Number(UINT), "010203", TOO_MUCH_DATA),
        (Flag(), "", NOT_ENOUGH_DATA),
        (Numbers(UINT), "010203", NOT_ENOUGH_DATA),
    ],
)
def test_a_set_of_other_bytes_is_refused(codec: Codec, digits: str, status: int) -> None:
    with pytest.raises(CipError) as caught:
        codec.decode(bytes.fromhex(digits))
    assert caught.value.general == status


@given(st.sampled_from(sorted(VALUES)), st.binary(max_size=60))
def test_any_bytes_are_a_value_or_refused(name: str, data: bytes) -> None:
    codec, _ = VALUES[name]
    if survives(codec.decode, data):
        assert codec.measure(data) == len(data)


@given(
    st.sampled_from(sorted(VALUES)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
        max_leaves=8,
    ),
)
def test_any_json_is_a_value_or_refused(name: str, value: object) -> None:
    codec, _ = VALUES[name]
    try:
        data = codec.encode(value)
    except LocalProtocolError:
        return
    assert codec.encode(codec.decode(data)) == data or name == "EPATH"
