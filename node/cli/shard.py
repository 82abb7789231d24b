"""`python -m node shard FILE [CONTROL]`: the nodes of a shard file, in a process that no nursery forked.

This is what runs in a container, for a farm or, without CONTROL, for whatever else started the container. The token
that the farm knows it by comes in the environment, where no list of processes shows it. Programs type this and hardly
a person, so it is read without argparse, which each container would import anew.
"""

import gc
import logging
import os
from collections.abc import Sequence

from node import shard
from node.cli.outcome import FAILED, USAGE, complain
from node.control.messages import INSTANCE_VARIABLE

PROGRAM = "python -m node shard"
TOKEN_VARIABLE = "FARM_TOKEN"
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
HELP = f"""\
usage: {{program}} FILE [CONTROL] [--log FILE]

Serve the nodes of a shard file, for a farm or on their own; the farm's token is in {TOKEN_VARIABLE}.

  FILE        the shard file, as the farm or `farm render` wrote it
  CONTROL     the farm's control socket, or tcp://HOST:PORT of a relay that leads to it; nobody is told without it
  --log FILE  log to this file too, at its end"""


def main(arguments: Sequence[str], program: str = PROGRAM) -> int:
    """The command. Serves until SIGTERM and then ends the process, with 1 when no node could be served, which the log
    says more about; returns an exit code only where it could not begin."""
    match list(arguments):
        case [file] if not _is_option(file):
            return _serve(file, "", "", program)
        case [file, control] if not _is_option(file, control):
            return _serve(file, control, "", program)
        case [file, "--log", log] if not _is_option(file, log):
            return _serve(file, "", log, program)
        case [file, control, "--log", log] if not _is_option(file, control, log):
            return _serve(file, control, log, program)
        case [*words] if "--help" in words or "-h" in words:
            print(HELP.format(program=program))
            return 0
    shown = " ".join(arguments) or "nothing"
    return complain(program, f"wanted FILE [CONTROL] [--log FILE], got {shown} (--help says more)", USAGE)


def _is_option(*words: str) -> bool:
    return any(word.startswith("-") for word in words)


def _serve(file: str, control: str, log: str, program: str) -> int:
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if log:
        try:
            handlers.append(logging.FileHandler(log))
        except OSError as exc:
            return complain(program, f"{log}: {exc.strerror}", FAILED)
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=handlers)
    gc.freeze()
    gc.enable()
    code = 1
    try:
        shard.set_up()
        token, instance = os.environ.get(TOKEN_VARIABLE, ""), os.environ.get(INSTANCE_VARIABLE, "")
        code = shard.run(file, control, token, instance=instance)
    except Exception:
        logging.exception("a bug in the shard")
    logging.shutdown()
    os._exit(code)  # as one that was forked does: what its loop still holds needs no tidying
