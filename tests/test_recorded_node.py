"""A node that is recorded and played into, seen by released clients over both protocols."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pylogix import PLC
from pymodbus.client import ModbusTcpClient

from node.commands.errors import CommandError
from node.config.model import (
    EnipConfig,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    SignalConfig,
    TagConfig,
    UnitConfig,
)
from node.config.schema import identity
from node.controller import Controller

pytestmark = pytest.mark.net

HOST = "127.64.8.46"
NODE = NodeConfig(
    name="plc-1",
    kind="gateway",
    profile="1756-L61",
    address=HOST,
    tags=(
        TagConfig("Level", "REAL", initial=1.1),
        TagConfig("Count", "INT", (4,), initial=(1, 2, 3, 4)),
        TagConfig("Moving", "DINT", signal=SignalConfig("counter", (("per_second", 50.0),))),
        TagConfig("Run", "BOOL", initial=True),
        TagConfig("Flags", "BOOL", (40,), packed=True),
        TagConfig("Name", "STRING", initial="first"),
        TagConfig("Clock", "TIMER"),
    ),
    enip=EnipConfig(identity("1756-L61", 77), port=0),
    modbus=ModbusConfig(
        port=0, units=(UnitConfig(1, (RegisterBlock("holding", 0, 4, "Count"), RegisterBlock("coils", 0, 1, "Run"))),)
    ),
)

Talk = Callable[[Controller], None]


def served(talk: Talk, **how: Any) -> None:
    """Runs `talk`, which may block, beside a controller that serves."""

    async def scene() -> None:
        controller = Controller(NODE, **how)
        await controller.start()
        loop = asyncio.get_running_loop()
        asked = controller.command
        # A node is asked by its own loop; a test asks from its thread.
        controller.command = lambda path, value=None: asyncio.run_coroutine_threadsafe(  # type: ignore[method-assign]
            _asked(asked, path, value), loop
        ).result(10)
        try:
            await asyncio.to_thread(talk, controller)
        finally:
            await controller.stop()
            assert sum(metrics.bugs for metrics in controller.server.counted.values()) == 0

    asyncio.run(scene())


async def _asked(command: Callable[..., Any], path: str, value: Any) -> Awaitable[Any]:
    answer: Awaitable[Any] = command(path, value)
    return answer


@contextmanager
def logix(controller: Controller) -> Iterator[PLC]:
    with PLC(HOST, port=controller.ports["enip"]) as plc:
        plc.Read(["Level", "Count", "Run"])  # by which it learns their types
        yield plc
    if plc.conn.msg_socket is not None:
        plc.conn.msg_socket.close()  # made by pylogix, and never closed by it


@contextmanager
def modbus(controller: Controller) -> Iterator[ModbusTcpClient]:
    client = ModbusTcpClient(HOST, port=controller.ports["modbus"])
    assert client.connect()
    yield client
    client.close()


def recorded(controller: Controller, after: int = 0, key: str = "k") -> list[tuple[Any, Any]]:
    """(serial, data) of each record behind a number."""
    answer: Any = controller.command(f"record/{key}/read", after)
    assert not answer["more"]
    return [tuple(json.loads(text)) for _, _, text in answer["records"]]


def test_every_read_write_and_refusal_of_chosen_tags_over_both_protocols() -> None:
    def talk(controller: Controller) -> None:
        with logix(controller) as plc:
            controller.command("record/start", {"key": "k", "tags": ["count", "L*"], "every": None, "accesses": True})
            plc.Write("Level", 2.2)
            plc.Read("Level")
            plc.Write("Count[1]", [7, 8])
            plc.Read("Count[2]", 9)
            plc.Read("Run")
        with modbus(controller) as client:
            client.write_registers(0, [5, 6])
            client.read_holding_registers(0, count=4)
            client.write_coil(0, False)
        found = recorded(controller)
        peers = {data.pop("peer").rpartition(":")[0] for _, data in found}
        assert peers == {HOST} or peers == {"127.0.0.1"}
        assert found == [
            (["Level", [0, 0]], {"write": [2.2]}),
            (["Level", [0, 0]], {"read": [2.2]}),
            (["Count", [1, 2]], {"write": [7, 8]}),
            (["Count", [2, 10]], {"read": None, "error": 255}),
            (["Count", [0, 1]], {"write": [5, 6]}),
            (["Count", [0, 3]], {"read": [5, 6, 8, 4]}),
        ]

    served(talk)


def test_values_are_all_there_first_and_then_what_changed() -> None:
    def talk(controller: Controller) -> None:
        begun = controller.command("record/start", {"key": "k", "tags": ["*"], "every": 0.05})
        assert begun == {"tags": 7, "known": False}
        [(serial, first)] = recorded(controller)
        assert serial is None
        assert first["Level"] == 1.1
        assert (first["Count"], first["Run"], first["Name"]) == ([1, 2, 3, 4], True, "first")
        assert first["Flags"] == [False] * 40
        assert first["Clock"] == {"PRE": 0, "ACC": 0, "EN": False, "TT": False, "DN": False}
        with modbus(controller) as client:
            client.write_register(2, 33)
        deadline = time.monotonic() + 5
        changes: dict[str, Any] = {}
        while "Count" not in changes and time.monotonic() < deadline:
            time.sleep(0.1)
            changes = {name: value for _, data in recorded(controller, 1) for name, value in data.items()}
        assert set(changes) == {"Count", "Moving"}
        assert changes["Count"] == [1, 2, 33, 4]

    served(talk)


def test_a_record_is_kept_until_a_later_one_is_asked_for() -> None:
    def talk(controller: Controller) -> None:
        spec = {"key": "k", "tags": ["Level"], "every": None, "accesses": True}
        with logix(controller) as plc:
            controller.command("record/start", spec)
            for value in (1.0, 2.0, 3.0):
                plc.Write("Level", value)
        assert len(recorded(controller)) == len(recorded(controller)) == 3
        assert controller.command("record/start", spec) == {"tags": 1, "known": True}, "it goes on"
        assert [data["write"] for _, data in recorded(controller, 2)] == [[3.0]]
        assert recorded(controller, 3) == []
        assert controller.command("record/k/stop") == {"lost": 0}
        assert controller._enip is not None
        assert controller._enip.chain is None
        with pytest.raises(CommandError, match=r"there is no record/k/read; there is start, KEY/read and KEY/stop"):
            controller.command("record/k/read")

    served(talk)


def test_what_nobody_reads_is_bounded_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.commands.recordings.KEPT", 400)
    monkeypatch.setattr("node.commands.recordings.ANSWER", 200)

    def talk(controller: Controller) -> None:
        with logix(controller) as plc:
            controller.command("record/start", {"key": "k", "tags": ["Level"], "every": None, "accesses": True})
            for _ in range(20):
                plc.Read("Level")
        answer: Any = controller.command("record/k/read")
        found, lost = len(answer["records"]), answer["lost"]
        assert answer["more"]
        while answer["more"]:
            answer = controller.command("record/k/read", answer["records"][-1][0])
            found += len(answer["records"])
        assert lost > 0
        assert found + lost == 20

    served(talk)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (None, "got None; wanted"),
        ({"key": "k", "every": 0.01}, "every 0.01 s; wanted 0.05 to 3600"),
        ({"key": "../k"}, "wanted"),
        ({"key": "k", "tags": "Level"}, "wanted"),
        ({"key": "k", "accesses": 1}, "wanted"),
    ],
)
def test_a_recording_that_cannot_be(asked: Any, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        Controller(NODE).command("record/start", asked)


def test_a_recording_is_played_into_the_tags_and_they_are_given_back() -> None:
    def talk(controller: Controller) -> None:
        now = time.time()
        values = {
            "Level": 9.5,
            "Count": [9, 8, 7, 6],
            "Moving": 77,
            "Run": False,
            "Flags": [True] * 40,
            "Name": "played",
        }
        values["Clock"] = {"PRE": 5, "ACC": 1, "EN": True, "TT": False, "DN": False}
        later = json.dumps({"Level": 10.5, "Count": None})
        put = {"key": "p", "first": True, "records": [[now, values], [now + 1.0, later]]}
        assert controller.command("replay/put", put) == {"refused": {}}
        with logix(controller) as plc, modbus(controller) as client:
            read = plc.Read(["Level", "Moving", "Run", "Name", "Clock.PRE"])
            assert [each.Value for each in read] == [9.5, 77, False, "played", 5]
            assert plc.Read("Flags[0]", 40).Value == [True] * 40
            assert client.read_holding_registers(0, count=4).registers == [9, 8, 7, 6]
            assert client.read_coils(0, count=1).bits[0] is False
            shown: Any = controller.command("tags/Level")
            assert (shown["value"], shown["source"]) == (9.5, "replay")
            report: Any = controller.telemetry()
            assert report["replayed"] == 7
            assert plc.Write("Level", 1.0).Status == "Success"
            assert plc.Read("Level").Value == 9.5, "a write is taken, and overwritten"
            time.sleep(max(0.0, now + 1.05 - time.time()))
            assert plc.Read("Level").Value == 10.5
            assert client.read_holding_registers(0, count=4).registers == [9, 8, 7, 6]
            assert controller.command("replay/stop", {"key": "another's"}) == {"tags": 0}
            assert controller.command("replay/stop", {"key": "p"}) == {"tags": 7}
            assert plc.Read("Level").Value == pytest.approx(1.1)
            assert plc.Read("Name").Value == "first"
            assert plc.Read("Flags[0]", 40).Value == [False] * 40
            assert client.read_holding_registers(0, count=4).registers == [1, 2, 3, 4]
            moving = plc.Read("Moving").Value
            time.sleep(0.1)
            assert plc.Read("Moving").Value > moving, "its signal goes on"

    served(talk)


def test_a_replay_that_is_told_no_more_ends_by_itself() -> None:
    def talk(controller: Controller) -> None:
        put = {"key": "p", "first": True, "records": [[0.0, {"Level": 9.5}]], "lease": 0.3}
        controller.command("replay/put", put)
        with pytest.raises(CommandError, match="another recording is played into its tags"):
            controller.command("replay/put", {**put, "key": "q"})
        with logix(controller) as plc:
            assert plc.Read("Level").Value == 9.5
            deadline = time.monotonic() + 5
            while plc.Read("Level").Value == 9.5 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert plc.Read("Level").Value == pytest.approx(1.1)
        assert controller.command("replay") is None
        assert controller.command("replay/put", {**put, "first": False}) == {"again": True}

    served(talk)


def test_what_a_tag_cannot_be_is_refused_once_and_the_others_are_played() -> None:
    controller = Controller(NODE)

    async def scene() -> None:
        values = {"Level": 2.5, "Run": "perhaps", "Count": [1, 2], "None": 1, "Count[1]": 4, "Moving": 2**40}
        first: Any = controller.command("replay/put", {"key": "p", "first": True, "records": [[0.0, values]]})
        assert first["refused"] == {
            "Run": "Run: 'perhaps' does not fit BOOL; wanted true or false",
            "Count": "Count has 4 elements, and 2 are recorded",
            "None": "there is no tag 'None'; `tags` lists them",
            "Count[1]": "Count[1] is within a tag; whole tags are played",
            "Moving": first["refused"]["Moving"],
        }
        assert first["refused"]["Moving"].startswith("Moving: 1099511627776 does not fit DINT")
        assert controller.command("replay/put", {"key": "p", "records": [[0.0, values]]}) == {"refused": {}}
        level: Any = controller.command("tags/Level")
        assert level["value"] == 2.5
        await controller.stop()
        level = controller.command("tags/Level")
        assert level["value"] == 1.1, "who ends gives back what was"

    asyncio.run(scene())
