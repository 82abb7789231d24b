"""A whole controller, spoken to over its sockets by our own clients."""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from node.cip.path_text import Route
from node.cip.status import CipError
from node.cip.types import BOOL, DINT, INT, REAL
from node.client.aio import AsyncConnector
from node.client.modbus_aio import AsyncModbus
from node.commands.errors import CommandError
from node.config.model import (
    EnipConfig,
    InterfaceConfig,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    SignalConfig,
    TagConfig,
    UnitConfig,
)
from node.config.schema import identity
from node.config.structures import build_templates
from node.controller import Controller
from node.errors import NodeError
from node.exchange.printing import Printer
from node.server.listener import ListenError
from tests.config.configs import GATEWAY

pytestmark = pytest.mark.net

HOST = "127.64.8.30"
OTHER = "127.64.8.31"


def gateway(host: str = HOST, **fields: object) -> NodeConfig:
    return replace(GATEWAY, address=host, **fields)  # type: ignore[arg-type]


def serving(config: NodeConfig, talk: Callable[[Controller], Awaitable[None]]) -> Controller:
    """Runs `talk` against a controller that serves; the controller, stopped."""

    async def scenario() -> Controller:
        controller = Controller(config)
        await controller.start()
        try:
            await talk(controller)
        finally:
            await controller.stop()
        return controller

    return asyncio.run(scenario())


def enip(controller: Controller) -> AsyncConnector:
    return AsyncConnector(controller.config.address, controller.ports["enip"], route=((1, 0), (2, "10.0.0.1")))


def modbus(controller: Controller, unit: int = 1) -> AsyncModbus:
    return AsyncModbus(controller.config.address, controller.ports["modbus"], unit)


def test_one_memory_behind_both_protocols() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip, modbus(controller) as registers:
            await cip.write("Count[2]", [70000, -1])
            assert await registers.read_values("holding", 4, DINT, 2, "CDAB") == [70000, -1]
            await registers.write_values(0, DINT, [123456], "CDAB")
            assert await cip.read("count", 4) == [123456, 1, 70000, -1]
            await registers.write_bits(3, [False])
            assert (await cip.read("Run", 5)) == [True, True, True, False, True]
            assert await cip.read("Name") == ["pump"]

    serving(gateway(), talk)


def test_both_protocols_see_a_signal_at_the_plants_time() -> None:
    now = 1000.0
    level = TagConfig("Level", "REAL", signal=SignalConfig("ramp", (("max", 60.0), ("period", 60.0))))
    block = RegisterBlock("input", 0, 2, "Level")
    config = replace(gateway(), tags=(level,), modbus=ModbusConfig(0, (UnitConfig(1, (block,)),)))

    async def scenario() -> None:
        nonlocal now
        controller = Controller(config, epoch=990.0, clock=lambda: now)
        await controller.start()
        async with enip(controller) as cip, modbus(controller) as registers:
            assert await cip.read("Level") == [10.0]
            assert await registers.read_values("input", 0, REAL) == [10.0]
            now += 25
            assert await registers.read_values("input", 0, REAL) == [35.0]
            assert await cip.read("Level") == [35.0]
            await cip.write("Level", 5.0)
            assert await cip.read("Level") == [35.0]
        assert controller.telemetry()["uptime"] == 25.0
        await controller.stop()

    asyncio.run(scenario())


def test_it_tells_how_it_is_on_its_network() -> None:
    own = InterfaceConfig("cell", HOST, 24, "00:00:bc:01:02:03", gateway="127.64.8.254")
    further = InterfaceConfig("super", OTHER, 16, "02:fa:00:00:00:02")

    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip:
            addresses = await cip.get_attribute_single("@0xF5/1/5")
            numbers = struct.unpack("<3I", addresses[:12])
            assert [str(ipaddress.IPv4Address(number)) for number in numbers] == [HOST, "255.255.255.0", "127.64.8.254"]
            assert await cip.get_attribute_single("@0xF5/1/6") == b"\x0c\0intake.works"
            assert await cip.get_attribute_single("@0xF6/1/3") == bytes.fromhex("0000bc010203")
            name = await cip.get_attribute_single("@0x64/1/1")
            assert name.endswith(GATEWAY.name.encode())

    plain = EnipConfig(identity("1756-L61", 1), port=0)
    serving(gateway(enip=plain, interfaces=(own, further), hostname="intake.works"), talk)


