"""Objects and attributes by the names people give them: `[TCPIP] Host Name`, `[Port 2] Port Name`.

    section    an object's name, or another it is known by; a number behind it is the instance (else the first one)
    attribute  its row's name, an alias of it, or its number

Case, blanks, underscores and other signs make no difference.
"""

import json
from collections.abc import Iterable
from typing import Protocol

from node.errors import ConfigError, LocalProtocolError
from node.objects.object import AttributeRow, Object


class Setting(Protocol):
    """A value for an attribute, in JSON; a node's configuration has them under these names."""

    @property
    def section(self) -> str:
        """The object."""

    @property
    def name(self) -> str:
        """The attribute."""

    @property
    def value(self) -> str:
        """The value in JSON."""


def configure(objects: Iterable[Object], settings: Iterable[Setting]) -> None:
    """Gives the attributes their values, in order. Raises `ConfigError` for one that is not there or does not fit."""
    known = tuple(objects)
    for setting in settings:
        source = f"[{setting.section}] {setting.name}"
        try:
            find_row(known, setting.section, setting.name).configure(parse_json(setting.value))
        except LocalProtocolError as exc:
            raise ConfigError(source, 0, str(exc)) from exc


def find_row(objects: Iterable[Object], section: str, name: str) -> AttributeRow:
    """The row of an attribute. Raises `LocalProtocolError` that lists what there is."""
    rows = _find_instance(tuple(objects), section)
    wanted = plain(name)
    for row in rows:
        if wanted in (plain(row.name), *map(plain, row.aliases)) or wanted == str(row.id):
            return row
    known = ", ".join(row.name for row in rows)
    raise LocalProtocolError(f"got attribute {name!r}, wanted one of {section}: {known}")


def parse_json(text: str) -> object:
    """The value. Raises `LocalProtocolError`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise LocalProtocolError(f"got {text[:60]!r}, wanted a value in JSON ({exc})") from exc


def plain(name: str) -> str:
    """What is compared of a name: its letters and digits."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _find_instance(objects: tuple[Object, ...], section: str) -> list[AttributeRow]:
    wanted = plain(section)
    base = wanted.rstrip("0123456789")
    number = wanted[len(base) :]
    for item in objects:
        names = {plain(text).removesuffix("object") for text in (item.name, *item.names)}
        if base.removesuffix("object") in names and item.instances:
            instance = int(number) if number else min(item.instances)
            if instance in item.instances:
                return item.instances[instance]
            there = " ".join(map(str, item.instances))
            raise LocalProtocolError(f"got instance {instance} of {item.name}, wanted one of {there}")
    known = ", ".join(item.name for item in objects if item.instances)
    raise LocalProtocolError(f"got section {section!r}, wanted an object of this device: {known}")
