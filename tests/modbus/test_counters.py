"""What a unit counts of its line, asked as a client asks: by functions 8, 11 and 12."""

from __future__ import annotations

import pytest

from node.cip.types import BOOL, UINT
from node.memory.attribute import Attribute
from node.modbus.adu import encode_adu
from node.modbus.bank import RegisterBank
from node.modbus.unit import Unit
from node.modbus.units import Units

READ, WRITE, NOWHERE = "03 0000 0001", "06 0000 0007", "03 0009 0001"
COUNTS = {
    "messages": 11,
    "errors": 12,
    "exceptions": 13,
    "mine": 14,
    "silent": 15,
    "naks": 16,
    "busy": 17,
    "overruns": 18,
}


class Line:
    """Two stations on one line, 1 and 2, and a port through which both are reached too."""

    def __init__(self) -> None:
        self.tags = [Attribute(UINT, (2,), 0, f"words{number}") for number in (1, 2)]
        banks = [RegisterBank(), RegisterBank()]
        for bank, tag in zip(banks, self.tags, strict=True):
            bank.add("holding", 0, 2, tag)
            bank.add("coils", 0, 8, Attribute(BOOL, (8,)))
        self.one, self.two = Unit(banks[0]), Unit(banks[1])
        self.units = Units({1: self.one, 2: self.two})

    def ask(self, station: int, pdu: str) -> str:
        """On the line."""
        return self.units.answer_station(station, bytes.fromhex(pdu), 0.0).hex()

    def ask_port(self, unit_id: int, pdu: str) -> bytes:
        """Through the port."""
        return self.units.answer(encode_adu(1, unit_id, bytes.fromhex(pdu)), 0.0)

    def count(self, station: int, sub: int) -> int:
        """What diagnostics say; they count themselves as a message."""
        reply = self.ask(station, f"08 {sub:04x} 0000")
        assert reply.startswith(f"08{sub:04x}")
        return int(reply[6:], 16)


@pytest.fixture
def line() -> Line:
    return Line()


def test_messages_of_all_and_of_oneself(line: Line) -> None:
    line.ask(1, READ)
    line.ask(2, READ)
    line.ask(2, NOWHERE)
    line.ask(9, READ)
    assert line.count(1, COUNTS["messages"]) == 5
    assert line.count(1, COUNTS["mine"]) == 3
    assert line.count(1, COUNTS["exceptions"]) == 0
    assert line.count(2, COUNTS["exceptions"]) == 1
    assert line.count(2, COUNTS["mine"]) == 4


def test_what_is_spoilt(line: Line) -> None:
    line.one.counters.spoilt()
    assert line.count(1, COUNTS["errors"]) == 1
    assert line.count(2, COUNTS["errors"]) == 0


def test_a_broadcast_is_done_by_all_and_answered_by_none(line: Line) -> None:
    assert line.ask(0, WRITE) == ""
    assert [tag[0] for tag in line.tags] == [7, 7]
    assert line.ask(0, "05 0003 FF00") == ""
    assert line.ask(1, "01 0000 0008") == "010108"
    assert line.ask(0, READ) == ""
    assert line.ask(0, "06 0009 0001") == ""
    assert line.count(2, COUNTS["silent"]) == 4


def test_a_station_that_is_not_here_is_silent(line: Line) -> None:
    assert line.ask(3, WRITE) == ""
    assert [tag[0] for tag in line.tags] == [0, 0]


def test_the_event_counter_counts_what_was_done(line: Line) -> None:
    for pdu in (READ, WRITE, NOWHERE, "0B", "0C"):
        line.ask(1, pdu)
    assert line.ask(1, "0B") == "0b00000002"


def test_the_event_log_tells_the_newest_first(line: Line) -> None:
    line.ask(1, READ)
    line.ask(1, NOWHERE)
    line.ask(0, WRITE)
    assert line.ask(1, "0C") == "0c0c" + "0000" + "0001" + "0004" + "80" + "c0" + "4180" + "4080"


