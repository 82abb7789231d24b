"""The map: levels, subnets and nodes as the plant file has them, and who really talks to whom."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response

from farm.dashboard.answers import answer
from farm.dashboard.site import ask, plant

blueprint = Blueprint("map", __name__)

LEVELS = {
    5.0: "enterprise",
    4.0: "site business",
    3.5: "DMZ",
    3.0: "operations",
    2.0: "supervision",
    1.0: "control",
    0.0: "process",
}
"""Of the Purdue model (ISA-95, ISA-99), from the top."""


@blueprint.get("/map")
def the_map() -> Response:
    """Nodes without a level or a subnet have null or "" there."""
    rows = plant().rows.listing().rows.values()
    talk = ask("clients")
    return answer(
        {
            "levels": levels(rows),
            "subnets": subnets(rows),
            "nodes": [{key: row[key] for key in NODE_KEYS} for row in rows],
            "edges": talk["edges"],
            "clients": talk["clients"],
        }
    )


NODE_KEYS = ("id", "name", "kind", "profile", "address", "condition", "level", "subnet", "network", "group")


def levels(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those that any node has, from the top."""
    found = sorted({float(row["level"]) for row in rows if row["level"] is not None}, reverse=True)
    return [{"level": level, "name": LEVELS.get(level, "")} for level in found]


def subnets(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each with its level and how many nodes are there, in the order of the file."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row["subnet"] or row["network"]
        if name:
            entry = found.setdefault(
                name, {"name": row["network"], "subnet": row["subnet"], "level": row["level"], "nodes": 0}
            )
            entry["nodes"] += 1
    return list(found.values())
