"""Moves this process to where a node is, or where a farm's networks are, so that a command runs there.

It does not come back: the command takes its place, and with it the terminal, signals and the exit code.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import NoReturn

import typer

from farm.backends.netns_holder import find_holder
from farm.backends.netns_visit import visit
from farm.cli.terminal import fail
from farm.supervisor.run_directory import RunDirectory
from node.config.model import NodeConfig
from node.control.messages import RUN_VARIABLE

NOT_FOUND, NOT_ALLOWED = 127, 126
"""Exit codes of a command that is not there, or may not be run, as a shell has them."""


def enter_holder(run: RunDirectory) -> bool:
    """Goes into the machine within the machine of a run without root; whether there is one. Raises `FarmError`."""
    holder = find_holder(run.path, run.run_id)
    if holder is not None:
        visit(holder.pid, run.name)
    return holder is not None


def become(command: Sequence[str], extra: Mapping[str, str]) -> NoReturn:
    """Runs `command` in place of this process, with `extra` in its environment and without the mark of any run."""
    command = command[1:] if command[0] == "--" else command  # as `docker exec` and `sudo` take it, too
    environ = {**os.environ, **extra}
    environ.pop(RUN_VARIABLE, None)
    try:
        os.execvpe(command[0], list(command), environ)
    except OSError as exc:
        fail(f"{command[0]}: {exc.strerror}")
        raise typer.Exit(NOT_FOUND if isinstance(exc, FileNotFoundError) else NOT_ALLOWED) from exc


def about(farm: str, node: NodeConfig) -> dict[str, str]:
    """What a command that is run for a node finds in its environment."""
    found = {"PLCFARM_FARM": farm, "PLCFARM_NODE": node.name, "PLCFARM_NODE_ADDRESS": node.address}
    return found | {f"PLCFARM_NODE_{protocol.upper()}_PORT": str(port) for protocol, port in node.ports.items()}


def shell() -> list[str]:
    """What is run where no command is given."""
    return [os.environ.get("SHELL", "") or shutil.which("sh") or "/bin/sh"]
