"""How a register block shows its tag: the type, scale and limits of values, and what clients may do."""

from dataclasses import replace

from farm.topology.document import MapNode
from farm.topology.problem import Report
from farm.topology.registers import BIT_TABLES
from farm.topology.shapes import take
from farm.topology.tag_keys import DIRECTION, NUMBER, NUMBER_TYPE
from node.config.model import RegisterBlock

_SCALING = ("as", "scale", "offset", "min", "max")


def shown_as(entry: MapNode, report: Report) -> str:
    """The type that a block's values have in registers, "" for the tag's."""
    named, dimensions = take(entry, "as", NUMBER_TYPE, ("", ()), report)
    if dimensions:
        hint = "there are as many as in the tag"
        report.error("F062", entry.get("as") or entry, "'as' takes a type alone", hint)
    return named


def finished(block: RegisterBlock, entry: MapNode, kind: str, no_number: bool, report: Report) -> RegisterBlock:
    """The block with its rights, scale and limits."""
    least, most = (take(entry, key, NUMBER, None, report) for key in ("min", "max"))
    done = replace(
        block,
        access=take(entry, "direction", DIRECTION, "read/write", report),
        shown_as=kind,
        scale=take(entry, "scale", NUMBER, 1.0, report),
        offset=take(entry, "offset", NUMBER, 0.0, report),
        least=least,
        most=most,
    )
    place = next((entry.key(key) for key in _SCALING if entry.get(key) is not None), entry)
    if done.scaled and (no_number or block.table in BIT_TABLES):
        report.error("F062", place, "only numbers in registers have a scale, limits or another type")
    if done.scale == 0:
        report.error("F013", entry.get("scale") or entry, "a scale of 0; wanted another number")
    if least is not None and most is not None and least > most:
        report.error("F013", entry.get("min") or entry, f"min {least:g} is above max {most:g}; no write could be taken")
    if done.access != "read/write" and block.table not in ("coils", "holding"):
        report.error("F062", entry.get("direction") or entry, f"{block.table} is read only anyway", "leave it out")
    return done
