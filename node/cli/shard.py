"""`python -m node shard FILE [CONTROL]`: the nodes of a shard file, in a process that no nursery forked.

This is what runs in a container, for a farm or, without CONTROL, for whatever else started the container. The token
that the farm knows it by comes in the environment, where no list of processes shows it. Programs type this and hardly
a person, so it is read without argparse, which each container would import anew.
"""

import gc
import logging
import os
from collections.abc import Sequence
from itertools import takewhile

from node import shard
from node.cli.outcome import FAILED, USAGE, complain
from node.control.messages import INSTANCE_VARIABLE, read_file

PROGRAM = "python -m node shard"
TOKEN_VARIABLE = "FARM_TOKEN"
OPTIONS = ("--log", "--doorway", "--token")
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
HELP = f"""\
usage: {{program}} FILE [CONTROL] [--log FILE] [--doorway PATH] [--token FILE]

Serve the nodes of a shard file, for a farm or on their own; the farm's token is in {TOKEN_VARIABLE}.

  FILE        the shard file, as the farm or `farm render` wrote it
  CONTROL     the farm's control socket, or tcp://HOST:PORT of a relay that leads to it; nobody is told without it
  --log FILE  log to this file too, at its end
  --token FILE  the token is in this file, and not in the environment
  --doorway PATH  where sockets of the machine are had that the nodes are to serve as well"""


def main(arguments: Sequence[str], program: str = PROGRAM) -> int:
    """The command. Serves until SIGTERM and then ends the process, with 1 when no node could be served, which the log
    says more about; returns an exit code only where it could not begin."""
    words = list(arguments)
    if "--help" in words or "-h" in words:
        print(HELP.format(program=program))
        return 0
    places = list(takewhile(lambda word: not word.startswith("-"), words))
    rest = words[len(places) :]
    names, values = rest[::2], rest[1::2]
    wrong = {*names} - {*OPTIONS} or len(names) != len(values) or any(value[:1] == "-" for value in values)
    if wrong or len(places) not in (1, 2):
        shown = " ".join(words) or "nothing"
        wanted = "FILE [CONTROL] [--log FILE] [--doorway PATH] [--token FILE]"
        return complain(program, f"wanted {wanted}, got {shown} (--help says more)", USAGE)
    options = dict(zip(names, values, strict=True))
    log, doorway, token_file = (options.get(name, "") for name in OPTIONS)
    token = os.environ.get(TOKEN_VARIABLE, "")
    if token_file:
        try:
            token = read_file(token_file).decode(errors="replace").strip()
        except OSError as exc:
            return complain(program, f"{token_file}: {exc.strerror}", FAILED)
    file, control = (*places, "")[:2]
    return _serve(file, control, log, doorway, token, program)


def _serve(file: str, control: str, log: str, doorway: str, token: str, program: str) -> int:
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
        instance = os.environ.get(INSTANCE_VARIABLE, "")
        code = shard.run(file, control, token, instance=instance, doorway_path=doorway)
    except Exception:
        logging.exception("a bug in the shard")
    logging.shutdown()
    os._exit(code)  # as one that was forked does: what its loop still holds needs no tidying
