"""Modbus that goes wrong on purpose, over each of its carriers: pymodbus and our own clients name what is wrong, and
none of them takes a wrong value for a right one where there is a check, a unit or a transaction to tell it by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pymodbus import FramerType, ModbusException
from pymodbus.client import ModbusBaseSyncClient, ModbusSerialClient, ModbusTcpClient, ModbusUdpClient

from node.client.modbus import Limits, ModbusClient
from node.client.modbus_aio import AsyncModbus
from node.config.fault_words import parse_fault_words
from node.config.model import SerialConfig
from node.controller import Controller
from node.errors import NodeError
from tests.test_faulted_node import NODE

pytestmark = pytest.mark.net

HOST = "127.64.33.27"
PATIENCE = 0.25
"""Seconds that the clients wait."""
RIGHT = [1, 2, 3]
CARRIERS: dict[str, dict[str, Any]] = {
    "tcp": {},
    "udp": {"udp": True},
    "rtu over tcp": {"framing": "rtu"},
    "ascii over tcp": {"framing": "ascii"},
    "line": {"serial": SerialConfig(pty=True, baud=115200, format="8N2"), "tcp": False},
}
CONNECTED = ("tcp", "rtu over tcp", "ascii over tcp")
CHECKED = ("rtu over tcp", "ascii over tcp", "line")

LATE = "no answer within 0.25 s"
FAULTS: dict[str, Callable[[str], str]] = {
    "slow 20ms": lambda carrier: "",
    "drop": lambda carrier: LATE,
    "exception 4": lambda carrier: "Modbus exception 04 (server device failure)",
    "exception 0x63": lambda carrier: "Modbus exception 63 (unknown exception)",
    "truncate": lambda carrier: "connection closed by the device" if carrier in CONNECTED else LATE,
    "reset 0": lambda carrier: "connection " if carrier in CONNECTED else "",
    "close 0": lambda carrier: "connection closed by the device" if carrier in CONNECTED else "",
    "wrong-transaction": lambda carrier: (
        f"{LATE}; one to transaction 32769 came, and 1 was asked" if carrier in ("tcp", "udp") else ""
    ),
    "wrong-unit": lambda carrier: (
        f"{LATE}; one of unit 2 came, and unit 1 was asked" if carrier in ("tcp", "udp") else LATE
    ),
}
"""What our client says of a fault over a carrier, nothing where it reads the right values."""


def ours(carrier: str, controller: Controller) -> str:
    """What our client says, "" when it reads the right values."""
    limits = Limits(total=PATIENCE)
    port = controller.ports["modbus"]
    try:
        if carrier == "ascii over tcp":
            found = asyncio.run(_ascii(port))
        elif carrier == "line":
            with ModbusClient.rtu(controller.lines[0], 115200, 1, limits, parity="N", stop_bits=2) as client:
                found = [*map(int, client.read(40001, count=3))]
        else:
            way = {"tcp": ModbusClient.tcp, "udp": ModbusClient.udp, "rtu over tcp": ModbusClient.rtu_over_tcp}[carrier]
            with way(HOST, port, 1, limits) as client:
                found = [*map(int, client.read(40001, count=3))]
    except NodeError as exc:
        return str(exc)
    return "" if found == RIGHT else f"read {found}"


async def _ascii(port: int) -> list[int]:
    async with AsyncModbus(HOST, port, timeout=PATIENCE, framing="ascii") as client:
        return await client.read_registers("holding", 0, 3)


def theirs(carrier: str, controller: Controller) -> str:
    """The same of pymodbus."""
    port = controller.ports["modbus"]
    client: ModbusBaseSyncClient
    if carrier == "line":
        client = ModbusSerialClient(controller.lines[0], baudrate=115200, stopbits=2, timeout=PATIENCE, retries=0)
    elif carrier == "udp":
        client = ModbusUdpClient(HOST, port=port, timeout=PATIENCE, retries=0)
    else:
        framer = {"tcp": FramerType.SOCKET, "rtu over tcp": FramerType.RTU, "ascii over tcp": FramerType.ASCII}[carrier]
        client = ModbusTcpClient(HOST, port=port, framer=framer, timeout=PATIENCE, retries=0)
    with client:
        try:
            reply = client.read_holding_registers(0, count=3)
        except (ModbusException, OSError) as exc:
            return str(exc)
    if reply.isError():
        return f"exception {reply.exception_code}"
    return "" if reply.registers == RIGHT else f"read {reply.registers}"


def against(carrier: str, ask: Callable[[Controller, Callable[[str], None]], None]) -> None:
    """Runs `ask`, which blocks, while a controller serves; what it is given puts a fault on, or takes it off ("")."""
    assert NODE.modbus is not None
    modbus = replace(NODE.modbus, **CARRIERS[carrier])
    controller = Controller(replace(NODE, address=HOST, enip=None, modbus=modbus))

    async def scene() -> None:
        loop = asyncio.get_running_loop()

        def put_on(words: str) -> None:
            path, value = ("faults/add", {**parse_fault_words(words).dump(), "id": 1}) if words else ("faults/clear", 0)

            async def command() -> None:
                controller.command(path, value)

            asyncio.run_coroutine_threadsafe(command(), loop).result(5)

        await controller.start()
        try:
            await asyncio.to_thread(ask, controller, put_on)
        finally:
            await controller.stop()
            assert sum(metrics.bugs for metrics in controller.server.counted.values()) == 0

    asyncio.run(scene())


@pytest.mark.parametrize("carrier", CARRIERS)
def test_each_fault_is_named_right_and_no_wrong_value_is_taken(carrier: str) -> None:
    def ask(controller: Controller, put_on: Callable[[str], None]) -> None:
        assert (ours(carrier, controller), theirs(carrier, controller)) == ("", "")
        for words, expected in FAULTS.items():
            put_on(words)
            wanted, said = expected(carrier), ours(carrier, controller)
            assert (wanted in said) if wanted else not said, (words, said)
            other = theirs(carrier, controller)
            assert bool(other) == bool(wanted), (words, other)
            assert not other.startswith("read"), (words, other)
            if words.startswith("exception"):
                assert other == f"exception {int(words.split()[1], 0)}"
        put_on("")
        assert (ours(carrier, controller), theirs(carrier, controller)) == ("", "")

    against(carrier, ask)


@pytest.mark.parametrize("carrier", CHECKED)
def test_what_is_corrupt_on_a_line_is_told_by_its_check(carrier: str) -> None:
    def ask(controller: Controller, put_on: Callable[[str], None]) -> None:
        for seed in range(3):
            put_on(f"corrupt seed {seed}")
            assert LATE in ours(carrier, controller)
            other = theirs(carrier, controller)
            assert other
            assert not other.startswith("read"), other

    against(carrier, ask)


def test_every_third_request_and_no_other() -> None:
    def ask(controller: Controller, put_on: Callable[[str], None]) -> None:
        put_on("exception 6 every 3")
        said = [ours("tcp", controller) for _ in range(7)]
        assert [bool(each) for each in said] == [False, False, True] * 2 + [False]
        assert "06 (server device busy)" in said[2]

    against("tcp", ask)


def test_an_exception_leaves_everything_as_it_was() -> None:
    def ask(controller: Controller, put_on: Callable[[str], None]) -> None:
        put_on("exception 1")
        with (
            ModbusClient.tcp(HOST, controller.ports["modbus"], 1, Limits(total=PATIENCE)) as client,
            pytest.raises(NodeError, match=r"01 \(illegal function\)"),
        ):
            client.write(40001, [99])
        put_on("")
        assert ours("tcp", controller) == ""

    against("tcp", ask)
