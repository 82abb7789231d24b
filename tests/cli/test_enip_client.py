"""`enip_client` as a person runs it: every command line of the 2016 manual, sections 2.1.4 and 7.2.1, against nodes."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.cli.enip_client import main
from tests.cli.lone import Start, run
from tests.client.nodes import HOST, Served, node

pytestmark = pytest.mark.net

CLIENT = ("-c", "from node.__main__ import enip_client; enip_client()")
TPS = re.compile(r"Client [A-Za-z, ]+\. Average \d+\.\d{3} TPS \( *\d+\.\d{3}s ea\)\.\n")
TAGS = (
    "SCADA=INT[1000]",
    "TEXT=SSTRING[20]",
    "Tag=DINT[16]",
    "Tag_Name=INT[1000]",
    "Level=REAL[2]",
    "One@511/1/26=INT",
    "Many@511/1/27=INT[100]",
    "BIG=DINT[3000]",
    *(f"A{kind}={kind}[3]" for kind in ("SINT", "INT", "DINT", "REAL", "BOOL", "SSTRING")),
)


@pytest.fixture(scope="module")
def controller() -> Iterator[Served]:
    with node(*TAGS) as served:
        yield served


@pytest.fixture(scope="module")
def simple_device() -> Iterator[Served]:
    """One that takes no route path."""
    with node("--simple", "SCADA=INT[10]") as served:
        yield served


Shown = tuple[int, list[str], str]


def shown(capsys: pytest.CaptureFixture[str], device: Served, *arguments: str) -> Shown:
    """Exit code, lines without their indents, errors of the command run here."""
    code = main(["-a", f"{device.host}:{device.port}", *arguments])
    out, err = capsys.readouterr()
    return code, [line.strip() for line in out.splitlines()], err


HELLO = ("SCADA[1]=99", "SCADA[0-10]", 'TEXT[1]=(SSTRING)"Hello, world!"', "TEXT[0-3]")
HELLO_LINES = [
    "SCADA[1] <= [99]: 'OK'",
    "SCADA[0-10] == [0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0]: 'OK'",
    "TEXT[1] <= ['Hello, world!']: 'OK'",
    "TEXT[0-3] == ['', 'Hello, world!', '', '']: 'OK'",
]


def test_writes_and_reads_as_a_process() -> None:
    with node(*TAGS) as device:
        address = f"{device.host}:{device.port}"
        code, out, err = run(*CLIENT, "-a", address, *HELLO)
        assert (code, [line.strip() for line in out.splitlines()]) == (0, HELLO_LINES)
        assert TPS.fullmatch(err)
        code, out, err = run("-m", "node", "enip-client", "-v", "--print", "--address", address, *HELLO)
        assert (code, [line.strip() for line in out.splitlines()]) == (0, HELLO_LINES)
        assert re.search(r" INFO +\S+: 2: Single Write Frag TEXT\[1\]\n", err)


@pytest.mark.parametrize("option", ["-m", "--multiple", "-n", "--no-fragment"])
def test_bundled_and_not_fragmented(controller: Served, capsys: pytest.CaptureFixture[str], option: str) -> None:
    code, lines, err = shown(capsys, controller, option, *HELLO)
    assert (code, lines) == (0, HELLO_LINES)
    kind = "Client WriteTag, ReadTag. " if "n" in option.lstrip("-")[:2] else "Client WriteFrg, ReadFrg. "
    assert err.startswith(kind)


def test_what_goes_over_the_wire_is_what_was_asked_for() -> None:
    """Seen in the log: one request each, or all in one."""
    with node(*TAGS) as device:
        for options, first, last in (
            ((), "0: Single Read Frag SCADA", "2: Single Read Frag BIG[0-9]"),
            (("-n",), "0: Single Read Tag SCADA", "2: Single Read Tag BIG[0-9]"),
            (("-m",), "0: Multi. Read Frag SCADA", "0: Multi. Read Frag BIG[0-9]"),
        ):
            _, _, err = run(*CLIENT, "-v", *options, "-a", f"{device.host}:{device.port}", "SCADA", "Tag", "BIG[0-9]")
            logged = [line.partition("device: ")[2] for line in err.splitlines() if " INFO " in line]
            assert (logged[1], logged[-1], len(logged)) == (first, last, 4)


def test_every_form_of_tag(controller: Served, capsys: pytest.CaptureFixture[str]) -> None:
    forms = {
        "SCADA=1": "SCADA <= [1]: 'OK'",
        "SCADA": "SCADA == [1]: 'OK'",
        "SCADA[1]=7": "SCADA[1] <= [7]: 'OK'",
        "SCADA[4-6]=4,5,6": "SCADA[4-6] <= [4, 5, 6]: 'OK'",
        "SCADA[1-10]": "SCADA[1-10] == [7, 0, 0, 4, 5, 6, 0, 0, 0, 0]: 'OK'",
        "Tag[4-6]=(DINT)1,2,3": "Tag[4-6] <= [1, 2, 3]: 'OK'",
        "Tag_Name[0-3]=[0,1,2,3]": "Tag_Name[0-3] <= [0, 1, 2, 3]: 'OK'",
        "Tag_Name[0-3]": "Tag_Name[0-3] == [0, 1, 2, 3]: 'OK'",
        "Level[0-1]=9.5,10": "Level[0-1] <= [9.5, 10.0]: 'OK'",
        "@511/01/26=1": "@0x01FF/1/26 <= [1]: 'OK'",
        "@0x1FF/01/0x1A": "@0x01FF/1/26 == [1]: 'OK'",
        "@511/01/27[99]=1": "@0x01FF/1/27[99] <= [1]: 'OK'",
        "Many[98-99]": "Many[98-99] == [0, 1]: 'OK'",
    }
    code, lines, _ = shown(capsys, controller, *forms)
    assert (code, lines) == (0, list(forms.values()))


CASTS = {
    "ASINT[0-2]=(SINT)-128,0,127": [-128, 0, 127],
    "AINT[0-2]=(INT)-32768,0,32767": [-32768, 0, 32767],
    "ADINT[0-2]=(DINT)-2147483648,0,2147483647": [-2147483648, 0, 2147483647],
    "AREAL[0-2]=(REAL)1,2.5,-3e4": [1.0, 2.5, -30000.0],
    "ABOOL[0-2]=(BOOL)0,1,1": [False, True, True],
    'ASSTRING[0-2]=(SSTRING)"a","","c d"': ["a", "", "c d"],
}
"""The manual's casts, 2.1.4, to the ends of what they hold."""


