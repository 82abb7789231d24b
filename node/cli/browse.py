"""`python -m node browse`: the tags of a controller and of its programs, with their types."""

import argparse
from collections.abc import Sequence

from node.cip.status import CipError
from node.cip.template import Template
from node.cli.command_line import Parser
from node.cli.device import (
    Output,
    add_device_options,
    add_routing_options,
    client_keywords,
    json_line,
    run_asking,
)
from node.client.browsing import Tag, browse_steps
from node.client.connector import Connector
from node.client.exchanges import run
from node.client.failure import TagError

PROGRAM = "python -m node browse"


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "List the tags of a controller and of its programs.")
    add_device_options(made, "A list of {name, type, dimensions, access, members}; members are those of structures")
    made.add_argument("--members", action="store_true", help="Show the members of structures, too.")
    add_routing_options(made)
    return made


def list_tags(arguments: argparse.Namespace) -> None:
    """Does what was typed. Raises `ConfigError`, and `NodeError` when it cannot be done."""
    keywords = client_keywords(arguments)
    output = Output(arguments, PROGRAM)
    with Connector(**keywords) as client:
        output.note(f"session {client.session_handle} with {client.host}:{client.port}")
        try:
            with client.naming("a list of tags"):
                tags = run(browse_steps(client.known), client.request)  # an answer may take --timeout, not all of them
        except CipError as exc:
            raise TagError("its tags cannot be listed", client.host, client.port, exc) from exc
    if arguments.as_json:
        output.show(json_line([_as_object(tag) for tag in tags]))
        return
    width = max((len(tag.name) for tag in tags), default=0)
    for tag in tags:
        access = "" if tag.access == "read/write" else f"  ({tag.access})"
        output.show(f"{tag.name:{width}}  {type_text(tag)}{access}")
        if arguments.members and tag.template is not None:
            for line in member_lines(tag.template):
                output.show(f"{'':{width}}  {line}")


def type_text(tag: Tag) -> str:
    """A type with its lengths, as `enip_server` takes it: `DINT[4,5]`."""
    return tag.type + (f"[{','.join(map(str, tag.dimensions))}]" if tag.dimensions else "")


def member_lines(template: Template) -> list[str]:
    """`.PRE DINT` for each member, those of structures within it behind it."""
    lines = []
    for member in template.visible:
        lines.append(f".{member.name} {member.type.name}{f'[{member.length}]' if member.length else ''}")
        if isinstance(member.type, Template):
            lines += [f".{member.name}{line}" for line in member_lines(member.type)]
    return lines


def _as_object(tag: Tag) -> dict[str, object]:
    found: dict[str, object] = {"name": tag.name, "type": tag.type, "dimensions": tag.dimensions, "access": tag.access}
    return found | {"members": _members(tag.template) if tag.template is not None else None}


def _members(template: Template) -> list[dict[str, object]]:
    return [
        {
            "name": member.name,
            "type": member.type.name,
            "length": member.length,
            "members": _members(member.type) if isinstance(member.type, Template) else None,
        }
        for member in template.visible
    ]


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_asking(parser(program), list_tags, arguments)
