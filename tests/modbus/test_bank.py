"""Sparse tables: what is there, what is not, runs over several blocks, and writes that are whole or nothing."""

import random

import pytest

from node.cip.epath import Symbolic
from node.cip.predefined import STRING
from node.cip.status import CipError
from node.cip.text import SSTRING
from node.cip.types import BOOL, DINT, INT, LREAL, REAL, UINT, USINT
from node.memory.attribute import Attribute
from node.memory.place import follow
from node.memory.text_attribute import create_attribute
from node.memory.view import BlockError
from node.modbus.bank import RegisterBank
from node.modbus.functions import ModbusError
from tests.memory.structures import MOTOR, motor


def words(count: int, first: int = 0, writable: bool = True) -> Attribute:
    """Registers that hold first, first + 1 ..."""
    return Attribute(UINT, (count,), list(range(first, first + count)), "words", writable)


def read(bank: RegisterBank, table: str, start: int, count: int) -> str:
    return bank.reader(table, start, count)(0.0).hex()


def test_a_run_over_blocks_that_touch() -> None:
    bank = RegisterBank()
    bank.add("holding", 10, 2, words(2, 0xA0))
    bank.add("holding", 14, 1, words(1, 0xC0))
    bank.add("holding", 12, 2, Attribute(REAL, (), 1234.5), "CDAB")
    assert read(bank, "holding", 10, 5) == "00a000a15000449a00c0"
    assert read(bank, "holding", 13, 2) == "449a00c0"
    assert [(first, last) for _, first, last in bank.spans("holding", 11, 3)] == [(1, 2), (0, 1)]


@pytest.mark.parametrize(
    ("start", "count"), [(0, 1), (9, 1), (9, 2), (11, 2), (12, 1), (13, 2), (65534, 2), (65535, 1), (14, 65000)]
)
def test_what_is_not_there(start: int, count: int) -> None:
    bank = RegisterBank()
    bank.add("holding", 10, 2, words(2))
    bank.add("holding", 13, 1, words(1))
    bank.add("input", 0, 100, words(100))
    with pytest.raises(ModbusError) as caught:
        bank.reader("holding", start, count)
    assert caught.value.code == 2


def test_the_last_address() -> None:
    bank = RegisterBank()
    bank.add("holding", 65535, 1, words(1, 7))
    assert read(bank, "holding", 65535, 1) == "0007"
    with pytest.raises(BlockError, match="0 to 65535"):
        bank.add("input", 65535, 2, words(2))
    with pytest.raises(BlockError):
        bank.add("input", -1, 2, words(2))


@pytest.mark.parametrize(("start", "count"), [(10, 2), (9, 2), (11, 2), (9, 9), (10, 1), (11, 1)])
def test_blocks_that_overlap(start: int, count: int) -> None:
    bank = RegisterBank()
    bank.add("holding", 10, 2, words(2))
    bank.add("holding", 0, 2, words(2))
    bank.add("holding", 30, 2, words(2))
    with pytest.raises(BlockError, match="10 to 11 overlap"):
        bank.add("holding", start, count, words(count))
    bank.add("input", start, count, words(count))


def test_tables_and_types_that_do_not_go_together() -> None:
    bank = RegisterBank()
    for table, attribute in (
        ("coils", Attribute(LREAL)),
        ("discrete", create_attribute(SSTRING)),
        ("coil", Attribute(BOOL)),
    ):
        with pytest.raises(BlockError):
            bank.add(table, 0, 1, attribute)


def test_every_kind_of_tag_behind_registers() -> None:
    bank = RegisterBank()
    bank.add("holding", 0, 1, Attribute(USINT, (), 9))
    bank.add("holding", 1, 1, Attribute(INT, (), -2))
    bank.add("holding", 2, 2, create_attribute(SSTRING, (), "Tank"))
    bank.add("holding", 4, 1, Attribute(BOOL, (), True))
    assert read(bank, "holding", 0, 5) == "0009fffe" + b"Tank".hex() + "0001"


