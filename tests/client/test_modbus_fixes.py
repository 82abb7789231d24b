"""What a program of 2016 had to mend in pymodbus: right here, and where pymodbus still has it, seen there.

docs/modbus-client.md has the list. What concerns the client's time-outs and its `service_actions` is in
`test_modbus_client`, serial lines in `test_serial_channel`, servers in `test_modbus_server_fixes`.
"""

import logging
import random
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator

import pytest
from pymodbus import ModbusException
from pymodbus.client import ModbusTcpClient
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

from node.cip.types import UINT
from node.client.failure import NoAnswer
from node.client.modbus import Limits, ModbusClient
from node.client.rtu_replies import RtuReplies
from node.memory.attribute import Attribute
from node.modbus.bank import RegisterBank
from node.modbus.functions import ModbusError
from node.modbus.rtu import encode_rtu
from tests.cli.conftest import start  # noqa: F401 - a fixture
from tests.cli.lone import NODE, Start, ready
from tests.client.lines import lines_of
from tests.client.modbus_devices import HOST, full, node, pymodbus_tcp, registers, requests, silent, stranger
from tests.tcp_sockets import TIME_WAIT, sockets_of
from tests.waiting import until

pytestmark = pytest.mark.net

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows its sockets in /proc")


@pytest.fixture(autouse=True)
def quiet_pymodbus() -> Iterator[None]:
    """It warns of what is done to it on purpose."""
    log = logging.getLogger("pymodbus")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)


REPLY = encode_rtu(1, bytes.fromhex("03 04 0001 0002"))
NOISES = [random.Random(seed).randbytes(1 + seed % 5) for seed in range(100)] + [b"\x01\x03\x00", b"\x01\x03\x02"]


def pymodbus_finds(stream: bytes) -> bool:
    """Whether pymodbus's framer finds the reply in a stream that comes byte by byte, as its client feeds it."""
    framer = FramerRTU(DecodePDU(False))
    buffer = b""
    for byte in stream:
        buffer += bytes((byte,))
        try:
            used, pdu = framer.handleFrame(buffer, 1, 0)
        except ModbusException:
            return False
        buffer = buffer[used:]
        if pdu is not None:
            return list(pdu.registers) == [1, 2]
    return False


def we_find(stream: bytes) -> bool:
    replies = RtuReplies(1, 3)
    return any(replies.feed(bytes((byte,))) == REPLY for byte in stream)


def test_rtu_replies_are_found_behind_noise() -> None:
    assert all(we_find(noise + REPLY) for noise in NOISES)


def test_pymodbus_still_loses_rtu_replies_behind_noise() -> None:
    assert pymodbus_finds(REPLY)
    assert not all(pymodbus_finds(noise + REPLY) for noise in NOISES)


def test_all_retries_have_one_limit_together() -> None:
    with stranger(silent) as port, ModbusClient.tcp(HOST, port, limits=Limits(0.8, retries=3)) as client:
        begun = time.monotonic()
        with pytest.raises(NoAnswer):
            client.read(40001)
        assert time.monotonic() - begun < 2.4


def test_pymodbus_still_waits_anew_for_each_retry() -> None:
    with stranger(silent) as port, ModbusTcpClient(HOST, port=port, timeout=0.4, retries=3) as client:
        begun = time.monotonic()
        with pytest.raises(ModbusException):
            client.read_holding_registers(0)
        assert time.monotonic() - begun > 1.5


def test_pymodbus_was_mended_to_bound_a_connection() -> None:
    with full() as port, ModbusTcpClient(HOST, port=port, timeout=0.4) as client:
        begun = time.monotonic()
        assert not client.connect()
        assert 0.3 < time.monotonic() - begun < 2.5


def test_pymodbus_s_waiting_client_still_runs_nothing_of_its_program() -> None:
    with pytest.raises(TypeError, match="service_actions"):
        ModbusTcpClient(HOST, service_actions=lambda: None)
    assert not hasattr(ModbusTcpClient, "service_actions")


def test_a_frame_of_another_protocol_does_not_hide_the_answer() -> None:
    with stranger(_other_protocol_first) as port, ModbusClient.tcp(HOST, port) as client:
        assert client.read(40001) == [3]


def test_pymodbus_still_loses_the_answer_behind_it() -> None:
    with (
        stranger(_other_protocol_first) as port,
        ModbusTcpClient(HOST, port=port, timeout=0.5, retries=0) as client,
        pytest.raises(ModbusException),
    ):
        client.read_holding_registers(0)


def _other_protocol_first(sock: socket.socket) -> None:
    for request in requests(sock):
        sock.sendall(request[:2] + b"\x00\x07\x00\x02\x01\x03" + registers(request, 3))


def connected(port: int, count: int = 5) -> list[socket.socket]:
    """Clients that have sent a read and not yet read its answer, which is there."""
    made = [socket.create_connection((HOST, port), 10) for _ in range(count)]
    for sock in made:
        sock.sendall(bytes.fromhex("0001 0000 0006 01 03 0001 0001"))
    for sock in made:
        assert select.select([sock], [], [], 10)[0], "no answer"
    return made


def answers(made: list[socket.socket]) -> list[bytes]:
    """What each client reads up to the end."""
    found = []
    for sock in made:
        with sock:
            data = b""
            while more := sock.recv(100):
                data += more
            found.append(data)
    return found


@linux
def test_a_device_that_ends_leaves_no_time_wait_and_loses_no_answer() -> None:
    with node() as port:
        clients = connected(port)
    assert sockets_of(HOST, port) == []
    assert answers(clients) == [bytes.fromhex("0001 0000 0005 01 03 02 0001")] * 5
    assert sockets_of(HOST, port) == []


@linux
def test_nor_does_the_lone_simulator(start: Start) -> None:  # noqa: F811
    process = start(*NODE, "modbus", "-a", f"{HOST}:0", "40001-40009=1")
    port = int(ready(process).strip().rpartition(":")[2])
    clients = connected(port)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert answers(clients) == [bytes.fromhex("0001 0000 0005 01 03 02 0001")] * 5
    assert sockets_of(HOST, port) == []
    again = start(*NODE, "modbus", "-a", f"{HOST}:{port}", "40001")
    assert f":{port}" in ready(again)


@linux
def test_pymodbus_still_leaves_its_side_in_time_wait() -> None:
    with pymodbus_tcp() as port:
        clients = connected(port)
    answers(clients)
    until(lambda: TIME_WAIT in sockets_of(HOST, port))


def lines_of_a_check(blocks: int, count: int) -> int:
    """Lines of Python that it takes to find `count` registers in a bank of `blocks` blocks of one."""
    bank = RegisterBank()
    for address in range(blocks):
        bank.add("holding", 1000 + address, 1, Attribute(UINT, (1,), [address % 65536]))
    return lines_of(lambda: bank.spans("holding", 1000 + blocks // 2, count))


def test_a_check_costs_what_is_asked_and_not_what_there_is() -> None:
    assert lines_of_a_check(5000, 10) == lines_of_a_check(50, 10)
    assert lines_of_a_check(5000, 100) < 15 * lines_of_a_check(5000, 10)


def test_the_base_of_a_sparse_block_is_its_lowest_address() -> None:
    bank = RegisterBank()
    for address in (30, 10, 20):
        bank.add("holding", address, 1, Attribute(UINT, (1,), [address]))
    assert [bank.reader("holding", address, 1)(0.0) for address in (10, 20, 30)] == [b"\0\x0a", b"\0\x14", b"\0\x1e"]
    for address in (0, 9, 11, 31):
        with pytest.raises(ModbusError, match="02"):
            bank.reader("holding", address, 1)
