"""`python -m node run FILE`: a node from its configuration file."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from node.cli.command_line import Parser, add_log_options, run_command
from node.cli.log import set_up_log
from node.cli.serve import serve
from node.cli.web import add_web_option, open_face
from node.config.load import load
from node.config.model import NodeConfig
from node.errors import ConfigError, NodeError

PROGRAM = "python -m node run"


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "Serve a node from its configuration file, until Ctrl-C.")
    made.add_argument("file", type=Path, metavar="FILE", help="A node's configuration in JSON.")
    made.add_argument("--allow-code", action="store_true", help="Let tags run the code that the file names.")
    add_log_options(made, "a tag")
    add_web_option(made)
    return made


def run_file(arguments: argparse.Namespace) -> None:
    """Does what was typed. Raises `ConfigError`, and `NodeError` when it cannot be done."""
    set_up_log(arguments.verbose, arguments.log)
    config = read_config(arguments.file)
    named = [tag for tag in config.tags if tag.code]
    if named and not arguments.allow_code:
        what = f"tag {named[0].name!r} runs code of its own, {named[0].code}"
        raise ConfigError(str(arguments.file), 0, f"{what}: read that code, then say --allow-code")
    serve(config, printing=arguments.printing, web=open_face(arguments.web, config.address))


def read_config(file: Path) -> NodeConfig:
    """The configuration in `file`. Raises `NodeError` when it cannot be read, `ConfigError` when it is wrong."""
    try:
        return load(json.loads(file.read_bytes()), str(file))
    except OSError as exc:
        raise NodeError(f"{file}: {exc.strerror}") from exc
    except ValueError as exc:
        raise ConfigError(str(file), getattr(exc, "lineno", 0), f"this is not JSON: {exc}") from exc


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_command(parser(program), run_file, arguments)
