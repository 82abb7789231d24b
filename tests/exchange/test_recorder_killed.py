"""What a client has an answer to is in the file, also when the simulator is killed: a recorder writes before the reply
leaves. Seen by released clients of both protocols that write as fast as they can."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pylogix import PLC
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from node.history.reader import BREAKS_OFF, Reader
from tests.cli.lone import port_of, ready
from tests.conftest import ROOT

HOST = "127.64.8.40"
Write = Callable[[int, list[int]], None]
PROGRAM = """
import asyncio, sys
from node.config.model import EnipConfig, ModbusConfig, NodeConfig, RegisterBlock, TagConfig, UnitConfig
from node.config.schema import identity
from node.controller import Controller
from node.exchange.recorder import Recorder
from node.history.writer import HistoryWriter

tags = TagConfig("Logix", "DINT"), TagConfig("Registers", "UINT", (2,))
modbus = ModbusConfig(port=0, units=(UnitConfig(1, (RegisterBlock("holding", 0, 2, "Registers"),)),))
node = NodeConfig("n", "gateway", "1756-L61", "HOST", tags, EnipConfig(identity("1756-L61", 77), port=0), modbus)
writer = HistoryWriter(sys.argv[1])

async def serve():
    recorder = Recorder(lambda exchange, serial, data: writer.write(data, serial=serial))
    controller = Controller(node, interceptors=[recorder])
    await controller.start()
    print(*controller.ports.values(), flush=True)
    await asyncio.Event().wait()

asyncio.run(serve())
""".replace("HOST", HOST)

pytestmark = pytest.mark.net


def write_tags(port: int, acknowledged: list[int]) -> None:
    with PLC(HOST, port=port, timeout=2) as plc:
        value = 1
        while plc.Write("Logix", value).Status == "Success":
            acknowledged.append(value)
            value += 1
    if plc.conn.msg_socket is not None:
        plc.conn.msg_socket.close()  # made by pylogix, and never closed by it


def write_registers(port: int, acknowledged: list[int]) -> None:
    client = ModbusTcpClient(HOST, port=port, timeout=2, retries=0)
    assert client.connect()
    try:
        for value in range(1, 65536):
            if client.write_registers(0, [value, 0]).isError():
                return
            acknowledged.append(value)
    except (ModbusException, OSError):
        pass
    finally:
        client.close()


def records(history: Path, name: str) -> list[int]:
    """What was written to a tag, as the file has it; nothing in the file may be broken but what was being
    written: a line that crosses a page of the file may be killed between the two."""
    told: list[str] = []
    reader = Reader(history, tell=told.append)
    found = [record for block in iter(reader.read, []) for record in block]
    assert [what for what in told if not what.endswith(BREAKS_OFF)] == []
    return [record.data["write"][0] for record in found if record.serial[0] == name and "write" in record.data]


def written(command: list[str], ports_of: Callable[[str], list[int]], *write: Write) -> list[list[int]]:
    """What each of `write` had acknowledged by the simulator `command`, which is killed meanwhile. `ports_of` reads the
    ports out of the line that says it serves."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        acknowledged: list[list[int]] = [[] for _ in write]
        ports = ports_of(ready(process))
        threads = [
            threading.Thread(target=each, args=(port, done))
            for each, port, done in zip(write, ports, acknowledged, strict=True)
        ]
        for thread in threads:
            thread.start()
        threading.Event().wait(1.0)
        process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join(20)
    finally:
        process.kill()
        process.communicate()
    return acknowledged


def test_every_acknowledged_write_is_in_the_file(tmp_path: Path) -> None:
    history = tmp_path / "lone.hst"
    command = ["-c", PROGRAM, str(history)]
    tags, registers = written(command, lambda line: [*map(int, line.split())], write_tags, write_registers)
    assert min(len(tags), len(registers)) > 20
    for name, acknowledged in (("Logix", tags), ("Registers", registers)):
        found = records(history, name)
        assert found[: len(acknowledged)] == acknowledged
        assert len(found) <= len(acknowledged) + 1, "and at most one that was not answered any more"


def test_the_same_of_the_lone_simulator_that_records(tmp_path: Path) -> None:
    history = tmp_path / "lone.hst"
    command = ["-m", "node", "historize", str(history), "--address", f"{HOST}:0", "Logix=DINT"]
    [tags] = written(command, lambda line: [port_of(line)], write_tags)
    assert len(tags) > 20
    assert records(history, "Logix")[: len(tags)] == tags
