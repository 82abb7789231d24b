"""EPATH segments, padded and packed, both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.epath import (
    Attribute,
    Class,
    ConnectionPoint,
    Data,
    ElectronicKey,
    Element,
    Instance,
    Network,
    Port,
    Segment,
    Symbolic,
    decode_epath,
    encode_epath,
)
from node.cip.status import PATH_SEGMENT_ERROR, CipError
from node.errors import LocalProtocolError
from tests.vectors import check_codec, survives

SMALLEST: list[tuple[str, list[Segment]]] = [
    ("2004", [Class(4)]),
    ("2100 0004", [Class(0x400)]),
    ("2405", [Instance(5)]),
    ("2500 ce0f", [Instance(0xFCE)]),
    ("2600 00000100", [Instance(0x10000)]),
    ("2803", [Element(3)]),
    ("2900 e803", [Element(1000)]),
    ("2a00 a0860100", [Element(100_000)]),
    ("2c64", [ConnectionPoint(100)]),
    ("2d00 2c01", [ConnectionPoint(300)]),
    ("3007", [Attribute(7)]),
    ("3100 0101", [Attribute(0x101)]),
    ("9105 5343414441 00", [Symbolic("SCADA")]),
    ("9104 54414e4b", [Symbolic("TANK")]),
    ("0100", [Port(1, 0)]),
    ("1209 3132372e302e302e31 00", [Port(2, b"127.0.0.1")]),
    ("1208 31302e302e302e31", [Port(2, b"10.0.0.1")]),
    ("0f 1200 05", [Port(18, 5)]),
    ("1f08 1200 31302e302e302e31", [Port(18, b"10.0.0.1")]),
    ("3404 0100 0e00 3600 94 0b", [ElectronicKey(1, 14, 54, 20, 11, compatible=True)]),
    ("8002 01020304", [Data(b"\1\2\3\4")]),
    ("4305", [Network(b"\x43\x05")]),
    ("5002 01020304", [Network(b"\x50\x02\1\2\3\4")]),
    ("01002002 2401", [Port(1, 0), Class(2), Instance(1)]),
    ("9102 5541 2802 9103 617272 00 2801", [Symbolic("UA"), Element(2), Symbolic("arr"), Element(1)]),
    ("910b 50726f6772616d3a4d6169 00 206b 2500 0001", [Symbolic("Program:Mai"), Class(0x6B), Instance(256)]),
    ("", []),
]

WIDER: list[tuple[str, list[Segment]]] = [
    ("2100 0500", [Class(5)]),
    ("2500 0500", [Instance(5)]),
    ("2600 05000000", [Instance(5)]),
    ("2900 0300", [Element(3)]),
    ("2a00 03000000", [Element(3)]),
    ("2d00 6400", [ConnectionPoint(100)]),
    ("3100 0700", [Attribute(7)]),
    ("0f 0100 00", [Port(1, 0)]),
]

BAD = {
    "class cut short": "20",
    "16-bit instance cut short": "2500 01",
    "32-bit element cut short": "2a00 010203",
    "logical format 3": "2700 0100",
    "32-bit special": "3600 0000",
    "key of another format": "3405 0100 0e00 3600 9402",
    "key cut short": "3404 0100 0e00",
    "key without a format": "34",
    "symbol cut short": "9105 5343",
    "symbol without its pad": "9105 5343414441",
    "symbol without a length": "91",
    "symbol without characters": "9100",
    "port without a link": "01",
    "port 0": "0000",
    "link without a length": "11",
    "link of no bytes": "1100",
    "link cut short": "1209 3132",
    "extended port cut short": "0f 12",
    "extended port without a link": "0f 1200",
    "data cut short": "8002 0102",
    "data without a size": "80",
    "network segment cut short": "5002 0102",
    "network segment without data": "43",
    "another data segment": "8100",
    "symbol of the old kind": "6341",
    "data type": "c400",
}


@pytest.mark.parametrize(("digits", "segments"), SMALLEST, ids=[digits or "empty" for digits, _ in SMALLEST])
def test_a_path_in_its_smallest_form(digits: str, segments: list[Segment]) -> None:
    assert decode_epath(bytes.fromhex(digits)) == segments
    assert encode_epath(segments) == bytes.fromhex(digits)


@pytest.mark.parametrize("digits", [digits for digits, _ in SMALLEST if digits])
def test_a_path_byte_by_byte_and_with_a_tail(digits: str) -> None:
    data = bytes.fromhex(digits)
    check_codec(data, decode_epath(data), decode_epath, encode_epath, tail="refused")


@pytest.mark.parametrize(("digits", "segments"), WIDER, ids=[digits for digits, _ in WIDER])
def test_wider_forms_mean_the_same(digits: str, segments: list[Segment]) -> None:
    assert decode_epath(bytes.fromhex(digits)) == segments


@pytest.mark.parametrize("digits", BAD.values(), ids=BAD.keys())
def test_what_is_no_segment_is_a_path_segment_error(digits: str) -> None:
    with pytest.raises(CipError) as caught:
        decode_epath(bytes.fromhex("2004" + digits))
    assert caught.value.general == PATH_SEGMENT_ERROR


def test_packed_paths_have_no_pad_in_logical_segments_and_symbols() -> None:
    segments: list[Segment] = [Class(0x400), Instance(0x10000), Symbolic("abc"), Element(1)]
    data = bytes.fromhex("210004 2600000100 9103616263 2801")
    assert encode_epath(segments, padded=False) == data
    assert decode_epath(data, padded=False) == segments


@pytest.mark.parametrize(
    "segment",
    [
        Class(-1),
        Element(1 << 32),
        Symbolic(""),
        Symbolic("x" * 256),
        Symbolic("größe€"),
        Port(0, 0),
        Port(0x10000, 0),
        Port(1, 256),
        Port(1, b""),
        Port(1, bytes(256)),
        ElectronicKey(major=128),
        ElectronicKey(vendor=0x10000),
        Data(b"\0"),
        Data(bytes(512)),
    ],
    ids=str,
)
def test_what_no_segment_holds_is_refused(segment: Segment) -> None:
    with pytest.raises(LocalProtocolError):
        encode_epath([segment])


U8, U16, U32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
LATIN = st.characters(max_codepoint=255)
SEGMENTS = st.one_of(
    *(st.builds(kind, U32) for kind in (Class, Instance, Attribute, Element, ConnectionPoint)),
    st.builds(Symbolic, st.text(LATIN, min_size=1, max_size=40)),
    st.builds(Port, st.integers(1, 0xFFFF), st.one_of(U8, st.binary(min_size=1, max_size=20))),
    st.builds(ElectronicKey, U16, U16, U16, st.integers(0, 0x7F), U8, st.booleans()),
    st.builds(Data, st.binary(max_size=30).map(lambda data: data[: len(data) & ~1])),
)


@given(st.lists(SEGMENTS, max_size=6), st.booleans())
def test_what_is_encoded_decodes_to_itself(segments: list[Segment], padded: bool) -> None:
    assert decode_epath(encode_epath(segments, padded), padded) == segments


@given(st.binary(max_size=40), st.booleans())
def test_any_bytes_are_a_path_or_refused(data: bytes, padded: bool) -> None:
    if survives(lambda data: decode_epath(data, padded), data):
        segments = decode_epath(data, padded)
        assert decode_epath(encode_epath(segments, padded), padded) == segments
