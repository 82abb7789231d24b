"""A tag through Modbus registers: numbers as people write them, elements, and what cannot be written."""

import asyncio

import pytest

from node.client.modbus_aio import AsyncModbus
from node.client.modbus_tags import TagRegisters, read_tag, write_tag
from node.errors import LocalProtocolError


class Device(AsyncModbus):
    """Registers and coils in lists, in place of a connection."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1")
        self.registers = bytearray(64)
        self.bits = [False] * 64

    async def read_raw(self, table: str, address: int, count: int = 1) -> bytes:
        return bytes(self.registers[2 * address : 2 * (address + count)])

    async def write_raw(self, address: int, data: bytes) -> None:
        self.registers[2 * address : 2 * address + len(data)] = data

    async def read_bits(self, table: str, address: int, count: int = 1) -> list[bool]:
        return self.bits[address : address + count]

    async def write_bits(self, address: int, values: list[bool]) -> None:  # type: ignore[override]
        self.bits[address : address + len(values)] = values


@pytest.mark.parametrize(
    ("tag", "values", "expected"),
    [
        (TagRegisters(1, "holding", 4, 4, "REAL", 2, "CDAB"), ["1.5", "-2"], [1.5, -2.0]),
        (TagRegisters(1, "holding", 4, 2, "INT", 2), ["0x10", "-3"], [16, -3]),
        (TagRegisters(1, "holding", 4, 2, "SINT", 2, "BADC"), ["-128", "127"], [-128, 127]),
        (TagRegisters(1, "holding", 0, 8, "SSTRING", 2), ["pump", "in"], ["pump", "in"]),
        (TagRegisters(1, "coils", 3, 2, "BOOL", 2), ["on", "0"], [True, False]),
        (TagRegisters(1, "coils", 3, 16, "SINT", 2), ["-1", "5"], [-1, 5]),
        (TagRegisters(1, "holding", 4, 2, "REAL", 2, "ABCD", "INT", 0.5, -40), ["-50.5", "20"], [-50.5, 20.0]),
        (TagRegisters(1, "holding", 4, 4, "DINT", 2, "CDAB", "REAL", 2, 1), ["7", "-3"], [7, -3]),
        (TagRegisters(1, "holding", 4, 2, "UINT", 2, "ABCD", "", 10), ["70", "44"], [70, 40]),
    ],
)
def test_what_was_written_is_read(tag: TagRegisters, values: list[str], expected: list[object]) -> None:
    device = Device()
    asyncio.run(write_tag(device, tag, 0, values))
    assert asyncio.run(read_tag(device, tag, 0, 2)) == expected
    assert asyncio.run(read_tag(device, tag, 1, 1)) == expected[1:]


def test_a_scaled_value_is_a_register() -> None:
    device = Device()
    tag = TagRegisters(1, "holding", 0, 1, "REAL", 1, "ABCD", "INT", 0.1, -40)
    asyncio.run(write_tag(device, tag, 0, ["21.5"]))
    assert device.registers[:2] == (615).to_bytes(2, "big")
    for value in ("4000", "-1e9", "nan"):
        with pytest.raises(LocalProtocolError) as caught:
            asyncio.run(write_tag(device, tag, 0, [value]))
        assert str(caught.value) == f"{value} does not fit registers of INT (-3316.8 to 3236.7)"


def test_numbers_as_people_write_them() -> None:
    assert TagRegisters(1, "holding", 0, 2, "REAL", 1).numbers == "40001-40002"
    assert TagRegisters(1, "coils", 9, 1, "BOOL", 1).numbers == "00010"
    assert TagRegisters(1, "input", 0, 1, "INT", 1).numbers == "30001"


def test_elements_that_a_block_shows() -> None:
    assert TagRegisters(1, "holding", 0, 7, "DINT", 10).elements == 3
    assert TagRegisters(1, "coils", 0, 16, "SINT", 2).elements == 2


def test_what_cannot_be_written_is_said() -> None:
    with pytest.raises(LocalProtocolError, match="30001 are input registers"):
        asyncio.run(write_tag(Device(), TagRegisters(1, "input", 0, 1, "INT", 1), 0, ["1"]))
    with pytest.raises(LocalProtocolError, match="does not fit SINT"):
        asyncio.run(write_tag(Device(), TagRegisters(1, "coils", 0, 8, "SINT", 1), 0, ["200"]))
