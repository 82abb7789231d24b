"""`python -m node get-attribute`, `list-services`, `throughput`, `browse` and `poll` as a person runs them."""

from __future__ import annotations

import importlib
import json
import re
import signal
import time
from collections.abc import Iterator

import pytest

from tests.cli.lone import NODE, Start, run
from tests.client.nodes import HOST, Served, node

pytestmark = pytest.mark.net

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
NAME = b"\x141756-L61/B LOGIX5561"


@pytest.fixture(scope="module")
def controller() -> Iterator[Served]:
    with node("Volume=REAL", "Temperature=REAL", "CLOCK=TIMER[2]", "GRID=DINT[4,5]", "Gauge@0x93/1/10=REAL") as served:
        yield served


class Verb:
    """A verb against one device: exit code, output and errors of a call."""

    def __init__(self, device: Served, capsys: pytest.CaptureFixture[str]) -> None:
        self._address = f"{device.host}:{device.port}"
        self._capsys = capsys

    def __call__(self, verb: str, *arguments: str) -> tuple[int, str, str]:
        module = importlib.import_module(f"node.cli.{verb.replace('-', '_')}")
        code = module.main(["-a", self._address, *arguments])
        out, err = self._capsys.readouterr()
        return code, out, err


@pytest.fixture
def verb(controller: Served, capsys: pytest.CaptureFixture[str]) -> Verb:
    return Verb(controller, capsys)


def test_attributes_as_the_manual_shows_them(controller: Served) -> None:
    """2.1.5: `get_attribute --depth 3 -v '@1/1' '@1/1/7'`."""
    address = f"{controller.host}:{controller.port}"
    code, out, err = run("-m", "node", "get-attribute", "-a", address, "--depth", "3", "-v", "@1/1", "@1/1/7")
    everything, name = out.splitlines()
    assert code == 0
    assert re.fullmatch(rf"{STAMP}: 0: Single G_A_A @0x0001/1 == \[1, 0, 14, 0, 54, 0, 20, 11, .*\]", everything)
    found = re.fullmatch(rf"{STAMP}: 1: Single G_A_S @0x0001/1/7 == (\[.*\])", name)
    assert found is not None
    assert bytes(json.loads(found[1])) == NAME
    assert [line.partition("device: ")[2] for line in err.splitlines()] == [
        "0: Single G_A_A @0x0001/1",
        "1: Single G_A_S @0x0001/1/7",
    ]


def test_attributes_as_json_with_a_fault_among_them(verb: Verb) -> None:
    code, out, err = verb("get-attribute", "--json", "-m", "250", "@1/1/7", "@1/1/99", "@1/1/1")
    name, fault, vendor = (json.loads(line) for line in out.splitlines())
    assert (code, err) == (1, "python -m node get-attribute: 1 of 3 attributes failed\n")
    assert name == {
        "index": 0,
        "operation": "get_attribute_single",
        "path": "@0x0001/1/7",
        "status": 0,
        "error": None,
        "value": list(NAME),
    }
    assert (fault["status"], fault["error"], fault["value"]) == (0x14, "attribute not supported (0x14)", None)
    assert vendor["value"] == [1, 0]


def test_an_attribute_is_set(verb: Verb) -> None:
    code, out, _ = verb("get-attribute", "-S", "@0x93/1/10=(REAL)1.5", "@0x93/1/10", "-r", "2")
    assert code == 0
    assert [line.partition("Single ")[2] for line in out.splitlines()] == [
        "S_A_S @0x0093/1/10 <= [1.5]",
        "G_A_S @0x0093/1/10 == [0, 0, 192, 63]",
    ] * 2


@pytest.mark.parametrize("path", ["SCADA", "@1", "@1/1/7/3", "@1/1/7[3]"])
def test_what_is_no_attribute(verb: Verb, path: str) -> None:
    wanted = "no attribute; wanted @CLASS/INSTANCE or @CLASS/INSTANCE/ATTRIBUTE, as @1/1/7"
    assert verb("get-attribute", path) == (2, "", f"python -m node get-attribute: {path}: {wanted}\n")


def test_an_instance_is_not_set(verb: Verb) -> None:
    said = "@1/1=5: an instance is not set as a whole; name an attribute, as @1/1/7"
    assert verb("get-attribute", "@1/1=5") == (2, "", f"python -m node get-attribute: {said}\n")


