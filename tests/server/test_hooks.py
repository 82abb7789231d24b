"""Code of somebody's own behind tags, seen by clients on sockets: who waits for it, who does not, and how it fails."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from node import Attribute, CipError, Controller
from node.cip.status import DEVICE_STATE_CONFLICT
from node.client import Connector, TagError, TimedOut
from node.client.modbus import ModbusClient
from node.config.model import EnipConfig, IdentityConfig, ModbusConfig, NodeConfig, RegisterBlock, TagConfig, UnitConfig
from node.modbus.functions import ModbusError
from tests.waiting import until

pytestmark = pytest.mark.net

HOST = "127.64.200.7"
TAGS = ("Slow=INT[10]", "Quick=INT[10]", "Text=SSTRING[2]", "Level=REAL")


class Gated(Attribute):
    """Waits in each of its methods until `door` is open; `calls` are those that were made."""

    timeout = 5.0
    door = threading.Event()
    calls: list[tuple[str, str, object]]

    def __getitem__(self, key: Any) -> Any:
        self.calls.append(("get", self.name, key))
        self.door.wait(10)
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.calls.append(("set", self.name, key))
        self.door.wait(10)
        super().__setitem__(key, value)


@pytest.fixture
def gated() -> Iterator[type[Gated]]:
    """A class with a door of its own, which is closed."""

    class Own(Gated):
        door = threading.Event()
        calls: list[tuple[str, str, object]] = []  # noqa: RUF012 - the test's own

    yield Own
    Own.door.set()


def gateway(*tags: TagConfig, **options: Any) -> NodeConfig:
    """A node with these tags on EtherNet/IP and their registers one after another on Modbus."""
    blocks, start = [], 0
    for tag in tags:
        blocks.append(RegisterBlock("holding", start, tag.length, tag.name))
        start += tag.length
    identity = IdentityConfig(1, 14, 54, (20, 11), 0x0060, 1, "1756-L61/B LOGIX5561")
    modbus = ModbusConfig(port=0, units=(UnitConfig(1, tuple(blocks)),), **options)
    return NodeConfig("plc", "gateway", "1756-L61", HOST, tags, EnipConfig(identity, port=0), modbus)


def connect(plc: Controller, timeout: float = 8.0) -> Connector:
    return Connector(HOST, port=plc.ports["enip"], timeout=timeout)


def test_a_slow_hook_holds_up_its_own_connection_alone(gated: type[Gated]) -> None:
    with (
        Controller(TAGS, address=f"{HOST}:0", attribute_class={"Slow": gated}) as plc,
        connect(plc) as slow,
        connect(plc) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        plc.tags["Quick"][0] = 7
        reading = pool.submit(slow.read_tag, "Slow[2-4]")
        until(lambda: len(gated.calls) == 1)
        for _ in range(50):
            assert other.read_tag("Quick[0]") == 7
        assert not reading.done()
        gated.door.set()
        assert reading.result(5) == [0, 0, 0]
        assert gated.calls == [("get", "Slow", slice(2, 5))]


def test_later_requests_of_a_connection_wait_in_order(gated: type[Gated]) -> None:
    """Many in one segment, the hook's first: the answers come in the order of the requests."""
    with (
        Controller(TAGS, address=f"{HOST}:0", attribute_class={"Slow": gated}) as plc,
        connect(plc) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        plc.tags["Quick"].value = list(range(10))
        operations = ["Slow[0]", *(f"Quick[{index}]" for index in range(10)), "Slow[1]=(INT)5", "Slow[1]"]
        asked = pool.submit(lambda: [value for *_, value in client.pipeline(operations, depth=20)])
        until(lambda: len(gated.calls) == 1)
        time.sleep(0.05)
        assert not asked.done()
        gated.door.set()
        assert asked.result(5) == [[0], *([index] for index in range(10)), True, [5]]


def test_a_packet_runs_each_of_its_services_once_and_in_order(gated: type[Gated]) -> None:
    """A write before the hook in one Multiple Service Packet is not done again when the hook is through."""
    gated.door.set()
    written: list[object] = []
    with (
        Controller(
            TAGS,
            address=f"{HOST}:0",
            attribute_class={"Slow": gated},
            on_write=lambda access: written.append((access.tag, access.values)),
        ) as plc,
        connect(plc) as client,
    ):
        operations = ["Quick[0]=(INT)1", "Slow[0]=(INT)2", "Quick[0]=(INT)3", "Slow[0]"]
        results = [value for *_, value in client.operate(operations, depth=1, multiple=500)]
        assert results == [True, True, True, [2]]
        assert written == [("Quick", [1]), ("Slow", [2]), ("Quick", [3])]
        assert [call[0] for call in gated.calls] == ["set", "get"]


@pytest.mark.parametrize("connected", [True, False])
def test_many_connections_may_be_in_a_hook_at_once(connected: bool) -> None:
    inside = threading.Barrier(8)

    class Together(Attribute):
        def __getitem__(self, key: Any) -> Any:
            inside.wait(5)
            return super().__getitem__(key)

    with (
        Controller(TAGS, address=f"{HOST}:0", attribute_class={"Level": Together}) as plc,
        ExitStack() as stack,
        ThreadPoolExecutor(8) as pool,
    ):
        clients = [
            stack.enter_context(Connector(HOST, port=plc.ports["enip"], timeout=8, connected=connected))
            for _ in range(8)
        ]
        assert list(pool.map(lambda client: client.read_tag("Level"), clients)) == [0.0] * 8


@pytest.mark.parametrize(
    ("raised", "status", "exception"),
    [
        (CipError(DEVICE_STATE_CONFLICT), (0x10, ()), 4),
        (PermissionError("no"), (0xFF, (0x2100,)), 2),
        (IndexError("no"), (0xFF, (0x2105,)), 4),
        (TimeoutError("no"), (0x02, ()), 6),
        (ValueError("no"), (0x1F, ()), 4),
        (RuntimeError("no"), (0x1F, ()), 4),
        (SystemExit(3), (0x1F, ()), 4),
    ],
)
@pytest.mark.parametrize("blocking", [True, False])
def test_what_a_hook_raises_is_the_client_s_error_and_is_logged_once(
    raised: BaseException,
    status: tuple[int, tuple[int, ...]],
    exception: int,
    blocking: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(Attribute):
        def __getitem__(self, key: Any) -> Any:
            raise raised

    Failing.blocking = blocking
    with Controller(gateway(TagConfig("Slow", "INT", (4,))), attribute_class=Failing) as plc:
        with connect(plc) as client:
            for _ in range(3):
                with pytest.raises(TagError) as failed:
                    client.read_tag("Slow[0]")
                assert (failed.value.general, failed.value.extended) == status
        with ModbusClient.tcp(HOST, plc.ports["modbus"]) as modbus:
            assert modbus_exception(modbus) == exception
    lines = [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    if isinstance(raised, CipError):
        assert lines == []
    else:
        (line,) = lines
        assert line.startswith("tag 'Slow': Failing.__getitem__ failed, clients get ")


def modbus_exception(client: ModbusClient) -> int:
    """Of a read of the first register."""
    with pytest.raises(ModbusError) as failed:
        client.read(40001)
    return failed.value.code


@pytest.mark.parametrize("gives", [5, [1, 2, 3], ["a"], "x", [1.5], [70000], None])
def test_values_that_do_not_fit_are_the_hook_s_fault(gives: object, caplog: pytest.LogCaptureFixture) -> None:
    class Odd(Attribute):
        blocking = False

        def __getitem__(self, key: Any) -> Any:
            return gives

    with Controller(TAGS, address=f"{HOST}:0", attribute_class={"Slow": Odd}) as plc, connect(plc) as client:
        with pytest.raises(TagError) as failed:
            client.read_tag("Slow[0]")
        assert failed.value.general == 0x1F
        assert client.read_tag("Quick[0]") == 0
    assert f"it gave {gives!r}" in caplog.text


def test_a_hook_that_takes_too_long_is_busy_and_does_not_keep_the_node(
    gated: type[Gated], caplog: pytest.LogCaptureFixture
) -> None:
    gated.timeout = 0.2
    began = time.monotonic()
    with Controller(gateway(TagConfig("Slow", "INT", (4,))), attribute_class=gated) as plc:
        with connect(plc) as client:
            for _ in range(2):
                with pytest.raises(TagError) as failed:
                    client.read_tag("Slow[0-1]")
                assert (failed.value.general, failed.value.extended) == (0x02, ())
        with ModbusClient.tcp(HOST, plc.ports["modbus"]) as modbus:
            assert modbus_exception(modbus) == 6
    assert time.monotonic() - began < 4
    assert [record.getMessage() for record in caplog.records if "took longer" in record.getMessage()] == [
        "tag 'Slow': Own.__getitem__ took longer than 0.2 s; clients are told that it is busy"
    ]


def test_a_late_hook_fails_its_own_service_of_a_packet_and_is_dropped(gated: type[Gated]) -> None:
    gated.timeout = 0.2
    with (
        Controller(TAGS, address=f"{HOST}:0", attribute_class={"Slow": gated}) as plc,
        connect(plc) as client,
    ):
        results = client.operate(["Slow[0]=(INT)2", "Quick[0]=(INT)3"], depth=1, multiple=500)
        assert [(status, value) for *_, status, value in results] == [(2, None), (0, True)]
        assert len(gated.calls) == 1
        plc.tags["Quick"][0] = 0
        gated.door.set()
        until(lambda: plc.tags["Slow"][0] == 2)
        assert client.read_tag("Quick[0]") == 0


def test_a_client_that_leaves_while_it_waits_is_nobody_s_trouble(gated: type[Gated]) -> None:
    with Controller(TAGS, address=f"{HOST}:0", attribute_class={"Slow": gated}) as plc:
        with (
            Connector(HOST, port=plc.ports["enip"], connected=False) as client,
            pytest.raises(TimedOut),
        ):
            client.read_tag("Slow[0]", timeout=0.2)
        gated.door.set()
        until(lambda: plc.connections == [])
        with connect(plc) as client:
            assert client.read_tag("Slow[0]") == 0


def test_modbus_waits_for_a_hook_as_well(gated: type[Gated]) -> None:
    """Over several tags: what is read and written is what the hooks saw, and requests behind keep their order."""
    tags = (TagConfig("Slow", "INT", (2,)), TagConfig("Quick", "INT", (2,)), TagConfig("Other", "INT", (2,)))
    with (
        Controller(gateway(*tags), attribute_class={"Slow": gated}) as plc,
        socket.create_connection((HOST, plc.ports["modbus"]), 5) as one,
        socket.create_connection((HOST, plc.ports["modbus"]), 5) as two,
    ):
        plc.tags["Quick"].value = [7, 8]
        write = struct.pack(">HHHBBHHB4H", 1, 0, 15, 1, 16, 0, 4, 8, 1, 2, 3, 4)
        read = struct.pack(">HHHBBHH", 2, 0, 6, 1, 3, 0, 4)
        one.sendall(write + read)
        until(lambda: len(gated.calls) == 1)
        two.sendall(struct.pack(">HHHBBHH", 9, 0, 6, 1, 3, 2, 2))
        assert received(two, 13)[9:] == struct.pack(">2H", 7, 8)
        gated.door.set()
        assert received(one, 12) == struct.pack(">HHHBBHH", 1, 0, 6, 1, 16, 0, 4)
        assert received(one, 17)[9:] == struct.pack(">4H", 1, 2, 3, 4)
        assert [call[0] for call in gated.calls if call[0] == "set"] == ["set"]
    assert plc.tags["Quick"].value == [3, 4]


def test_modbus_over_udp_is_answered_when_the_hook_is_through(gated: type[Gated]) -> None:
    tags = (TagConfig("Slow", "INT", (2,)), TagConfig("Quick", "INT", (2,)))
    with (
        Controller(gateway(*tags, udp=True), attribute_class={"Slow": gated}) as plc,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        client.settimeout(5)
        client.connect((HOST, plc.ports["modbus"]))
        client.send(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, 1))
        until(lambda: len(gated.calls) == 1)
        client.send(struct.pack(">HHHBBHH", 2, 0, 6, 1, 3, 2, 1))
        assert client.recv(100)[:2] == b"\0\2"
        gated.door.set()
        assert client.recv(100) == struct.pack(">HHHBBBH", 1, 0, 5, 1, 3, 2, 0)


def test_frames_of_a_line_wait_behind_a_hook(gated: type[Gated]) -> None:
    """RTU in TCP: a line has one request at a time, so what comes meanwhile is answered after it."""
    tags = (TagConfig("Slow", "INT", (2,)), TagConfig("Quick", "INT", (2,)))
    first, second = bytes.fromhex("010300000001840A"), bytes.fromhex("01030002000125CA")
    with (
        Controller(gateway(*tags, framing="rtu"), attribute_class={"Slow": gated}) as plc,
        socket.create_connection((HOST, plc.ports["modbus"]), 5) as client,
    ):
        plc.tags["Quick"][0] = 7
        client.sendall(first)
        until(lambda: len(gated.calls) == 1)
        client.sendall(second)
        time.sleep(0.05)
        gated.door.set()
        assert received(client, 14) == bytes.fromhex("0103020000B844") + bytes.fromhex("0103020007F986")


def received(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        assert part, data.hex()
        data += part
    return data


def test_texts_and_structures_have_hooks_too() -> None:
    class Loud(Attribute):
        def __getitem__(self, key: Any) -> Any:
            values = super().__getitem__(key)
            if isinstance(values, list):
                return [value.upper() for value in values]
            return {**values, "ACC": 99}

    tags = ["Text=SSTRING[2]", "Clock=TIMER"]
    with Controller(tags, address=f"{HOST}:0", attribute_class=Loud) as plc, connect(plc) as client:
        client.write_tag("Text[0]", ["abc", "x"])
        assert client.read_tag("Text[0-1]") == ["ABC", "X"]
        client.write_tag("Clock.PRE", 5)
        assert client.read_tag("Clock.PRE") == 5
        assert client.read_tag("Clock")["ACC"] == client.read_tag("Clock.ACC") == 99


def test_fragments_of_a_long_read_each_come_to_the_hook() -> None:
    keys: list[slice] = []

    class Counting(Attribute):
        def __getitem__(self, key: Any) -> Any:
            keys.append(key)
            return list(range(*key.indices(len(self))))

    with (
        Controller(["Long=INT[2000]"], address=f"{HOST}:0", attribute_class=Counting) as plc,
        Connector(HOST, port=plc.ports["enip"], connected=False) as client,
    ):
        assert client.read_tag("Long[0-1999]") == list(range(2000))
    assert [0, *(key.stop for key in keys)] == [*(key.start for key in keys), 2000]


def test_the_commands_of_a_node_come_to_hooks_and_lists_do_not(gated: type[Gated]) -> None:
    """As a farm asks: by name the hook is called, in a list of all tags nobody waits for it."""
    gated.calls.clear()
    plc = Controller(TAGS, address=f"{HOST}:0", attribute_class={"Slow": gated})
    with plc:
        rows = plc.run(lambda: plc._controller.command("tags"))
        assert [row.get("error") for row in rows if row["name"] == "Slow"] == [  # type: ignore[union-attr, index, call-overload]
            "its own code takes its time; ask for it by name"
        ]
        assert gated.calls == []
        gated.door.set()
        loop = plc._loop
        assert loop is not None
        row = asyncio.run_coroutine_threadsafe(plc._controller.ask("tags/Slow[3]"), loop).result(5)
        assert row["value"] == 0  # type: ignore[index, call-overload]
        assert gated.calls == [("get", "Slow", slice(3, 4))]


def test_tags_without_hooks_are_served_as_ever(gated: type[Gated]) -> None:
    """In a node that has some: their replies are prepared, and nothing of them runs in a thread."""
    before = threading.enumerate()
    with Controller(TAGS, address=f"{HOST}:0", attribute_class={"Slow": gated}) as plc, connect(plc) as client:
        assert client.read_tags(["Quick[0]", "Quick[1]", "Level"]) == [0, 0, 0.0]
        assert client.read_tags(["Quick[0]", "Quick[1]", "Level"]) == [0, 0, 0.0]
        client.write_tags({"Quick[0]": 1, "Quick[1]": 2})
        made = [thread.name for thread in threading.enumerate() if thread not in before]
        assert not {"hook", "turn"}.intersection(made)
