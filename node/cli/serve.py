"""Runs one controller in the foreground until it is told to end: what every command that serves does in the end."""

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from node.config.check import is_ipv4
from node.config.model import ModbusConfig, NodeConfig
from node.config.transports import carriers
from node.controller import Controller
from node.errors import ConfigError, NodeError
from node.exchange.delay import check_delay, parse_delay
from node.exchange.exchange import Interceptor
from node.exchange.printing import Printer
from node.server.descriptors import raise_descriptor_limit
from node.server.loop import new_loop
from node.tag_memory import OwnClass

if TYPE_CHECKING:
    from node.config.faults import FaultSpec
    from node.served import Served
    from node.web.face import WebFace

SIGNALS = (signal.SIGINT, signal.SIGTERM)

NO_TAGS = "no tags (give some as SCADA=INT[1000])"

Announce = Callable[[NodeConfig, dict[str, int], tuple[str, ...]], str]
"""Gives the line that says a controller is ready, from its configuration, the ports it got and its serial lines."""


Started = Callable[["Served"], object]
"""Is given a controller that serves."""


def ready_line(config: NodeConfig, ports: dict[str, int], lines: tuple[str, ...] = ()) -> str:
    """What serves where, in one line."""
    return "; ".join([*served(config, ports, lines), f"PID {os.getpid()}", "Ctrl-C ends it"])


def served(config: NodeConfig, ports: dict[str, int], lines: tuple[str, ...] = ()) -> list[str]:
    """What there is: controller, device, units, tags."""
    host = config.address or "0.0.0.0"
    parts = []
    if config.enip is not None:
        parts.append(f"EtherNet/IP controller {config.enip.identity.product_name.strip()} on {host}:{ports['enip']}")
    if config.modbus is not None:
        where = [f"{host}:{ports['modbus']}"] if config.modbus.tcp or config.modbus.udp else []
        parts.append(f"{modbus_name(config.modbus)} device {config.profile} on {' and '.join([*where, *lines])}")
        parts.append(_count(len(config.modbus.units), "unit"))
    return [*parts, _count(len(config.tags), "tag") if config.tags else NO_TAGS]


def modbus_name(modbus: ModbusConfig) -> str:
    """What it speaks: at its port, or, where that is not open, on its line."""
    return carriers(modbus)[0]


def read_delay(text: str) -> tuple[float, float]:
    """`0.1` or `0.1-0.5` as the least and the greatest seconds, "" as none. Raises `ConfigError` naming the option."""
    try:
        low, high = parse_delay(text or "0")
        check_delay(low, high)
    except NodeError as exc:
        raise ConfigError("--delay", 0, str(exc)) from exc
    return low, high


def serve(
    config: NodeConfig,
    *,
    printing: bool = False,
    announce: Announce = ready_line,
    faults: "Sequence[FaultSpec]" = (),
    own_class: OwnClass | None = None,
    started: Started | None = None,
    web: "WebFace | None" = None,
    recorder: Interceptor | None = None,
) -> None:
    """Serves `config` until SIGINT or SIGTERM, which the main thread alone can take, or until its `web` interface is
    told that it is done; says on stdout when it is ready, in the words of `announce`, and then where that is. Signals
    of its tags begin now.

    `printing` shows every access to a tag on stdout; `faults` are on from the first request. `own_class` gives the
    class whose hooks a tag has; `started` is called once it serves; `recorder` sees every request. Raises `NodeError`
    (`ListenError`) when it cannot begin, `ConfigError` for a fault of a tag that there is not.
    """
    raise_descriptor_limit()
    interceptors: list[Interceptor] = [Printer(_show)] if printing else []
    if recorder is not None:
        interceptors.append(recorder)
    controller = Controller(config, epoch=time.monotonic(), interceptors=interceptors, own_class=own_class)
    if not gc.isenabled():  # until now: see `node.__main__`
        gc.freeze()  # what is there now stays, and need not be looked at again
        gc.enable()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        told = asyncio.Event()
        main = threading.current_thread() is threading.main_thread()
        if main and sys.platform != "win32":  # where asyncio takes no signals, Ctrl-C is a KeyboardInterrupt
            _listen_to_signals(runner.get_loop(), told)
        controller.server.when_done = told.set
        runner.run(_serve(controller, announce, told, faults, started, web))


def _listen_to_signals(loop: asyncio.AbstractEventLoop, told: asyncio.Event) -> None:
    """Not by `loop.add_signal_handler`, and before the loop runs: the one looks into inspect, and so does what would be
    said of the handler that asyncio has then. That is 4 ms of a start."""
    for number in SIGNALS:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(told.set))


async def _serve(
    controller: Controller,
    announce: Announce,
    told: asyncio.Event,
    faults: "Sequence[FaultSpec]",
    started: Started | None,
    web: "WebFace | None",
) -> None:
    await controller.start()
    try:
        for fault in faults:
            _put_on(controller, fault)
        what = controller.config, controller.ports, controller.lines
        if web is not None:
            web.start(asyncio.get_running_loop(), controller.ask_api, "; ".join(served(*what)))
        _show(announce(*what))
        if web is not None:
            _show(f"Web interface on {web.url}")
        if started is not None:
            from node.served import Served

            around = Served(controller)
            around.serves(asyncio.get_running_loop(), told.set)
            started(around)
        await told.wait()
    finally:
        if web is not None:
            await web.close()
        await controller.stop()


def _put_on(controller: Controller, fault: "FaultSpec") -> None:
    try:
        controller.command("faults/add", fault.dump())
    except NodeError as exc:
        raise ConfigError(f"fault {fault.text!r}", 0, str(exc)) from exc


def resolve(host: str) -> str:
    """The IPv4 address of an interface named or numbered by `host`, "" for every interface. Raises `ConfigError`."""
    if host in ("", "0.0.0.0"):
        return ""
    if is_ipv4(host):
        return host
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
    except OSError as exc:
        raise ConfigError(f"address {host!r}", 0, f"no IPv4 address of this machine is called so ({exc})") from exc


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _show(line: str) -> None:
    """Prints at once; a reader that went away (`| head`) ends the printing and not the controller."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
