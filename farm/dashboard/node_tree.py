"""`/node/NAME/api/<group>/<match>/<command>/<value>`: what a simulator's own web interface is, for every node, through
this one server. The node reads the path; here it is only seen to who may.

A GET can change something in this grammar, and any page can have a browser send a GET, cookie and all: so what changes
something needs the token in the `Authorization` header, which no page can have a browser send.
"""

import json
from html import escape
from typing import Any

from flask import Blueprint, Response, request

from farm.dashboard import safety
from farm.dashboard.answers import answer, body_of_request
from farm.dashboard.marks import OWN_CHECK, marked
from farm.dashboard.refusal import Refusal
from farm.dashboard.site import actor, ask, caller, change, plant

blueprint = Blueprint("node_tree", __name__)

GROUP_MATCH_COMMAND = 3
"""Words of a path that only looks, at most."""
PATH_LIMIT = 2000
HTML = "text/html"


def changes(path: str) -> bool:
    """Whether a path below `api` names a value to put, or something to be done: it has a fourth word, or an `=`; or a
    third where the match may be left out, as in connections/eof/true. An empty word is one."""
    words = path.rstrip("/").split("/")
    return "=" in path or len(words) > GROUP_MATCH_COMMAND or (len(words) == GROUP_MATCH_COMMAND and words[1] == "eof")


@blueprint.get("/node/<node>/api", defaults={"path": ""})
@blueprint.get("/node/<node>/api/<path:path>")
@marked(OWN_CHECK)
def look(node: str, path: str) -> Response:
    """What fits the path; after a value was put there, if it names one."""
    if changes(path):
        safety.check_change(caller(), request.headers, cookie_will_do=False)
        change()
    return _shown(node, path, _run(node, path, None))


@blueprint.post("/node/<node>/api/<path:path>")
def put(node: str, path: str) -> Response:
    """Puts what the path names, or `value` of the body."""
    safety.check_change(caller(), request.headers, cookie_will_do=False)
    body = body_of_request("value") if request.content_length else {}
    change()
    return _shown(node, path, _run(node, path, body.get("value")))


def _run(node: str, path: str, value: Any) -> Any:
    if len(path) > PATH_LIMIT:
        raise Refusal(414, f"a path of {len(path)} characters; at most {PATH_LIMIT} are read")
    plant().rows.check(node)
    return ask("command", node=node, path=f"api/{path}".rstrip("/"), value=value, actor=actor())["value"]


def _shown(node: str, path: str, found: Any) -> Response:
    """As JSON, or for a browser as the least of pages around it, in which all is text."""
    if request.accept_mimetypes.best_match(("application/json", HTML)) != HTML:
        return answer(found)
    title, text = escape(f"{node} api/{path}"), escape(json.dumps(found, indent=4))
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><pre>{text}</pre>'
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
