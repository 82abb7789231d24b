"""`enip_client SCADA[1]=99 SCADA[0-10]`: reads and writes tags and attributes of a device, and asks who is there."""

import argparse
from collections.abc import Iterator, Sequence
from time import perf_counter

from node.cip.status import SUCCESS
from node.cli.command_line import Parser
from node.cli.device import (
    UNROUTED,
    Output,
    add_device_options,
    add_routing_options,
    add_transport_options,
    client_keywords,
    list_replies,
    read_operations,
    run_asking,
    says_unrouted,
    status_words,
)
from node.client.client import Client
from node.client.connector import Connector, Result
from node.client.operations import READ, WRITE, Operation
from node.client.replies import COMMAND_NAMES, format_tree
from node.client.tasks import SHORT as SERVICES
from node.enip.header import (
    LEGACY_LIST,
    LIST_IDENTITY,
    LIST_INTERFACES,
    LIST_SERVICES,
    describe_status,
)
from node.errors import ConfigError, NodeError

PROGRAM = "enip_client"

TITLES = {
    LIST_SERVICES: "List Services",
    LIST_IDENTITY: "List Identity",
    LIST_INTERFACES: "List Interfaces",
    LEGACY_LIST: f"Legacy 0x{LEGACY_LIST:04x}",
}
"""What an answer to a command is headed, in the order they are asked in."""

KINDS = {(READ, False): "ReadTag", (READ, True): "ReadFrg", (WRITE, False): "WriteTag", (WRITE, True): "WriteFrg"}
"""What the average is of, by method and whether fragmented."""

WIDTH = 24

LESSON = """\
examples:
  enip_client SCADA[1]=99 SCADA[0-10] 'TEXT[1]=(SSTRING)"Hello, world!"' TEXT[0-3]
      writes and reads tags of the controller on this machine
  enip_client -a 10.0.0.7 --route-path '[{"link": 3, "port": 1}]' Level 'Tag[4-6]=(DINT)1,2,3'
      of the controller in slot 3 behind 10.0.0.7
  enip_client -a 10.0.0.8 -S @0x93/1/10
      a device that routes nothing
  enip_client -u -b -i -a 10.0.0.255
      who is there

operations:
  TAG  TAG[3]  TAG[0-9]  TAG[2]*4  TAG[1,2]  Program:Main.Pump[2].Speed       reads
  TAG=1  TAG[0-2]=1,2,3  TAG[0-2]=(DINT)1,2,3  TAG[0-9]+16=(DINT)4,5,6,7,8,9  writes
  @CLASS/INSTANCE/ATTRIBUTE[/ELEMENT]  @4/5/{"connection":100}                numbers: 26, 0x1A, 0o32, 0b11010
      Values are INT, with a point in one of them REAL, in quotes SSTRING; (TYPE) says otherwise.

exit codes:
  0 all done   1 something could not be done   2 the command line is wrong"""


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "Read and write tags of an EtherNet/IP device, and ask who is there.", lambda: LESSON)
    add = made.add_argument
    add("tags", nargs="*", metavar="TAG[FIRST-LAST][=VALUE,...]", help="What to read and write, in this order.")
    add_device_options(made)
    add_transport_options(made)
    add("-i", "--list-identity", action="store_true", help="Ask who it is.")
    add("-s", "--list-services", action="store_true", help="Ask what it offers.")
    add("-I", "--list-interfaces", action="store_true", help="Ask for interfaces beside EtherNet/IP.")
    add("-L", "--legacy", metavar="COMMAND", help="Send a command of old; 0x0001 asks for its address.")
    add("-r", "--repeat", metavar="N", type=int, default=1, help="Do all of it so many times; 1 by default.")
    add("-d", "--depth", metavar="N", type=int, default=0, help="Requests under way at once; 0 by default: one by one.")
    add_routing_options(made)
    add("-p", "--print", action="store_true", dest="printing", help="Show results on stdout even with --log.")
    add("-m", "--multiple", action="store_true", help="Put requests together in Multiple Service Packets.")
    add("-n", "--no-fragment", action="store_true", help="Read Tag and Write Tag, and not the fragmented ones.")
    return made