def test_strings_members_and_packed_bools_behind_registers() -> None:
    bank = RegisterBank()
    motor_tag = create_attribute(MOTOR, (), motor(1.0), "Motor")
    members = {name: follow(motor_tag, [Symbolic(name)]).attribute for name in ("Speed", "Run", "Label")}
    name = create_attribute(STRING, (), "Tank")
    flags = create_attribute(BOOL, (40,), [index in (1, 33) for index in range(40)], packed=True)
    bank.add("holding", 0, 2, members["Speed"])
    bank.add("holding", 2, 1, members["Run"])
    bank.add("holding", 3, 3, members["Label"])
    bank.add("holding", 6, 2, name)
    bank.add("holding", 8, 40, flags)
    assert read(bank, "holding", 0, 10) == "3f800000" + "0000" + "00" * 6 + b"Tank".hex() + "00000001"
    bank.write_registers(0, bytes.fromhex("40000000 0001 6f6b00000000"), 0.0)
    assert motor_tag[0] == motor(2.0, True, "ok")
    bank.write_registers(1, bytes.fromhex("0001"), 0.0)
    assert read(bank, "holding", 0, 2) == "40000001"
    bank.write_registers(40, bytes.fromhex("0001 0000"), 0.0)
    assert flags[:] == [2, 1]


def test_a_packed_bool_is_a_coil() -> None:
    bank = RegisterBank()
    flags = create_attribute(BOOL, (40,), [index in (1, 33, 39) for index in range(40)], "Flags", packed=True)
    bank.add("coils", 100, 40, flags)
    assert read(bank, "coils", 100, 40) == "0200000082"
    bank.write_coils(131, 3, 0b011, 0.0)
    assert flags[:] == [0x80000002, 0x81]
    with pytest.raises(BlockError, match="41 coils of tag 'Flags', which has 40"):
        RegisterBank().add("coils", 0, 41, flags)


def test_a_structure_is_no_registers() -> None:
    for table in ("holding", "coils"):
        with pytest.raises(BlockError, match="Motor"):
            RegisterBank().add(table, 0, 2, create_attribute(MOTOR, (), None, "M"))


def test_coils_over_blocks() -> None:
    bank = RegisterBank()
    flags = Attribute(BOOL, (3,), [True, False, True])
    bits = Attribute(DINT, (), 0)
    bank.add("coils", 5, 3, flags)
    bank.add("coils", 8, 32, bits)
    assert read(bank, "coils", 5, 3) == "05"
    bank.write_coils(6, 5, 0b01011, 0.0)
    assert flags[0:3] == [True, True, True]
    assert bits[0] == 0b010
    assert read(bank, "coils", 5, 9) == "1700"
    assert len(bank.reader("coils", 5, 35)(0.0)) == 5


def test_a_write_over_blocks_is_whole_or_nothing() -> None:
    bank = RegisterBank()
    first, last = words(2, 1), words(2, 1, writable=False)
    bank.add("holding", 0, 2, first)
    bank.add("holding", 2, 2, last)
    with pytest.raises(CipError):
        bank.write_registers(1, b"\0\7\0\7", 0.0)
    with pytest.raises(ModbusError):
        bank.write_registers(3, b"\0\7\0\7", 0.0)
    assert [*first[0:2], *last[0:2]] == [1, 2, 1, 2]
    bank.write_registers(0, b"\0\7\0\7", 0.0)
    assert first[0:2] == [7, 7]


def test_coils_are_whole_or_nothing_too() -> None:
    bank = RegisterBank()
    free, fixed = Attribute(BOOL, (2,)), Attribute(BOOL, (2,), None, "fixed", False)
    bank.add("coils", 0, 2, free)
    bank.add("coils", 2, 2, fixed)
    with pytest.raises(CipError):
        bank.write_coils(0, 4, 0b1111, 0.0)
    assert free[0:2] == [False, False]


def test_a_watcher_hears_of_sources_of_blocks_old_and_new() -> None:
    bank = RegisterBank()
    early, late = words(1), words(1)
    heard: list[int] = []
    bank.add("holding", 0, 1, early)
    bank.watch(lambda: heard.append(1))
    bank.add("holding", 1, 1, late)
    early.source = None
    late.gate = None
    assert heard == [1, 1]


def test_many_blocks_are_found_like_few() -> None:
    bank = RegisterBank()
    starts = list(range(0, 60000, 3))
    random.Random(2).shuffle(starts)
    attribute = Attribute(UINT, (2,), [1, 2])
    for start in starts:
        bank.add("holding", start, 2, attribute)
    for start in starts[:200]:
        assert read(bank, "holding", start, 2) == "00010002"
        with pytest.raises(ModbusError):
            bank.reader("holding", start + 2, 1)
