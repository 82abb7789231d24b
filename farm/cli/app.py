"""The command `farm`: its verbs, and the one place where an error becomes a line on stderr and an exit code.

Exit codes: 0 done, 1 failed, 2 asked for in a way that makes no sense, 130 interrupted.
"""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from farm import __version__
from farm.cli import (
    clean,
    dashboard,
    demo,
    doctor,
    down,
    enter,
    events,
    execute,
    fault,
    graph,
    hosts,
    image,
    inspect,
    link,
    logs,
    pcap,
    plan,
    ps,
    read,
    restart,
    scale,
    schema,
    start,
    stop,
    supervise,
    tags,
    up,
)
from farm.cli import validate as validate_verb
from farm.cli import write as write_verb
from farm.cli.terminal import fail, note, say
from farm.cli.usage import UsageError
from farm.errors import FarmError
from farm.topology.problem import TopologyProblems
from node.errors import NodeError

app = typer.Typer(
    name="farm",
    help="Many simulated controllers, from one plant file.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

VERBS: dict[str, Callable[..., None]] = {
    "up": up.up,
    "down": down.down,
    "clean": clean.clean,
    "ps": ps.ps,
    "tags": tags.tags,
    "read": read.read,
    "logs": logs.logs,
    "events": events.events,
    "dashboard": dashboard.dashboard,
    "restart": restart.restart,
    "stop": stop.stop,
    "start": start.start,
    "fault": fault.fault,
    "scale": scale.scale,
    "link": link.link,
    "pcap": pcap.pcap,
    "hosts": hosts.hosts,
    "graph": graph.graph,
    "plan": plan.plan,
    "validate": validate_verb.validate,
    "inspect": inspect.inspect,
    "demo": demo.demo,
    "doctor": doctor.doctor,
    "schema": schema.schema,
}
for name, verb in VERBS.items():
    app.command(name)(verb)
# A value may be negative: what looks like an option after the tag is a value.
app.command("write", context_settings={"ignore_unknown_options": True})(write_verb.write)
app.add_typer(image.app, name="image")
# What looks like an option after NODE, or after the first word of a command, is the command's.
THEIRS = {"ignore_unknown_options": True, "allow_interspersed_args": False}
app.command("exec", context_settings=THEIRS)(execute.execute)
app.command("enter", context_settings=THEIRS)(enter.enter)
app.command("supervise", hidden=True)(supervise.supervise)

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
