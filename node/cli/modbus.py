"""`modbus_sim -a :1502 40001-40100=99`: a lone Modbus/TCP device whose registers are named on the command line.

Only what is named exists: a client that reads one register more gets exception 02, as from a real device. The line
that says it is ready is what the simulator of 2016 printed, for scripts wait for it and read the port out of it.
"""

import os
import sys
from collections.abc import Sequence
from itertools import starmap
from typing import Annotated

import typer

from node.cli.command_line import new_app, run_app, show_version
from node.cli.log import set_up_log
from node.cli.run import read_delay, resolve, serve
from node.config.address import parse_address
from node.config.check import problems
from node.config.model import ModbusConfig, NodeConfig, RegisterBlock, TagConfig, UnitConfig
from node.config.schema import DEFAULT_PROFILES, MODBUS_PROFILES
from node.errors import ConfigError
from node.modbus.ranges import BIT_TABLES, Range, RangeError, adjoining, parse_ranges

PROGRAM = "modbus_sim"
PORT = 502
UNIT_ID = 1


def build_config(ranges: Sequence[str], address: str = "") -> NodeConfig:
    """The configuration of a lone device with the registers of `ranges`, in unit 1. Raises `ConfigError` for what
    was typed wrong."""
    host, port = parse_address(address, PORT)
    try:
        blocks = adjoining(parse_ranges(ranges))
    except RangeError as exc:
        raise ConfigError("registers", 0, str(exc)) from exc
    profile = DEFAULT_PROFILES["modbus"]
    tags = tuple(map(_tag, blocks))
    unit = UnitConfig(UNIT_ID, tuple(starmap(_block, zip(blocks, tags, strict=True))))
    config = NodeConfig(
        name=PROGRAM,
        kind="modbus",
        profile=profile,
        address=resolve(host),
        tags=tags,
        modbus=ModbusConfig(port, (unit,), MODBUS_PROFILES[profile].device_id),
    )
    for problem in problems(config):
        raise ConfigError(PROGRAM, 0, str(problem))
    return config


def _tag(block: Range) -> TagConfig:
    """The memory behind registers that are next to one another: `holding_40001` holds 40001 and on."""
    bits = block.table in BIT_TABLES
    initial = tuple(value != 0 for value in block.values) if bits else block.values
    name = f"{block.table}_{block.number}"
    return TagConfig(name, "BOOL" if bits else "UINT", (len(block.values),), initial)


def _block(block: Range, tag: TagConfig) -> RegisterBlock:
    return RegisterBlock(block.table, block.start, tag.length, tag.name)


def ready_line(config: NodeConfig, ports: dict[str, int]) -> str:
    """What is printed once the port accepts; an address that is every interface is left out, as one types it."""
    return f"Success; Started Modbus/TCP Simulator; PID = {os.getpid()}; address = {config.address}:{ports['modbus']}"


def serve_registers(
    ranges: Annotated[
        list[str],
        typer.Argument(
            metavar="FIRST[-LAST][=VALUE[,VALUE]]...",
            help="Registers to serve, as 40001-40100=99 (holding), 30001 (input), 1-16=0,1 (coils) or 10001=1 "
            "(discrete inputs); six digits reach all 65536. Values repeat until the range is full; 0 by default.",
        ),
    ],
    address: Annotated[
        str, typer.Option("-a", "--address", metavar="[INTERFACE][:PORT]", help="Listen there.")
    ] = f":{PORT}",
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more; twice for everything.")] = 0,
    log: Annotated[
        str | None,
        typer.Option("-l", "--log", metavar="FILE", help="Log there, 10 MB and 5 copies, and not to stderr."),
    ] = None,
    printing: Annotated[bool, typer.Option("-p", "--print", help="Show every access to a register.")] = False,
    delay: Annotated[
        str, typer.Option("-d", "--delay", metavar="#.#[-#.#]", help="Seconds that each reply waits.")
    ] = "0",
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Serve registers over Modbus/TCP as unit 1, until Ctrl-C."""
    config = build_config(ranges, address)
    set_up_log(verbose, log)
    serve(config, delay=read_delay(delay), printing=printing, announce=ready_line)


def main() -> None:
    """The console script."""
    app = new_app("")
    app.command()(serve_registers)
    sys.exit(run_app(app, PROGRAM))
