"""Frames taken apart: every vector to its last byte, and each spoilt one at the byte that was spoilt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.automata import peekable
from node.automata.encapsulation import encapsulation
from node.capture.dissect import ASCII, CIP, ENIP, EPATH, MODBUS, RTU, TAKES, Dissection, dissect
from node.cip.message import Request as Message
from node.cip.message import encode_request as encode_request_message
from node.cip.unconnected import UnconnectedSend, encode_unconnected_send
from node.enip.commands import encode_unconnected
from node.enip.header import HEADER_SIZE, SEND_RR_DATA, pack_header
from node.modbus.adu import encode_adu
from node.modbus.ascii import encode_ascii
from node.modbus.functions import encode_exception
from node.modbus.pdu import (
    DataReply,
    MaskWrite,
    Read,
    ReadWrite,
    WriteMultiple,
    WriteSingle,
    WrittenReply,
    encode_reply,
    encode_request,
)
from node.modbus.rtu import encode_rtu
from tests.vectors import read_vectors

FRAMES = read_vectors("encapsulation")
MESSAGES = {
    name: vector.data
    for file in ("pylogix_requests", "pycomm3_requests")
    for name, vector in read_vectors(file).items()
}
PDUS = {
    "read": (False, encode_request(Read(3, 100, 10))),
    "write register": (False, encode_request(WriteSingle(6, 1, 7))),
    "write coils": (False, encode_request(WriteMultiple(15, 2, 10, b"\xff\x03"))),
    "write registers": (False, encode_request(WriteMultiple(16, 2, 2, b"\1\2\3\4"))),
    "mask": (False, encode_request(MaskWrite(4, 0xF2, 0x25))),
    "read and write": (False, encode_request(ReadWrite(3, 6, 14, b"\0\xff" * 3))),
    "identification": (False, bytes.fromhex("2b0e0100")),
    "file": (False, bytes.fromhex("140e0600040001000206000300090002")),
    "diagnostics": (False, bytes.fromhex("0800010000")),
    "registers": (True, encode_reply(DataReply(3, b"\0\1\0\2"))),
    "written": (True, encode_reply(WrittenReply(16, 2, 2))),
    "exception": (True, encode_exception(3, 2)),
    "who it is": (True, bytes.fromhex("2b0e01810000020003414243010131")),
}


def covered(found: Dissection) -> int:
    """Bytes that parts are of, from the first on without a gap or a part over another."""
    at = 0
    for part in found.parts:
        if part.size:
            assert part.offset == at
            at += part.size
    return at


def told(found: Dissection) -> dict[str, str]:
    """Name to value; of several with one name, the last."""
    return {part.name: part.value for part in found.parts}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_s_parts_are_all_of_its_bytes(name: str) -> None:
    found = dissect(FRAMES[name].data)
    assert (found.protocol, found.fault) == (ENIP, None)
    assert covered(found) == len(FRAMES[name].data)


@pytest.mark.parametrize("name", MESSAGES)
def test_so_are_those_of_what_clients_ask(name: str) -> None:
    found = dissect(MESSAGES[name], CIP)
    assert found.fault is None
    assert covered(found) == len(MESSAGES[name])


def test_what_a_read_says() -> None:
    found = told(dissect(FRAMES["read_tag"].data))
    assert found["command"] == "SendRRData (0x006F)"
    assert found["service"] == "Read Tag (0x4C)"
    assert (found["path"], found["name"], found["element"], found["elements"]) == ("SCADA[3]", "SCADA", "3", "2")
    reply = told(dissect(FRAMES["read_tag_reply"].data))
    assert (reply["type"], reply["values"]) == ("INT (0x00C3)", "1, -1")


def test_what_a_connection_says() -> None:
    found = told(dissect(FRAMES["forward_open"].data))
    assert found["service"] == "Forward Open (0x54)"
    assert found["O->T parameters"] == "500 bytes, variable, point to point, low priority"
    assert found["transport"] == "class 3, server (0xA3)"
    assert found["port"] == "port 1, link 0"


def test_messages_within_a_message() -> None:
    found = dissect(FRAMES["multiple"].data)
    assert [part.value for part in found.parts if part.name == "service"] == [
        "Multiple Service Packet (0x0A)",
        "Read Tag (0x4C)",
        "Read Tag (0x4C)",
    ]
    assert [part.value for part in found.parts if part.name == "path"][1:] == ["SCADA[3]", "NONE"]


def test_several_messages_over_a_route() -> None:
    inner = FRAMES["multiple"].data[40:]
    send = encode_unconnected_send(UnconnectedSend(inner, b"\1\0"))
    body = encode_unconnected(encode_request_message(Message(0x52, b"\x20\6\x24\1", send)))
    frame = pack_header(SEND_RR_DATA, len(body), 1, 0, bytes(8)) + body
    found = dissect(frame)
    assert found.fault is None
    assert covered(found) == len(frame)
    assert [part.value for part in found.parts if part.name == "name"] == ["SCADA", "NONE"]
    assert told(found)["route"] == '@{"port":1,"link":0}'


def test_messages_within_messages_without_end() -> None:
    message = FRAMES["read_tag"].data[40:]
    for _ in range(20):
        message = encode_request_message(Message(0x0A, b"\x20\2\x24\1", b"\1\0\4\0" + message))
    fault = dissect(message, CIP).fault
    assert fault is not None
    assert "parts within each other" in fault.wanted


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_that_breaks_off_goes_wrong_at_its_end(name: str) -> None:
    data = FRAMES[name].data
    for end in range(1, len(data)):
        fault = dissect(data[:end], ENIP).fault
        assert fault is not None
        assert fault.offset == end


SPOILT = {
    "no command": ("read_tag", 0, "ff7f", 0, "a command"),
    "item count": ("read_tag", 30, "0900", 30, "4 items at most"),
    "item type": ("read_tag", 36, "b100", 36, "unconnected data (0x00B2)"),
    "item length": ("read_tag", 38, "ff00", 54, "255 bytes of data"),
    "path size": ("read_tag", 41, "0f", 54, "30 bytes of path"),
    "segment": ("read_tag", 50, "3f", 50, "a path segment"),
    "offset": ("multiple", 48, "ff00", 48, "an offset from 6 to 30"),
    "type": ("read_tag_reply", 44, "9900", 44, "a type"),
    "version": ("register_session", 24, "0900", 24, "version 1"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_where_a_spoilt_frame_goes_wrong(name: str) -> None:
    vector, at, digits, where, wanted = SPOILT[name]
    data = bytearray(FRAMES[vector].data)
    data[at : at + len(digits) // 2] = bytes.fromhex(digits)
    fault = dissect(bytes(data), ENIP).fault
    assert fault is not None
    assert fault.offset == where
    assert wanted in fault.wanted


@given(st.sampled_from(list(FRAMES)), st.data())
def test_what_the_machine_refuses_is_wrong_here_too(name: str, data: st.DataObject) -> None:
    frame = bytearray(FRAMES[name].data)
    at = data.draw(st.sampled_from([2, 3, *range(HEADER_SIZE, len(frame))]))
    frame[at] = data.draw(st.integers(0, 255))
    source = peekable(bytes(frame))
    if not encapsulation().consume(source):
        assert dissect(bytes(frame), ENIP).fault is not None


@pytest.mark.parametrize("name", PDUS)
def test_modbus_in_all_its_frames(name: str) -> None:
    reply, pdu = PDUS[name]
    for data, kind in (
        (encode_adu(1, 9, pdu), MODBUS),
        (encode_rtu(9, pdu), RTU),
        (encode_ascii(9, pdu), ASCII),
    ):
        for found in (dissect(data), dissect(data, kind, reply)):
            assert (found.protocol, found.fault) == (kind, None)
            assert covered(found) == len(data)


def test_what_modbus_says() -> None:
    found = told(dissect(encode_adu(1, 9, PDUS["write registers"][1])))
    assert (found["unit"], found["function"]) == ("9", "write registers (0x10)")
    assert (found["address"], found["registers"]) == ("2, which is 40003", "258, 772")
    assert told(dissect(encode_rtu(9, PDUS["exception"][1])))["exception"] == "illegal data address (0x02)"


@pytest.mark.parametrize(
    ("data", "kind", "where", "wanted"),
    [
        ("000100010006010300000001", MODBUS, 2, "protocol 0"),
        ("000100000001010300000001", MODBUS, 4, "a length from 2 to 254"),
        ("0001000000060103000000ff", MODBUS, 10, "a quantity from 1 to 125"),
        ("000100000006010500011234", MODBUS, 10, "FF00 or 0000"),
        ("00010000000601030000", MODBUS, 10, "6 bytes"),
        ("000100000008010300000001ffff", MODBUS, 12, "the end of the PDU"),
        ("0001000000060164000000ff", MODBUS, 7, "a function that Modbus has"),
        ("010300000001ffff", RTU, 6, "84 0a"),
        ("3a30313033303030303030303146430d0a", ASCII, 13, "FB"),
        ("3a3031305830", ASCII, 4, "a second hexadecimal digit"),
    ],
)
def test_where_a_spoilt_modbus_frame_goes_wrong(data: str, kind: str, where: int, wanted: str) -> None:
    found = dissect(bytes.fromhex(data), kind)
    assert found.fault is not None
    assert (found.fault.offset, wanted in found.fault.wanted) == (where, True), found.fault


@given(
    st.sampled_from([*TAKES, ""]), st.one_of(st.binary(max_size=80), st.sampled_from([*MESSAGES.values()])), st.data()
)
def test_any_bytes_can_be_taken_apart(kind: str, data: bytes, more: st.DataObject) -> None:
    if data:
        at = more.draw(st.integers(0, len(data) - 1))
        data = data[:at] + more.draw(st.binary(max_size=3)) + data[at:]
    found = dissect(data, kind)
    covered(found)
    if found.fault is not None:
        assert 0 <= found.fault.offset <= len(data)
    else:
        assert covered(found) == len(data)


def test_a_message_and_a_path_alone() -> None:
    message = FRAMES["read_tag"].data[40:]
    assert told(dissect(message, CIP))["elements"] == "2"
    assert told(dissect(message[2:12], EPATH))["path"] == "SCADA[3]"
    assert dissect(b"").fault is not None
