"""`farm doctor`: what this machine allows, what is missing, and the exact command that cures it."""

from dataclasses import asdict

import typer

from farm.cli import options
from farm.cli.checks import BAD, GOOD, LIMITED, all_checks
from farm.cli.terminal import say, say_json, table

COLOURS = {GOOD: "green", LIMITED: "yellow", BAD: "red"}


def doctor(as_json: options.AsJson = False) -> None:
    """Look at this machine and say what a farm can have here; exit code 1 when something it needs is missing."""
    checks = list(all_checks())
    if as_json:
        say_json([asdict(check) for check in checks])
    else:
        say(table(["CHECK", "STATE", "FOUND"], [[check.what, check.state, check.found] for check in checks], COLOURS))
        cures = [check for check in checks if check.cure]
        if cures:
            say("\n" + table(["TO CURE", "DO"], [[check.what, check.cure] for check in cures]))
    if any(check.state == BAD for check in checks):
        raise typer.Exit(1)
