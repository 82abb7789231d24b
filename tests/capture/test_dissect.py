"""Exchanges in words: a table of frames and replies, and whatever else may come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.capture.dissect_enip import dissect_enip
from node.capture.dissect_modbus import dissect_modbus
from node.capture.line import LIMIT, Line, line
from node.cip.multiple import encode_multiple
from node.cip.unconnected import UnconnectedSend, encode_unconnected_send
from node.enip.commands import encode_connected, encode_unconnected
from node.enip.header import SEND_RR_DATA, SEND_UNIT_DATA, Header, encode_header

LIT101 = "4c0491064c49543130310100"
"""Read Tag LIT101, one element."""
CM = "0220062401"
"""Path of the Connection Manager, its size before it."""


def rr(message: str, status: int = 0) -> bytes:
    body = encode_unconnected(bytes.fromhex(message))
    return encode_header(Header(SEND_RR_DATA, len(body), status=status)) + body


def unit(message: str) -> bytes:
    body = encode_connected(7, 1, bytes.fromhex(message))
    return encode_header(Header(SEND_UNIT_DATA, len(body))) + body


def packet(*messages: str, head: str = "0a0220022401") -> str:
    return head + encode_multiple([bytes.fromhex(message) for message in messages]).hex()


def sent_on(message: str) -> str:
    return "52" + CM + encode_unconnected_send(UnconnectedSend(bytes.fromhex(message), bytes.fromhex("0100"))).hex()


ENIP = {
    "a read": (rr(LIT101), rr("cc000000ca000000803f"), Line("Read Tag LIT101", "1")),
    "connected": (unit(LIT101), unit("cc000000c30005000600"), Line("Read Tag LIT101", "5, 6")),
    "no such tag": (
        rr(LIT101),
        rr("cc000400"),
        Line("Read Tag LIT101", "", "path segment error (0x04)", ("LIT101",)),
    ),
    "a write": (rr("4d0491064c495431303" + "1c40001000a000000"), rr("cd000000"), Line("Write Tag LIT101 = 10", "OK")),
    "cut in two": (
        rr("520491064c495431303101000000" + "0000"),
        rr("d2000600c4000a000000"),
        Line("Read Tag Fragmented LIT101", "10 (more to come)"),
    ),
    "by number": (rr("0e03200124013007"), rr("8e00000041"), Line("Get Attribute Single @1/1/7", "OK, 1 bytes")),
    "sent on": (rr(sent_on(LIT101)), rr("cc000000c3000500"), Line("Read Tag LIT101", "5")),
    "two at once": (
        rr(packet(LIT101, "4c0291024e6f0100")),
        rr(packet("cc000000c3000500", "cc000500", head="8a001e00")),
        Line("2 services: Read Tag LIT101, Read Tag No", "", "Read Tag No: path destination unknown (0x05)", ("No",)),
    ),
    "two that are there": (
        rr(packet(LIT101, LIT101)),
        rr(packet("cc000000c3000500", "cc000000c3000600", head="8a000000")),
        Line("2 services: Read Tag LIT101, Read Tag LIT101", "5, 6"),
    ),
    "no answer": (rr(LIT101), None, Line("Read Tag LIT101")),
    "an unknown session": (rr(LIT101), rr("", 0x64), Line("Read Tag LIT101", "", "invalid session handle (0x0064)")),
    "a structure": (rr(LIT101), rr("cc000000a002cd0fab0102"), Line("Read Tag LIT101", "a structure of 3 bytes")),
    "many values": (
        rr(LIT101),
        rr("cc000000c200" + "".join(f"{value:02x}" for value in range(20))),
        Line("Read Tag LIT101", "0, 1, 2, 3, 4, 5, 6, 7, … (20 values)"),
    ),
    "a command": (bytes.fromhex("6300" + "00" * 22), bytes.fromhex("6300" + "00" * 22), Line("ListIdentity", "OK")),
}


@pytest.mark.parametrize("name", ENIP)
def test_enip(name: str) -> None:
    frame, reply, wanted = ENIP[name]
    assert dissect_enip(frame, reply) == wanted


MODBUS = {
    "registers": ("0300000002", "030400110004", Line("unit 1: read holding registers 40001-40002", "17, 4")),
    "coils": ("0100000009", "01020500", Line("unit 1: read coils 00001-00009", "1, 0, 1, 0, 0, 0, 0, 0, … (9 values)")),
    "a write": ("06000a0007", "06000a0007", Line("unit 1: write register 40011 = 7", "OK")),
    "a coil": ("050000ff00", "050000ff00", Line("unit 1: write coil 00001 = 1", "OK")),
    "not there": (
        "0403e80001",
        "8402",
        Line("unit 1: read input registers 31001", "", "exception 02 (illegal data address)", ("unit 1: 31001",)),
    ),
    "past the end": (
        "03ffff0002",
        "8302",
        Line(
            "unit 1: read holding registers holding from 65535 on, 2 of them",
            "",
            "exception 02 (illegal data address)",
            ("unit 1: holding from 65535 on, 2 of them",),
        ),
    ),
    "unknown": ("63", "e301", Line("unit 1: function 99, 1 bytes", "", "exception 01 (illegal function)")),
}


@pytest.mark.parametrize("name", MODBUS)
def test_modbus(name: str) -> None:
    asked, answered, wanted = MODBUS[name]
    frame, reply = (bytes.fromhex(f"00010000{len(pdu) // 2 + 1:04x}01{pdu}") for pdu in (asked, answered))
    assert dissect_modbus(frame, reply) == wanted
    assert dissect_modbus(frame, None).request == wanted.request


@given(st.binary(max_size=120), st.none() | st.binary(max_size=120))
def test_whatever_came_has_its_line(frame: bytes, reply: bytes | None) -> None:
    for dissect in (dissect_enip, dissect_modbus):
        found = dissect(frame, reply)
        for text in (found.request, found.reply, found.status, *found.missing):
            assert len(text) <= LIMIT
            assert text.isprintable()


@given(st.sampled_from([*ENIP.values()]), st.data())
def test_a_damaged_frame_has_its_line(case: tuple[bytes, bytes | None, Line], data: st.DataObject) -> None:
    for whole in (case[0], case[1] or b""):
        spoilt = bytearray(whole)
        for at in data.draw(st.lists(st.integers(0, max(0, len(spoilt) - 1)), max_size=4)):
            if spoilt:
                spoilt[at] = data.draw(st.integers(0, 255))
        cut = bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))])
        assert dissect_enip(cut, case[1]).request
        assert dissect_enip(case[0], cut).request


def test_a_frame_of_which_the_beginning_was_kept_is_not_malformed() -> None:
    frame = rr("4d0491064c49543130310" + "1c400e803" + "00" * 5000)
    words = "SendRRData, 5031 bytes, of which 4072 are known"
    assert dissect_enip(frame[:4096], rr("cd000000")) == dissect_enip(frame[:4096], None) == Line(words)
    assert dissect_enip(frame[:4096], rr("cd000800")) == Line(words, "", "service not supported (0x08)")


def test_control_characters_are_shown() -> None:
    assert line("a\x1b[31m\n<b>") == Line("a\\x1b[31m\\n<b>")
