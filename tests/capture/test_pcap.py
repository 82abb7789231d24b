"""Capture files, byte by byte, there and back, and what is none."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.capture.pcap import CaptureError, Packet, decode, encode_header, encode_packet

HEADER = bytes.fromhex("4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000")
PACKET = bytes.fromhex("05000000 15cd5b07 03000000 09000000 616263")

PACKETS = st.lists(
    st.builds(
        lambda time, data, more: Packet(time, data, len(data) + more),
        st.integers(0, (1 << 32) * 10**9 - 1),
        st.binary(max_size=200),
        st.integers(0, 1000),
    ),
    max_size=10,
)


def test_a_file_byte_by_byte() -> None:
    packet = Packet(5_123_456_789, b"abc", 9)
    assert encode_header() == HEADER
    assert encode_packet(packet) == PACKET
    assert list(decode(HEADER + PACKET)) == [packet]


def test_both_byte_orders_and_both_fractions() -> None:
    for order in "<>":
        for magic, fraction in ((0xA1B2C3D4, 123_456), (0xA1B23C4D, 123_456_000)):
            head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
            body = struct.pack(f"{order}IIII", 7, fraction, 2, 2) + b"hi"
            assert list(decode(head + body)) == [Packet(7_123_456_000, b"hi", 2)]


@given(PACKETS)
def test_there_and_back(packets: list[Packet]) -> None:
    assert list(decode(encode_header() + b"".join(map(encode_packet, packets)))) == packets


@given(PACKETS)
def test_microseconds_lose_nothing_else(packets: list[Packet]) -> None:
    parts = [encode_packet(packet, nanoseconds=False) for packet in packets]
    found = list(decode(encode_header(nanoseconds=False) + b"".join(parts)))
    assert found == [Packet(packet.time // 1000 * 1000, packet.data, packet.length) for packet in packets]


def test_what_is_no_capture() -> None:
    for data, said in (
        (b"", "begins with nothing"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "begins with 0a0d0d0a"),
        (HEADER + PACKET[:9], "breaks off in a packet's header, 9 bytes"),
        (HEADER + PACKET[:-1], "2 of 3 bytes are there"),
        (HEADER + struct.pack("<IIII", 0, 0, 1 << 30, 1 << 30), "at most 262144"),
    ):
        with pytest.raises(CaptureError, match=said):
            list(decode(data))


@given(st.binary(max_size=300))
def test_no_bytes_are_worse_than_an_error(data: bytes) -> None:
    for start in (b"", HEADER):
        with contextlib.suppress(CaptureError):
            assert sum(len(packet.data) for packet in decode(start + data)) <= len(data)
