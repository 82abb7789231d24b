"""`modbus_poll` as a person runs it: what it writes and shows, and how it ends."""

import fcntl
import json
import logging
import os
import pty
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cli.modbus_poll import main, parse_serial
from node.client.modbus import ModbusClient
from node.errors import ConfigError
from tests.cli.lone import NODE, ROOT, Start, run
from tests.client.modbus_devices import (
    HOST,
    certificates,
    line_reply,
    node,
    on_line,
    pty_pair,
    pymodbus_rtu_over_tcp,
    pymodbus_tls,
    pymodbus_udp,
    registers,
)

pytestmark = pytest.mark.net

POLL = ("-c", "from node.__main__ import modbus_poll; modbus_poll()")
CHANGE = re.compile(r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (\d+) == (\w+) \(was: (\w+)\)\n")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with node() as port:
        yield f"{HOST}:{port}"


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """The command sets them up for a process of its own."""
    root, library = logging.getLogger(), logging.getLogger("pymodbus")
    before = (root.level, [*root.handlers], library.level)
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    library.setLevel(before[2])


def changes(process: subprocess.Popen[str], count: int) -> list[tuple[str, ...]]:
    """The next changes that it prints: register, value, value before."""
    assert process.stdout is not None
    found = []
    for _ in range(count):
        line = process.stdout.readline()
        match = CHANGE.fullmatch(line)
        assert match, f"{line!r} {'' if line else process.communicate()[1]}"
        found.append(match.groups())
    return found


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_writes_then_shows_changes_until_it_is_told_to_end(start: Start, address: str, end: signal.Signals) -> None:
    with ModbusClient.tcp(HOST, int(address.rpartition(":")[2])) as client:
        client.write(40001, [99] * 20)
        process = start(*POLL, "-a", address, "-r", "0.05", "40001-40003=9", "40001-40005")
        assert changes(process, 5) == [
            *((str(number), "9", "None") for number in (40001, 40002, 40003)),
            ("40004", "99", "None"),
            ("40005", "99", "None"),
        ]
        client.write(40004, [999])
        assert changes(process, 1) == [("40004", "999", "99")]
    process.send_signal(end)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_the_verb_and_the_script_are_one(address: str) -> None:
    for command in (POLL, (*NODE, "modbus-poll")):
        code, out, err = run(*command, "-a", address, "--once", "30003", "300004", "10001-10003")
        assert (code, out, err) == (0, "30003 == 2\n300004 == 3\n10001 == 1\n10002 == 0\n10003 == 0\n", "")


def test_once_says_what_is_not_there(address: str) -> None:
    code, out, err = run(*POLL, "-a", address, "--once", "--json", "30500-30502")
    assert (code, json.loads(out)) == (1, {"30500": 499, "30501": None, "30502": None})
    assert err == "modbus_poll: 2 of 3 cannot be read: 30501, 30502\n"


def test_json_lines(start: Start, address: str) -> None:
    process = start(*POLL, "-a", address, "--json", "30005")
    assert process.stdout is not None
    found = json.loads(process.stdout.readline())
    assert (found.pop("time") > "2026", found) == (True, {"register": 30005, "value": 4, "was": None})


def test_changes_go_to_the_log(start: Start, address: str, tmp_path: Path) -> None:
    log = tmp_path / "poll.log"
    process = start(*POLL, "-a", address, "-l", str(log), "30005")
    for _ in range(400):
        if log.exists() and "30005 == 4 (was: None)" in log.read_text():
            break
        time.sleep(0.05)
    process.terminate()
    assert process.communicate(timeout=20) == ("", "")
    assert re.search(r" WARNING modbus_poll: 30005 == 4 \(was: None\)\n", log.read_text())


def test_a_device_that_is_away_is_said_and_waited_for(start: Start) -> None:
    with socket.create_server((HOST, 0)) as unused:
        port = unused.getsockname()[1]
    process = start(*POLL, "-a", f"{HOST}:{port}", "-r", "0.05", "30002")
    assert process.stderr is not None
    assert "connection refused; it is tried again" in process.stderr.readline()
    with node(port):
        assert changes(process, 1) == [("30002", "1", "None")]
    assert changes(process, 1) == [("30002", "None", "1")]


def test_a_table_on_a_terminal(address: str) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, *POLL, "-a", address, "-r", "0.1", "30002", "30007"]
    with subprocess.Popen(command, cwd=ROOT, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        shown = ""
        try:
            while not re.search(r" 30002 +1 +- +\d+ s ago\s+30007 +6 ", shown):
                shown += os.read(ours, 4096).decode()
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()
            os.close(ours)
    assert re.search(rf"{address}  every 0\.1 s  \d+ polls, load \d\.\d\d ", shown)
    assert "\x1b[4A\x1b[J" in shown


def test_a_reader_that_goes_ends_it(start: Start, address: str) -> None:
    process = start(*POLL, "-a", address, "-r", "0.05", "40010")
    assert process.stdout is not None
    changes(process, 1)
    process.stdout.close()
    with ModbusClient.tcp(HOST, int(address.rpartition(":")[2])) as client:
        client.write(40010, [1234])
    assert process.wait(20) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_on_a_serial_line(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("serial", reason="pyserial is not installed: make test puts it into .venv")
    with pty_pair() as (ours, device), on_line(ours, lambda request: [(0.0, line_reply(request, 5))]):
        assert main(["--serial", f"{device}:9600:8N2", "-u", "3", "--once", "40001-40002"]) == 0
    assert capsys.readouterr().out == "40001 == 5\n40002 == 5\n"


def test_over_udp_rtu_and_tls(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    cert, key = certificates(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(cert, key)
    ways = {
        ("--udp",): pymodbus_udp(),
        ("--rtu",): pymodbus_rtu_over_tcp(),
        ("--tls", str(cert)): pymodbus_tls(serving),
        ("--tls", f"{cert},{cert},{key}"): pymodbus_tls(serving),
    }
    for options, device in ways.items():
        with device as port:
            assert main(["-a", f"{HOST}:{port}", *options, "--once", "40008=70", "40009"]) == 0
        assert capsys.readouterr().out == "40008 == 70\n40009 == 8\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/dev/ttyS0", ("/dev/ttyS0", 19200, "E", 1)),
        ("/dev/ttyS0:9600", ("/dev/ttyS0", 9600, "E", 1)),
        ("/dev/pci-0000:00:14.0-port0:115200:8N2", ("/dev/pci-0000:00:14.0-port0", 115200, "N", 2)),
    ],
)
def test_how_a_line_is_typed(text: str, wanted: tuple[object, ...]) -> None:
    assert parse_serial(text) == wanted


def test_a_line_that_is_none() -> None:
    with pytest.raises(ConfigError, match="DEVICE"):
        parse_serial("")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "required: FIRST"),
        (("40000",), "40000 is no register number"),
        (("30001=5",), "input table cannot be written"),
        (("-u", "256", "40001"), "--unit"),
        (("-r", "0", "40001"), "--rate"),
        (("-t", "nan", "40001"), "--timeout"),
        (("-a", "1:2:3", "40001"), "brackets"),
        (("--udp", "--rtu", "40001"), "not allowed with"),
        (("--tls", "/no/such.pem", "40001"), "No such file"),
        (("--tls", "a,b", "40001"), "CA\\[,CERT,KEY\\]"),
    ],
)
def test_what_makes_no_sense(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str) -> None:
    assert main([*arguments, "--once"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"modbus_poll: .*{said}.*\n", err)


def test_a_write_that_fails_ends_it(capsys: pytest.CaptureFixture[str], address: str) -> None:
    assert main(["-a", address, "40501=5"]) == 1
    assert capsys.readouterr().err == "modbus_poll: Modbus exception 02 (illegal data address)\n"


def test_without_pymodbus_one_line_says_so(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['pymodbus'] = None; from node.cli.modbus_poll import main; sys.exit(main())"
    code, out, err = run("-c", hidden, "40001", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err == (
        "modbus_poll: pymodbus is missing, the Modbus client stands on it: pip install 'plcfarm[modbus-client]'\n"
    )


def test_without_pyserial_one_line_says_so(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['serial'] = None; from node.cli.modbus_poll import main; sys.exit(main())"
    code, out, err = run("-c", hidden, "--serial", "/dev/ttyS0", "40001", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err == ("modbus_poll: pyserial is missing, serial lines stand on it: pip install 'plcfarm[modbus-client]'\n")


def test_a_lost_datagram_is_sent_again_within_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind((HOST, 0))

        def serve() -> None:
            device.recvfrom(300)
            request, peer = device.recvfrom(300)
            device.sendto(registers(request, 6), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert main(["-a", f"{HOST}:{device.getsockname()[1]}", "--udp", "-t", "1.5", "--once", "40001"]) == 0
        thread.join()
    assert capsys.readouterr().out == "40001 == 6\n"


def shown_on_a_terminal(columns: int, until: str, *arguments: str) -> str:
    """What a table is on a terminal so wide, up to a match of `until`."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([sys.executable, *POLL, *arguments], cwd=ROOT, stdout=theirs, stderr=subprocess.PIPE) as one:
        os.close(theirs)
        shown = ""
        try:
            while not re.search(until, shown):
                shown += os.read(ours, 4096).decode()
        finally:
            one.kill()
            os.close(ours)
    return shown


def test_a_table_on_a_narrow_terminal_does_not_creep_down(address: str) -> None:
    shown = shown_on_a_terminal(30, r" 30002 +1 [^\n]*\n", "-a", address, "-r", "0.1", "30002")
    assert all(len(line.strip()) <= 30 for line in re.sub(r"\x1b\[\d*[AJ]", "", shown).split("\n"))


def test_a_register_by_both_its_numbers_is_one_row(address: str) -> None:
    shown = shown_on_a_terminal(80, r" 30007 +6 [^\n]*\n", "-a", address, "-r", "0.1", "30002", "300002", "30007")
    assert "300002" not in shown
