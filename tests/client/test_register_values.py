"""What a client reads out of registers is what a node shows in them: both sides against each other."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.types import BOOL, DINT, ELEMENTARY, Type
from node.client.register_values import (
    decode_bits,
    decode_registers,
    encode_bits,
    encode_registers,
    registers_each,
)
from node.errors import LocalProtocolError
from node.memory.attribute import Attribute
from node.memory.view import ByteRegisterView, RegisterView
from node.memory.word_order import ORDERS

ORDERED = [
    ("ABCD", [0x449A, 0x5000]),
    ("CDAB", [0x5000, 0x449A]),
    ("BADC", [0x9A44, 0x0050]),
    ("DCBA", [0x0050, 0x9A44]),
]


@pytest.mark.parametrize(("order", "registers"), ORDERED)
def test_a_real_in_each_order(order: str, registers: list[int]) -> None:
    assert encode_registers([1234.5], "REAL", order, 2) == registers
    assert decode_registers(registers, "REAL", order, 2) == [1234.5]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ELEMENTARY, ids=lambda kind: kind.name)
def test_as_the_node_shows_them(kind: Type, order: str) -> None:
    values = [0, 1, 1] if kind is BOOL else [0, 1, kind.high if isinstance(kind.high, int) else 0.5]
    attribute = Attribute(kind, (3,), initial=values)
    view = ByteRegisterView if kind.size == 1 else RegisterView
    each = registers_each(kind.name, 3 * max(1, kind.size // 2), 3)
    data = view(attribute, 3 * each, order).read(0, 3 * each, 0.0)
    assert decode_registers(struct.unpack(f">{3 * each}H", data), kind.name, order, each) == values


@given(st.lists(st.integers(DINT.low, DINT.high), max_size=5), st.sampled_from(ORDERS))
def test_registers_round_trip(values: list[int], order: str) -> None:
    assert decode_registers(encode_registers(values, "DINT", order, 2), "DINT", order, 2) == values


@given(st.lists(st.integers(-128, 127), max_size=5))
def test_bits_round_trip(values: list[int]) -> None:
    assert decode_bits(encode_bits(values, "SINT"), "SINT") == values


def test_texts_share_the_registers() -> None:
    assert registers_each("SSTRING", 8, 2) == 4
    registers = encode_registers(["pump", "in"], "SSTRING", "ABCD", 4)
    assert registers[:2] == [0x7075, 0x6D70]
    assert decode_registers(registers, "SSTRING", "ABCD", 4) == ["pump", "in"]


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(LocalProtocolError, match="do not fit INT"):
        encode_registers([40000], "INT", "ABCD", 1)
    with pytest.raises(LocalProtocolError, match="registers hold 4"):
        encode_registers(["pumps"], "SSTRING", "ABCD", 2)
    with pytest.raises(LocalProtocolError, match="does not fit SINT"):
        encode_bits([200], "SINT")
