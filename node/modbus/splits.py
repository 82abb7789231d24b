"""What is more than one request can carry, as the requests that carry it; every client asks for it like this."""

from collections.abc import Sequence

from node.modbus.functions import WRITE_COIL, WRITE_COILS, WRITE_REGISTER, WRITE_REGISTERS
from node.modbus.pdu import (
    COIL_OFF,
    COIL_ON,
    READ_FUNCTIONS,
    READ_LIMITS,
    WRITE_COILS_LIMIT,
    WRITE_REGISTERS_LIMIT,
    Read,
    WriteMultiple,
    WriteSingle,
)


def split_read(table: str, address: int, count: int) -> list[Read]:
    """`count` coils or registers of `table` from wire address `address` on."""
    function = READ_FUNCTIONS[table]
    limit = READ_LIMITS[function]
    return [Read(function, address + at, min(limit, count - at)) for at in range(0, count, limit)]


def split_coils(address: int, values: Sequence[bool]) -> list[WriteSingle | WriteMultiple]:
    """Coils to be written: one by function 5, more by function 15."""
    if len(values) == 1:
        return [WriteSingle(WRITE_COIL, address, COIL_ON if values[0] else COIL_OFF)]
    requests: list[WriteSingle | WriteMultiple] = []
    for at in range(0, len(values), WRITE_COILS_LIMIT):
        part = values[at : at + WRITE_COILS_LIMIT]
        bits = sum(1 << index for index, value in enumerate(part) if value)
        data = bits.to_bytes((len(part) + 7) // 8, "little")
        requests.append(WriteMultiple(WRITE_COILS, address + at, len(part), data))
    return requests


def split_registers(address: int, data: bytes) -> list[WriteSingle | WriteMultiple]:
    """Holding registers to be written, as they travel: one by function 6, more by function 16."""
    if len(data) == 2:
        return [WriteSingle(WRITE_REGISTER, address, int.from_bytes(data, "big"))]
    size = 2 * WRITE_REGISTERS_LIMIT
    parts = [(at // 2, data[at : at + size]) for at in range(0, len(data), size)]
    return [WriteMultiple(WRITE_REGISTERS, address + at, len(part) // 2, part) for at, part in parts]
