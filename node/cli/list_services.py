"""`python -m node list-services`: what a device offers, or all that a broadcast reaches, and who they are."""

import argparse
from collections.abc import Sequence

from node.cli.command_line import Parser
from node.cli.device import (
    Output,
    add_device_options,
    add_transport_options,
    client_keywords,
    json_line,
    list_replies,
    run_asking,
)
from node.client.client import Client
from node.client.replies import format_tree
from node.enip.header import LIST_IDENTITY, LIST_INTERFACES, LIST_SERVICES

PROGRAM = "python -m node list-services"


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "List services of EtherNet/IP devices, and who they are.")
    add = made.add_argument
    add_device_options(made, "A reply a line")
    add_transport_options(made)
    add("-i", "--list-identity", "--identity", action="store_true", help="Ask who they are, too.")
    add("-I", "--list-interfaces", "--interfaces", action="store_true", help="Ask for other interfaces, too.")
    return made


def list_services(arguments: argparse.Namespace) -> None:
    """Does what was typed: shows each reply whole. Raises `ConfigError`, and `NodeError` when one does not come."""
    keywords = client_keywords(arguments)
    output = Output(arguments, PROGRAM)
    commands = [LIST_SERVICES]
    commands += [LIST_IDENTITY] if arguments.list_identity else []
    commands += [LIST_INTERFACES] if arguments.list_interfaces else []
    with Client(**keywords) as client:
        output.note(f"asking {client.host}:{client.port}")
        for reply in list_replies(client, commands):
            output.show(json_line(dict(reply.items())) if arguments.as_json else format_tree(reply))


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_asking(parser(program), list_services, arguments)
