"""`modbus_poll -a :1502 40001-40010=0 40001-40100`: writes registers of a Modbus device, then polls, until Ctrl-C.

On a terminal it shows a table; elsewhere, a line for each change. The client stands on pymodbus, which is imported here
once it is known that there is something to do.
"""

import argparse
import importlib
import json
import logging
import re
import signal
import ssl
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING

from node.cli.column import located_word
from node.cli.command_line import Parser, run_command
from node.cli.log import set_up_log
from node.cli.poll_table import PollTable, Seen
from node.config.address import parse_address
from node.errors import ConfigError, NodeError
from node.modbus.ranges import WRITABLE_TABLES, Range, RangeError, parse_range, wire_address

if TYPE_CHECKING:
    from node.client.modbus import ModbusClient
    from node.client.modbus_poller import ModbusPoller

PROGRAM = "modbus_poll"
PORT, TLS_PORT = 502, 802
LOOPBACK = "127.0.0.1"
ATTEMPTS = 3
"""At a request over what may lose it."""
REDRAW = 1.0
"""Seconds between two drawings of the table, at most."""

log = logging.getLogger(PROGRAM)

Change = tuple[int, int | None, int | None]
"""A register number, its value and the one before."""


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "Write and poll registers of a Modbus device, until Ctrl-C.")
    made.add_argument(
        "ranges",
        nargs="+",
        metavar="FIRST[-LAST][=VALUE[,VALUE]]",
        help="Registers to poll, as 40001-40100 (holding), 30001 (input), 1-16 (coils) or 10001 (discrete inputs); "
        "those with a value are written first. Values repeat until the range is full.",
    )
    add = made.add_argument
    add("-a", "--address", metavar="[HOST][:PORT]", default="", help=f"The device; {LOOPBACK}:{PORT} by default.")
    add("-u", "--unit", metavar="ID", type=int, default=1, help="Its unit id; 1 by default.")
    add("-r", "--rate", metavar="SECONDS", type=float, default=1.0, help="From one poll to the next; 1 by default.")
    add("-t", "--timeout", metavar="SECONDS", type=float, default=3.0, help="For a whole answer; 3 by default.")
    add("--depth", metavar="N", type=int, default=1, help="So many reads under way at once, if the device takes them.")
    add("--once", action="store_true", help="Read once and end.")
    add("--json", action="store_true", help="An object a change; with --once, one of all registers.")
    add("--lines", action="store_true", help="A line a change on a terminal too, and not a table.")
    way = made.add_mutually_exclusive_group()
    way.add_argument("--udp", action="store_true", help="Over UDP.")
    way.add_argument("--rtu", action="store_true", help="RTU frames over TCP.")
    way.add_argument("--tls", metavar="CA[,CERT,KEY]", help=f"Over TLS, port {TLS_PORT} by default; files in PEM.")
    way.add_argument(
        "--serial", metavar="DEVICE[:BAUD[:8E1]]", help="On a serial line; 19200 baud, 8 bits, even parity, 1 stop bit."
    )
    add("-v", "--verbose", action="count", default=0, help="Say more; twice for everything.")
    add("-l", "--log", metavar="FILE", help="Log there, changes too, 10 MB and 5 copies.")
    return made


def poll_registers(arguments: argparse.Namespace) -> None:
    """Does what was typed. Raises `ConfigError`, and `NodeError` when it cannot be done."""
    ranges = read_ranges(arguments.ranges)
    if not arguments.rate > 0 or not arguments.timeout > 0:
        raise ConfigError("--rate, --timeout", 0, "seconds, more than 0")
    if arguments.depth < 1 or (arguments.depth > 1 and (arguments.udp or arguments.rtu or arguments.serial)):
        raise ConfigError("--depth", 0, f"got {arguments.depth}; wanted 1, or more of a device on TCP or TLS")
    set_up_log(arguments.verbose, arguments.log)
    if arguments.verbose < 2:
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what it sees, its callers are told
    with open_client(arguments) as client:
        for text, each in ranges:
            if "=" in text:
                client.write((each.table, each.start), each.values)
        numbers = list(dict.fromkeys(number for text, each in ranges for number in _numbers(text, each)))
        if arguments.once:
            read_once(client, numbers, arguments.json)
        else:
            watch(client, numbers, arguments)


def read_ranges(texts: Iterable[str]) -> list[tuple[str, Range]]:
    """Each as it was typed, and what it means. Raises `ConfigError`."""
    texts = list(texts)
    try:
        found = [(word, parse_range(word)) for text in texts for word in text.split()]
    except RangeError as exc:
        raise ConfigError("registers", 0, located_word(str(exc), "range", texts)) from exc
    for text, each in found:
        if "=" in text and each.table not in WRITABLE_TABLES:
            raise ConfigError("registers", 0, f"{text}: the {each.table} table cannot be written")
    return found


def open_client(arguments: argparse.Namespace) -> "ModbusClient":
    """The client of the line that was typed. Raises `ConfigError`; `NodeError` when what it stands on is missing."""
    try:
        modbus = importlib.import_module("node.client.modbus")
    except ImportError as exc:
        raise NodeError(str(exc)) from exc
    if not 0 <= arguments.unit <= 255:
        raise ConfigError("--unit", 0, f"{arguments.unit}; there are 0 to 255")
    limits = modbus.Limits(total=arguments.timeout)
    if arguments.udp or arguments.serial:  # which may lose a message: it is tried again within the time
        limits = modbus.Limits(total=arguments.timeout, receive=arguments.timeout / ATTEMPTS, retries=ATTEMPTS - 1)
    kind: type[ModbusClient] = modbus.ModbusClient
    if arguments.serial:
        device, baud, parity, stop_bits = parse_serial(arguments.serial)
        return kind.rtu(device, baud, arguments.unit, limits, parity=parity, stop_bits=stop_bits)
    host, port = parse_address(arguments.address, TLS_PORT if arguments.tls else PORT)
    host = host or LOOPBACK
    if arguments.tls:
        return kind.tls(host, port, arguments.unit, limits, context=read_certificates(arguments.tls))
    open_way = kind.udp if arguments.udp else kind.rtu_over_tcp if arguments.rtu else kind.tcp
    return open_way(host, port, arguments.unit, limits)


