"""`python -m node poll --device powerflex750 "Motor Velocity" "Output Current"`: reads parameters, tags and attributes
over and over."""

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from node.cli.command_line import Parser
from node.cli.device import (
    LONGEST,
    Output,
    add_device_options,
    add_routing_options,
    client_keywords,
    json_line,
    now_text,
    run_asking,
)
from node.client.drives import PowerFlex750
from node.client.poll import CYCLE, poll, polled
from node.client.proxy import Proxy, ProxySimple
from node.errors import ConfigError, LocalProtocolError, NodeError

PROGRAM = "python -m node poll"

DEVICES: dict[str, type[Proxy]] = {"controller": Proxy, "simple": ProxySimple, "powerflex750": PowerFlex750}
"""What knows the names of a device."""


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "Read parameters, tags and attributes of an EtherNet/IP device over and over.", lesson)
    add = made.add_argument
    add("names", nargs="+", metavar="NAME", help="A parameter's name, a tag as SCADA[0-9], or an attribute as @1/1/7.")
    add_device_options(made, "An object a value a line: {time, name, value}")
    add("-c", "--cycle", metavar="SECONDS", type=float, default=CYCLE, help="From one poll to the next; 1 by default.")
    add("--once", action="store_true", help="Read once and end.")
    add(
        "--device",
        metavar="KIND",
        default="controller",
        help=f"What it is, and so which names it has: {', '.join(DEVICES)}; controller by default.",
    )
    add_routing_options(made)
    return made


def lesson() -> str:
    """Which names there are."""
    lines = ["names, in either case:"]
    for kind, proxy in DEVICES.items():
        lines.append(f"  {kind}")
        lines += [f"    {name.replace('_', ' ')}" for name in proxy.PARAMETERS]
    return "\n".join(lines)


class Shown:
    """What is called with each value, and shows it; `done` once nobody reads it any more."""

    def __init__(self, output: Output, as_json: bool) -> None:
        self.done = False
        self._output = output
        self._as_json = as_json

    def __call__(self, name: Any, value: list[Any] | None) -> None:
        if self._as_json:
            when = datetime.now().astimezone().isoformat(timespec="milliseconds")
            line = json_line({"time": when, "name": name, "value": value})
        else:
            line = f"{now_text()}: {name:>16} == {value!r}"
        try:
            self._output.show(line)
        except BrokenPipeError:  # `poll` would take it for a bug, and go on
            self.done = True
            sys.stdout = None


def poll_device(arguments: argparse.Namespace) -> None:
    """Does what was typed. Raises `ConfigError`, and `NodeError` when it is done once and cannot be."""
    via = _proxy(arguments)
    if not 0 < arguments.cycle <= LONGEST:
        raise ConfigError("--cycle", 0, f"{arguments.cycle:g}; wanted seconds, more than 0")
    try:
        names = polled(via, arguments.names)
    except LocalProtocolError as exc:
        raise ConfigError("names", 0, str(exc)) from exc
    output = Output(arguments, PROGRAM)
    shown = Shown(output, arguments.as_json)
    if arguments.once:
        _read_once(via, names, shown)
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        poll(via=via, cycle=arguments.cycle, params=names, process=shown, failure=lambda exc: _remark(output, exc))
    except KeyboardInterrupt:
        pass  # which is how it ends
    finally:
        via.close_gateway()


def _remark(output: Output, exc: NodeError) -> None:
    output.remark(f"{now_text()}: {exc}")


def _proxy(arguments: argparse.Namespace) -> Proxy:
    kind = ProxySimple if arguments.simple and arguments.device == "controller" else DEVICES.get(arguments.device)
    if kind is None:
        raise ConfigError("--device", 0, f"{arguments.device!r} is not known; wanted {', '.join(DEVICES)}")
    arguments.simple = kind.simple
    keywords = client_keywords(arguments)
    del keywords["simple"]  # the kind says it
    return kind(**keywords)


def _read_once(via: Proxy, names: Sequence[Any], shown: Shown) -> None:
    missing = []
    with via:
        for name, value in zip(names, via.read(names), strict=True):
            shown(name, value)
            if value is None:
                missing.append(name)
    via.close_gateway()
    if missing:
        raise NodeError(f"{len(missing)} of {len(names)} cannot be read: {', '.join(missing[:8])}")


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_asking(parser(program), poll_device, arguments)
