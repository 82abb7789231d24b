"""What a client has an answer to is in the file, also when the simulator is killed: a recorder writes before the reply
leaves. Seen by released clients of both protocols that write as fast as they can."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pylogix import PLC
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from node.history.reader import Reader
from tests.cli.lone import ready
from tests.conftest import ROOT

HOST = "127.64.8.47"
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


def test_every_acknowledged_write_is_in_the_file(tmp_path: Path) -> None:
    history = tmp_path / "lone.hst"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(history)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        enip, modbus = map(int, ready(process).split())
        tags: list[int] = []
        registers: list[int] = []
        writers = [
            threading.Thread(target=write_tags, args=(enip, tags)),
            threading.Thread(target=write_registers, args=(modbus, registers)),
        ]
        for writer in writers:
            writer.start()
        threading.Event().wait(1.0)
        process.send_signal(signal.SIGKILL)
        for writer in writers:
            writer.join(20)
    finally:
        process.kill()
        process.communicate()
    told: list[str] = []
    reader = Reader(history, tell=told.append)
    found = [record for block in iter(reader.read, []) for record in block]
    in_file = {
        name: [record.data["write"][0] for record in found if record.serial[0] == name and "write" in record.data]
        for name in ("Logix", "Registers")
    }
    assert told == []
    assert min(len(tags), len(registers)) > 20
    assert in_file["Logix"][: len(tags)] == tags
    assert in_file["Registers"][: len(registers)] == registers
    assert len(in_file["Logix"]) <= len(tags) + 1, "and at most one that was not answered any more"
    assert len(in_file["Registers"]) <= len(registers) + 1
