"""Units: requests to replies, the order of exceptions, ids, and reads that are prepared."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import CipError
from node.cip.types import BOOL, DINT, SINT, UINT
from node.errors import NodeError
from node.memory.access import Access
from node.memory.attribute import Attribute, Value
from node.modbus.adu import encode_adu
from node.modbus.bank import RegisterBank
from node.modbus.identification import Identification
from node.modbus.unit import Unit
from node.modbus.units import READERS_LIMIT, Units


class InError:
    """A gate that lets nothing pass."""

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        raise CipError(0x10)

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        return values


def held(attribute: Attribute, count: int) -> RegisterBank:
    """A file or a queue that is all of one tag."""
    bank = RegisterBank()
    bank.add("holding", 0, count, attribute)
    return bank


class Device:
    """A unit with a little of everything, and its tags."""

    def __init__(self) -> None:
        bank = RegisterBank()
        self.words = Attribute(UINT, (10,), list(range(10)), "words")
        self.fixed = Attribute(UINT, (2,), 0x77, "fixed", writable=False)
        self.small = Attribute(SINT, (), 1, "small")
        self.coils = Attribute(BOOL, (10,), [True, False] * 5, "coils")
        self.wide = Attribute(DINT, (), 0x12345678, "wide")
        bank.add("holding", 0, 10, self.words)
        bank.add("holding", 10, 2, self.fixed)
        bank.add("holding", 12, 1, self.small)
        bank.add("input", 0, 2, self.wide, "CDAB")
        bank.add("coils", 0, 10, self.coils)
        bank.add("discrete", 0, 2, self.coils)
        self.bank = bank
        self.records = Attribute(UINT, (4,), [200, 201, 202, 203], "records")
        self.more = Attribute(UINT, (1,), 300, "more")
        self.unit = Unit(
            bank,
            Identification({0: "Maker", 1: "Code", 2: "1.0"}),
            files={
                4: held(self.records, 4),
                5: held(self.more, 1),
                6: held(Attribute(UINT, (1,), 1, "locked", writable=False), 1),
            },
            queues={
                1000: held(Attribute(UINT, (3,), [1, 2, 3], "queue"), 3),
                1001: held(Attribute(UINT, (32,), 0, "long"), 32),
            },
            server_id=b"\x01\xffSIM1",
            exception_coils=1,
        )

    def ask(self, pdu: str) -> str:
        """The reply PDU in hex."""
        return self.unit.answer(bytes.fromhex(pdu), 0.0).hex(" ", 2)

    def held(self) -> list[object]:
        """All that a write could change."""
        words = [*self.words[0:10], *self.fixed[0:2], self.small[0], *self.coils[0:10], self.wide[0]]
        return [*words, *self.records[0:4], self.more[0]]


@pytest.mark.parametrize(
    ("pdu", "reply"),
    [
        ("01 0000 000A", "01 02 55 01"),
        ("02 0000 0002", "02 01 01"),
        ("03 0001 0003", "03 06 0001 0002 0003"),
        ("04 0000 0002", "04 04 5678 1234"),
        ("05 0001 FF00", "05 0001 FF00"),
        ("06 0003 BEEF", "06 0003 BEEF"),
        ("0F 0001 0009 02 FF01", "0F 0001 0009"),
        ("10 0008 0002 04 0011 0022", "10 0008 0002"),
        ("17 0000 0002 0001 0001 02 0099", "17 04 0000 0099"),
        ("2B 0E 04 01", "2B 0E 04 81 00 00 01 01 04 436F6465"),
        ("2B 0E 04 05", "AB 02"),
        ("06 000C FF80", "06 000C FF80"),
        ("06 000C 0080", "86 04"),
        ("10 0009 0002 04 0000 0000", "90 02"),
        ("06 000A 0000", "86 02"),
        ("17 000D 0001 0000 0001 02 0099", "97 02"),
        ("07", "07 AA"),
        ("08 0000 1234", "08 0000 1234"),
        ("09", "89 01"),
        ("0B", "0B 0000 0000"),
        ("0C", "0C 07 0000 0000 0001 80"),
        ("11", "11 06 01FF 53494D31"),
        ("14 07 06 0004 0001 0002", "14 06 05 06 00C9 00CA"),
        ("14 0E 06 0004 0000 0001 06 0005 0000 0001", "14 08 03 06 00C8 03 06 012C"),
        ("14 07 06 0004 0003 0002", "94 02"),
        ("14 07 06 0009 0000 0001", "94 02"),
        ("15 09 06 0004 0001 0001 BEEF", "15 09 06 0004 0001 0001 BEEF"),
        ("15 12 06 0004 0000 0001 0001 06 0005 0001 0001 0002", "95 02"),
        ("15 12 06 0004 0000 0001 0001 06 0006 0000 0001 0002", "95 02"),
        ("18 03E8", "18 0008 0003 0001 0002 0003"),
        ("18 03E9", "98 03"),
        ("18 0000", "98 02"),
    ],
)
def test_requests_and_replies(pdu: str, reply: str) -> None:
    assert bytes.fromhex(Device().ask(pdu)) == bytes.fromhex(reply)


def test_the_mask_of_the_specification() -> None:
    device = Device()
    device.words[4] = 0x12
    assert bytes.fromhex(device.ask("16 0004 00F2 0025")) == bytes.fromhex("16 0004 00F2 0025")
    assert device.words[4] == 0x17


def test_a_written_coil_is_read_back() -> None:
    device = Device()
    device.ask("05 0001 FF00")
    device.ask("05 0000 0000")
    assert device.coils[0:3] == [False, True, True]


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        ("09 FFFF", 1),
        ("07 FFFF", 3),
        ("08 0000", 3),
        ("08 0001 0001", 3),
        ("08 0015 0000", 1),
        ("14 08 06 0004 0001 0002 00", 3),
        ("14 07 05 0004 0001 0002", 2),
        ("14 07 06 0004 0001 0000", 3),
        ("15 0B 06 0004 0001 0001 BEEF", 3),
        ("15 12 06 0004 0000 0001 0001 06 0006 0000 0001 0002", 2),
        ("18 03E8 00", 3),
        ("03 FFFF 0000", 3),
        ("03 FFFF 0002", 2),
        ("05 FFFF 1234", 3),
        ("05 FFFF FF00", 2),
        ("10 FFFF 0001 03 000000", 3),
        ("10 000A 0001 02 0000", 2),
        ("10 000A 0003 06 0000 0000 0080", 2),
        ("10 000C 0001 02 0080", 4),
        ("17 FFFF 0000 FFFF 0001 02 0000", 3),
        ("17 0000 0001 000C 0001 02 0080", 4),
    ],
)
def test_exceptions_come_in_their_order_and_change_nothing(pdu: str, code: int) -> None:
    device = Device()
    before = device.held()
    data = bytes.fromhex(pdu)
    assert device.unit.answer(data, 0.0) == bytes((data[0] | 0x80, code))
    assert device.held() == before


def test_a_tag_in_error_is_a_device_failure() -> None:
    device = Device()
    device.words.gate = InError()
    assert device.ask("03 0000 0001") == "8304"
    assert device.ask("06 0000 0001") == "8604"
    assert device.ask("03 000A 0001") != "8304"


def test_a_read_and_write_whose_read_is_refused_writes_nothing() -> None:
    device = Device()
    device.small.gate = InError()
    assert device.ask("17 000C 0001 0000 0001 02 0099") == "9704"
    assert device.words[0] == 0
    device.small.gate = None
    device.small.readable = False
    assert device.ask("17 000C 0001 0000 0001 02 0099") == "9702"
    assert device.ask("03 000C 0001") == "8302"
    assert device.words[0] == 0


def test_records_that_are_halves_of_one_value_are_both_written() -> None:
    wide = Attribute(DINT, (), 0, "wide")
    unit = Unit(RegisterBank(), files={1: held(wide, 2)})
    request = bytes.fromhex("15 12 06 0001 0000 0001 1234 06 0001 0001 0001 5678")
    assert unit.answer(request, 0.0) == request
    assert wide[0] == 0x12345678
    again = bytes.fromhex("15 12 06 0001 0001 0001 0001 06 0001 0001 0001 0002")
    assert unit.answer(again, 0.0) == again
    assert wide[0] == 0x12340002


@pytest.mark.parametrize(
    "pdu",
    [
        "17 0000 0001 00FF 0001 02 0099",
        "15 12 06 0006 0000 0001 0001 06 0009 0000 0001 0002",
        "15 12 06 0006 0000 0001 0001 06 0004 0009 0001 0002",
    ],
)
def test_two_faults_of_a_request_are_an_exception_also_where_accesses_are_traced(pdu: str) -> None:
    device = Device()
    device.words.readable = False
    trace: list[Access] = []
    assert device.unit.answer(bytes.fromhex(pdu), 0.0, trace)[1:] == b"\x02"
    assert trace == []


def test_a_device_without_identification() -> None:
    assert Unit(RegisterBank()).answer(bytes.fromhex("2B0E0100"), 0.0) == b"\xab\x01"


@given(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43]), st.binary(max_size=252))
def test_any_request_is_answered_and_an_exception_changes_nothing(function: int, rest: bytes) -> None:
    device = Device()
    before = device.held()
    reply = device.unit.answer(bytes((function,)) + rest, 0.0)
    assert reply[0] & 0x7F == function
    assert len(reply) <= 253
    if reply[0] & 0x80:
        assert reply[1] in (1, 2, 3, 4)
        assert device.held() == before


def ask(units: Units, unit_id: int, pdu: str = "03 0001 0001", transaction: int = 0x1234) -> bytes:
    return units.answer(encode_adu(transaction, unit_id, bytes.fromhex(pdu)), 0.0)


def test_one_unit_is_the_device_itself() -> None:
    units = Units({17: Device().unit})
    for unit_id in (0, 17, 255):
        assert ask(units, unit_id) == encode_adu(0x1234, unit_id, b"\x03\x02\x00\x01")
    for unit_id in (1, 16, 18, 247):
        assert ask(units, unit_id) == encode_adu(0x1234, unit_id, b"\x83\x0b")


def test_several_units_are_told_apart() -> None:
    first, second = Device(), Device()
    second.words[1] = 99
    units = Units({1: first.unit, 2: second.unit})
    assert ask(units, 1)[-2:] == b"\0\1"
    assert ask(units, 2)[-2:] == b"\0\x63"
    for unit_id in (0, 3, 255):
        assert ask(units, unit_id)[-2:] == b"\x83\x0b"


def test_ids_that_cannot_be() -> None:
    with pytest.raises(NodeError, match="unit id 256"):
        Units({256: Device().unit})


def test_a_read_is_prepared_by_its_bytes_and_stays_live() -> None:
    device = Device()
    units = Units({1: device.unit})
    first = ask(units, 1)
    assert len(units.readers) == 1
    device.words[1] = 0xABCD
    again = ask(units, 1, transaction=7)
    assert again == b"\0\7" + first[2:-2] + b"\xab\xcd"


def test_only_reads_that_succeed_are_prepared() -> None:
    units = Units({1: Device().unit})
    for pdu in ("06 0001 0001", "03 0001 0000", "03 FFFF 0001", "07", "09"):
        ask(units, 1, pdu)
    ask(units, 3)
    assert units.readers == {}


@pytest.mark.parametrize("pdu", ["01 0000 0003", "02 0000 0002", "03 000C 0001", "04 0000 0001", "03 0008 0003"])
def test_prepared_reads_say_the_same(pdu: str) -> None:
    units = Units({1: Device().unit})
    assert ask(units, 1, pdu) == ask(units, 1, pdu)
    assert len(units.readers) == 1


def test_a_gate_voids_what_was_prepared() -> None:
    device = Device()
    units = Units({1: device.unit})
    ask(units, 1)
    device.words.gate = InError()
    assert units.readers == {}
    assert ask(units, 1)[-2:] == b"\x83\x04"
    device.words.gate = None
    assert ask(units, 1)[-2:] == b"\0\1"


def test_prepared_reads_are_bounded() -> None:
    bank = RegisterBank()
    bank.add("holding", 0, 60000, Attribute(UINT, (60000,)))
    units = Units({1: Unit(bank)})
    for start in range(2 * READERS_LIMIT):
        ask(units, 1, f"03 {start:04x} 0001")
    assert 0 < len(units.readers) <= READERS_LIMIT


def test_a_bug_is_exception_04() -> None:
    units = Units({1: Device().unit})
    frame = encode_adu(5, 1, bytes.fromhex("03 0000 0001"))
    assert units.failure(frame) == encode_adu(5, 1, b"\x83\x04")


def test_a_trace_takes_the_accesses() -> None:
    device = Device()
    units = Units({1: device.unit})
    ask(units, 1, "03 0009 0002")
    seen: list[tuple[str, int, int, bool, list[Value], int]] = []
    for pdu in (
        "03 0009 0002",
        "06 0001 0007",
        "05 0001 FF00",
        "0F 0000 0002 01 03",
        "10 0000 0001 02 0005",
        "16 0001 FFFF 0000",
        "17 0000 0001 0002 0001 02 0006",
        "06 000A 0001",
        "06 FFFF 0001",
        "2B 0E 01 00",
        "14 07 06 0004 0001 0001",
        "15 09 06 0005 0000 0001 0009",
        "14 07 06 0009 0001 0001",
    ):
        trace: list[Access] = []
        units.answer(encode_adu(1, 1, bytes.fromhex(pdu)), 0.0, trace)
        seen += [(a.attribute.name, a.start, a.stop, a.writing, a.values, a.status) for a in trace]
    assert seen == [
        ("words", 9, 10, False, [9], 0),
        ("fixed", 0, 1, False, [0x77], 0),
        ("words", 1, 2, True, [7], 0),
        ("coils", 1, 2, True, [True], 0),
        ("coils", 0, 2, True, [True, True], 0),
        ("words", 0, 1, True, [5], 0),
        ("words", 1, 2, True, [7], 0),
        ("words", 2, 3, True, [6], 0),
        ("words", 0, 1, False, [5], 0),
        ("fixed", 0, 1, True, [], 0x0E),
        ("records", 1, 2, False, [201], 0),
        ("more", 0, 1, True, [9], 0),
    ]
