"""The verbs of `farm`, and where each is. A verb's module is imported when the verb is asked for: together they take in
Flask's neighbours, Docker's library and the supervisor, half a second that none of them needs from the others."""

import importlib
import sys
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import typer
from typer.core import TyperGroup

HELP = {"help_option_names": ["-h", "--help"]}


@dataclass(frozen=True, slots=True)
class Verb:
    """A function `name` in farm.cli.`module`, or a `typer.Typer` of that name with verbs of its own."""

    module: str
    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    """What typer is told of it beside its function."""

    def command(self, called: str) -> Any:
        """The command, `called` so."""
        found = getattr(importlib.import_module(f"farm.cli.{self.module}"), self.name)
        alone = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=HELP)
        if isinstance(found, typer.Typer):
            alone.add_typer(found, name=called)
            return typer.main.get_group(alone).commands[called]
        alone.command(called, **self.settings)(found)
        return typer.main.get_command(alone)


def _verb(name: str, **settings: Any) -> Verb:
    return Verb(name, name, settings)


NEGATIVE = {**HELP, "ignore_unknown_options": True}
"""A value may be negative: what looks like an option after the tag is a value."""
THEIRS = {**NEGATIVE, "allow_interspersed_args": False}
"""What looks like an option after NODE, or after the first word of a command, is the command's."""

VERBS: dict[str, Verb] = {
    "up": _verb("up"),
    "down": _verb("down"),
    "clean": _verb("clean"),
    "ps": _verb("ps"),
    "tags": _verb("tags"),
    "read": _verb("read"),
    "write": _verb("write", context_settings=NEGATIVE),
    "logs": _verb("logs"),
    "events": _verb("events"),
    "dashboard": _verb("dashboard"),
    "restart": _verb("restart"),
    "stop": _verb("stop"),
    "start": _verb("start"),
    "fault": _verb("fault"),
    "load": _verb("load"),
    "scale": _verb("scale"),
    "link": _verb("link"),
    "exec": Verb("execute", "execute", {"context_settings": THEIRS}),
    "enter": _verb("enter", context_settings=THEIRS),
    "pcap": _verb("pcap"),
    "record": _verb("record"),
    "replay": _verb("replay"),
    "hosts": _verb("hosts"),
    "graph": _verb("graph"),
    "plan": _verb("plan"),
    "validate": _verb("validate"),
    "inspect": _verb("inspect"),
    "demo": _verb("demo"),
    "doctor": _verb("doctor"),
    "schema": _verb("schema"),
    "image": Verb("image", "app"),
    "render": Verb("render", "app"),
    "supervise": _verb("supervise", hidden=True),
}


class _Commands(MutableMapping[str, Any]):
    """Commands by name, each made when it is first looked up, in the order of `VERBS` behind those given."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._made = dict(given)

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = VERBS[name].command(name)
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*VERBS, *self._made)))

    def __len__(self) -> int:
        return len({*VERBS, *self._made})


class WholeHelp(TyperGroup):
    """A group whose help says of each command the whole first sentence, where click cuts it to fit one line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the list of commands."""
        whole = sys.maxsize
        with formatter.section("Commands"):
            shown = [(name, each) for name, each in self.commands.items() if not each.hidden]
            formatter.write_dl([(name, each.get_short_help_str(whole)) for name, each in shown])


class VerbGroup(WholeHelp):
    """The group of all verbs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands(dict(self.commands))
