"""`farm dashboard`: the page of a farm, and the link that lets a browser in."""

import webbrowser
from typing import Annotated

import typer

from farm.cli import dashboard_process
from farm.cli.dashboard_address import FIRST_PORT, LAST_PORT, listen, parse_listen, url_of
from farm.cli.dashboard_waiting import serve_until_stopped
from farm.cli.terminal import note, program, say, warn
from farm.cli.usage import UsageError
from farm.dashboard.start import Record
from farm.dashboard.tokens import READ, WRITE
from farm.errors import FarmError
from farm.supervisor.link import Link, RunDirectory, find_runs, run_named


def dashboard(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which farm; needed where several run.")] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--listen",
            metavar="ADDR[:PORT]",
            help=f"Listen there [default: 127.0.0.1, the first free port of {FIRST_PORT} to {LAST_PORT}].",
        ),
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="A link to look with, and to change nothing.")] = False,
    print_token: Annotated[bool, typer.Option("--print-token", help="Print the tokens for scripts.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End the farm's dashboard.")] = False,
) -> None:
    """Serve the page of a farm, and print a link to it that lets a browser in once."""
    if stop and (where or open_browser or read_only or print_token):
        raise UsageError("--stop ends the dashboard: it goes with no other option")
    if not find_runs() and not stop:
        if print_token:
            raise FarmError("no farm is running, and only farms have tokens")
        dashboard_process.require_web()
        listening, taken = listen(where)
        _say_where(listening.loopback, url_of(listening.addresses), taken)
        if open_browser:
            webbrowser.open(url_of(listening.addresses))
        serve_until_stopped(listening, name, say)
        return
    run = run_named(name)
    if stop:
        note(f"{run.name}: {'its dashboard is ended' if dashboard_process.end(run) else 'it has no dashboard'}")
        return
    if print_token:
        Link.open(run)
        tokens = dashboard_process.tokens_of(run)
        say(f"token {tokens.write}\nread-only {tokens.read}")
        return
    serve(run, where, role=READ if read_only else WRITE, open_browser=open_browser)


def serve(run: RunDirectory, where: str | None = None, *, role: str = WRITE, open_browser: bool = False) -> None:
    """Has the farm's dashboard served, unless it is, and prints a link to it. Raises `FarmError`."""
    dashboard_process.require_web()
    Link.open(run).ask("status")
    record = dashboard_process.find(run)
    if record is None:
        listening, taken = listen(where)
        try:
            record = dashboard_process.start(run, listening)
            if record.addresses == listening.addresses:
                _say_where(listening.loopback, url_of(listening.addresses), taken)
        finally:
            listening.close()
    elif where is not None and not _is_there(record, where):
        here = url_of(record.addresses)
        raise FarmError(f"{run.name} is served at {here} already: `{program()} dashboard --stop {run.name}` ends that")
    link = dashboard_process.link(run, record, role)
    say(f"dashboard of {run.name}: {link}")
    if open_browser and not webbrowser.open(link):
        note("no browser could be opened from here")


def _is_there(record: Record, where: str) -> bool:
    host, port = parse_listen(where)
    return any(host == there and port in (None, number) for there, number in record.addresses)


def _say_where(loopback: bool, url: str, taken: str) -> None:
    """What a person may want to know before the link."""
    if taken:
        note(f"port {taken} is taken")
    if not loopback:
        warn(f"{url} can be reached from other machines: whoever looks there needs a token, and it travels unencrypted")
