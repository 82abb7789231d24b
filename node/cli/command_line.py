"""What every command of a node does alike: errors are one line on stderr, and the exit code says whose fault it was.

0  done, or ended by SIGINT or SIGTERM as asked
1  it could not be done: an address in use, a file that is not there
2  the command line is wrong
"""

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import typer

from node.errors import ConfigError, NodeError

FAILED = 1
USAGE = 2

_UsageError: type[typer.BadParameter] = next(k for k in typer.BadParameter.__mro__ if k.__name__ == "ClickException")
"""What typer raises for a wrong command line. By name, for newer typers bring their own click."""


def new_app(help: str) -> typer.Typer:
    """An app without completion and without decorated tracebacks: both cost more than the command itself."""
    return typer.Typer(
        help=help,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def run_app(app: typer.Typer, program: str, arguments: Sequence[str] | None = None) -> int:
    """Runs `app` and gives its exit code. A `ConfigError` is the fault of what was typed, any other `NodeError` a
    failure."""
    command = typer.main.get_command(app)
    args = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = command.main(args, prog_name=program, standalone_mode=False)
    except _UsageError as exc:
        message = exc.format_message()
        return _complain(program, f"{message} (--help says more)", USAGE)
    except ConfigError as exc:
        return _complain(program, str(exc), USAGE)
    except (NodeError, OSError) as exc:
        return _complain(program, str(exc), FAILED)
    except (typer.Abort, KeyboardInterrupt):
        return _complain(program, "interrupted", 130)
    return code if isinstance(code, int) else 0


def show_version(wanted: bool) -> None:
    """A callback for `--version`."""
    if wanted:
        try:
            print(f"plcfarm {version('plcfarm')}")
        except PackageNotFoundError:
            print("plcfarm, run from a source tree that is not installed")
        raise typer.Exit


def _complain(program: str, message: str, code: int) -> int:
    print(f"{program}: {' '.join(message.split())}", file=sys.stderr)
    return code
