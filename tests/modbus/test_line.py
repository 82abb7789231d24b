"""Silences by speed, and how long frames are by their function."""

import pytest

from node.modbus.functions import FUNCTIONS
from node.modbus.lengths import ends_in_silence, reply_size, request_size
from node.modbus.line import BAUDS, Turns, silence, t1_5, t3_5
from node.modbus.rtu import encode_rtu
from tests.modbus.test_rtu import PDUS, REPLIES

MICROSECONDS = {
    1200: (13750, 32083),
    2400: (6875, 16042),
    4800: (3438, 8021),
    9600: (1719, 4010),
    19200: (859, 2005),
    38400: (750, 1750),
    57600: (750, 1750),
    115200: (750, 1750),
}
"""Baud to t1.5 and t3.5, computed by hand."""


@pytest.mark.parametrize("baud", BAUDS)
def test_silences(baud: int) -> None:
    assert (t1_5(baud) * 1e6, t3_5(baud) * 1e6) == pytest.approx(MICROSECONDS[baud], abs=0.5)
    assert silence(baud) >= max(t3_5(baud), 0.02)


@pytest.mark.parametrize(("sized", "pdus"), [(request_size, PDUS), (reply_size, REPLIES)])
def test_a_frame_has_the_length_that_its_function_says(sized: object, pdus: dict[str, str]) -> None:
    for name, text in pdus.items():
        frame = encode_rtu(1, bytes.fromhex(text))
        size = sized(frame)  # type: ignore[operator]
        if sized is request_size and ends_in_silence(frame):
            assert name in ("long echo", "CANopen", "a function of a vendor")
            continue
        assert size == len(frame), name
        for known in range(len(frame)):
            assert sized(frame[:known]) > known, name  # type: ignore[operator]
        assert sized(b"\xff" + frame, 1) == size  # type: ignore[operator]


def test_every_function_has_a_length() -> None:
    for function in FUNCTIONS:
        assert request_size(bytes((1, function))) > 0
        assert reply_size(bytes((1, function))) > 0
        assert reply_size(bytes((1, function | 0x80))) == 5
    assert [request_size(bytes((1, function))) for function in (0, 9, 65, 0x81)] == [0] * 4
    assert [reply_size(bytes((1, function))) for function in (0, 9, 65, 0xC1)] == [0] * 4


@pytest.mark.parametrize("head", ["01 10 00 00 00 7B F8", "01 14 FC", "01 17 00 00 00 00 00 00 00 00 F4"])
def test_what_would_be_longer_than_a_frame_is_none(head: str) -> None:
    assert request_size(bytes.fromhex(head)) == 0


def test_turns() -> None:
    turns = Turns((1,))
    assert [turns.is_request(5, 6, True) for _ in range(3)] == [True, False, True]
    assert turns.awaits(5, 0x86)
    assert not turns.awaits(5, 3)
    assert not turns.is_request(5, 0x86, False)
    assert [turns.is_request(1, 6, True), turns.is_request(1, 6, True), turns.is_request(1, 0x86, False)] == [1, 1, 0]
    assert turns.is_request(0, 6, True)
    assert not turns.awaits(0, 6)
