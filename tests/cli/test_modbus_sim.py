"""`modbus_sim` as a person runs it: the line it prints, what it serves, how it ends, and what it refuses."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node.cli.modbus import build_config, main
from node.client.modbus_aio import AsyncModbus
from node.config.model import RegisterBlock
from node.errors import ConfigError
from node.modbus.functions import ModbusError

pytestmark = pytest.mark.net

ROOT = Path(__file__).parents[2]
HOST = "127.64.33.23"
COMMAND = [sys.executable, "-c", "from node.__main__ import modbus_sim; modbus_sim()"]
READY = re.compile(
    r"Success; Started Modbus/TCP Simulator; PID = (?P<pid>\d+); address = (?P<host>[\d.]*):(?P<port>\d+)\n"
)


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], re.Match[str]]]:
    """The simulator, and the first line that it printed."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = READY.fullmatch(line)
            assert found, f"{line!r} {process.stderr.read() if process.stderr and not line else ''}"
            yield process, found
        finally:
            process.kill()


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output, errors of a simulator that does not begin to serve."""
    done = subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


async def look(port: int) -> list[object]:
    """What a client finds in the registers that the test gave."""
    async with AsyncModbus(HOST, port) as client:
        seen: list[object] = [
            set(await client.read_registers("holding", 0, 100)),
            await client.read_bits("coils", 0, 16),
            await client.read_registers("input", 0, 2),
            await client.read_bits("discrete", 65535),
        ]
        for table, address in (("holding", 100), ("input", 2), ("holding", 65535)):
            with pytest.raises(ModbusError, match="02"):
                await client.read_registers(table, address)
        await client.write_registers(99, [5])
        seen += await client.read_registers("holding", 99)
        seen.append((await client.identify())[1])
    return seen


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serves_what_was_named_until_it_is_told_to_end(end: signal.Signals) -> None:
    with running("-a", f"{HOST}:0", "40001-40100=99", "1-16=0,1", "30001-30002=7,8", "165536=1") as (process, ready):
        assert int(ready["pid"]) == process.pid
        assert ready["host"] == HOST
        seen = asyncio.run(look(int(ready["port"])))
        assert seen == [{99}, [False, True] * 8, [7, 8], [True], 5, "generic"]
        process.send_signal(end)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")


def test_prints_accesses_and_logs_to_a_file(tmp_path: Path) -> None:
    log = tmp_path / "sim.log"
    with running("-p", "-v", "-l", str(log), "-a", f"{HOST}:0", "40001-40002=3") as (process, ready):

        async def ask() -> None:
            async with AsyncModbus(HOST, int(ready["port"])) as client:
                await client.read_registers("holding", 0, 2)

        asyncio.run(ask())
        assert process.stdout is not None
        assert process.stdout.readline() == "holding_40001[0-1] == [3, 3]\n"
        process.terminate()
        assert process.wait(30) == 0
    assert log.exists()


def test_every_interface_is_left_out_of_the_line() -> None:
    with running("-a", ":0", "40001") as (_, ready):
        assert ready["host"] == ""
        with socket.create_connection(("127.0.0.1", int(ready["port"])), 5) as sock:
            assert sock.getpeername()[1] == int(ready["port"])


def test_an_address_in_use_is_one_line() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        code, out, err = run("-a", f"{HOST}:{port}", "40001")
    assert (code, out) == (1, "")
    assert re.fullmatch(rf"modbus_sim: {HOST}:{port}: address in use.*\n", err)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("0",),
        ("40000",),
        ("40001=70000",),
        ("1=2",),
        ("40001", "400001"),
        ("40001-40003=1,2",),
        ("-a", ":99999", "40001"),
        ("-d", "soon", "40001"),
        ("--nothing", "40001"),
        ("--serial", "/dev/ttyS0:9601", "40001"),
        ("--serial", "/dev/ttyS0", "--framing", "tcp", "40001"),
        ("--framing", "udp", "40001"),
        ("--framing", "rtu", "--udp", "40001"),
        ("--tls", "node.pem", "40001"),
        ("--tls", "node.pem,node.key", "--udp", "40001"),
    ],
)
def test_what_was_typed_wrong_is_one_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"modbus_sim: .+\n", err)


@pytest.mark.parametrize(
    ("options", "name", "address"),
    [
        (["--framing", "rtu", "-a", f"{HOST}:0"], "Modbus/RTU over TCP", rf"{HOST}:\d+"),
        (["--framing", "ascii", "-a", f"{HOST}:0"], "Modbus/ASCII over TCP", rf"{HOST}:\d+"),
        (["--udp", "-a", f"{HOST}:0"], "Modbus/TCP", rf"{HOST}:\d+"),
        (["--serial", "pty"], "Modbus/RTU", r"/dev/\S+"),
        (["--serial", "pty:9600:8N2", "--framing", "ascii"], "Modbus/ASCII", r"/dev/\S+"),
        (["--serial", "pty", "-a", f"{HOST}:0"], "Modbus/TCP", rf"{HOST}:\d+; line = /dev/\S+"),
    ],
)
def test_the_line_says_what_it_speaks_and_where(options: list[str], name: str, address: str) -> None:
    with subprocess.Popen([*COMMAND, *options, "40001"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            said = rf"Success; Started {name} Simulator; PID = {process.pid}; address = {address}\n"
            assert re.fullmatch(said, line), line
        finally:
            process.terminate()
            assert process.wait(10) == 0


def test_it_is_on_no_port_where_only_a_line_was_typed() -> None:
    for arguments, tcp, udp, port in (
        ({"serial": "pty"}, False, False, 502),
        ({"serial": "pty", "udp": True}, False, True, 502),
        ({"serial": "pty", "address": ":1502"}, True, False, 1502),
        ({"tls": "a,b"}, True, False, 802),
        ({"tls": "a,b", "address": ":1802"}, True, False, 1802),
    ):
        modbus = build_config(["40001"], **arguments).modbus  # type: ignore[arg-type]
        assert modbus is not None
        assert (modbus.tcp, modbus.udp, modbus.port) == (tcp, udp, port)


def test_neighbours_share_a_block() -> None:
    config = build_config(["40003=3", "40001-40002=1", "40010", "400011=4"], f"{HOST}:1502")
    assert config.modbus is not None
    assert config.modbus.port == 1502
    assert config.modbus.units[0].blocks == (
        RegisterBlock("holding", 0, 3, "holding_40001"),
        RegisterBlock("holding", 9, 2, "holding_40010"),
    )
    assert [tag.initial for tag in config.tags] == [(1, 1, 3), (0, 4)]


def test_whole_tables() -> None:
    config = build_config(["1-9999", "100001-165536=1", "300001-365536=2", "400001-465536=3"])
    assert sum(tag.length for tag in config.tags) == 9999 + 3 * 65536
    with pytest.raises(ConfigError, match="given twice"):
        build_config(["465536", "400001-465536"])
