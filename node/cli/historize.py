"""`python -m node historize some_file.hst SCADA=INT[1000]`: a lone EtherNet/IP controller that records every access to
its tags before it answers."""

import argparse
from collections.abc import Sequence

from node.cli import enip
from node.cli.command_line import Parser, UsageError, run_command
from node.config.byte_size import parse_size
from node.config.tagspec import parse_tag
from node.errors import ConfigError, NodeError
from node.exchange.recorder import Recorder
from node.history.history_files import COMPRESSIONS, HistoryError
from node.history.writer import HistoryWriter

PROGRAM = "python -m node historize"


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed behind the name of the file, which is always the first argument."""
    made = enip.parser(program)
    made.usage = f"{program} FILE [OPTION]... [TAG=TYPE[LENGTH]]..."
    made.description = (
        "Serve tags as enip_server does, and append every read, write and refusal of one to FILE before it is answered."
    )
    made.add_argument("--rotate", metavar="BYTES", help="Begin a new file after so many, as 10MB; FILE.0 is the last.")
    made.add_argument("--keep", metavar="N", type=int, help="Keep so many old files; all by default.")
    made.add_argument("--compress", metavar="|".join(COMPRESSIONS), default="", help="Compress old files.")
    return made


def record_tags(path: str, arguments: argparse.Namespace) -> None:
    """Serves and records until it is told to end. Raises `ConfigError`, and `NodeError` when it cannot be done."""
    rotate = None if arguments.rotate is None else parse_size(arguments.rotate, "--rotate")
    try:
        writer = HistoryWriter(path, rotate_bytes=rotate, keep=arguments.keep, compress=arguments.compress)
    except HistoryError as exc:
        raise ConfigError("history", 0, str(exc)) from exc
    names = [parse_tag(text).name for text in arguments.tags]

    def begin(_: object) -> None:
        for name in names:
            writer.comment(f"Started recording Tag: {name}")
        if writer.problem:
            raise NodeError(f"{path}: the history cannot be written: {writer.problem}")

    recorder = Recorder(lambda exchange, serial, data: writer.write(data, serial=serial))
    with writer:
        enip.serve_tags(arguments, started=begin, recorder=recorder)


def main(arguments: Sequence[str], program: str = PROGRAM) -> int:
    """The command; its exit code."""
    first, rest = (arguments[0], arguments[1:]) if arguments else ("", ())
    if first.startswith("-"):  # --help and --version
        first, rest = "", [first, *rest]

    def act(typed: argparse.Namespace) -> None:
        if not first:
            raise UsageError("the first argument is the file to record into, as some_file.hst")
        record_tags(first, typed)

    return run_command(parser(program), act, rest)
