"""Typed values in registers at the client's end: vectors of every order, and agreement with what a node shows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.text import SSTRING
from node.cip.types import BOOL, DINT, ELEMENTARY, INT, LINT, LREAL, REAL, SINT, UINT, USINT, Type, Value
from node.errors import LocalProtocolError, RemoteProtocolError
from node.memory.attribute import Attribute
from node.memory.text_attribute import create_attribute
from node.memory.word_order import ORDERS
from node.modbus.bank import RegisterBank
from node.modbus.values import decode_registers, decode_text, encode_registers, encode_text, registers_of

VECTORS: list[tuple[Type, Value, str, str]] = [
    (REAL, 1234.5, "ABCD", "449A 5000"),
    (REAL, 1234.5, "CDAB", "5000 449A"),
    (REAL, 1234.5, "BADC", "9A44 0050"),
    (REAL, 1234.5, "DCBA", "0050 9A44"),
    (DINT, -123456789, "ABCD", "F8A4 32EB"),
    (LREAL, -123456.789, "ABCD", "C0FE 240C 9FBE 76C9"),
    (LREAL, -123456.789, "CDAB", "76C9 9FBE 240C C0FE"),
    (LREAL, -123456.789, "BADC", "FEC0 0C24 BE9F C976"),
    (LREAL, -123456.789, "DCBA", "C976 BE9F 0C24 FEC0"),
    (INT, -2, "ABCD", "FFFE"),
    (INT, -2, "CDAB", "FFFE"),
    (UINT, 0x1234, "BADC", "3412"),
    (SINT, -1, "ABCD", "FFFF"),
    (USINT, 255, "ABCD", "00FF"),
    (USINT, 255, "DCBA", "FF00"),
    (BOOL, True, "ABCD", "0001"),
]


@pytest.mark.parametrize(("kind", "value", "order", "text"), VECTORS, ids=[f"{k.name} {o}" for k, _, o, _ in VECTORS])
def test_vectors(kind: Type, value: Value, order: str, text: str) -> None:
    assert encode_registers(kind, [value], order) == bytes.fromhex(text)
    assert decode_registers(kind, bytes.fromhex(text), order) == [value]


def values_of(kind: Type) -> st.SearchStrategy[Value]:
    """Anything that `kind` holds."""
    if kind is BOOL:
        return st.booleans()
    if isinstance(kind.low, int):
        return st.integers(kind.low, int(kind.high))
    return st.floats(width=32 if kind is REAL else 64, allow_nan=False)


@given(st.sampled_from(ELEMENTARY), st.sampled_from(ORDERS), st.data())
def test_what_a_node_shows_is_what_a_client_reads(kind: Type, order: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(values_of(kind), min_size=1, max_size=8))
    bank = RegisterBank()
    count = registers_of(kind) * len(values)
    bank.add("holding", 7, count, Attribute(kind, (len(values),), values), order)
    shown = bank.reader("holding", 7, count)(0.0)
    assert shown == encode_registers(kind, values, order)
    assert decode_registers(kind, shown, order) == values


@given(st.text(alphabet=st.characters(max_codepoint=255, min_codepoint=1), max_size=20), st.sampled_from(ORDERS))
def test_texts(text: str, order: str) -> None:
    bank = RegisterBank()
    attribute = create_attribute(SSTRING, (), text)
    bank.add("holding", 0, 10, attribute, order)
    shown = bank.reader("holding", 0, 10)(0.0)
    assert shown == encode_text(text, 10, order)
    assert decode_text(shown, order) == text


def test_what_does_not_fit_is_said() -> None:
    for kind, value in ((UINT, 65536), (SINT, 128), (DINT, 1 << 31), (LINT, 1 << 63)):
        with pytest.raises(LocalProtocolError, match=kind.name):
            encode_registers(kind, [value])
    with pytest.raises(LocalProtocolError, match="2 registers hold 4"):
        encode_text("hello", 2)
    with pytest.raises(LocalProtocolError, match="ISO-8859-1"):
        encode_text("\u20ac", 2)


def test_registers_that_are_no_values() -> None:
    with pytest.raises(RemoteProtocolError, match="whole number of DINT"):
        decode_registers(DINT, bytes(6))
    with pytest.raises(RemoteProtocolError, match="more than USINT"):
        decode_registers(USINT, b"\x01\x00")
    with pytest.raises(RemoteProtocolError):
        decode_text(b"abc")
    assert math.isnan(decode_registers(REAL, b"\x7f\xc0\x00\x00")[0])
