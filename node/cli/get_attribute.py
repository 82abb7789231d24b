"""`python -m node get-attribute @1/1 @1/1/7`: attributes of objects, as the bytes they are."""

import argparse
from collections.abc import Iterable, Sequence

from node.cip.status import SUCCESS
from node.cli.command_line import Parser
from node.cli.device import (
    UNROUTED,
    Output,
    add_bundling_options,
    add_device_options,
    add_routing_options,
    client_keywords,
    json_line,
    now_text,
    read_operations,
    run_asking,
    says_unrouted,
    status_words,
)
from node.client.connector import Connector
from node.client.operations import Operation
from node.errors import ConfigError, NodeError

PROGRAM = "python -m node get-attribute"

METHODS = {"instance": "get_attributes_all", "attribute": "get_attribute_single"}
"""How what a path ends in is read."""


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "Read attributes of objects of an EtherNet/IP device, as raw bytes.")
    made.add_argument(
        "paths",
        nargs="+",
        metavar="@CLASS/INSTANCE[/ATTRIBUTE][=VALUE,...]",
        help="What to read: an attribute, or all of an instance; with values an attribute is set.",
    )
    add_device_options(made, "An object a line: {index, operation, path, status, error, value}")
    add_bundling_options(made)
    add_routing_options(made)
    return made


def attribute_operations(paths: Iterable[str]) -> list[Operation]:
    """What is to be done for each path. Raises `ConfigError` for one that is of no instance or attribute."""
    operations = read_operations(paths)
    for text, operation in zip(paths, operations, strict=True):
        end = next(reversed(operation["path"][-1]))
        if end not in METHODS or (operation["elements"] != 1 and "data" not in operation):
            raise ConfigError(text, 0, "no attribute; wanted @CLASS/INSTANCE or @CLASS/INSTANCE/ATTRIBUTE, as @1/1/7")
        operation["method"] = METHODS[end]
        if "data" in operation:
            if end != "attribute":
                raise ConfigError(text, 0, "an instance is not set as a whole; name an attribute, as @1/1/7")
            operation["method"] = "set_attribute_single"
    return operations


def get_attributes(arguments: argparse.Namespace) -> None:
    """Does what was typed. Raises `ConfigError`, and `NodeError` when some of it cannot be done."""
    keywords = client_keywords(arguments)
    operations = attribute_operations(arguments.paths)
    output = Output(arguments, PROGRAM)
    done = failed = 0
    unrouted = False
    with Connector(connected=False, **keywords) as client:
        repeated = (operation for _ in range(arguments.repeat) for operation in operations)
        for idx, dsc, _, rpy, sts, val in client.operate(repeated, depth=arguments.depth, multiple=arguments.multiple):
            operation = operations[done % len(operations)]
            done += 1
            failed += sts != SUCCESS
            unrouted = unrouted or says_unrouted(arguments, rpy, sts)
            output.narrate(idx, dsc, rpy)
            error = None if sts == SUCCESS else status_words(sts)
            if val is True:
                val = list(operation["data"])
            if arguments.as_json:
                found = {"index": idx, "operation": operation["method"], "path": dsc.rpartition(" ")[2]}
                output.show(json_line(found | {"status": sts, "error": error, "value": val}))
            else:
                sign = "<=" if "data" in operation else "=="
                output.show(f"{now_text()}: {idx}: {dsc} {sign} {val!r}{f': {error}' if error else ''}")
    if unrouted:
        output.remark(UNROUTED)
    if failed:
        raise NodeError(f"{failed} of {done} attributes failed")


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_asking(parser(program), get_attributes, arguments)
