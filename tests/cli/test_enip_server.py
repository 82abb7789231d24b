"""`enip_server` and `python -m node` as a person runs them: processes, signals, one line for each error."""

import asyncio
import json
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from node.cip.status import CipError
from node.cip.types import ELEMENTARY
from node.cli import enip as enip_module
from node.cli.enip import build_config, main, parser
from node.client.aio import AsyncConnector
from node.config.load import dump
from node.config.model import NodeConfig, TagConfig
from node.config.tagspec import TYPES
from node.errors import ConfigError
from node.objects.profiles import PROFILES
from tests.cli.lone import ENIP_SERVER, HOST, NODE, Start, port_of, ready, run
from tests.config.configs import GATEWAY


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
        (("--profile", "1756-l83", "A=INT"), "(did you mean 1756-L83E?)"),
        (("--onward", "10.0.0.0", "A=INT"), "enip.onward: '10.0.0.0'; wanted an IPv4 subnet as 127.64.0.0/10"),
        (("--route-path", "[1]", "A=INT"), "--route-path: '[1]' is no route"),
        (("--addr", ":1", "A=INT"), "unrecognized arguments: --addr"),
        (("A=INT", "-a"), "argument -a/--address: expected one argument"),
        (("A=BOOL[0]",), "wanted 1 to"),
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
        (("--route-path", "0"), (), "1756-L61/B LOGIX5561"),
        (("--route-path", ' [{"link": 0, "port": 1}] '), ((1, 0),), "1756-L61/B LOGIX5561"),
        (("--route-path", ' [{"link": 0, "port": "192.168.1.2"}] '), ((2, "192.168.1.2"),), "1756-L61/B LOGIX5561"),
        (("--profile", "1766-L32BXB"), (), "1766-L32BXBA A/7.00"),
    ],
)
def test_options_make_the_device(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], route: object, product: str
) -> None:
    served: list[NodeConfig] = []
    monkeypatch.setattr(enip_module, "serve", lambda config, **options: served.append(config))
    assert main((*arguments, "N7=INT")) == 0
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
    assert run(*NODE, "--version") == (0, out, "")
    code, out, err = run(*ENIP_SERVER, "--help")
    assert (code, err) == (0, "")
    options = (option for action in parser()._actions for option in action.option_strings)
    taught = ("SCADA=INT[1000]", "TAG@22/1/1=DINT", "/etc/cpppo.cfg, ~/.cpppo.cfg, cpppo.cfg", "typical", "SSTRING")
    assert [word for word in (*options, *taught, *PROFILES) if word not in out] == []
    assert [line for line in out.splitlines() if len(line) > 120] == []


@pytest.mark.net
def test_without_tags_it_starts_and_says_so(start: Start) -> None:
    line = ready(start(*ENIP_SERVER, "-a", f"{HOST}:0"))
    assert "; no tags (give some as SCADA=INT[1000]); PID " in line
    with pytest.raises(CipError):
        asyncio.run(read(port_of(line), "SCADA"))


@pytest.mark.net
def test_every_type_in_either_case_and_length_and_by_number(start: Start) -> None:
    tags = [f"{name}_1={name.lower()}" for name in TYPES] + [f"{name}_7={name.capitalize()}[7]" for name in TYPES]
    numbered = ["Flow@22/1/3=Real", "Level@0x16/2/0x0a=DINT[2]"]
    line = ready(start(*ENIP_SERVER, "-a", f"{HOST}:0", *tags, *numbered))
    assert f"; {len(tags) + 2} tags; " in line

    async def scene() -> None:
        async with AsyncConnector(HOST, port_of(line)) as client:
            for name in (cip_type.name for cip_type in ELEMENTARY):
                number = 1.5 if name.endswith("REAL") else 1
                await client.write(f"{name}_1", [number])
                await client.write(f"{name}_7[5]", [number, number])
                assert [*await client.read(f"{name}_1")] == [number]
                assert [*await client.read(f"{name}_7", 7)] == [0, 0, 0, 0, 0, number, number]
            for name in ("SSTRING", "STRING"):
                await client.write(f"{name}_7[6]", ["plc"])
                assert [*await client.read(f"{name}_7", 7)] == ["", "", "", "", "", "", "plc"]
            await client.write("Flow", [2.5])
            assert [*await client.read("@22/1/3")] == [2.5]
            await client.write("@0x16/2/10", [7, 8])
            assert [*await client.read("Level", 2)] == [7, 8]

    asyncio.run(scene())


def test_a_delay_may_be_the_device_s_own() -> None:
    assert build_config(["A=INT"], delay="typical").delay == PROFILES["1756-L61"].response
    assert build_config([], profile="2080-LC50", delay="typical").delay == PROFILES["2080-LC50"].response
    assert build_config(["A=INT"], delay="0.1-0.9").delay == (0.1, 0.9)
    assert build_config(["A=INT"]).delay == (0.0, 0.0)


def test_where_it_listens_and_where_it_sends_on() -> None:
    config = build_config([], "127.0.0.1", onward="127.64.0.0/10")
    assert (config.address, config.ports, config.enip.onward) == ("127.0.0.1", {"enip": 44818}, "127.64.0.0/10")  # type: ignore[union-attr]
    assert build_config([]).address == build_config([], "0.0.0.0:44818").address == ""


@pytest.mark.net
def test_what_is_refused_is_printed_too(start: Start) -> None:
    process = start(*ENIP_SERVER, "-a", f"{HOST}:0", "-p", "SCADA=INT[10]", "R=REAL", "T=TIMER", "F=BOOL[3]")
    port = port_of(ready(process))

    async def scene() -> None:
        async with AsyncConnector(HOST, port) as client:
            with pytest.raises(CipError):
                await client.read("SCADA[8]", 5)
            await client.write("R", [1.1])
            await client.write("F[1]", [1])
            await client.read("T.PRE")

    asyncio.run(scene())
    process.terminate()
    out, _ = process.communicate(timeout=30)
    lines = [line for line in out.splitlines() if "==" not in line or "error" in line or line.startswith("T.")]
    assert lines == ["SCADA[8-12] == error 0xFF", "R <= [1.1]", "F[1] <= [True]", "T.PRE == [0]"]


@pytest.mark.net
def test_a_configuration_file_is_served(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "gw.json"
    file.write_text(json.dumps({**dump(GATEWAY), "address": HOST}))
    process = start(*NODE, "run", str(file))
    line = ready(process)
    assert "; Modbus/TCP device 1756-L61 on " in line
    assert f"; 2 units; {len(GATEWAY.tags)} tags; PID " in line
    assert asyncio.run(read_one(port_of(line))) == ["pump"]
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.net
def test_a_file_with_code_is_served_where_that_is_allowed(start: Start, tmp_path: Path) -> None:
    (tmp_path / "own_code_of_a_file.py").write_text(
        "from node import Attribute\n\nclass Nine(Attribute):\n    def __getitem__(self, key):\n        return 9\n"
    )
    tag = TagConfig("Name", "DINT", code="own_code_of_a_file:Nine")
    config = replace(GATEWAY, address=HOST, tags=(tag,), modbus=None, types=(), code_folder=str(tmp_path))
    file = tmp_path / "node.json"
    file.write_text(json.dumps(dump(config)))
    code, _, err = run(*NODE, "run", str(file))
    assert code == 2
    assert err.endswith(
        "node.json: tag 'Name' runs code of its own, own_code_of_a_file:Nine: read that code, then say --allow-code\n"
    )
    process = start(*NODE, "run", str(file), "--allow-code")
    assert asyncio.run(read_one(port_of(ready(process)))) == [9]


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
