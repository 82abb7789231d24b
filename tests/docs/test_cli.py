"""docs/cli.md has every verb and option, and none that is not there."""

import re
from typing import Any

import pytest
import typer

from farm.cli.app import app as farm_app
from node.cli import (
    browse,
    dissect,
    enip,
    enip_client,
    get_attribute,
    health,
    historize,
    history,
    list_services,
    modbus,
    modbus_poll,
    poll,
    relay,
    run,
    shard,
    throughput,
)
from tests.architecture.sources import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text()
SECTIONS = {
    title: body for title, _, body in (part.partition("\n") for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:])
}


def section(command: str) -> str:
    """The text about a command, its heading included."""
    found = [f"{title}\n{body}" for title, body in SECTIONS.items() if f"{title} ".startswith(f"{command} ")]
    assert len(found) == 1, f"{command} has {len(found)} sections in docs/cli.md"
    return found[0]


Command = list[tuple[list[str], str | None]]


def commands() -> dict[str, Command]:
    """What is documented, each with its options' spellings and help texts: the verbs of `farm` (click commands), the
    lone simulators (argparse), and what containers do (by hand)."""
    found = verbs("farm", typer.main.get_command(farm_app))
    lone = {
        "enip_server": enip.parser(),
        "enip_client": enip_client.parser(),
        "modbus_sim": modbus.parser(),
        "modbus_poll": modbus_poll.parser(),
        "python -m node get-attribute": get_attribute.parser(),
        "python -m node list-services": list_services.parser(),
        "python -m node throughput": throughput.parser(),
        "python -m node poll": poll.parser(),
        "python -m node browse": browse.parser(),
        "python -m node historize": historize.parser(),
        "python -m node history": history.parser(),
        "python -m node dissect": dissect.parser(),
        "python -m node run": run.parser(),
    }
    found |= {
        name: [(action.option_strings, action.help) for action in parser._actions] for name, parser in lone.items()
    }
    for name, text in (("health", health.HELP), ("shard", shard.HELP), ("relay", relay.HELP)):
        written = re.findall(r"^  (--[a-z]+).*?  (.*)$", text, re.MULTILINE)
        found[f"python -m node {name}"] = [([option], said) for option, said in written]
    return found


def verbs(name: str, group: Any) -> dict[str, Command]:
    """The verbs of a group, and of the groups in it."""
    found: dict[str, Command] = {}
    for verb, command in group.commands.items():
        if hasattr(command, "commands"):
            found |= verbs(f"{name} {verb}", command)
        elif not command.hidden:
            found[f"{name} {verb}"] = [(param.opts, param.help) for param in command.params]
    return found


COMMANDS = commands()


def options(command: Command) -> set[str]:
    """Its options in every spelling, but for the two that every command has."""
    found = {spelling for spellings, _ in command for spelling in spellings if spelling.startswith("-")}
    return found - {"--help", "-h"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented(command: str) -> None:
    text = section(command)
    assert [option for option in sorted(options(COMMANDS[command])) if not re.search(rf"`{option}\b", text)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_no_option_is_made_up(command: str) -> None:
    known = options(COMMANDS[command]) | {"--help", "-h", "--version"}
    assert set(re.findall(r"`(--?[a-z][a-z-]*)", section(command))) - known == set()


def test_no_section_is_about_nothing() -> None:
    assert [title for title in SECTIONS if not any(f"{title} ".startswith(f"{name} ") for name in COMMANDS)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text(command: str) -> None:
    assert [spellings for spellings, text in COMMANDS[command] if spellings[:1] and not text] == []
