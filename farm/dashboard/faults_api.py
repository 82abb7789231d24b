"""Faults: which are on, putting one on, taking them off."""

from typing import Any

from flask import Blueprint, Response

from farm.dashboard.answers import answer, body_of_request
from farm.dashboard.limits import NODES_UNCONFIRMED
from farm.dashboard.nodes_api import check_confirmed, chosen
from farm.dashboard.refusal import Refusal, bad_request
from farm.dashboard.site import actor, ask, change, plant

blueprint = Blueprint("faults", __name__)

FIELDS = ("fault", "nodes", "filter", "percent", "seed", "for", "confirm")
MOST_SECONDS = 7 * 24 * 3600.0


@blueprint.get("/faults")
def faults() -> Response:
    """Those that are on, with the time that is left."""
    return answer({"faults": ask("faults")["faults"]})


@blueprint.post("/faults")
def add() -> Response:
    """Puts one on the nodes that are named or fit a filter, or on a percentage of them, for a time or until it is
    taken off."""
    body = body_of_request(*FIELDS)
    fault = body.get("fault")
    if not isinstance(fault, dict):
        raise bad_request('`fault` must be an object, such as {"kind": "slow", "seconds": 0.2}')
    percent = _number(body, "percent", 0.0, 100.0, 100.0)
    seed = _number(body, "seed", 0, 2**31 - 1, 0)
    seconds = None if body.get("for") is None else _number(body, "for", 0.1, MOST_SECONDS, 0.0)
    names = chosen(body)
    few = len(names) * percent / 100 <= NODES_UNCONFIRMED
    check_confirmed([] if few else names, body.get("confirm"), "fault")
    change(len(names))
    shown = body.get("filter")
    asked: dict[str, Any] = {"fault": fault, "nodes": names, "percent": percent, "seed": int(seed), "for": seconds}
    found = ask("fault_add", **asked, shown=shown or "", actor=actor())
    plant().rows.forget()
    return answer({"fault": found["fault"]}, 201)


@blueprint.delete("/faults/<int:number>")
def clear(number: int) -> Response:
    """Takes one off."""
    change()
    if number >= 1 << 53 or number not in [fault["id"] for fault in ask("faults")["faults"]]:
        raise Refusal(404, f"no fault {number} is on", "`GET /api/v1/faults` lists those that are")
    return _cleared(number)


@blueprint.delete("/faults")
def clear_all() -> Response:
    """Takes all off."""
    change()
    return _cleared(None)


def _cleared(number: int | None) -> Response:
    found = ask("fault_clear", id=number, actor=actor())
    plant().rows.forget()
    return answer({"cleared": found["cleared"]})


def _number(body: dict[str, Any], name: str, least: float, most: float, default: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise bad_request(f"`{name}` must be a number from {least:g} to {most:g}")
    return value
