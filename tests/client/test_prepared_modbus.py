"""Requests that are encoded once for Modbus, and what is wrong with their answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.client.prepared import Fault
from node.client.prepared_modbus import (
    ModbusExchange,
    ModbusRequest,
    RegisterItem,
    parse_registers,
    prepare_register_reads,
    prepare_register_writes,
)
from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.ranges import RangeError

ITEMS = [
    RegisterItem("Flow", 1, "holding", 0, 2),
    RegisterItem("Level", 1, "holding", 2, 2),
    RegisterItem("Far", 1, "holding", 200, 1),
    RegisterItem("Run", 1, "coils", 0, 9),
    RegisterItem("Other", 3, "holding", 0, 1),
]


def spans(requests: list[ModbusRequest]) -> list[tuple[int, int, int, int]]:
    """Unit, function, address and quantity of each."""
    found = []
    for request in requests:
        unit, pdu = request.tail[4], request.tail[5:]
        found.append((unit, pdu[0], int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")))
    return found


def test_neighbours_are_one_read_and_no_hole_is_read() -> None:
    requests = prepare_register_reads(ITEMS, multiple=True)
    assert spans(requests) == [(1, 3, 0, 4), (1, 3, 200, 1), (1, 1, 0, 9), (3, 3, 0, 1)]
    assert requests[0].names == ("Flow", "Level")


def test_or_one_each() -> None:
    requests = prepare_register_reads(ITEMS, multiple=False)
    assert [request.names for request in requests] == [(item.name,) for item in ITEMS]


def test_more_than_a_read_carries_is_several() -> None:
    (item,) = [RegisterItem("Long", 1, "input", 0, 300)]
    for multiple in (True, False):
        assert spans(prepare_register_reads([item], multiple=multiple)) == [
            (1, 4, 0, 125), (1, 4, 125, 125), (1, 4, 250, 50)
        ]  # fmt: skip


def test_writes_carry_what_a_read_had() -> None:
    assert spans(prepare_register_writes(ITEMS[0], b"\1\2\3\4")) == [(1, 16, 0, 2)]
    assert spans(prepare_register_writes(ITEMS[2], b"\1\2")) == [(1, 6, 200, 0x0102)]
    (coils,) = prepare_register_writes(ITEMS[3], bytes((1, 0, 1, 1, 0, 0, 0, 0, 1)))
    assert coils.tail[5:] == bytes((15, 0, 0, 0, 9, 2, 0b1101, 1))
    with pytest.raises(LocalProtocolError, match="30001 are input registers, which Modbus cannot write"):
        prepare_register_writes(RegisterItem("In", 1, "input", 0, 1), b"\0\0")


def test_registers_as_people_write_them() -> None:
    assert parse_registers("40001-40010/3") == RegisterItem("40001-40010/3", 3, "holding", 0, 10)
    assert parse_registers("30005") == RegisterItem("30005", 1, "input", 4, 1)
    for wrong in ("40001/x", "40001/256", "40001=7", "Level", "40010-40001"):
        with pytest.raises(RangeError):
            parse_registers(wrong)


def answered(exchange: ModbusExchange, request: ModbusRequest, pdu: bytes, unit: int = 1) -> Fault | None:
    token, frame = exchange.frame(request)
    assert frame == token.to_bytes(2, "big") + request.tail
    (answer,) = exchange.receive(
        token.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit,)) + pdu
    )
    assert answer.token == token
    return exchange.fault(request, answer)


@pytest.mark.parametrize(
    ("pdu", "unit", "fault"),
    [
        (b"\3\4\0\1\0\2", 1, None),
        (b"\x83\2", 1, Fault("Modbus exception 02 (illegal data address)", "Flow")),
        (b"\x83\x77", 1, Fault("Modbus exception 77 (unknown)", "Flow")),
        (b"\3\4\0\1\0\2", 2, Fault("malformed answer", "unit 2 answered for unit 1")),
        (b"\3\2\0\1", 1, Fault("malformed answer", "Flow: 03020001 of 4 bytes to function 3")),
        (b"\4\4\0\1\0\2", 1, Fault("malformed answer", "Flow: 040400010002 of 6 bytes to function 3")),
    ],
)
def test_what_is_wrong_with_an_answer(pdu: bytes, unit: int, fault: Fault | None) -> None:
    (request,) = prepare_register_reads(ITEMS[:1], multiple=True)
    assert answered(ModbusExchange(), request, pdu, unit) == fault


def test_a_write_is_answered_by_what_it_said() -> None:
    (request,) = prepare_register_writes(ITEMS[0], b"\1\2\3\4")
    assert answered(ModbusExchange(), request, b"\x10\0\0\0\2") is None
    assert answered(ModbusExchange(), request, b"\x10\0\1\0\2") is not None


def test_an_answer_that_nobody_waits_for_any_more_is_dropped() -> None:
    exchange = ModbusExchange()
    (request,) = prepare_register_reads(ITEMS[:1], multiple=True)
    token, _ = exchange.frame(request)
    exchange.forget(token)
    assert exchange.receive(token.to_bytes(2, "big") + b"\0\0\0\7\1\3\4\0\1\0\2") == []


def test_bytes_that_are_no_frames_end_the_connection() -> None:
    with pytest.raises(RemoteProtocolError):
        ModbusExchange().receive(b"\0\1\0\0\xff\xff\1\3")


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 200)), min_size=1, max_size=12))
def test_merged_reads_read_all_and_nothing_else(blocks: list[tuple[int, int]]) -> None:
    items = [RegisterItem(str(at), 1, "holding", start, count) for at, (start, count) in enumerate(blocks)]
    wanted = {address for start, count in blocks for address in range(start, start + count)}
    read: list[int] = []
    for _, _, start, count in spans(prepare_register_reads(items, multiple=True)):
        assert count <= 125
        read += range(start, start + count)
    assert sorted(read) == sorted(wanted)
