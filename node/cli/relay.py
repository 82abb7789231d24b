"""`python -m node relay FILE`: takes shards to their farm, and clients to their nodes, across the edge of an overlay.

This is what a farm has one container of a swarm do; a person hardly ever types it.
"""

import asyncio
import gc
import logging
from collections.abc import Sequence

from node.cli.outcome import FAILED, USAGE, complain
from node.errors import ConfigError, NodeError
from node.relay.attach import attach
from node.relay.relay import run
from node.relay.table import endpoint
from node.server.descriptors import raise_descriptor_limit

PROGRAM = "python -m node relay"
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
HELP = """\
usage: {program} FILE [--log FILE]
       {program} --attach ADDRESS:PORT

Carry shards' connections to a farm, and clients' to nodes, as a file says; SIGHUP reads it again.

  FILE              the relay's file, as the farm wrote it
  --log FILE        log to this file too, at its end
  --attach ADDRESS:PORT  be the pipe between a farm and the relay that listens there, on standard input and output"""


def main(arguments: Sequence[str], program: str = PROGRAM) -> int:
    """The command; its exit code."""
    match list(arguments):
        case [file] if not file.startswith("-"):
            return _serve(file, "", program)
        case [file, "--log", log] if not file.startswith("-"):
            return _serve(file, log, program)
        case ["--attach", where] if not where.startswith("-"):
            return _attach(where, program)
        case [*words] if "--help" in words or "-h" in words:
            print(HELP.format(program=program))
            return 0
    shown = " ".join(arguments) or "nothing"
    return complain(program, f"wanted FILE [--log FILE], got {shown} (--help says more)", USAGE)


def _serve(file: str, log: str, program: str) -> int:
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if log:
        try:
            handlers.append(logging.FileHandler(log))
        except OSError as exc:
            return complain(program, f"{log}: {exc.strerror}", FAILED)
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=handlers)
    raise_descriptor_limit()
    gc.freeze()
    gc.enable()
    try:
        asyncio.run(run(file))
    except ConfigError as exc:
        return complain(program, str(exc), USAGE)
    except NodeError as exc:
        return complain(program, str(exc), FAILED)
    return 0


def _attach(where: str, program: str) -> int:
    try:
        found = endpoint("--attach", where)
    except ConfigError as exc:
        return complain(program, str(exc), USAGE)
    if found is None:
        return complain(program, "--attach: an address and a port is wanted, as 127.0.0.1:7701", USAGE)
    try:
        return attach(*found)
    except OSError as exc:
        return complain(program, f"no relay at {where}: {exc.strerror or exc}", FAILED)
