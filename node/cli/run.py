"""Runs one controller in the foreground until it is told to end: the lone simulators, and a configuration file."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from node.cli.log import set_up_log
from node.config.load import load
from node.config.model import NodeConfig
from node.controller import Controller
from node.errors import ConfigError, NodeError
from node.exchange.delay import Delay, parse_delay
from node.exchange.printing import Printer

SIGNALS = (signal.SIGINT, signal.SIGTERM)


Announce = Callable[[NodeConfig, dict[str, int]], str]
"""Gives the line that says a controller is ready, from its configuration and the ports it got."""


def ready_line(config: NodeConfig, ports: dict[str, int]) -> str:
    """What serves where, in one line."""
    host = config.address or "0.0.0.0"
    parts = []
    if config.enip is not None:
        parts.append(f"EtherNet/IP controller {config.enip.identity.product_name.strip()} on {host}:{ports['enip']}")
    if config.modbus is not None:
        parts.append(f"Modbus/TCP device {config.profile} on {host}:{ports['modbus']}")
        parts.append(_count(len(config.modbus.units), "unit"))
    parts.append(_count(len(config.tags), "tag"))
    return "; ".join([*parts, f"PID {os.getpid()}", "Ctrl-C ends it"])


def read_delay(text: str) -> tuple[float, float]:
    """`0.1` or `0.1-0.5` as the least and the greatest seconds. Raises `ConfigError` naming the option."""
    try:
        low, high = parse_delay(text)
        Delay(low, high)
    except NodeError as exc:
        raise ConfigError("--delay", 0, str(exc)) from exc
    return low, high


def serve(
    config: NodeConfig,
    *,
    delay: tuple[float, float] = (0.0, 0.0),
    printing: bool = False,
    announce: Announce = ready_line,
) -> None:
    """Serves `config` until SIGINT or SIGTERM; says on stdout when it is ready, in the words of `announce`. Signals of
    its tags begin now.

    `delay` is the least and the greatest time in seconds that each reply waits, `printing` shows every access to a
    tag on stdout. Raises `NodeError` (`ListenError`) when it cannot begin.
    """
    interceptors = [Printer(_show)] if printing else []
    controller = Controller(config, epoch=time.monotonic(), interceptors=interceptors)
    controller.delay = delay
    asyncio.run(_serve(controller, announce))


async def _serve(controller: Controller, announce: Announce) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":  # where asyncio takes no signals, Ctrl-C is a KeyboardInterrupt
        for number in SIGNALS:
            loop.add_signal_handler(number, told.set)
    await controller.start()
    try:
        _show(announce(controller.config, controller.ports))
        await told.wait()
    finally:
        await controller.stop()


def resolve(host: str) -> str:
    """The IPv4 address of an interface named or numbered by `host`, "" for every interface. Raises `ConfigError`."""
    if host in ("", "0.0.0.0"):
        return ""
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
    except OSError as exc:
        raise ConfigError(f"address {host!r}", 0, f"no IPv4 address of this machine is called so ({exc})") from exc


def run_file(
    file: Annotated[Path, typer.Argument(help="A node's configuration in JSON.")],
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more; twice for everything.")] = 0,
    log: Annotated[str | None, typer.Option("-l", "--log", metavar="FILE", help="Log there, not to stderr.")] = None,
    printing: Annotated[bool, typer.Option("-p", "--print", help="Show every access to a tag.")] = False,
) -> None:
    """Serve a node from its configuration file."""
    set_up_log(verbose, log)
    serve(read_config(file), printing=printing)


def read_config(file: Path) -> NodeConfig:
    """The configuration in `file`. Raises `NodeError` when it cannot be read, `ConfigError` when it is wrong."""
    try:
        return load(json.loads(file.read_bytes()), str(file))
    except OSError as exc:
        raise NodeError(f"{file}: {exc.strerror}") from exc
    except ValueError as exc:
        raise ConfigError(str(file), getattr(exc, "lineno", 0), f"this is not JSON: {exc}") from exc


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _show(line: str) -> None:
    """Prints at once; a reader that went away (`| head`) ends the printing and not the controller."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
