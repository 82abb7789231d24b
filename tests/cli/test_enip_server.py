"""`enip_server` and `python -m node` as a person runs them: processes, signals, one line for each error."""

import asyncio
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.cip.status import CipError
from node.cli import enip as enip_module
from node.cli.enip import build_config, main
from node.client.aio import AsyncConnector
from node.config.load import dump
from node.config.model import NodeConfig
from node.errors import ConfigError
from tests.config.configs import GATEWAY

HOST = "127.64.8.40"
ROOT = Path(__file__).resolve().parents[2]
ENIP_SERVER = ("-c", "from node.__main__ import enip_server; enip_server()")
NODE = ("-m", "node")

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a command; what still runs in the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> str:
    """The line that says it serves."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        assert selector.select(30), "not ready within 30 s"
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return line


def port_of(line: str) -> int:
    return int(line.partition(f"{HOST}:")[2].partition(";")[0])


def run(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout, done.stderr


async def read(port: int, tag: str) -> list[object]:
    async with AsyncConnector(HOST, port) as client:
        return [*await client.read(tag, 3)]


@pytest.mark.net
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(start: Start, ending: signal.Signals) -> None:
    process = start(*ENIP_SERVER, "-a", f"{HOST}:0", "SCADA=INT[1000]", "TEXT=SSTRING[100]")
    line = ready(process)
    assert line.startswith(f"EtherNet/IP controller 1756-L61/B LOGIX5561 on {HOST}:")
    assert line.endswith(f"; 2 tags; PID {process.pid}; Ctrl-C ends it\n")
    assert asyncio.run(read(port_of(line), "SCADA")) == [0, 0, 0]
    process.send_signal(ending)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.net
def test_print_shows_accesses_at_once_and_delay_slows_them(start: Start) -> None:
    process = start(*ENIP_SERVER, "-a", f"{HOST}:0", "-p", "-d", "0.05-0.06", "SCADA=INT[1000]")
    port = port_of(ready(process))
    began = time.monotonic()
    asyncio.run(read(port, "SCADA[4]"))
    assert time.monotonic() - began >= 0.05
    assert ready(process) == "SCADA[4-6] == [0, 0, 0]\n"


@pytest.mark.net
def test_a_reader_that_goes_away_does_not_end_it(start: Start) -> None:
    process = start(*ENIP_SERVER, "-a", f"{HOST}:0", "-p", "SCADA=INT[1000]")
    port = port_of(ready(process))
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    for _ in range(3):
        assert asyncio.run(read(port, "SCADA")) == [0, 0, 0]
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.net
def test_an_address_in_use_is_one_line_and_exit_1() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        code, out, err = run(*ENIP_SERVER, "-a", f"{HOST}:{port}", "SCADA=INT")
    assert (code, out) == (1, "")
    assert err.startswith(f"enip_server: {HOST}:{port}: address in use")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("SCADA",), "tag 'SCADA': wanted NAME=TYPE"),
        (("SCADA=FLOAT",), "(a 32-bit float is REAL)"),
        (("A=INT", "a=INT"), "there is a tag 'A' already"),
        (("-a", "x:y", "A=INT"), "address 'x:y': 'y' is no port"),
        (("--address", ":99999", "A=INT"), "'99999' is no port"),
        (("-d", "soon", "A=INT"), "--delay: 'soon' is no delay"),
        (("-d", "5-1", "A=INT"), "--delay: a delay from 5.0 to 1.0 s"),
        (("--route-path", "{", "A=INT"), "--route-path: "),
        (("-S", "--route-path", "false", "A=INT"), "--simple: it means --route-path false"),
        (("--profile", "S7", "A=INT"), "profile: 'S7' is unknown; known: 1756-L61"),
        (("--nope", "A=INT"), "unrecognized arguments: --nope"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("enip_server: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "route", "product"),
    [
        ((), None, "1756-L61/B LOGIX5561"),
        (("-S",), (), "1756-L61/B LOGIX5561"),
        (("--route-path", "false"), (), "1756-L61/B LOGIX5561"),
        (("--route-path", '[{"link": 0, "port": 1}]'), ((1, 0),), "1756-L61/B LOGIX5561"),
        (("--profile", "1766-L32BXB"), (), "1766-L32BXBA A/7.00"),
    ],
)
def test_options_make_the_device(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], route: object, product: str
) -> None:
    served: list[NodeConfig] = []
    monkeypatch.setattr(enip_module, "serve", lambda config, **options: served.append(config))
    assert main((*arguments, "A=INT")) == 0
    enip = served[0].enip
    assert enip is not None
    assert (enip.route_path, enip.identity.product_name, enip.port) == (route, product, 44818)
    assert served[0].address == ""


@pytest.mark.net
def test_simple_refuses_a_route(start: Start) -> None:
    process = start(*ENIP_SERVER, "-S", "-a", f"{HOST}:0", "SCADA=INT[1000]")
    port = port_of(ready(process))

    async def routed() -> None:
        async with AsyncConnector(HOST, port, route=((1, 0),)) as client:
            await client.read("SCADA")

    with pytest.raises(CipError):
        asyncio.run(routed())
    assert asyncio.run(read(port, "SCADA")) == [0, 0, 0]


def test_the_serial_number_is_the_addresss_own_and_stays() -> None:
    serials = {build_config(["A=INT"], f"127.64.8.{number}").enip.identity.serial for number in range(1, 200)}  # type: ignore[union-attr]
    assert len(serials) == 199
    assert build_config(["A=INT"], HOST) == build_config(["A=INT"], HOST)


def test_a_host_is_looked_up() -> None:
    assert build_config(["A=INT"], "localhost:1").address == "127.0.0.1"
    with pytest.raises(ConfigError, match="no IPv4 address"):
        build_config(["A=INT"], "no.such.host.invalid")


@pytest.mark.net
def test_the_log_goes_to_a_file(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "node.log"
    process = start(*ENIP_SERVER, "-vv", "-l", str(log), "-a", f"{HOST}:0", "SCADA=INT")
    ready(process)
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "DEBUG" in log.read_text()


def test_a_log_that_cannot_be_written_is_one_line_and_exit_1(tmp_path: Path) -> None:
    code, out, err = run(*ENIP_SERVER, "-l", str(tmp_path / "no" / "node.log"), "-a", f"{HOST}:0", "SCADA=INT")
    assert (code, out) == (1, "")
    assert "node.log: the log cannot be written: No such file or directory" in err
    assert err.count("\n") == 1


def test_version_and_help() -> None:
    code, out, err = run(*ENIP_SERVER, "--version")
    assert (code, err) == (0, "")
    assert out.startswith("plcfarm")
    code, out, err = run(*ENIP_SERVER, "--help")
    assert (code, err) == (0, "")
    options = ("--address", "--verbose", "--log", "--print", "--delay", "--simple", "--route-path", "--profile")
    assert [option for option in options if option not in out] == []


@pytest.mark.net
def test_a_configuration_file_is_served(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "gw.json"
    file.write_text(json.dumps({**dump(GATEWAY), "address": HOST}))
    process = start(*NODE, "run", str(file))
    line = ready(process)
    assert "; Modbus/TCP device 1756-L61 on " in line
    assert "; 2 units; 4 tags; PID " in line
    assert asyncio.run(read_one(port_of(line))) == ["pump"]
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


async def read_one(port: int) -> list[object]:
    async with AsyncConnector(HOST, port, route=((1, 0), (2, "10.0.0.1"))) as client:
        return [*await client.read("Name")]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (None, 1, "node.json: No such file or directory"),
        ("{", 2, "node.json:1: this is not JSON"),
        ("\ud800", 2, "node.json:1: this is not JSON"),
        ("[]", 2, "node.json: the node: got [], wanted an object"),
        ('{"name": "a"}', 2, "node.json: key 'kind' is missing"),
    ],
)
def test_a_file_that_cannot_be_served_is_one_line(tmp_path: Path, text: str | None, code: int, said: str) -> None:
    file = tmp_path / "node.json"
    if text is not None:
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
    got, out, err = run(*NODE, "run", str(file))
    assert (got, out) == (code, "")
    assert said in err
    assert err.count("\n") == 1


def test_the_verbs_are_listed_but_not_the_nursery() -> None:
    code, out, err = run(*NODE, "--help")
    assert (code, err) == (0, "")
    assert all(f"  {verb} " in out for verb in ("enip", "modbus", "run"))
    assert "nursery" not in out


def test_the_nursery_is_reached_without_the_command_line() -> None:
    code, _, err = run("-X", "importtime", *NODE, "nursery", "x")
    assert code == 2
    assert "usage: python -m node nursery FD" in err
    assert "typer" not in err