@pytest.mark.parametrize("way", [(), ("--udp",), ("--broadcast", "-t", "0.5")])
def test_services_and_more(verb: Verb, controller: Served, way: tuple[str, ...]) -> None:
    code, out, _ = verb("list-services", *way)
    assert code == 0
    tree = json.loads(out)
    assert (tree["peer"], tree["enip.status"], tree["enip.command"]) == ([HOST, controller.port], 0, 4)
    item = "enip.CIP.list_services.CPF.item[0].communications_service"
    assert tree[f"{item}.service_name"] == "Communications"
    code, out, _ = verb("list-services", *way, "--json", "--list-identity", "--list-interfaces")
    trees = {tree["enip.command"]: tree for tree in map(json.loads, out.splitlines())}
    assert (code, sorted(trees)) == (0, [0x04, 0x63, 0x64])
    product = trees[0x63]["enip.CIP.list_identity.CPF.item[0].identity_object.product_name"]
    assert product == "1756-L61/B LOGIX5561"
    assert trees[0x64]["enip.CIP.list_interfaces.CPF.count"] == 0


def test_services_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    main = importlib.import_module("node.cli.list_services").main
    assert main(["-a", "127.64.33.99:9", "-b", "-i", "-t", "0.2"]) == 1
    said = "127.64.33.99:9: no answer to ListServices, ListIdentity within 0.2 s"
    assert capsys.readouterr() == ("", f"python -m node list-services: {said}\n")


@pytest.mark.parametrize(("depth", "multiple"), [(0, 0), (20, 0), (20, 250)])
def test_throughput_as_the_manual_shows_it(verb: Verb, depth: int, multiple: int) -> None:
    options = ("--repeat", "25", "--depth", str(depth), "--multiple", str(multiple))
    code, out, _ = verb("throughput", "Volume", "Temperature", *options)
    *values, summary = out.splitlines()
    assert (code, len(values)) == (0, 50)
    assert all(re.fullmatch(rf"{STAMP}: +\d+: \[0\.0\]", line) for line in values)
    found = re.fullmatch(
        rf" 50 operations using +(\d+) requests in +([\d.]+)s at pipeline depth {depth:2d}; +([\d.]+) TPS", summary
    )
    assert found is not None
    assert int(found[1]) == 50 if not multiple else 2 <= int(found[1]) <= 6


def test_throughput_as_json(verb: Verb) -> None:
    code, out, err = verb("throughput", "Volume=2.5", "Volume", "Nope", "--json", "-r", "10", "-d", "3")
    found = json.loads(out)
    assert (code, err) == (1, "python -m node throughput: 10 of 30 operations failed\n")
    assert (found["operations"], found["failed"], found["requests"]) == (30, 10, 30)
    assert (found["depth"], found["multiple"]) == (3, 0)
    assert found["tps"] == pytest.approx(30 / found["seconds"], rel=0.01)


@pytest.mark.parametrize("option", ["--depth", "--multiple"])
def test_numbers_that_cannot_be(verb: Verb, option: str) -> None:
    said = f"python -m node throughput: {option}: -1; wanted 0 or more\n"
    assert verb("throughput", "Volume", option, "-1") == (2, "", said)


def test_tags_are_listed(verb: Verb) -> None:
    assert verb("browse") == (
        0,
        "CLOCK        TIMER[2]\nGauge        REAL\nGRID         DINT[4,5]\nTemperature  REAL\nVolume       REAL\n",
        "",
    )
    code, out, _ = verb("browse", "--members")
    assert code == 0
    assert out.splitlines()[:3] == ["CLOCK        TIMER[2]", "             .PRE DINT", "             .ACC DINT"]


def test_tags_as_json(verb: Verb) -> None:
    code, out, _ = verb("browse", "--json")
    tags = {tag["name"]: tag for tag in json.loads(out)}
    assert code == 0
    assert tags["GRID"] == {
        "name": "GRID",
        "type": "DINT",
        "dimensions": [4, 5],
        "access": "read/write",
        "members": None,
    }
    assert [member["name"] for member in tags["CLOCK"]["members"]] == ["PRE", "ACC", "EN", "TT", "DN"]
    assert tags["CLOCK"]["members"][0] == {"name": "PRE", "type": "DINT", "length": 0, "members": None}


