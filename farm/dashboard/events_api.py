"""What happened, oldest first."""

from fnmatch import fnmatchcase

from flask import Blueprint, Response

from farm.dashboard.answers import answer, argument, whole, words
from farm.dashboard.site import ask

blueprint = Blueprint("events", __name__)

RING = 10_000
"""Events that a supervisor remembers."""
DEFAULT = 200
MOST_ID = 10**15 - 1


@blueprint.get("/events")
def events() -> Response:
    """The last `limit` events after the id `since`, of these kinds, and of nodes whose name fits a pattern."""
    since, limit = whole("since", 0, 0, MOST_ID), whole("limit", DEFAULT, 0, RING)
    kinds, node = words("kind", 20), argument("node").lower()
    found = ask("events", since=since, limit=RING if kinds or node else limit)
    fitting = [
        event
        for event in found["events"]
        if (not kinds or event["kind"] in kinds) and (not node or fnmatchcase(event["node"].lower(), node))
    ]
    return answer({"events": fitting[-limit:] if limit else [], "last": found["last"]})