@pytest.mark.parametrize("operation", CASTS)
def test_every_cast(controller: Served, capsys: pytest.CaptureFixture[str], operation: str) -> None:
    where = operation.partition("=")[0]
    code, lines, _ = shown(capsys, controller, operation, where)
    values = CASTS[operation]
    assert code == 0
    assert lines[1] == f"{where} == {values!r}: 'OK'"


@pytest.mark.parametrize("operation", ["ASINT[0]=(SINT)256", "AINT[0]=(INT)32768", "ADINT=(DINT)2147483648"])
def test_a_value_past_the_end_of_its_cast_is_not_sent(
    controller: Served, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    code, lines, err = shown(capsys, controller, "AINT[0]", operation)
    assert (code, lines) == (2, [])
    assert err.count("\n") == 1


def test_what_is_too_long_for_a_message_is_one_operation(
    controller: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    values = ",".join(map(str, range(3000)))
    for option in ("-t5", "-n", "-m"):
        code, lines, _ = shown(capsys, controller, option, f"BIG[0-2999]=(DINT){values}", "BIG[0-2999]")
        assert (code, lines[1]) == (0, f"BIG[0-2999] == {list(range(3000))}: 'OK'")


def test_repeats_and_the_average(controller: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """7.2.1; the manual's last lines have 12 values of eleven elements."""
    code, lines, err = shown(capsys, controller, "-r", "10", "Tag[0]", "Tag[0-10]")
    assert code == 0
    assert lines[::2] == ["Tag[0] == [0]: 'OK'"] * 10
    assert len(set(lines[1::2])) == 1
    assert len(json.loads(lines[1].partition("== ")[2].partition(":")[0])) == 11
    assert TPS.fullmatch(err)
    each, tps = float(re.findall(r"([\d.]+)s ea", err)[0]), float(re.findall(r"([\d.]+) TPS", err)[0])
    assert each == pytest.approx(1 / tps, abs=0.001)


def test_a_fault_is_told_and_the_others_are_done(controller: Served, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = shown(capsys, controller, "Nope", "SCADA[999]=5", "SCADA[999]")
    assert code == 1
    assert lines[0].startswith("Nope == None: 'path segment error (0x04)")
    assert lines[1:] == ["SCADA[999] <= [5]: 'OK'", "SCADA[999] == [5]: 'OK'"]
    assert err.splitlines()[1:] == ["enip_client: 1 of 3 operations failed"]


ROUTES = ('[{"link": 0, "port": 1}]', '[{"link": 0, "port": "192.168.1.2"}]', "1/0")
"""The manual's two, of which the second has an address for a port, and a short one."""


@pytest.mark.parametrize("route", ["false", "0", "[]"])
def test_no_route_path(simple_device: Served, capsys: pytest.CaptureFixture[str], route: str) -> None:
    code, lines, _ = shown(capsys, simple_device, "--route-path", route, "SCADA")
    assert (code, lines) == (0, ["SCADA == [0]: 'OK'"])


@pytest.mark.parametrize("options", [("-S",), ("--simple",), ("--send-path=", "--route-path=false")])
def test_simple_devices(simple_device: Served, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]) -> None:
    code, lines, _ = shown(capsys, simple_device, *options, "SCADA")
    assert (code, lines) == (0, ["SCADA == [0]: 'OK'"])


@pytest.mark.parametrize("options", [(), ("--route-path", ROUTES[0]), ("--route-path", ROUTES[1])])
def test_a_route_is_sent(simple_device: Served, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]) -> None:
    """By default too: a device that routes nothing refuses it."""
    code, lines, err = shown(capsys, simple_device, *options, "SCADA")
    assert code == 1
    assert lines[0].startswith("SCADA == None: '"), lines
    assert err.splitlines()[1:] == [
        "a device that routes nothing is asked with --simple (-S)",
        "enip_client: 1 of 1 operations failed",
    ]


@pytest.mark.parametrize("options", [("--route-path", route) for route in ROUTES[::2]] + [("--send-path", "@6/1")])
def test_a_route_that_is_there(
    controller: Served, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    code, lines, _ = shown(capsys, controller, *options, "Tag[0]")
    assert (code, lines) == (0, ["Tag[0] == [0]: 'OK'"])


@pytest.mark.parametrize("way", [(), ("--udp",), ("-u",)])
def test_lists(controller: Served, capsys: pytest.CaptureFixture[str], way: tuple[str, ...]) -> None:
    asked = ("--list-services", "--list-identity", "--list-interfaces", "--legacy", "0x0001")
    assert main(["-a", f"{HOST}:{controller.port}", *way, *asked]) == 0
    found = trees(capsys.readouterr().out)
    assert sorted(found) == [
        (name, 0, (HOST, controller.port))
        for name in ("Legacy 0x0001", "List Identity", "List Interfaces", "List Services")
    ]
    by_name = {name: tree for (name, _, _), tree in found.items()}
    assert by_name["List Interfaces"] == {"count": 0}
    services = by_name["List Services"]
    assert (services["item[0].type_id"], services["item[0].communications_service.version"]) == (256, 1)
    assert services["item[0].communications_service.service_name"] == "Communications"
    identity = {key.rpartition(".")[2]: value for key, value in by_name["List Identity"].items()}
    assert (identity["vendor_id"], identity["device_type"], identity["product_code"]) == (1, 14, 54)
    assert (identity["sin_addr"], identity["sin_port"]) == (HOST, controller.port)
    assert (identity["product_name"], identity["product_revision"]) == ("1756-L61/B LOGIX5561", 20 | 11 << 8)
    assert by_name["Legacy 0x0001"]["item[0].legacy_CPF_0x0001.sin_addr"] == HOST


def trees(out: str) -> dict[tuple[str, int, tuple[str, int]], dict[str, object]]:
    """The trees in an output, by name, turn and peer."""
    found = re.findall(r"^([^\n]+) (\d+) from \('([^\n]+)', (\d+)\): (\{.*?^\})$", out, re.M | re.S)
    return {(name, int(turn), (host, int(port))): json.loads(tree) for name, turn, host, port, tree in found}


def test_lists_and_tags_together_repeated(controller: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-a", f"{HOST}:{controller.port}", "-i", "-r", "2", "Tag[0]"]) == 0
    out = capsys.readouterr().out
    assert [turn for _, turn, _ in trees(out)] == [0, 1]
    assert out.count("Tag[0] == [0]: 'OK'") == 2


def test_a_broadcast_lasts_as_long_as_the_time_out(controller: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """Of those who may answer; how many do, `tests/peers/test_discovery.py` sees."""
    begun = time.monotonic()
    assert main(["-a", f"{HOST}:{controller.port}", "-u", "-b", "-i", "-t", "0.6"]) == 0
    assert 0.6 <= time.monotonic() - begun < 5
    assert len(trees(capsys.readouterr().out)) == 1


def test_results_go_to_the_log_and_to_stdout_if_told(tmp_path: Path) -> None:
    with node(*TAGS) as device:
        log = tmp_path / "plc.log"
        line = "SCADA[0-1] == [0, 0]: 'OK'"
        address = f"{device.host}:{device.port}"
        assert run(*CLIENT, "-a", address, "--log", str(log), "SCADA[0-1]") == (0, "", "")
        assert re.search(rf"\d WARNING enip_client: {re.escape(line)}\n.*Client ReadFrg\. Average", log.read_text())
        code, out, err = run(*CLIENT, "-a", address, "-l", str(log), "-p", "-vv", "SCADA[0-1]")
        assert (code, out.strip(), err) == (0, line, "")
        assert '"read_frag.data": [0, 0]' in log.read_text()


WRONG = {
    (): "tags: none; give one or more, as SCADA[0-9], or one of -i, -s, -I and -L",
    ("SCADA[0-2]=1,2",): "'SCADA[0-2]=1,2', column 12: 2 values where 3 were wanted",
    ("SCADA", "B[1"): "'B[1', column 1: wanted indices like [3] or [1,2,3] and then a dot or the end",
    ("-t", "0", "SCADA"): "--timeout: 0; wanted seconds, more than 0",
    ("-t", "nan", "SCADA"): "--timeout: nan; wanted seconds, more than 0",
    ("-r", "0", "SCADA"): "--repeat: 0; wanted 1 or more",
    ("-r", "x", "SCADA"): "argument -r/--repeat: invalid int value: 'x' (--help says more)",
    ("-L", "0x0002"): "--legacy: '0x0002' is not known; wanted 0x0001",
    ("-b", "SCADA"): "--broadcast: SCADA is not for everybody; leave one of the two out",
    ("-S", "--route-path", "1/0", "SCADA"): (
        "--simple: nothing is routed to it; leave --route-path and --send-path out"
    ),
    ("--send-path=", "--route-path=1/0", "SCADA"): (
        "--route-path: without a send path nothing is routed; leave one of the two out"
    ),
    ("--send-path", "@6/", "SCADA"): (
        "--send-path: '@6/': '' where the number of a CIP instance was wanted, like 26, 0x1A, 0o32 or 0b11010"
    ),
    ("-a", "h:x", "SCADA"): (
        "address 'h:x': 'x' is no port (0 to 65535); wanted [INTERFACE][:PORT], as 127.0.0.1, :44818, "
        "plc.local:44818 or [::1]:44818"
    ),
    ("-a", "a..b", "SCADA"): "address 'a..b': 'a..b' cannot be a host's name",
    ("-a", ":0", "SCADA"): "address ':0': no device is at port 0; wanted 1 to 65535",
    ("--bogus",): "unrecognized arguments: --bogus (--help says more)",
}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_what_makes_no_sense(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert main(list(arguments)) == 2
    assert capsys.readouterr() == ("", f"enip_client: {WRONG[arguments]}\n")


def test_a_route_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--route-path", '[{"link": 0}]', "SCADA"]) == 2
    assert capsys.readouterr().err == (
        """enip_client: --route-path: '[{"link": 0}]' is no route; wanted one like [{"port":1,"link":0}] or 1/0, """
        "or false for none (column 12: ',' or a blank could come there)\n"
    )


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-a", "127.64.33.99:9", "SCADA"]) == 1
    assert capsys.readouterr() == ("", "enip_client: 127.64.33.99:9: connection refused\n")
    assert main(["-a", "127.64.33.99:9", "-b", "-i", "-t", "0.2"]) == 1
    assert capsys.readouterr().err == "enip_client: 127.64.33.99:9: no answer to ListIdentity within 0.2 s\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda asked: b"", "connection closed before it answered ListIdentity"),
        (lambda asked: asked[:12] + b"\xff" * 8 + asked[20:], "no answer to ListIdentity within 0.5 s"),
        (lambda asked: asked[:2] + b"\x04\0" + asked[4:] + b"\xff" * 4, "a malformed answer: "),
    ],
    ids=["hangs up", "somebody else's", "garbage"],
)
def test_a_device_that_answers_nothing_of_use(
    capsys: pytest.CaptureFixture[str], answer: Callable[[bytes], bytes], said: str
) -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            opened, _ = server.accept()
            with opened:
                if data := answer(opened.recv(100)):
                    opened.sendall(data)
                    opened.recv(100)

        thread = threading.Thread(target=serve)
        thread.start()
        assert main(["-a", f"{HOST}:{port}", "-i", "-t", "0.5"]) == 1
        thread.join()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"enip_client: {HOST}:{port}: {said}")
    assert err.count("\n") == 1


def test_interrupted_while_it_works(controller: Served, start: Start) -> None:
    process = start(*CLIENT, "-a", f"{HOST}:{controller.port}", "-r", "1000000", "Tag[0]")
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "Tag[0] == [0]: 'OK'", "flushed line by line"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "enip_client: interrupted\n")


def test_a_reader_that_goes_away_ends_it(controller: Served, start: Start) -> None:
    process = start(*CLIENT, "-a", f"{HOST}:{controller.port}", "-r", "1000000", "Tag[0]")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(20) == 0


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "--no-fragment" in out
    assert "'TEXT[1]=(SSTRING)\"Hello, world!\"'" in out


NEEDLESS = {"asyncio", "ssl", "logging", "pymodbus", "node.server", "node.controller", "subprocess"}
SLOW = {"random", "encodings.idna", "json.decoder", "dis"}
"""What Python and others import for a start that a question does without."""


def test_it_imports_nothing_that_it_does_not_need(controller: Served) -> None:
    code = "import atexit, sys; atexit.register(lambda: print(*sys.modules)); "
    code += "from node.__main__ import enip_client; enip_client()"
    done = subprocess.run(
        [sys.executable, "-c", code, "-a", f"{HOST}:{controller.port}", "Tag[0]"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    modules = set(done.stdout.splitlines()[-1].split())
    assert "node.client.connector" in modules
    assert modules & (NEEDLESS | SLOW) == set()
