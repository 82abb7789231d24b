"""What the commands that ask an EtherNet/IP device do alike: whom they ask and how, and where they show the answers."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from io import TextIOWrapper
from time import localtime, strftime, time
from typing import Any

from node.cip.path_text import parse_route
from node.cip.services import UNCONNECTED_SEND
from node.cip.status import PATH_DESTINATION_UNKNOWN, CipError, describe
from node.cli.column import located
from node.cli.command_line import Parser, run_command
from node.client.client import Client
from node.client.discovery import responses
from node.client.dotted import dotdict
from node.client.failure import ConnectionLost, Refused, TimedOut
from node.client.forward_open import unroutable
from node.client.operations import Operation, OperationError, parse_operation
from node.client.paths import encode_send_path
from node.config.address import parse_address
from node.enip.header import COMMANDS, PORT, describe_status
from node.errors import ConfigError, NodeError

LOOPBACK, EVERYBODY = "127.0.0.1", "255.255.255.255"
TIMEOUT = 5.0
MAX_LABEL = 64
"""Characters that a part of a name has fewer than."""

LONGEST = 1e6
"""Seconds that a time-out may be."""


UNROUTED = "a device that routes nothing is asked with --simple (-S)"
"""What helps when it does not know Unconnected Send."""


def add_device_options(parser: Parser, json_is: str = "") -> None:
    """The options of every such command: whom, and for how long. `json_is` is what `--json` prints, if there is one."""
    add = parser.add_argument
    add("-a", "--address", metavar="[HOST][:PORT]", default="", help=f"The device; {LOOPBACK}:{PORT} by default.")
    add("-t", "--timeout", metavar="SECONDS", type=float, default=TIMEOUT, help="For an answer; 5 by default.")
    add("-v", "--verbose", action="count", default=0, help="Say more; twice for everything.")
    add("-l", "--log", metavar="FILE", help="Log there, results too, 10 MB and 5 copies.")
    if json_is:
        add("--json", action="store_true", dest="as_json", help=f"{json_is}.")


def add_routing_options(parser: Parser) -> None:
    """How messages get to the device."""
    add = parser.add_argument
    add(
        "--route-path",
        metavar="JSON",
        help='The way on from there, the backplane\'s slot 0 by default: \'[{"link": 0, "port": 1}]\'. false is none.',
    )
    add(
        "--send-path",
        metavar="PATH",
        help="The object that Unconnected Send goes to; @6/1 by default. '' does without Unconnected Send.",
    )
    add("-S", "--simple", action="store_true", help="A device that routes nothing: --send-path='' --route-path=false.")


def add_transport_options(parser: Parser) -> None:
    """UDP and broadcasts."""
    parser.add_argument("-u", "--udp", action="store_true", help="Over UDP.")
    parser.add_argument(
        "-b",
        "--broadcast",
        action="store_true",
        help=f"Take answers of all who send one, until the time is over. Means --udp; to {EVERYBODY} by default.",
    )


def add_bundling_options(parser: Parser) -> None:
    """How many requests are under way, in how many packets."""
    add = parser.add_argument
    add("-d", "--depth", metavar="N", type=int, default=0, help="Requests under way at once; 0 by default: one by one.")
    add(
        "-m",
        "--multiple",
        metavar="BYTES",
        type=int,
        default=0,
        help="Put requests together in Multiple Service Packets of so many bytes; 0 by default: none.",
    )
    add("-r", "--repeat", metavar="N", type=int, default=1, help="Do all of it so many times; 1 by default.")


def host_and_port(arguments: argparse.Namespace) -> tuple[str, int]:
    """Whom to ask. Raises `ConfigError`."""
    host, port = parse_address(arguments.address, PORT)
    if not port:
        raise ConfigError(f"address {arguments.address!r}", 0, "no device is at port 0; wanted 1 to 65535")
    if not _nameable(host):
        raise ConfigError(f"address {arguments.address!r}", 0, f"{host!r} cannot be a host's name")
    return host or (EVERYBODY if getattr(arguments, "broadcast", False) else LOOPBACK), port


def _nameable(host: str) -> bool:
    """Whether it can be looked up, which would say nothing to a person. What is in ASCII does without IDNA and its
    import."""
    if host.isascii():
        return all(0 < len(label) < MAX_LABEL for label in host.removesuffix(".").split(".")) or not host
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def client_keywords(arguments: argparse.Namespace) -> dict[str, Any]:
    """The keywords of a `node.client.Client` that were typed. Raises `ConfigError` for what cannot be."""
    if not 0 < arguments.timeout <= LONGEST:
        raise ConfigError("--timeout", 0, f"{arguments.timeout:g}; wanted seconds, more than 0")
    for name in ("depth", "multiple"):
        if getattr(arguments, name, 0) < 0:
            raise ConfigError(f"--{name}", 0, f"{getattr(arguments, name)}; wanted 0 or more")
    if getattr(arguments, "repeat", 1) < 1:
        raise ConfigError("--repeat", 0, f"{arguments.repeat}; wanted 1 or more")
    host, port = host_and_port(arguments)
    found: dict[str, Any] = {"host": host, "port": port, "timeout": arguments.timeout}
    if hasattr(arguments, "broadcast"):
        found |= {"udp": arguments.udp or arguments.broadcast, "broadcast": arguments.broadcast}
    if hasattr(arguments, "simple"):
        found |= _routing(arguments)
    return found


def _routing(arguments: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"simple": arguments.simple}
    if arguments.route_path is not None:
        found["route_path"] = _route(arguments.route_path) or False
    if arguments.send_path is not None:
        _told("--send-path", lambda: encode_send_path(arguments.send_path))
        found["send_path"] = arguments.send_path or False
    if arguments.simple and (found.get("route_path") or found.get("send_path")):
        raise ConfigError("--simple", 0, "nothing is routed to it; leave --route-path and --send-path out")
    if found.get("send_path") is False and found.get("route_path"):
        raise ConfigError("--route-path", 0, "without a send path nothing is routed; leave one of the two out")
    return found


def _route(text: str) -> Any:
    try:
        return parse_route(text)
    except NodeError as exc:
        raise ConfigError("--route-path", 0, located(str(exc), "route", text)) from exc


def _told(option: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except NodeError as exc:
        raise ConfigError(option, 0, str(exc)) from exc


def read_operations(texts: Iterable[str]) -> list[Operation]:
    """What was typed. Raises `ConfigError`: nothing is sent when one of them is wrong."""
    try:
        return [parse_operation(text) for text in texts]
    except OperationError as exc:
        raise ConfigError(f"{exc.text!r}, column {exc.column}", 0, exc.problem) from exc


class Output:
    """Where a command shows what it found: on stdout, each line at once, or in the log that was named, which is opened
    here, and on stdout too if `printing`. Raises `NodeError` when the log cannot be written."""

    def __init__(self, arguments: argparse.Namespace, program: str, printing: bool = False) -> None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)
        self._printing = printing or not arguments.log
        self._log: Callable[[str], None] | None = None
        self._verbose = arguments.verbose
        if arguments.verbose or arguments.log:
            import_module("node.cli.log").set_up_log(arguments.verbose, arguments.log)
        if arguments.log:
            self._log = import_module("logging").getLogger(program).warning

    def show(self, line: str) -> None:
        """A line of what was found."""
        if self._log is not None:
            self._log(line.strip())
        if self._printing:
            print(line)

    def remark(self, line: str) -> None:
        """A line about how it went, on stderr where there is no log."""
        if self._log is not None:
            self._log(line)
        else:
            print(line, file=sys.stderr)

    def note(self, line: str) -> None:
        """A line for those who want more."""
        if self._verbose:
            import_module("logging").getLogger(__name__).info(line)

    def narrate(self, idx: int, dsc: str, rpy: dotdict) -> None:
        """A result for those who want more, with its reply for those who want everything."""
        if self._verbose:
            self.note(f"{idx}: {dsc}")
            if self._verbose > 1:
                import_module("logging").getLogger(__name__).debug("%d: %s", idx, json_line(dict(rpy.items())))


def list_replies(client: Client, commands: Sequence[int]) -> Iterator[dotdict]:
    """Asks `commands` of the encapsulation at once; what is answered, of a broadcast until the time is over.

    Raises `TimedOut` or `ConnectionLost` when nobody answers, or the one that was asked not to all, and `Refused` when
    that one says no.
    """
    for command in commands:
        client.legacy(command)
    missing, refused = list(commands), ""
    heard = False
    for reply in responses(client, most=None if client.broadcast else len(commands)):
        yield reply
        heard = True
        command = reply["enip.command"]
        if command in missing:
            missing.remove(command)
        if status := reply["enip.status"]:
            refused = f"{COMMANDS.get(command, f'0x{command:04x}')} got {describe_status(status)}"
    if client.broadcast and heard:
        return
    if missing:
        which = ", ".join(COMMANDS.get(command, f"0x{command:04x}") for command in missing)
        if client.closed:
            raise ConnectionLost(client.host, client.port, f"connection closed before it answered {which}")
        raise TimedOut(client.host, client.port, f"no answer to {which} within {client.timeout:g} s")
    if refused:
        raise Refused(client.host, client.port, refused)


def says_unrouted(arguments: argparse.Namespace, rpy: dotdict, sts: int | tuple[int, tuple[int, ...]]) -> bool:
    """Whether a result is that of a device which does not know the Unconnected Send that it was sent."""
    status, extended = sts if isinstance(sts, tuple) else (sts, ())
    if not status or arguments.simple or arguments.send_path == "":
        return False
    if rpy.get("service", 0) & 0x7F != UNCONNECTED_SEND or status == PATH_DESTINATION_UNKNOWN:
        return False  # which Read Tag Fragmented has for a tag that there is not, and the same code
    return unroutable(CipError(status, extended))


def status_words(status: int | tuple[int, tuple[int, ...]]) -> str:
    """A status, perhaps with its extended words, for people."""
    return describe(*status) if isinstance(status, tuple) else describe(status)


def now_text() -> str:
    """The time, as `2015-04-21 14:51:14.633`."""
    now = time()
    return f"{strftime('%Y-%m-%d %H:%M:%S', localtime(now))}.{int(now * 1000) % 1000:03d}"


def json_line(found: object) -> str:
    """A value in one line; bytes are lists of numbers."""
    return json.dumps(found, default=lambda value: list(value) if isinstance(value, bytes) else str(value))


def run_asking(
    parser: Parser, action: Callable[[argparse.Namespace], None], arguments: Sequence[str] | None = None
) -> int:
    """`run_command`, for a command whose output may go to somebody who stops reading (`| head`): it ends then."""

    def act(args: argparse.Namespace) -> None:
        try:
            action(args)
        except BrokenPipeError:
            sys.stdout = None  # so that Python does not flush it at its end

    return run_command(parser, act, arguments)
