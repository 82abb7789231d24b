"""docs/cli.md has every verb and option, and none that is not there."""

import re
from typing import Any

import pytest
import typer

from farm.cli.app import app as farm_app
from node.cli import enip, modbus, run
from node.cli.command_line import new_app
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


def commands() -> dict[str, Any]:
    """What is documented, as click commands: the verbs of `farm`, and the lone simulators."""
    group: Any = typer.main.get_command(farm_app)
    found = {f"farm {name}": command for name, command in group.commands.items() if not command.hidden}
    lone = {"enip_server": enip.serve_tags, "modbus_sim": modbus.serve_registers, "python -m node run": run.run_file}
    for name, function in lone.items():
        single = new_app("")
        single.command()(function)
        found[name] = typer.main.get_command(single)
    return found


COMMANDS = commands()


def options(command: Any) -> set[str]:
    """Its options in every spelling."""
    return {spelling for param in command.params for spelling in param.opts if spelling.startswith("-")}


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
    silent = [param.name for param in COMMANDS[command].params if param.opts[0].startswith("-") and not param.help]
    assert silent == []
