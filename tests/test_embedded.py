"""A controller inside another program: in a thread, on its event loop, and by the simulator's own `main`."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

import node
from node import Accessed, Attribute, Connected, Controller
from node.client import Connector, TagError
from node.client.modbus import ModbusClient
from node.errors import ConfigError, NodeError
from tests.waiting import until

pytestmark = pytest.mark.net

HOST = "127.64.200.8"


def client_of(plc: Controller) -> Connector:
    return Connector(HOST, port=plc.ports["enip"], timeout=5)


def test_a_program_s_values_are_what_clients_read_and_the_other_way_round() -> None:
    tags = ["SCADA=INT[1000]", "Level=REAL", "Name=SSTRING", "Clock=TIMER", "Run=BOOL"]
    with Controller(tags, address=f"{HOST}:0") as plc, client_of(plc) as client:
        plc.tags["SCADA"][3] = 4
        plc.tags["scada"][-1] = 9
        plc.tags["SCADA"][10:12] = [7, 8]
        plc.tags["Level"] = 1.5
        plc.tags["Name"].value = "pump 7"
        plc.tags["Clock.PRE"] = 500
        assert client.read_tags(["SCADA[3]", "SCADA[999]", "SCADA[10-11]", "Level", "Name", "Clock.PRE"]) == [
            4,
            9,
            [7, 8],
            1.5,
            "pump 7",
            500,
        ]
        client.write_tags({"SCADA[0]": 6, "Run": True})
        assert plc.tags["SCADA"][0] == plc.tags["SCADA[0]"].value == 6
        assert plc.tags["Run"].value is True
        assert plc.tags["SCADA"][9:13] == [0, 7, 8, 0]
        assert list(plc.tags) == ["SCADA", "Level", "Name", "Clock", "Run"]
        assert (len(plc.tags["SCADA"]), plc.tags["SCADA"].type, plc.tags["Clock.PRE"].type) == (1000, "INT", "DINT")


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda tags: tags["Nope"], KeyError, "there is no tag"),
        (lambda tags: tags["SCADA"][10], IndexError, "no element 10; it has 10"),
        (lambda tags: tags["SCADA"][::2], IndexError, "not every 2th"),
        (lambda tags: tags.__setitem__("Level", "x"), ValueError, "tag 'Level': 'x' does not fit REAL"),
        (lambda tags: tags["SCADA"].__setitem__(0, 70000), ValueError, "tag 'SCADA': 70000 does not fit INT"),
        (lambda tags: tags["SCADA"].__setitem__(slice(0, 2), [1]), ValueError, "does not fit"),
    ],
)
def test_what_a_program_gets_wrong_is_told_to_it(
    act: Callable[[Any], object], error: type[Exception], words: str
) -> None:
    with Controller(["SCADA=INT[10]", "Level=REAL"], address=f"{HOST}:0") as plc:
        with pytest.raises(error, match=words):
            act(plc.tags)
        assert plc.tags["SCADA"].value == [0] * 10


def test_threads_may_write_bits_of_one_word_at_once() -> None:
    """Each bit is a change of the word, which nobody else's change may undo."""
    with Controller(["Word=DINT"], address=f"{HOST}:0") as plc:

        def flip(bit: int) -> None:
            for _ in range(200):
                plc.tags[f"Word.{bit}"].value = False
                plc.tags[f"Word.{bit}"].value = True

        threads = [threading.Thread(target=flip, args=(bit,)) for bit in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert plc.tags["Word"].value == 0b1111


def test_callbacks_tell_of_reads_writes_and_clients() -> None:
    reads: list[Accessed] = []
    writes: list[Accessed] = []
    clients: list[Connected] = []

    def fail(access: Accessed) -> None:
        reads.append(access)
        raise RuntimeError("the program's own mistake")

    plc = Controller(
        ["SCADA=INT[10]"], address=f"{HOST}:0", on_read=fail, on_write=writes.append, on_connect=clients.append
    )
    with plc:
        with client_of(plc) as client:
            client.write_tag("SCADA[2]", [5, 6], type="INT")
            assert client.read_tag("SCADA[2-3]") == [5, 6]
            with pytest.raises(TagError):
                client.write_tag("SCADA[2]", 1, type="DINT")
            plc.tags["SCADA"][0] = 1
        until(lambda: len(clients) == 2)
    (read,), (write, refused) = reads, writes
    assert (read.tag, read.start, read.stop, read.values, read.status) == ("SCADA", 2, 4, [5, 6], 0)
    assert (write.tag, write.start, write.stop, write.values, write.status) == ("SCADA", 2, 4, [5, 6], 0)
    assert (refused.values, refused.status) == ([], 0xFF)
    assert [(each.protocol, each.gone) for each in clients] == [("enip", False), ("enip", True)]
    assert {read.peer, write.peer} == {each.peer for each in clients}


def test_on_a_program_s_own_loop() -> None:
    def as_a_client(port: int) -> object:
        with Connector(HOST, port=port) as client:
            client.write_tag("SCADA[4]", 5)
            return client.read_tag("SCADA[3-4]")

    async def program() -> list[Any]:
        async with Controller(["SCADA=INT[10]"], address=f"{HOST}:0") as plc:
            plc.tags["SCADA"][3] = 4
            read = await asyncio.to_thread(as_a_client, plc.ports["enip"])
            return [read, plc.tags["SCADA"][4], await asyncio.to_thread(lambda: plc.tags["SCADA"][3])]

    assert asyncio.run(program()) == [[4, 5], 5, 4]


def test_a_modbus_device() -> None:
    with Controller(registers=["40001-40010=7"], address=f"{HOST}:0") as plc:
        plc.tags["holding_40001"][1] = 8
        with ModbusClient.tcp(HOST, plc.ports["modbus"]) as client:
            assert client.read(40001, count=3) == [7, 8, 7]
            client.write(40003, [9])
        assert plc.tags["holding_40001"][2] == 9


def test_a_port_that_is_taken_is_an_error_where_it_was_asked_for() -> None:
    with Controller(["A=INT"], address=f"{HOST}:0") as plc:
        second = Controller(["A=INT"], address=f"{HOST}:{plc.ports['enip']}")
        with pytest.raises(NodeError, match="address in use"):
            second.start()
    with second:
        assert second.ports == plc.ports


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tags": "SCADA=INT[10]"}, "wanted a list"),
        ({"tags": ["SCADA=NOPE"]}, "NOPE"),
        ({"tags": ["A=INT"], "registers": ["40001=1"]}, "give tags or registers"),
        ({"tags": ["A=INT"], "attribute_class": {"B": Attribute}}, "there is no tag 'b'"),
        ({"tags": ["A=INT"], "attribute_class": int}, "wanted a subclass of node.Attribute"),
    ],
)
def test_what_cannot_be_a_controller(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Controller(**arguments, address=f"{HOST}:0")


def test_a_hook_reads_other_tags_and_a_program_reads_hooked_ones() -> None:
    class Sum(Attribute):
        def __getitem__(self, key: Any) -> Any:
            return sum(self.tags["Parts"][:])  # type: ignore[arg-type]

    class Line(Attribute):
        """In line, while a thread has the node to itself: it may use the program's way to tags."""

        blocking = False

        def __getitem__(self, key: Any) -> Any:
            return plc.tags["Parts"][0]

    own = {"Sum": Sum, "First": Line}
    with Controller(["Parts=INT[3]", "Sum=INT", "First=INT"], address=f"{HOST}:0", attribute_class=own) as plc:
        plc.tags["Parts"] = [1, 2, 3]
        with client_of(plc) as client:
            assert client.read_tags(["Sum", "First", "Parts[2]"]) == [6, 1, 3]
            assert client.read_tag("First") == 1
        assert plc.tags["Sum"].value == 6


def test_main_runs_in_any_thread_and_ends_when_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """No signal handler off the main thread: that would be an error of Python's."""
    written: list[object] = []

    class Noted(Attribute):
        def __setitem__(self, key: Any, value: Any) -> None:
            written.append((self.name, key, value))
            super().__setitem__(key, value)

    codes: list[int] = []
    served: list[Any] = []
    began = threading.Event()

    def started(plc: Any) -> None:
        served.append(plc)
        began.set()

    def run() -> None:
        arguments = ["-a", f"{HOST}:0", "SCADA=INT[10]", "Level=REAL"]
        codes.append(node.main(arguments, attribute_class=Noted, started=started))

    thread = threading.Thread(target=run)
    thread.start()
    assert began.wait(10)
    (plc,) = served
    with Connector(HOST, port=plc.ports["enip"]) as client:
        client.write_tags({"SCADA[3]": 4, "Level": 1.5})
        assert client.read_tag("SCADA[3]") == 4
    assert plc.tags["SCADA"][3] == 4
    plc.stop()
    thread.join(10)
    assert codes == [0]
    assert written == [("SCADA", slice(3, 4), [4]), ("Level", 0, 1.5)]
    assert capsys.readouterr().out.startswith("EtherNet/IP controller")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((HOST, plc.ports["enip"]), 1)
