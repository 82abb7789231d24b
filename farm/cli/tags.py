"""`farm tags`: what can be read, of which type, what it is now, in which unit, and by which address a client asks."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from farm.cli import options
from farm.cli.tag_places import address
from farm.cli.terminal import note, say, say_json, table
from farm.cli.wire_access import running_nodes
from farm.errors import FarmError
from farm.supervisor.link import Link, run_named
from node.config.model import NodeConfig, TagConfig

WIDTH = 40
"""Characters of a value in the table."""
REPLAY = "replay"
"""The source of a tag that a recording is played into."""


def tags(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="One node; all without it.")] = None,
    as_json: options.AsJson = False,
    name: options.FarmName = None,
) -> None:
    """List tags with type, value and address."""
    link = Link.open(run_named(name))
    nodes = running_nodes(link, None if node is None else [node])
    if node is not None and node not in nodes:
        raise FarmError(f"there is no node {node!r} in {link.run.name}; `farm ps` lists them")
    done = link.ask("tags", node=node)
    rows = [tag_row(row, nodes) for row in done["tags"]]
    for failed, line in done.get("errors", {}).items():
        note(f"{failed}: {line}")
    if as_json:
        say_json(rows)
    else:
        heads, keys = ["NODE", "TAG", "TYPE", "VALUE", "ADDRESS"], ["node", "name", "type", "value", "address"]
        if any(row["unit"] for row in rows):
            heads.insert(4, "UNIT")
            keys.insert(4, "unit")
        if any(row["source"] == REPLAY for row in rows):
            heads.append("SOURCE")
            keys.append("source")
        say(table(heads, [[shorten(row[key]) if key == "value" else row[key] for key in keys] for row in rows]))


def tag_row(row: Mapping[str, Any], nodes: Mapping[str, NodeConfig]) -> dict[str, Any]:
    """One tag as scripts get it: node, name, type, value, unit, address, source."""
    config = nodes.get(row["node"])
    tag = next((tag for tag in config.tags if tag.name == row["name"]), None) if config is not None else None
    return {
        "node": row["node"],
        "name": row["name"],
        "type": type_text(tag) if tag is not None else row["type"],
        "value": row["value"],
        "unit": tag.unit if tag is not None else "",
        "address": address(config, tag) if config is not None and tag is not None else "",
        "source": row.get("source", ""),
    }


def type_text(tag: TagConfig) -> str:
    """`DINT`, `REAL[10]`, `INT[2,3]`."""
    return tag.type + (f"[{','.join(map(str, tag.dimensions))}]" if tag.dimensions else "")


def shorten(value: Any) -> str:
    """A value for a table: an array as its first few elements, a structure as its first few members, a number to seven
    digits, a text in quotes, - for what cannot be read."""
    if isinstance(value, list | dict):
        text = _inside(value)
        cut = isinstance(value, list) and len(value) > 10
        return f"{text[:WIDTH].rsplit(' ', 1)[0]} ..." if cut or len(text) > WIDTH else text
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.7g}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _inside(value: Any) -> str:
    """What is in an array or a structure: `1 2 3`, `Speed=5 Hours=(0 0)`."""
    if isinstance(value, dict):
        return " ".join(f"{name}={_nested(member)}" for name, member in value.items())
    return " ".join(_nested(item) for item in value[:10])


def _nested(value: Any) -> str:
    return f"({_inside(value)})" if isinstance(value, list | dict) else shorten(value)