def test_listen_only_is_left_by_a_restart_alone(line: Line) -> None:
    assert line.ask(1, "08 0004 0000") == ""
    for pdu in (READ, WRITE, "08 0000 1234", "0B", "09"):
        assert line.ask(1, pdu) == ""
    assert line.tags[0][0] == 0
    assert line.ask(0, WRITE) == ""
    assert [tag[0] for tag in line.tags] == [0, 7]
    assert line.ask(1, "08 0001 0000") == ""
    assert line.ask(1, READ) == "03020000"


def test_who_listens_only_does_nothing_that_diagnostics_ask(line: Line) -> None:
    line.ask(1, NOWHERE)
    assert line.ask(1, "08 0004 0000") == ""
    for pdu in ("08 000A 0000", "08 0003 2300", "08 0014 0000"):
        assert line.ask(1, pdu) == ""
    assert line.one.counters.delimiter == ord("\n")
    line.one.counters.listening = False
    assert line.count(1, COUNTS["exceptions"]) == 1


@pytest.mark.parametrize("pdu", ["08 0013 0000", "08 0013 1234", "08 0005 00", "08 1234 0000 0000"])
def test_a_sub_function_that_there_is_not_comes_before_its_data(line: Line, pdu: str) -> None:
    assert line.ask(1, pdu) == "8801"
    assert line.ask(1, "08 000B 1234") == "8803"


def test_a_port_is_silent_too_and_prepared_reads_with_it(line: Line) -> None:
    assert line.ask_port(1, READ)
    assert line.units.readers
    assert line.ask_port(1, "08 0004 0000") == b""
    assert not line.units.readers
    assert line.ask_port(1, READ) == b""
    assert line.ask_port(2, READ) != b""
    assert line.ask_port(1, "08 0001 FF00") == b""
    assert line.ask_port(1, READ) == encode_adu(1, 1, b"\x03\x02\0\0")


def test_a_restart_forgets_counts_and_if_asked_the_log(line: Line) -> None:
    line.ask(1, NOWHERE)
    line.ask(1, READ)
    assert line.ask(1, "08 0001 0000") == "0800010000"
    assert line.count(1, COUNTS["exceptions"]) == 0
    assert len(line.ask(1, "0C")) > 2 * 10
    assert line.ask(1, "08 0001 FF00") == "080001ff00"
    assert line.ask(1, "0C") == "0c09" + "0000" + "0001" + "0001" + "80" + "40" + "00"


def test_counters_are_cleared(line: Line) -> None:
    line.ask(1, NOWHERE)
    assert line.ask(1, "08 000A 0000") == "08000a0000"
    assert line.count(1, COUNTS["exceptions"]) == 0
    assert line.ask(1, "08 0014 0000") == "0800140000"
    assert line.count(1, COUNTS["overruns"]) == 0
    assert line.count(1, 2) == 0


def test_the_delimiter_of_ascii_frames(line: Line) -> None:
    assert line.ask(1, "08 0003 2300") == "0800032300"
    assert line.one.counters.delimiter == ord("#")
    assert line.ask(1, "08 0003 2301") == "8803"


def test_reads_answered_without_looking_count_as_all_others(line: Line) -> None:
    for _ in range(40):
        line.ask_port(1, READ)
    assert line.one.counters.quick == 39
    assert line.count(1, COUNTS["messages"]) == 41
    assert line.count(1, COUNTS["mine"]) == 42
    assert line.ask(1, "0B") == "0b0000" + "002a"
    log = line.ask(1, "0C")
    assert log[16:] == "80" + "4080" * 31 + "40"
    assert len(log) == 2 * (2 + 6 + 64)


def test_counts_are_words_and_wrap(line: Line) -> None:
    line.one.counters.quick = 0xFFFE
    assert line.count(1, COUNTS["messages"]) == 0xFFFF
    assert line.count(1, COUNTS["messages"]) == 0
    assert line.ask(1, "0B") == "0b00000000"