def test_structures_over_the_wire_and_as_registers() -> None:
    templates = build_templates(GATEWAY.types)
    blocks = (RegisterBlock("holding", 0, 4, "Pumps[1].Hours"), RegisterBlock("input", 0, 2, "Second"))
    config = gateway(modbus=ModbusConfig(0, (UnitConfig(1, blocks),)))

    async def talk(controller: Controller) -> None:
        host, port = config.address, controller.ports["enip"]
        route: Route = ((1, 0), (2, "10.0.0.1"))
        async with AsyncConnector(host, port, 5.0, route, templates.values()) as cip, modbus(controller) as registers:
            await cip.write("Pumps[1].Speed", 12.5)
            await cip.write("Pumps[1].Hours[2]", [3, 4])
            (pump,) = await cip.read("Pumps[1]")
            assert pump == {"Speed": 12.5, "Name": "P-2", "Hours": [0, 0, 3, 4]}
            assert len(await cip.read("Pumps", 3)) == 3
            assert await cip.read("Second") == [12.5]
            assert await registers.read_values("holding", 0, INT, 4) == [0, 0, 3, 4]
            assert await registers.read_values("input", 0, REAL) == [12.5]
            await registers.write_values(1, INT, [-7])
            assert await cip.read("Pumps[1].Hours[1]") == [-7]
            assert (await cip.read("Program:Main.Delay"))[0]["PRE"] == 5000  # type: ignore[index,call-overload]
            await cip.modify("Flags[1]", 0, 0b101, 4)
            assert await cip.read("Flags", 2) == [0xFFFFFFFF, 0b11111010]
            with pytest.raises(CipError):
                await cip.write("Program:Main.Delay.ACC", 1)

    controller = serving(config, talk)
    rows = controller.command("tags")
    assert isinstance(rows, list) and len(rows) == len(GATEWAY.tags)


def test_replies_wait_from_the_start_when_the_configuration_says_so() -> None:
    controller = Controller(gateway(delay=(0.1, 0.2)))
    assert controller.delay == (0.1, 0.2)
    assert controller.command("options/delay") == [0.1, 0.2]


def test_two_controllers_with_the_same_tags_do_not_know_each_other() -> None:
    async def scenario() -> None:
        first, second = Controller(gateway(HOST)), Controller(gateway(OTHER))
        await first.start()
        await second.start()
        async with enip(first) as one, enip(second) as two:
            await one.write("Count", 11)
            await two.write("Count", 22)
            assert (await one.read("Count"), await two.read("Count")) == ([11], [22])
            first.command("options/delay", 0.001)
            assert second.command("options/delay") == [0.0, 0.0]
            await first.stop()
            assert await two.read("Count") == [22]
        assert second.telemetry()["requests"] > first.telemetry()["requests"] > 0
        await second.stop()

    asyncio.run(scenario())


def test_many_controllers_share_a_loop() -> None:
    async def scenario() -> None:
        many = [Controller(gateway(f"127.64.9.{number}")) for number in range(1, 21)]
        for controller in many:
            await controller.start()
        for number, controller in enumerate(many):
            async with enip(controller) as cip:
                await cip.write("Count[4]", number)
        assert [controller.tags.by_name("Count")[4] for controller in many] == list(range(20))  # type: ignore[index]
        await asyncio.gather(*(controller.stop() for controller in many))

    asyncio.run(scenario())


