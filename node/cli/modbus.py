"""`modbus_sim -a :1502 40001-40100=99`: a lone Modbus device whose registers are named on the command line.

Only what is named exists: a client that reads one register more gets exception 02, as from a real device. The line
that says it is ready is what the simulator of 2016 printed, for scripts wait for it and read the port out of it.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from node.cli.command_line import Parser, add_serving_options, run_command
from node.cli.log import set_up_log
from node.cli.modbus_units import PROFILE, UNIT, UNIT_ID, Typed, build_unit, gathered, placed
from node.cli.serve import modbus_name, read_delay, resolve, serve
from node.cli.web import add_web_option, open_face
from node.config.address import parse_address
from node.config.check import problems
from node.config.model import FRAMINGS, ModbusConfig, NodeConfig, RegisterBlock, TagConfig, UnitConfig
from node.config.transports import parse_serial, parse_tls
from node.errors import ConfigError
from node.objects.profiles import MODBUS_PROFILES, ModbusProfile

if TYPE_CHECKING:
    from node.config.faults import FaultSpec

PROGRAM = "modbus_sim"
PORT, TLS_PORT = 502, 802
GENERIC = "generic"


class UnitParser(Parser):
    """A parser that knows for each range and profile which units were named before it."""

    def parse_known_intermixed_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """As argparse does it."""
        return super().parse_known_intermixed_args(placed(args or ()), namespace)


def build_config(
    ranges: Sequence[str],
    address: str = "",
    *,
    units: Mapping[int, Typed] | None = None,
    serial: str = "",
    framing: str = "",
    udp: bool = False,
    tls: str = "",
) -> NodeConfig:
    """The configuration of a lone device with the registers of `ranges` in unit 1, or with what was typed for each of
    `units`. It is on TCP unless it is on a serial line and no `address` was typed; `framing` is that of the line, or
    else of TCP. Raises `ConfigError` for what was typed wrong."""
    host, port = parse_address(address, TLS_PORT if tls else PORT)
    profile, tags, built = _device(units or {UNIT_ID: Typed(list(ranges))})
    config = NodeConfig(
        name=PROGRAM,
        kind="modbus",
        profile=profile.name,
        address=resolve(host),
        tags=tags,
        modbus=ModbusConfig(
            port,
            built,
            profile.device_id,
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


def _device(units: Mapping[int, Typed]) -> tuple[ModbusProfile, tuple[TagConfig, ...], tuple[UnitConfig, ...]]:
    """What the device says it is, which is for the first profile of its units to say, its tags and its units."""
    profiles: list[ModbusProfile] = []
    tags: list[TagConfig] = []
    built: list[UnitConfig] = []
    maps: dict[str, tuple[ModbusProfile, tuple[TagConfig, ...], tuple[RegisterBlock, ...]]] = {}
    for number, typed in units.items():
        mapped: tuple[Sequence[TagConfig], Sequence[RegisterBlock]] = ((), ())
        if typed.profile:
            from node.config.device_map import device_map  # few are of one

            found = maps.get(typed.profile) or maps.setdefault(typed.profile, device_map(typed.profile))
            profiles.append(found[0])
            mapped = found[1:]
        more, unit = build_unit(number, typed.ranges, mapped)
        tags += more
        built.append(unit)
    return (profiles or [MODBUS_PROFILES[GENERIC]])[0], tuple(tags), tuple(built)


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
    made = UnitParser(program, "Serve registers over Modbus, until Ctrl-C.", profiles_text)
    made.add_argument(
        "ranges",
        nargs="*",
        metavar="FIRST[-LAST][=VALUE[,VALUE]]",
        help="Registers to serve, as 40001-40100=99 (holding), 30001 (input), 1-16=0,1 (coils) or 10001=1 "
        "(discrete inputs); six digits reach all 65536. Values repeat until the range is full; 0 by default.",
    )
    add_unit_options(made)
    add_serving_options(made, PORT, "a register")
    add_web_option(made)
    made.set_defaults(address="")
    add_transport_options(made)
    return made


def add_unit_options(made: Parser) -> None:
    """Which units there are, what they are, and what goes wrong with them."""
    made.add_argument(
        UNIT,
        action="append",
        default=[],
        metavar="N[,M|-K]",
        help=f"What is typed behind it is of these units: 2, 2,5 or 3-7,9. Before any it is of unit {UNIT_ID}.",
    )
    made.add_argument(
        PROFILE,
        action="append",
        default=[],
        metavar="NAME|FILE.csv",
        help="All registers of a device, and who it says it is: one of those below, or a file with a register map. "
        "Ranges typed beside it win over its own.",
    )
    made.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="'KIND ...'",
        help="Go wrong on purpose, in the words of `farm fault`: 'slow 200ms', 'exception 4 every 10', 'drop 10%%', "
        "'truncate', 'corrupt', 'wrong-transaction', 'wrong-unit', 'close 20', 'reset 20'; may be repeated.",
    )


def profiles_text() -> str:
    """The profiles that have registers, a line each."""
    lines = [
        f"  {name:23} {' '.join(text for _, text in profile.device_id)}"
        for name, profile in MODBUS_PROFILES.items()
        if profile.registers
    ]
    return "\n".join(["profiles:", *lines])


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
    units = gathered(arguments.ranges, arguments.profile, arguments.unit)
    config = build_config((), arguments.address, units=units, **carried)
    config = replace(config, delay=read_delay(arguments.delay))
    faults: tuple[FaultSpec, ...] = ()
    if arguments.fault:
        from node.config.fault_words import parse_fault_words  # hardly any goes wrong

        faults = tuple(map(parse_fault_words, arguments.fault))
    set_up_log(arguments.verbose, arguments.log)
    web = open_face(arguments.web, arguments.address)
    serve(config, printing=arguments.printing, announce=ready_line, faults=faults, web=web)


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_command(parser(program), serve_registers, arguments)