def test_the_time_out_is_for_an_answer_and_not_for_all_of_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    with node("--delay", "0.1", *(f"Quite_a_long_name_{number}=DINT" for number in range(100))) as device:
        begun = time.monotonic()
        code, out, _ = Verb(device, capsys)("browse", "-S", "-t", "0.5")
        assert (code, out.count("DINT")) == (0, 100)
        assert time.monotonic() - begun > 0.5
        code, out, err = Verb(device, capsys)("browse", "-S", "-t", "0.05")
    assert (code, out) == (1, "")
    assert err == f"python -m node browse: {device.host}:{device.port}: no answer within 0.05 s\n"


def test_a_device_without_tags_to_list(capsys: pytest.CaptureFixture[str]) -> None:
    with node("--profile", "1766-L32BXB", "N7=INT[10]") as device:
        code, out, err = Verb(device, capsys)("browse", "-S")
    assert (code, out) == (1, "")
    assert err.startswith(f"python -m node browse: {device.host}:{device.port}: its tags cannot be listed: ")
    assert err.count("\n") == 1


def test_names_are_read_once(verb: Verb) -> None:
    code, out, err = verb("poll", "--once", "Product Name", "@1/1/1", "GRID[0,0-3]", "Nope")
    assert (code, err) == (1, "python -m node poll: 1 of 4 cannot be read: Nope\n")
    assert [re.sub(rf"^{STAMP}: +", "", line) for line in out.splitlines()] == [
        "Product Name == ['1756-L61/B LOGIX5561']",
        "@1/1/1 == [1, 0]",
        "GRID[0,0-3] == [0, 0, 0, 0]",
        "Nope == None",
    ]


@pytest.mark.parametrize("options", [("--device", "powerflex750"), ("--device", "powerflex750", "-S")])
def test_a_drive_knows_its_parameters(capsys: pytest.CaptureFixture[str], options: tuple[str, ...]) -> None:
    with node("--profile", "PowerFlex-755") as device:
        code, out, _ = Verb(device, capsys)("poll", *options, "--once", "--json", "Output Frequency", "speed units")
    found = [json.loads(line) for line in out.splitlines()]
    assert (code, [each["name"] for each in found]) == (0, ["Output Frequency", "speed units"])
    assert [type(each["value"][0]) for each in found] == [float, int]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", found[0]["time"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_polls_until_it_is_told_to_end(controller: Served, start: Start, number: signal.Signals) -> None:
    process = start(*NODE, "poll", "-a", f"{HOST}:{controller.port}", "-c", "0.1", "Temperature")
    assert process.stdout is not None
    for _ in range(3):
        assert re.fullmatch(rf"{STAMP}:      Temperature == \[0\.0\]\n", process.stdout.readline())
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")


def test_failures_are_told_while_it_goes_on(start: Start) -> None:
    with node("Temperature=REAL") as device:
        process = start(*NODE, "poll", "-a", f"{HOST}:{device.port}", "-c", "0.2", "Temperature")
        assert process.stdout is not None
        assert process.stdout.readline().endswith("== [0.0]\n")
    assert process.stderr is not None
    while "connection refused" not in (line := process.stderr.readline()):
        assert line, "it told before it ended"
    assert re.fullmatch(rf"{STAMP}: {HOST}:{device.port}: connection refused\n", line)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_poll_that_nobody_reads_ends(controller: Served, start: Start) -> None:
    process = start(*NODE, "poll", "-a", f"{HOST}:{controller.port}", "-c", "0.1", "Temperature")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Motor Velocity",), "names: 'Motor Velocity', column 1: 'Motor Velocity' is no name; wanted one like Tag"),
        (("--device", "toaster", "x"), "--device: 'toaster' is not known; wanted controller, simple, powerflex750"),
        (("-c", "0", "x"), "--cycle: 0; wanted seconds, more than 0"),
        (("--device", "simple", "--route-path", "1/0", "x"), "--simple: nothing is routed to it; leave"),
    ],
)
def test_polls_that_make_no_sense(verb: Verb, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = verb("poll", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"python -m node poll: {said}")


def test_nobody_to_read_once(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = Verb(Served("127.64.33.99", 9), capsys)("poll", "--once", "x")
    assert (code, out, err) == (1, "", "python -m node poll: 127.64.33.99:9: connection refused\n")