@pytest.mark.parametrize("protocol", ["enip", "modbus"])
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_is_taken_leaves_nothing_bound(protocol: str, kind: socket.SocketKind) -> None:
    if (protocol, kind) == ("modbus", socket.SOCK_DGRAM):
        return  # Modbus is not served over UDP
    config = gateway("127.64.8.32")
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((config.address, 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        face = {protocol: replace(getattr(config, protocol), port=port)}
        controller = Controller(replace(config, **face))

        async def scenario() -> None:
            with pytest.raises(ListenError, match=f"127.64.8.32:{port}: address in use"):
                await controller.start()

        asyncio.run(scenario())
        assert controller.command("server") == {
            "listening": False,
            "switching": False,
            "ports": controller.ports,
            "error": None,
        }


def test_what_it_counts() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip, modbus(controller) as registers:
            await cip.read("Level")
            with pytest.raises(CipError):
                await cip.read("Nope")
            await registers.read_registers("holding", 0)
            counted = controller.telemetry()
            assert counted["connections"] == 2
            assert counted["requests"] >= 4
            assert counted["bugs"] == 0
            assert counted["uptime"] >= 0

    assert serving(gateway(), talk).telemetry()["connections"] == 0


def test_commands_reach_the_same_memory() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip:
            controller.command("tags/Count[1]", 99)
            assert await cip.read("Count[1]") == [99]
            peers = controller.command("connections")
            assert isinstance(peers, list)
            assert len(peers) == 1
            with pytest.raises(CommandError):
                controller.command("tags/Nope", 1)

    serving(gateway(), talk)


def test_stopped_by_command_it_refuses_and_remembers() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip:
            await cip.write("Count", 5)
        controller.command("server/stop")
        await controller.server.settled()
        with pytest.raises(NodeError):
            await AsyncConnector(HOST, controller.ports["enip"], timeout=1).open()
        controller.command("server/start")
        await controller.server.settled()
        async with enip(controller) as cip:
            assert await cip.read("Count") == [5]

    serving(gateway(), talk)


def test_a_delay_holds_replies_of_both_protocols_back() -> None:
    async def talk(controller: Controller) -> None:
        loop = asyncio.get_running_loop()
        async with enip(controller) as cip, modbus(controller) as registers:
            controller.delay = (0.05, 0.05)
            began = loop.time()
            await cip.read("Level")
            await registers.read_registers("holding", 0)
            assert loop.time() - began >= 0.1

    serving(gateway(), talk)


def test_delays_of_one_protocol_are_drawn_whatever_passes_through_the_other() -> None:
    def drawn(others: int) -> list[float]:
        controller = Controller(gateway(delay=(0.1, 0.9)))
        cip, registers = (service.chain for service in (controller._enip, controller._modbus) if service is not None)
        assert cip is not None and registers is not None
        found = []
        for _ in range(5):
            found.append(cip.run(b"", lambda frame, accesses: b"", "", 0.0).delay)
            for _ in range(others):
                registers.run(b"", lambda frame, accesses: b"", "", 0.0)
        return found

    assert drawn(0) == drawn(3)
    assert len(set(drawn(0))) == 5


@pytest.mark.parametrize("delay", [(-1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_a_delay_that_cannot_be_is_refused(delay: tuple[float, float]) -> None:
    controller = Controller(gateway())
    with pytest.raises(NodeError):
        controller.delay = delay
    assert controller.delay == (0.0, 0.0)


def test_interceptors_see_both_protocols() -> None:
    lines: list[str] = []

    async def scenario() -> None:
        controller = Controller(gateway(), interceptors=[Printer(lines.append)])
        await controller.start()
        async with enip(controller) as cip, modbus(controller) as registers:
            await cip.write("Count[1]", 5)
            assert await registers.read_values("holding", 2, DINT, 1, "CDAB") == [5]
        await controller.stop()

    asyncio.run(scenario())
    assert lines[-2:] == ["Count[1] <= [5]", "Count[1] == [5]"]


def test_who_it_is_is_told_with_the_real_port() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip:
            item = await cip.list_identity()
        assert (item.ip, item.port) == (HOST, controller.ports["enip"])
        assert (item.serial, item.product_name) == (77, "1756-L61/B LOGIX5561")
        async with modbus(controller) as registers:
            assert await registers.identify() == {0: "Maker", 1: "gw", 2: "v1"}

    serving(gateway(), talk)


@pytest.mark.parametrize(
    "fields",
    [
        {"tags": (TagConfig("A", "NOPE"),)},
        {"tags": (TagConfig("A", "INT"), TagConfig("a", "INT"))},
        {"tags": (TagConfig("A", "INT", initial="x"),)},
        {"tags": (TagConfig("A", "INT", signal=SignalConfig("nope")),)},
        {"tags": ()},
    ],
)
def test_a_configuration_that_cannot_be_is_an_error_of_ours(fields: dict[str, Any]) -> None:
    with pytest.raises(NodeError):
        Controller(gateway(**fields))


def test_every_bool_type_is_known() -> None:
    config = NodeConfig(
        "n", "logix", "1756-L61", HOST, (TagConfig("B", "BOOL", (3,)),), EnipConfig(identity("1756-L61", 1), 0)
    )

    async def talk(controller: Controller) -> None:
        async with AsyncConnector(HOST, controller.ports["enip"]) as cip:
            await cip.write("B[1]", True)
            assert await cip.read("B", 3) == [False, True, False]
            table = controller.tags.by_name("B")
            assert table is not None
            assert table.type is BOOL

    serving(config, talk)