def parse_serial(text: str) -> tuple[str, int, str, int]:
    """Device, baud, parity and stop bits of `/dev/ttyUSB0:9600:8N2`. Raises `ConfigError`."""
    found = re.fullmatch(r"(.+?)(?::(\d{3,7})(?::8([NEO])([12]))?)?", text)
    if found is None:
        raise ConfigError("--serial", 0, f"{text!r}; wanted DEVICE[:BAUD[:8E1]], as /dev/ttyUSB0:9600:8N2")
    return found[1], int(found[2] or 19200), found[3] or "E", int(found[4] or 1)


def read_certificates(text: str) -> ssl.SSLContext:
    """Whom to trust, and who we are. Raises `ConfigError`."""
    authority, *own = text.split(",")
    if len(own) not in (0, 2):
        raise ConfigError("--tls", 0, f"{text!r}; wanted CA[,CERT,KEY]")
    try:
        context = ssl.create_default_context(cafile=authority)
        if own:
            context.load_cert_chain(*own)
    except OSError as exc:
        raise ConfigError("--tls", 0, f"{text}: {exc}") from exc
    return context


def read_once(client: "ModbusClient", numbers: Sequence[int], as_json: bool) -> None:
    """Shows each register. Raises `NodeError` when some are not there."""
    sweep = importlib.import_module("node.client.modbus_sweep").Sweep(client, lambda *_: None)
    located = importlib.import_module("node.client.modbus").located
    for number in numbers:
        sweep.want(located(number))
    found = sweep.run(REDRAW)
    values = {number: found.get(located(number)) for number in numbers}
    if as_json:
        print(json.dumps({str(number): _plain(value) for number, value in values.items()}))
    else:
        for number, value in values.items():
            print(f"{number} == {_plain(value)}")
    if missing := [str(number) for number, value in values.items() if value is None]:
        raise NodeError(f"{len(missing)} of {len(numbers)} cannot be read: {', '.join(missing[:8])}")


def watch(client: "ModbusClient", numbers: Sequence[int], arguments: argparse.Namespace) -> None:
    """Polls and shows, until SIGINT or SIGTERM, or until nobody reads what is shown."""
    changes: SimpleQueue[Change | None] = SimpleQueue()

    def end(number: int, frame: FrameType | None) -> None:
        changes.put(None)

    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, end)
    numbers = _once_each(numbers)
    poller: ModbusPoller = importlib.import_module("node.client.modbus_poller").ModbusPoller(
        client, arguments.rate, depth=arguments.depth
    )
    with poller:
        poller.watch(lambda *change: changes.put(change))
        poller.poll(numbers)
        try:
            if sys.stdout.isatty() and not (arguments.lines or arguments.json or arguments.log):
                _show_table(poller, changes, numbers)
            else:
                _show_lines(changes, arguments)
        except BrokenPipeError:
            sys.stdout = None  # so that Python does not flush it at its end


def _show_lines(changes: "SimpleQueue[Change | None]", arguments: argparse.Namespace) -> None:
    while (change := changes.get()) is not None:
        number, value, was = change
        if arguments.json:
            shown = {"time": datetime.now().astimezone().isoformat(), "register": number}
            print(json.dumps(shown | {"value": _plain(value), "was": _plain(was)}), flush=True)
            continue
        text = f"{number} == {_plain(value)} (was: {_plain(was)})"
        if arguments.log:
            log.warning(text)
        else:
            print(f"{datetime.now():%m-%d %H:%M:%S.%f}"[:-3], text, flush=True)


def _show_table(poller: "ModbusPoller", changes: "SimpleQueue[Change | None]", numbers: Sequence[int]) -> None:
    table, seen = PollTable(), dict[int, Seen]()
    while True:
        load = " ".join(f"{part:.2f}" for part in poller.load)
        state = f"{poller.polls} polls, load {load}" if poller.problem is None else str(poller.problem)
        table.draw(f"{poller.name}  every {poller.rate:g} s  {state}", numbers, seen)
        until = time.monotonic() + REDRAW
        while (left := until - time.monotonic()) > 0:
            try:
                change = changes.get(timeout=left)
            except Empty:
                break
            if change is None:
                return
            number, value, was = change
            seen[number] = Seen(value, was, time.monotonic())
            until = min(until, time.monotonic() + REDRAW / 10)  # what changes together is drawn together


def _numbers(text: str, each: Range) -> range:
    """As they were typed: 400001 stays 400001."""
    first = int(text.partition("=")[0].partition("-")[0])
    return range(first, first + len(each.values))


def _once_each(numbers: Iterable[int]) -> list[int]:
    """Without second names: 400001 is 40001."""
    named: dict[tuple[str, int], int] = {}
    for number in numbers:
        named.setdefault(wire_address(number), number)
    return list(named.values())


def _plain(value: int | None) -> int | None:
    return None if value is None else int(value)


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_command(parser(program), poll_registers, arguments)
