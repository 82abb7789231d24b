"""Values in registers of another type and scale, limits, and blocks of one direction."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.types import BOOL, DINT, INT, LINT, LREAL, REAL, SINT, UINT, Type, Value
from node.memory.attribute import Attribute
from node.memory.view import BlockError
from node.modbus.bank import RegisterBank
from node.modbus.guarded import READ_ONLY, WRITE_ONLY
from node.modbus.scaled import ScaledView, Scaling
from node.modbus.unit import Unit


def unit(tag: Attribute, count: int, scaling: Scaling | None = None, access: str = "", order: str = "ABCD") -> Unit:
    bank = RegisterBank()
    bank.add("holding", 0, count, tag, order, access=access, scaling=scaling)
    return Unit(bank)


def ask(device: Unit, pdu: str) -> str:
    return device.answer(bytes.fromhex(pdu), 0.0).hex()


@pytest.mark.parametrize(
    ("held", "scaling", "value", "registers"),
    [
        (REAL, Scaling(INT, 0.1), 21.5, "00d7"),
        (REAL, Scaling(INT, 0.1), -40.0, "fe70"),
        (REAL, Scaling(UINT, 0.1), -40.0, "0000"),
        (REAL, Scaling(INT, 0.1), 1e9, "7fff"),
        (REAL, Scaling(INT, 0.1), math.inf, "7fff"),
        (REAL, Scaling(INT, 0.1), math.nan, "0000"),
        (REAL, Scaling(INT, 1.0, -40.0), 20.0, "003c"),
        (DINT, Scaling(INT, 100.0), 12345, "007b"),
        (SINT, Scaling(UINT), -1, "0000"),
        (DINT, Scaling(REAL, 2.0), 3, "3fc00000"),
        (INT, Scaling(DINT), -2, "fffffffe"),
        (LINT, Scaling(LINT, least=0.0), 2**60 + 1, "1000000000000001"),
        (LREAL, Scaling(REAL), 1e300, "7f7fffff"),
        (LREAL, Scaling(REAL), -math.inf, "ff800000"),
        (REAL, Scaling(REAL, 2.0), math.nan, "7fc00000"),
    ],
)
def test_what_registers_show(held: Type, scaling: Scaling, value: Value, registers: str) -> None:
    count = len(registers) // 4
    device = unit(Attribute(held, (), value, "tag"), count, scaling)
    assert ask(device, f"03 0000 {count:04x}") == f"03{2 * count:02x}" + registers


@pytest.mark.parametrize(
    ("held", "scaling", "registers", "value"),
    [
        (REAL, Scaling(INT, 0.1), "00d7", 21.5),
        (REAL, Scaling(INT, 0.1, 100.0), "ffff", 99.9),
        (DINT, Scaling(INT, 100.0), "007b", 12300),
        (INT, Scaling(INT, 0.25), "0007", 2),
        (LINT, Scaling(LINT, least=0.0), "1000000000000001", 2**60 + 1),
        (REAL, Scaling(REAL, 2.0), "7f800000", math.inf),
    ],
)
def test_what_a_write_means(held: Type, scaling: Scaling, registers: str, value: Value) -> None:
    tag = Attribute(held, (), 0, "tag")
    count = len(registers) // 4
    written = ask(unit(tag, count, scaling), f"10 0000 {count:04x} {2 * count:02x} {registers}")
    assert written == f"100000{count:04x}"
    assert tag[0] == (value if held is LINT else pytest.approx(value, rel=1e-6))


@pytest.mark.parametrize(
    ("held", "scaling", "registers"),
    [
        (REAL, Scaling(INT, 0.1, least=0.0), "ffff"),
        (REAL, Scaling(INT, 0.1, most=80.0), "0321"),
        (INT, Scaling(INT, 10.0), "7fff"),
        (SINT, Scaling(UINT), "0080"),
        (UINT, Scaling(INT), "ffff"),
        (INT, Scaling(SINT), "012c"),
        (INT, Scaling(REAL, 0.1), "7f800000"),
        (INT, Scaling(REAL, 0.1), "7fc00000"),
        (REAL, Scaling(LREAL), "7e37e43c8800759c"),
    ],
)
def test_a_write_that_is_refused_changes_nothing(held: Type, scaling: Scaling, registers: str) -> None:
    tag = Attribute(held, (), 1, "tag")
    count = len(registers) // 4
    assert ask(unit(tag, count, scaling), f"10 0000 {count:04x} {2 * count:02x} {registers}") == "9004"
    assert tag[0] == 1


def test_one_of_two_registers_is_written_into_what_is_there() -> None:
    tag = Attribute(INT, (2,), [1, -1], "tag")
    device = unit(tag, 4, Scaling(DINT))
    assert ask(device, "10 0001 0001 02 0005") == "1000010001"
    assert tag[0:2] == [5, -1]
    assert ask(device, "10 0002 0001 02 0000") == "9004"  # 65535, which no INT holds
    assert ask(device, "03 0001 0002") == "03040005ffff"


def test_the_order_of_words() -> None:
    assert ask(unit(Attribute(INT, (), 1, "tag"), 2, Scaling(DINT), order="CDAB"), "03 0000 0002") == "030400010000"


@given(st.integers(-32768, 32767), st.sampled_from([0.01, 0.1, 1.0, 10.0, -2.0]), st.integers(-100, 100))
def test_a_register_reads_back_as_it_was_written(register: int, scale: float, offset: int) -> None:
    device = unit(Attribute(REAL, (), 0.0, "tag"), 1, Scaling(INT, scale, float(offset)))
    written = f"{register & 0xFFFF:04x}"
    assert ask(device, f"06 0000 {written}") == "060000" + written
    assert ask(device, "03 0000 0001") == "0302" + written


@pytest.mark.parametrize(
    ("tag", "scaling"),
    [
        (Attribute(BOOL, (4,), False, "bits"), Scaling(INT)),
        (Attribute(INT, (4,), 0, "words"), Scaling(BOOL)),
        (Attribute(INT, (4,), 0, "words"), Scaling(INT, 0.0)),
        (Attribute(INT, (), 0, "word"), Scaling(INT)),
    ],
)
def test_what_cannot_be_scaled(tag: Attribute, scaling: Scaling) -> None:
    with pytest.raises(BlockError):
        ScaledView(tag, 2, scaling)


def test_blocks_of_one_direction() -> None:
    tag = Attribute(UINT, (2,), 7, "words")
    shown = unit(tag, 2, access=READ_ONLY)
    assert ask(shown, "03 0000 0001") == "03020007"
    assert ask(shown, "06 0000 0001") == "8602"
    taken = unit(tag, 2, access=WRITE_ONLY)
    assert ask(taken, "03 0000 0001") == "8302"
    assert ask(taken, "06 0000 0001") == "0600000001"
    assert ask(taken, "16 0000 FFFF 0000") == "9602"
    assert tag[0:2] == [1, 7]


def test_coils_of_one_direction() -> None:
    tag = Attribute(BOOL, (8,), False, "bits")
    for access, read, written in ((READ_ONLY, "010100", "8502"), (WRITE_ONLY, "8102", "050000ff00")):
        bank = RegisterBank()
        bank.add("coils", 0, 8, tag, access=access)
        assert ask(Unit(bank), "01 0000 0008") == read
        assert ask(Unit(bank), "05 0000 FF00") == written
    assert tag[0] is True
