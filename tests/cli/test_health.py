"""`python -m node health` as a container's health check: every protocol by a real request, and what does not answer."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from farm.backends.confinement import SHARD_FILE
from farm.render.compose import compose
from node.config.load import dump
from node.config.model import ModbusConfig, NodeConfig, RegisterBlock, SerialConfig, TagConfig, UnitConfig
from node.control.messages import ShardFile
from node.modbus.adu import encode_adu
from tests.backends.contract import a_node, address
from tests.cli.lone import ROOT, run
from tests.farm.render.plants import mill

pytestmark = pytest.mark.net

UNITS = (UnitConfig(7, (RegisterBlock("coils", 16, 8, "C"),)),)


def plant(folder: Path, everywhere: bool = False) -> tuple[str, list[NodeConfig]]:
    """A shard file of a controller with Modbus too, and of a node for every other way of Modbus, at an address each."""
    first = replace(a_node(1), tags=(TagConfig("C", "BOOL", (8,)),), modbus=ModbusConfig(5502, UNITS))
    ways = (
        ModbusConfig(5502, UNITS, tcp=False, udp=True),
        ModbusConfig(5502, UNITS, framing="rtu"),
        ModbusConfig(5502, UNITS, framing="ascii"),
        ModbusConfig(5502, (UnitConfig(9),)),  # without a register, which it refuses
        ModbusConfig(5502, UNITS, tcp=False, serial=SerialConfig(pty=True)),
    )
    nodes = [first] if everywhere else [first, *(_meter(number, way) for number, way in enumerate(ways, 2))]
    file = ShardFile("all", "", 0.0, "", tuple(dict(dump(node)) for node in nodes), everywhere=everywhere)
    (folder / "shard.json").write_bytes(file.encode())
    return str(folder / "shard.json"), nodes


def _meter(number: int, modbus: ModbusConfig) -> NodeConfig:
    tags = (TagConfig("C", "BOOL", (8,)),)
    return NodeConfig(f"m{number}", "modbus", "generic", address(number), tags=tags, modbus=modbus)


@contextmanager
def served(file: str) -> Iterator["subprocess.Popen[str]"]:
    """The shard, without anybody to report to; waits until its log says that the last node is served."""
    command = [sys.executable, "-m", "node", "shard", file]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            count = len(ShardFile.decode(file, Path(file).read_bytes()).nodes)
            said = [process.stderr.readline() for _ in range(count)]
            assert all(": serves " in line for line in said), said
            yield process
        finally:
            process.kill()


def test_all_answer_in_every_way_and_without_a_farm(tmp_path: Path) -> None:
    file, nodes = plant(tmp_path)
    with served(file) as process:
        assert run("-S", "-m", "node", "health", file) == (0, "", "")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    line = f"python -m node health: plc-1: enip {nodes[0].ports['enip']}: [Errno 111] Connection refused\n"
    assert run("-S", "-m", "node", "health", file) == (1, "", line)


def test_one_that_is_served_everywhere_is_asked_on_loopback(tmp_path: Path) -> None:
    file, _ = plant(tmp_path, everywhere=True)
    with served(file):
        assert run("-m", "node", "health", file)[0] == 0


def test_one_that_answers_is_enough_where_any_will_do(tmp_path: Path) -> None:
    served_file, _ = plant(tmp_path, everywhere=True)
    file = ShardFile.decode(served_file, Path(served_file).read_bytes())
    gone = dict(dump(_meter(8, ModbusConfig(5504, UNITS))))
    both = tmp_path / "both.json"
    both.write_bytes(ShardFile("both", "", 0.0, "", (gone, *file.nodes), everywhere=True).encode())
    with served(served_file):
        assert run("-m", "node", "health", str(both))[0] == 1
        assert run("-m", "node", "health", str(both), "--any") == (0, "", "")
    code, _, error = run("-m", "node", "health", str(both), "--any")
    assert (code, error) == (1, "python -m node health: m8: modbus 5504: [Errno 111] Connection refused\n")


def test_one_that_is_full_is_alive_and_one_that_is_silent_is_not(tmp_path: Path) -> None:
    file = tmp_path / "shard.json"
    file.write_bytes(ShardFile("m9", "", 0.0, "", (dict(dump(_meter(9, ModbusConfig(5503, UNITS)))),)).encode())
    for ends, option, code in (
        ("read", "--any", 0),
        ("unread", "--any", 0),
        ("unread", "--busy", 0),
        ("read", "", 1),
        ("never", "--any", 1),
    ):
        with socket.create_server((address(9), 5503)) as server:
            command = [sys.executable, "-m", "node", "health", str(file), *filter(None, [option])]
            asking = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
            with server.accept()[0] as peer:
                assert len(peer.recv(100, socket.MSG_PEEK if ends == "unread" else 0)) == 12
                if ends != "never":
                    peer.close()  # with a reset where something is unread
                error = asking.communicate(timeout=20)[1]
        assert (asking.returncode, "no answer within 3 s" in error) == (code, ends == "never"), error
    assert run("-m", "node", "health", str(file), "--any", "--busy")[0] == 2


def image_health(address: str, port: int) -> tuple[int, str]:
    """The check of image `plcfarm/modbus`, of a device that is elsewhere than in its container."""
    text = (ROOT / "images/modbus/health.py").read_text()
    script = text.replace("PORT = 502\n", f"PORT = {port}\n").replace("127.0.0.1", address)
    done = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout


def test_the_image_s_own_check(tmp_path: Path) -> None:
    file = tmp_path / "shard.json"
    meter = dict(dump(_meter(9, ModbusConfig(5503, UNITS, max_connections=1))))
    file.write_bytes(ShardFile("m9", "", 0.0, "", (meter,)).encode())
    with served(str(file)):
        assert image_health(address(9), 5503) == (0, "")
        with socket.create_connection((address(9), 5503)) as client:
            client.sendall(encode_adu(1, 7, bytes((1, 0, 16, 0, 1))))
            assert client.recv(100), "the device has its one client"
            assert image_health(address(9), 5503) == (0, "")
    code, said = image_health(address(9), 5503)
    assert (code, said.startswith("no answer at port 5503: ")) == (1, True)
    with socket.create_server((address(9), 5503)) as server:
        asking = ThreadPoolExecutor(1).submit(image_health, address(9), 5503)
        with server.accept()[0] as peer:
            assert peer.recv(100)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            code, said = asking.result()
    assert (code, "is no Modbus device: it answers 485454" in said) == (1, True)


def test_a_device_with_all_its_clients_is_well_to_compose(tmp_path: Path) -> None:
    asked = compose(mill(tmp_path), "image").body["services"]["rtu-1"]["healthcheck"]["test"]
    file = tmp_path / "shard.json"
    meter = dict(dump(_meter(9, ModbusConfig(5503, UNITS, max_connections=1))))
    file.write_bytes(ShardFile("m9", "", 0.0, "", (meter,)).encode())
    command = [str(file) if word == SHARD_FILE else word for word in asked[2:]]
    with served(str(file)):
        assert run(*command) == (0, "", "")
        with socket.create_connection((address(9), 5503)) as client:
            client.sendall(encode_adu(1, 7, bytes((1, 0, 16, 0, 1))))
            assert client.recv(100), "the device has its one client"
            assert run(*command[:5])[0] == 1, "there is room for another"
            assert run(*command) == (0, "", "")
    assert run(*command)[0] == 1


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 400 Bad Request\r\nServer: nobody\r\n\r\n"])
def test_somebody_else_at_its_port_is_no_health(tmp_path: Path, reply: bytes) -> None:
    node = _meter(9, ModbusConfig(5503, UNITS))
    file = tmp_path / "shard.json"
    file.write_bytes(ShardFile("m9", "", 0.0, "", (dict(dump(node)),)).encode())
    with socket.create_server((address(9), 5503)) as server:
        command = [sys.executable, "-m", "node", "health", str(file)]
        asking = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        with server.accept()[0] as peer:
            assert len(peer.recv(100)) == 12
            peer.sendall(reply)
        error = asking.communicate(timeout=20)[1]
    assert asking.returncode == 1
    assert error.startswith("python -m node health: m9: modbus 5503: ")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "wanted FILE [--any | --busy], got nothing"),
        (("a", "b"), 2, "wanted FILE [--any | --busy], got a b"),
        (("/nowhere.json",), 1, "No such file or directory"),
        ((__file__,), 1, "not a shard file"),
        (("--help",), 0, ""),
    ],
)
def test_what_is_typed_wrongly_is_one_line(words: tuple[str, ...], code: int, said: str) -> None:
    found, _, error = run("-m", "node", "health", *words)
    assert (found, said in error, len(error.splitlines())) == (code, True, 1 if code else 0)
