"""The command `farm`: its verbs, and the one place where an error becomes a line on stderr and an exit code.

Exit codes: 0 done, 1 failed, 2 asked for in a way that makes no sense, 130 interrupted.
"""

import sys
from typing import Annotated, Any

import typer

from farm import __version__
from farm.cli.terminal import fail, note, say
from farm.cli.usage import UsageError
from farm.cli.verbs import HELP, VerbGroup
from farm.errors import FarmError
from farm.topology.problem import TopologyProblems
from node.errors import NodeError

app = typer.Typer(
    name="farm",
    cls=VerbGroup,
    help="Many simulated controllers, from one plant file.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings=HELP,
)

INTERRUPTED = 130
CLICK_ERROR: type[Exception] = typer.BadParameter.__mro__[2]
"""click's ClickException, wherever this typer keeps its click: a wrong option, argument or verb."""


@app.command()
def version() -> None:
    """Print the version."""
    say(f"plcfarm {__version__}")


@app.callback(invoke_without_command=True)
def top(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Many simulated controllers, from one plant file."""
    if show_version:
        version()
        raise typer.Exit
    if context.invoked_subcommand is None:
        note(context.get_help())
        raise typer.Exit(2)


def main(arguments: list[str] | None = None) -> None:
    """Runs one verb and ends the process with its exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Runs one verb. Returns its exit code; its errors have been printed."""
    try:
        outcome = app(args=arguments, prog_name="farm", standalone_mode=False)
        if outcome == INTERRUPTED:
            note("interrupted")
        return outcome if isinstance(outcome, int) else 0
    except UsageError as exc:
        fail(f"{exc} ({exc.hint})" if exc.hint else str(exc))
        return 2
    except TopologyProblems as exc:
        note(str(exc))
        return 1
    except FarmError as exc:
        fail(f"{exc} ({exc.hint})" if exc.hint else str(exc))
        return 1
    except NodeError as exc:
        fail(str(exc))
        return 1
    except (KeyboardInterrupt, typer.Abort):
        note("interrupted")
        return INTERRUPTED
    except CLICK_ERROR as exc:
        return _usage(exc)


def _usage(exc: Any) -> int:
    """One line for wrong arguments, with the command that explains them."""
    command = exc.ctx.command_path if getattr(exc, "ctx", None) else "farm"
    fail(f"{exc.format_message().rstrip('.')} (see {command} --help)")
    return 2
