"""What the commands that people type do alike: options, help, and how faults are told (`node.cli.outcome`)."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from node.cli.outcome import FAILED, INTERRUPTED, USAGE, complain, version_line
from node.errors import ConfigError, NodeError

NARROW, WIDE = 60, 96
"""Columns of a help text."""


class UsageError(Exception):
    """A command line that the parser does not take."""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal. Python's own way to learn that imports four compression libraries, with every option."""

    def __init__(self, prog: str) -> None:
        try:
            columns = os.get_terminal_size().columns
        except OSError:
            columns = 0
        super().__init__(prog, width=min(max(columns - 2, NARROW), WIDE) if columns else WIDE)


class Parser(argparse.ArgumentParser):
    """A parser whose faults are `UsageError`s, and whose options are never abbreviated: a script goes on working when
    there are new ones. `teach` gives what `--help` says at its end; it is called for that alone."""

    def __init__(self, program: str, description: str, teach: Callable[[], str] | None = None) -> None:
        super().__init__(
            prog=program,
            description=description,
            formatter_class=_Formatter,
            allow_abbrev=False,
        )
        self._teach = teach
        self.add_argument("--version", action=_ShowVersion, nargs=0, help="Say which version this is, and end.")

    def error(self, message: str) -> NoReturn:
        """Raises `UsageError`."""
        raise UsageError(message)

    def format_help(self) -> str:
        """The help text with what is taught."""
        if self._teach is not None:
            self.epilog = self._teach()
        return super().format_help()


class _ShowVersion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(version_line())
        parser.exit()


def add_serving_options(parser: Parser, port: int, what: str, more_delays: str = "") -> None:
    """The options of every lone simulator: `what` its accesses are to, `port` where it listens by default,
    `more_delays` what else a delay may be."""
    parser.add_argument(
        "-a", "--address", metavar="[INTERFACE][:PORT]", default=f":{port}", help=f"Listen there; :{port} by default."
    )
    add_log_options(parser, what)
    parser.add_argument(
        "-d",
        "--delay",
        metavar="#.#[-#.#]",
        default="",
        help=f"Seconds that each reply waits: one figure, or a range it is drawn from{more_delays}. None by default.",
    )


def add_log_options(parser: Parser, what: str) -> None:
    """The options that say how much is told, and where."""
    parser.add_argument("-v", "--verbose", action="count", default=0, help="Say more; twice for everything.")
    parser.add_argument("-l", "--log", metavar="FILE", help="Log there, 10 MB and 5 copies, and not to stderr.")
    parser.add_argument(
        "-p", "--print", action="store_true", dest="printing", help=f"Show every access to {what} on stdout."
    )


def run_command(
    parser: Parser, action: Callable[[argparse.Namespace], None], arguments: Sequence[str] | None = None
) -> int:
    """Parses `arguments` (those of this process by default) and has `action` do it; the exit code. A `ConfigError` is
    the fault of what was typed, any other `NodeError` a failure."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    try:
        action(parser.parse_intermixed_args(args))
    except UsageError as exc:
        return complain(parser.prog, f"{exc} (--help says more)", USAGE)
    except ConfigError as exc:
        for line in exc.lines:
            complain(parser.prog, line, USAGE)
        return USAGE
    except (NodeError, OSError) as exc:
        return complain(parser.prog, str(exc), FAILED)
    except KeyboardInterrupt:
        return complain(parser.prog, "interrupted", INTERRUPTED)
    except SystemExit as exc:  # --help and --version
        return int(exc.code or 0)
    return 0
