"""`modbus_sim -a :1502 40001-40100=99`: a lone Modbus device whose registers are named on the command line.

Only what is named exists: a client that reads one register more gets exception 02, as from a real device. The line
that says it is ready is what the simulator of 2016 printed, for scripts wait for it and read the port out of it.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import starmap

from node.cli.command_line import Parser, add_serving_options, run_command
from node.cli.log import set_up_log
from node.cli.serve import modbus_name, read_delay, resolve, serve
from node.config.address import parse_address
from node.config.check import problems
from node.config.model import FRAMINGS, ModbusConfig, NodeConfig, RegisterBlock, TagConfig, UnitConfig
from node.config.transports import parse_serial, parse_tls
from node.errors import ConfigError
from node.modbus.ranges import BIT_TABLES, Range, RangeError, adjoining, parse_ranges
from node.objects.profiles import MODBUS_PROFILES

PROGRAM = "modbus_sim"
PORT, TLS_PORT = 502, 802
UNIT_ID = 1
PROFILE = "generic"


def build_config(
    ranges: Sequence[str], address: str = "", *, serial: str = "", framing: str = "", udp: bool = False, tls: str = ""
) -> NodeConfig:
    """The configuration of a lone device with the registers of `ranges`, in unit 1. It is on TCP unless it is on a
    serial line and no `address` was typed; `framing` is that of the line, or else of TCP. Raises `ConfigError` for what
    was typed wrong."""
    host, port = parse_address(address, TLS_PORT if tls else PORT)
    try:
        blocks = adjoining(parse_ranges(ranges))
    except RangeError as exc:
        raise ConfigError("registers", 0, str(exc)) from exc
    tags = tuple(map(_tag, blocks))
    unit = UnitConfig(UNIT_ID, tuple(starmap(_block, zip(blocks, tags, strict=True))))
    config = NodeConfig(
        name=PROGRAM,
        kind="modbus",
        profile=PROFILE,
        address=resolve(host),
        tags=tags,
        modbus=ModbusConfig(
            port,
            (unit,),
            MODBUS_PROFILES[PROFILE].device_id,
            tcp=not serial or bool(address),
            udp=udp,
            framing=FRAMINGS[0] if serial else framing or FRAMINGS[0],
            serial=parse_serial(serial, framing or "rtu") if serial else None,
            tls=parse_tls(tls) if tls else None,
        ),
    )
    for problem in problems(config):
        raise ConfigError(problem.path, 0, problem.message)
    return config


def _tag(block: Range) -> TagConfig:
    """The memory behind registers that are next to one another: `holding_40001` holds 40001 and on."""
    bits = block.table in BIT_TABLES
    initial = tuple(value != 0 for value in block.values) if bits else block.values
    name = f"{block.table}_{block.number}"
    return TagConfig(name, "BOOL" if bits else "UINT", (len(block.values),), initial)


def _block(block: Range, tag: TagConfig) -> RegisterBlock:
    return RegisterBlock(block.table, block.start, tag.length, tag.name)


def ready_line(config: NodeConfig, ports: dict[str, int], lines: tuple[str, ...] = ()) -> str:
    """What is printed once the port accepts; an address that is every interface is left out, as one types it. A serial
    line is the address where there is no port."""
    modbus = config.modbus
    assert modbus is not None
    where = [f"{config.address}:{ports['modbus']}"] if modbus.tcp or modbus.udp else []
    shown = "; line = ".join([*where, *lines])
    return f"Success; Started {modbus_name(modbus)} Simulator; PID = {os.getpid()}; address = {shown}"


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "Serve registers over Modbus as unit 1, until Ctrl-C.")
    made.add_argument(
        "ranges",
        nargs="+",
        metavar="FIRST[-LAST][=VALUE[,VALUE]]",
        help="Registers to serve, as 40001-40100=99 (holding), 30001 (input), 1-16=0,1 (coils) or 10001=1 "
        "(discrete inputs); six digits reach all 65536. Values repeat until the range is full; 0 by default.",
    )
    add_serving_options(made, PORT, "a register")
    made.set_defaults(address="")
    add_transport_options(made)
    return made


def add_transport_options(made: Parser) -> None:
    """What Modbus is carried by, if not by TCP with its own header."""
    made.add_argument(
        "--serial",
        metavar="DEVICE[:BAUD[:FORMAT]]",
        default="",
        help="Be on a serial line, as /dev/ttyUSB0:9600:8N2 (19200:8E1 by default), and on no port unless --address "
        "is given. pty makes a pseudo terminal and prints its path; pty=PATH makes a link to it there too.",
    )
    made.add_argument(
        "--framing", choices=FRAMINGS, default="", help="Frames of the line, rtu by default; or of TCP, tcp by default."
    )
    made.add_argument("--udp", action="store_true", help="Take datagrams at the same port too.")
    made.add_argument(
        "--tls",
        metavar="CERTIFICATE,KEY[,CA]",
        default="",
        help=f"Speak TLS, at port {TLS_PORT} by default, with these files in PEM; with an authority's certificate only "
        "with clients that show one of its own.",
    )


def serve_registers(arguments: argparse.Namespace) -> None:
    """Does what was typed. Raises `ConfigError`, and `NodeError` when it cannot be done."""
    carried = {name: getattr(arguments, name) for name in ("serial", "framing", "udp", "tls")}
    config = build_config(arguments.ranges, arguments.address, **carried)
    config = replace(config, delay=read_delay(arguments.delay))
    set_up_log(arguments.verbose, arguments.log)
    serve(config, printing=arguments.printing, announce=ready_line)


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_command(parser(program), serve_registers, arguments)
