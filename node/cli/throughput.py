"""`python -m node throughput Volume Temperature --repeat 25 --depth 20`: operations in a second."""

import argparse
from collections.abc import Sequence
from time import perf_counter

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
)
from node.client.connector import Connector
from node.errors import NodeError

PROGRAM = "python -m node throughput"


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "Measure how many operations an EtherNet/IP device does in a second.")
    made.add_argument("tags", nargs="+", metavar="TAG[=VALUE,...]", help="What to read and write.")
    add_device_options(
        made, "One object, {operations, failed, requests, seconds, depth, multiple, tps}, and not each value"
    )
    add_bundling_options(made)
    add_routing_options(made)
    return made


def measure(arguments: argparse.Namespace) -> None:
    """Does what was typed, shows each value and then the figures. Raises `ConfigError`, and `NodeError` when some of it
    cannot be done."""
    keywords = client_keywords(arguments)
    operations = read_operations(arguments.tags)
    output = Output(arguments, PROGRAM)
    done = failed = 0
    unrouted = False
    last = -1
    with Connector(connected=False, **keywords) as client:
        repeated = (operation for _ in range(arguments.repeat) for operation in operations)
        begun = perf_counter()
        for idx, dsc, _, rpy, sts, val in client.operate(repeated, depth=arguments.depth, multiple=arguments.multiple):
            done += 1
            failed += sts != SUCCESS
            unrouted = unrouted or says_unrouted(arguments, rpy, sts)
            last = max(last, idx)
            output.narrate(idx, dsc, rpy)
            if not arguments.as_json:
                output.show(f"{now_text()}: {idx:3d}: {val!r}")
        seconds = perf_counter() - begun
    requests, tps, depth = last + 1, done / seconds, arguments.depth
    if arguments.as_json:
        found = {"operations": done, "failed": failed, "requests": requests, "seconds": round(seconds, 6)}
        output.show(json_line(found | {"depth": depth, "multiple": arguments.multiple, "tps": round(tps, 1)}))
    else:
        took = f"{done:3d} operations using {requests:3d} requests in {seconds:7.2f}s"
        output.show(f"{took} at pipeline depth {depth:2d}; {tps:5.1f} TPS")
    if unrouted:
        output.remark(UNROUTED)
    if failed:
        raise NodeError(f"{failed} of {done} operations failed")


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_asking(parser(program), measure, arguments)