def ask(arguments: argparse.Namespace) -> None:
    """Does what was typed. Raises `ConfigError`, and `NodeError` when some of it cannot be done."""
    keywords = client_keywords(arguments)
    operations = read_operations(arguments.tags)
    commands = _commands(arguments)
    if not operations and not commands:
        raise ConfigError("tags", 0, "none; give one or more, as SCADA[0-9], or one of -i, -s, -I and -L")
    if operations and arguments.broadcast:
        raise ConfigError("--broadcast", 0, f"{arguments.tags[0]} is not for everybody; leave one of the two out")
    output = Output(arguments, PROGRAM, arguments.printing)
    with Connector(connected=False, **keywords) if operations else Client(**keywords) as client:
        output.note(f"asking {client.host}:{client.port}")
        for turn in range(arguments.repeat if commands else 0):
            show_lists(client, commands, turn, output)
        if isinstance(client, Connector):
            carry_out(client, operations, arguments, output)


def _commands(arguments: argparse.Namespace) -> list[int]:
    asked = {
        LIST_SERVICES: arguments.list_services,
        LIST_IDENTITY: arguments.list_identity,
        LIST_INTERFACES: arguments.list_interfaces,
        LEGACY_LIST: arguments.legacy is not None,
    }
    if arguments.legacy is not None:
        try:
            known = int(arguments.legacy, 0) == LEGACY_LIST
        except ValueError:
            known = False
        if not known:
            raise ConfigError("--legacy", 0, f"{arguments.legacy!r} is not known; wanted 0x{LEGACY_LIST:04x}")
    return [command for command, wanted in asked.items() if wanted]


def show_lists(client: Client, commands: Sequence[int], turn: int, output: Output) -> None:
    """Asks `commands` at once and shows what is answered, a tree a reply."""
    for reply in list_replies(client, commands):
        command = reply["enip.command"]
        title = f"{TITLES.get(command, f'0x{command:04x}')} {turn} from {reply['peer']!r}"
        if status := reply["enip.status"]:
            output.show(f"{title}: {describe_status(status)}")
            continue
        body = reply.get(f"enip.CIP.{COMMAND_NAMES.get(command, 'legacy')}.CPF")
        output.show(f"{title}: {format_tree(body or {'count': 0})}")


def carry_out(client: Connector, operations: list[Operation], arguments: argparse.Namespace, output: Output) -> None:
    """Does the operations as often as was asked, shows a line each and how long they took. Raises `NodeError` when some
    failed."""
    fragment = not arguments.no_fragment
    repeated = (operation for _ in range(arguments.repeat) for operation in operations)
    done = failed = 0
    begun = perf_counter()
    results: Iterator[Result] = client.operate(
        repeated, fragment=fragment, multiple=arguments.multiple, depth=arguments.depth
    )
    unrouted = False
    for idx, dsc, _, rpy, sts, val in results:
        operation = operations[done % len(operations)]
        done += 1
        failed += sts != SUCCESS
        unrouted = unrouted or says_unrouted(arguments, rpy, sts)
        output.narrate(idx, dsc, rpy)
        output.show(result_line(operation, dsc, sts, val))
    seconds = perf_counter() - begun
    kinds = [KINDS[operation["method"], fragment or "offset" in operation] for operation in operations]
    summary = f"Client {', '.join(dict.fromkeys(kinds))}. Average {done / seconds:.3f} TPS ({seconds / done:6.3f}s ea)."
    output.remark(summary)
    if unrouted:
        output.remark(UNROUTED)
    if failed:
        raise NodeError(f"{failed} of {done} operations failed")


def result_line(operation: Operation, dsc: str, sts: int | tuple[int, tuple[int, ...]], val: object) -> str:
    """`SCADA[0-2] <= [1, 2, 3]: 'OK'` of what was written, `==` of what was read; None and the status of a fault."""
    writes = "data" in operation
    if writes and val is True:
        val = list(operation["data"])
    status = "OK" if sts == SUCCESS else status_words(sts)
    return f"{described(dsc):>{WIDTH}} {'<=' if writes else '=='} {val!r}: {status!r}"


def described(dsc: str) -> str:
    """What a description is of, without how it was asked."""
    what = dsc.partition(" ")[2]
    for service in SERVICES.values():
        what = what.removeprefix(service)
    return what


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_asking(parser(program), ask, arguments)
