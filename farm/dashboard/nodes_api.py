"""Nodes: all of them or those that fit, one of them in full, and their restart, stop and start."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from farm.dashboard.answers import answer, argument, body_of_request, number, packed, whole, words
from farm.dashboard.filters import parse_filter, sort_rows
from farm.dashboard.limits import NODES_UNCONFIRMED, TREND_TAGS
from farm.dashboard.refusal import Refusal, bad_request
from farm.dashboard.site import actor, ask, change, plant

blueprint = Blueprint("nodes", __name__)

SWITCH_SECONDS = 60.0
"""For nodes to be restarted, stopped or started."""
ACTIONS = ("restart", "stop", "start")
MOST_NODES = 10_000


@blueprint.get("/nodes")
def nodes() -> Response:
    """Rows: of those that `filter` fits, with `fields` only, by `sort`, at most `limit`."""
    listing = plant().rows.listing()
    wanted, fields, sort = argument("filter"), words("fields", 50), argument("sort")
    limit = whole("limit", MOST_NODES, 0, MOST_NODES)
    if not wanted and not fields and not sort and limit >= len(listing.rows):
        return packed(listing.body)
    rows: list[Mapping[str, Any]] = fitting(wanted)
    if sort:
        rows = sort_rows(rows, sort)
    total, rows = len(rows), rows[:limit]
    if fields:
        rows = [_only(row, fields) for row in rows]
    return answer({"generation": listing.generation, "total": total, "nodes": rows})


@blueprint.get("/nodes/<node>")
def node(node: str) -> Response:
    """A node's row, and what it says it is."""
    found = _node(node)
    return answer({"row": found["row"], "identity": found["identity"]})


@blueprint.get("/nodes/<node>/config")
def config(node: str) -> Response:
    """What it was started with, and the place in the plant file that each value came from."""
    found = _node(node)
    return answer({"config": found["config"], "origins": found["origins"]})


@blueprint.get("/nodes/<node>/log")
def node_log(node: str) -> Response:
    """The last lines of its log."""
    return answer({"log": _node(node)["log"]})


@blueprint.get("/nodes/<node>/trend")
def trend(node: str) -> Response:
    """Ten minutes of it, a value a second, and of those `tags` that were watched."""
    plant().rows.check(node)
    return answer(ask("trend", node=node, tags=words("tags", TREND_TAGS), since=number("since", 0.0)))


@blueprint.get("/nodes/<node>/requests")
def requests(node: str) -> Response:
    """Its last requests in words, and what was asked for and is not there."""
    plant().rows.check(node)
    return answer(ask("requests", node=node))


@blueprint.get("/nodes/<node>/connections")
def connections(node: str) -> Response:
    """Who is connected to it."""
    plant().rows.check(node)
    return answer(ask("connections", node=node))


@blueprint.delete("/nodes/<node>/connections/<path:peer>")
def kick(node: str, peer: str) -> Response:
    """Ends the connections of one peer."""
    plant().rows.check(node)
    change()
    return answer({"ended": ask("command", node=node, path=f"connections/{peer}/eof", actor=actor())["value"]})


@blueprint.post("/nodes/<node>/<any(restart, stop, start):action>")
def switch_one(node: str, action: str) -> Response:
    """Restarts, stops or starts it, and waits until that is so."""
    body_of_request()
    return _switch(action, [plant().rows.row(node)["name"]])


@blueprint.post("/nodes:<any(restart, stop, start):action>")
def switch(action: str) -> Response:
    """The same for those that are named, or fit a filter. More than ten must be counted by whoever wants it."""
    body = body_of_request("nodes", "filter", "confirm")
    names = chosen(body)
    check_confirmed(names, body.get("confirm"), action)
    return _switch(action, names)


def fitting(wanted: str) -> list[Mapping[str, Any]]:
    """The rows that a filter fits. Raises `Refusal` 400 for one that cannot be read."""
    test = parse_filter(wanted)
    kinds: dict[int, str] = {}
    if "fault:" in wanted:
        kinds = {fault["id"]: str(fault["kind"]) for fault in ask("faults")["faults"]}
    return [row for row in plant().rows.listing().rows.values() if test(row, kinds)]


def chosen(body: Mapping[str, Any]) -> list[str]:
    """The nodes that a body means by `nodes`, a list of names, or by `filter`. Raises `Refusal`."""
    names, wanted = body.get("nodes"), body.get("filter")
    if ("nodes" in body) == ("filter" in body):
        raise bad_request("either `nodes` or `filter` is wanted")
    if "filter" in body:
        if not isinstance(wanted, str):
            raise bad_request("`filter` must be a text")
        found = [row["name"] for row in fitting(wanted)]
    elif isinstance(names, list) and all(isinstance(name, str) for name in names):
        found = [plant().rows.row(name)["name"] for name in dict.fromkeys(names)]
    else:
        raise bad_request("`nodes` must be a list of names")
    if not found:
        raise Refusal(422, "that is no node at all", "`GET /api/v1/nodes?filter=` shows what a filter fits")
    return found


def check_confirmed(names: list[str], confirm: Any, action: str) -> None:
    """Raises `Refusal` 409 when many nodes are meant and whoever wants it did not say how many; 400 when that is no
    number."""
    if confirm is not None and (isinstance(confirm, bool) or not isinstance(confirm, int)):
        raise bad_request("`confirm` must be a whole number, of nodes")
    if len(names) > NODES_UNCONFIRMED and confirm != len(names):
        raise Refusal(
            409,
            f"{action}: that is {len(names)} nodes; more than {NODES_UNCONFIRMED} must be counted",
            f'send "confirm": {len(names)} with it',
        )


def _switch(action: str, names: list[str]) -> Response:
    change(len(names))
    try:
        return answer({"nodes": ask(action, SWITCH_SECONDS, nodes=names, actor=actor())["rows"]})
    finally:
        plant().rows.forget()


def _node(node: str) -> dict[str, Any]:
    plant().rows.check(node)
    return ask("node", node=node)


def _only(row: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
    unknown = [field for field in fields if field not in row]
    if unknown:
        raise bad_request(f"there is no field {unknown[0]:.40}", f"fields are {' '.join(row)}")
    return {field: row[field] for field in fields}
