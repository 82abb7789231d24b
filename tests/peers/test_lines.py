"""pymodbus and mbpoll where there is no Modbus/TCP: a serial line, its frames in TCP, datagrams, TLS."""

import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient, ModbusTcpClient, ModbusTlsClient, ModbusUdpClient
from pymodbus.exceptions import ModbusIOException

from node.modbus.rtu import encode_rtu
from tests.peers.line_node import HOST, line_node
from tests.peers.ways import WAYS, reached

pytestmark = pytest.mark.net


@pytest.fixture(scope="module", params=[way for way in WAYS if way != "tcp"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of pymodbus for each way, connected."""
    with reached(request.param, tmp_path_factory.mktemp("lines")) as node:
        match request.param:
            case "rtu" | "ascii":
                framer = FramerType(request.param)
                line = {"baudrate": 19200, "parity": "N", "stopbits": 2, "timeout": 2}
                made: Any = ModbusSerialClient(node.path, framer=framer, **line)
            case "rtu over tcp" | "ascii over tcp":
                made = ModbusTcpClient(HOST, port=node.port, framer=FramerType(request.param.split()[0]))
            case "udp":
                made = ModbusUdpClient(HOST, port=node.port)
            case _:
                node.context.check_hostname = False  # its blocking client names no server, which this asks for
                made = ModbusTlsClient(HOST, port=node.port, sslctx=node.context)
        assert made.connect()
        yield made
        made.close()


@pytest.mark.parametrize("unit", [1, 100])
def test_all_tables_both_ways(client: Any, unit: int) -> None:
    client.write_registers(0, list(range(100)), device_id=unit)
    assert client.read_holding_registers(0, count=125, device_id=unit).registers[:100] == list(range(100))
    assert client.read_input_registers(3, count=2, device_id=unit).registers == [3, 4]
    assert client.read_discrete_inputs(3, count=9, device_id=unit).bits[:9] == [k % 5 == 0 for k in range(3, 12)]
    assert not client.write_coils(0, [k % 3 == 0 for k in range(100)], device_id=unit).isError()
    assert client.read_coils(0, count=100, device_id=unit).bits[:100] == [k % 3 == 0 for k in range(100)]
    assert not client.write_register(5, 0xBEEF, device_id=unit).isError()
    assert not client.mask_write_register(address=5, and_mask=0x00FF, or_mask=0x1200, device_id=unit).isError()
    reply = client.readwrite_registers(read_address=5, read_count=2, write_address=6, values=[77], device_id=unit)
    assert reply.registers == [0x12EF, 77]


def test_exceptions_and_what_a_line_is_looked_after_with(client: Any) -> None:
    assert client.read_holding_registers(126, count=1).exception_code == 2
    assert client.write_registers(124, [1, 1]).exception_code == 2
    assert client.diag_query_data(b"\xa5\x37").message == b"\xa5\x37"
    assert client.read_device_information(read_code=2).information[0] == b"Maker"
    assert not client.diag_read_bus_comm_error_count().isError()
    assert not client.report_device_id().isError()


def test_one_that_is_not_here(client: Any) -> None:
    """Behind an address one is told so; on a line nobody says anything."""
    if isinstance(client, ModbusUdpClient | ModbusTlsClient):
        assert client.read_coils(0, count=1, device_id=9).exception_code == 0x0B
        return
    client.comm_params.timeout_connect, before = 0.2, client.comm_params.timeout_connect
    retries, client.retries = client.retries, 0
    try:
        with pytest.raises(ModbusIOException):
            client.read_coils(0, count=1, device_id=9)
    finally:
        client.comm_params.timeout_connect, client.retries = before, retries
    assert client.read_holding_registers(3, count=1).registers == [3]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A line at 19200 baud."""
    with line_node(tmp_path_factory.mktemp("line"), **WAYS["rtu"]) as node:
        yield node["path"]


needs_mbpoll = pytest.mark.skipif(
    not shutil.which("mbpoll"), reason="mbpoll is not installed (Debian: apt-get install mbpoll)"
)


def mbpoll(path: str, *arguments: str) -> str:
    """Everything that one run prints."""
    command = ["mbpoll", "-m", "rtu", "-b", "19200", "-P", "none", "-s", "2", "-1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


@needs_mbpoll
@pytest.mark.parametrize("unit", ["1", "100"])
def test_mbpoll_on_the_line(path: str, unit: str) -> None:
    found = re.findall(r"^\[(\d+)\]:\s+(\S+)", mbpoll(path, "-a", unit, "-t", "3", "-r", "20", "-c", "3", path), re.M)
    assert found == [("20", "19"), ("21", "20"), ("22", "21")]
    assert "Written 2 references." in mbpoll(path, "-a", unit, "-r", "101", path, "513", "7")
    assert "[101]: \t513" in mbpoll(path, "-a", unit, "-r", "101", path)
    assert "Illegal data address" in mbpoll(path, "-a", unit, "-r", "127", path)
    assert "Connection timed out" in mbpoll(path, "-a", "9", "-o", "0.3", "-r", "1", path)


@pytest.mark.parametrize("unit", [1, 100])
def test_pymodbus_behind_noise(path: str, unit: int) -> None:
    """Its own port, so that the noise comes right before its request."""
    chance = random.Random(unit)
    with ModbusSerialClient(path, baudrate=19200, parity="N", stopbits=2, timeout=2, retries=0) as client:
        for number in [*range(100)] * 2 + [*range(50)]:
            client.socket.write(chance.randbytes(chance.randint(1, 5)))
            assert client.read_holding_registers(number, count=1, device_id=unit).registers == [number]


def test_pyserial_after_half_a_frame(path: str) -> None:
    import serial

    frame, wanted = encode_rtu(1, bytes.fromhex("03 0003 0001")), encode_rtu(1, bytes.fromhex("03 02 0003"))
    with serial.Serial(path, 19200, timeout=2, stopbits=2) as port:
        for number in range(20):
            port.write(frame[: 1 + number % 7])
            time.sleep(0.03)
            port.write(frame)
            assert port.read(7) == wanted


@needs_mbpoll
def test_the_lone_simulator_on_a_pseudo_terminal_of_its_own(tmp_path: Path) -> None:
    link = str(tmp_path / "line")
    script = [sys.executable, "-c", "from node.__main__ import modbus_sim; modbus_sim()"]
    options = ["--serial", f"pty={link}:19200:8N2", "40001-40010=7"]
    with subprocess.Popen([*script, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.fullmatch(r"Success; Started Modbus/RTU Simulator; PID = (\d+); address = (/dev/\S+)\n", line)
            assert found, line
            for path in (found[2], link):
                assert "[10]: \t7" in mbpoll(path, "-a", "1", "-r", "10", path)
        finally:
            process.terminate()
            assert process.wait(10) == 0
    assert not Path(link).is_symlink()
