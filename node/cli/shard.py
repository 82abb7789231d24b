"""`python -m node shard FILE CONTROL`: the nodes of a shard file for a farm, in a process that no nursery forked.

This is what runs in a container. The token that the farm knows it by comes in the environment, where no list of
processes shows it.
"""

import argparse
import gc
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from node import shard
from node.cli.command_line import Parser, run_command
from node.errors import NodeError

PROGRAM = "python -m node shard"
TOKEN_VARIABLE = "FARM_TOKEN"
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, f"Serve the nodes of a shard file for a farm; its token is in {TOKEN_VARIABLE}.")
    made.add_argument("file", type=Path, metavar="FILE", help="The shard file, as the farm wrote it.")
    made.add_argument("control", type=Path, metavar="CONTROL", help="The farm's control socket.")
    made.add_argument("--log", type=Path, metavar="FILE", help="Log to this file too, at its end.")
    return made


def run_shard(arguments: argparse.Namespace) -> None:
    """Does what was typed, until SIGTERM, and ends the process: with 1 when no node could be served, which the log
    says more about. Raises `NodeError` when there can be no log."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if arguments.log is not None:
        try:
            handlers.append(logging.FileHandler(arguments.log))
        except OSError as exc:
            raise NodeError(f"{arguments.log}: {exc.strerror}") from exc
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=handlers)
    gc.freeze()
    gc.enable()
    code = 1
    try:
        shard.set_up()
        code = shard.run(str(arguments.file), str(arguments.control), os.environ.get(TOKEN_VARIABLE, ""))
    except Exception:
        logging.exception("a bug in the shard")
    logging.shutdown()
    os._exit(code)  # as one that was forked does: what its loop still holds needs no tidying


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_command(parser(program), run_shard, arguments)
