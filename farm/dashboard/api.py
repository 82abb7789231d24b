"""The farm as a whole: its line, its clients, whether this server is well, and the description of the API."""

from pathlib import Path
from typing import Any

from flask import Blueprint, Response

from farm import __version__
from farm.dashboard.answers import answer, packed
from farm.dashboard.site import ask, caller, site
from farm.dashboard.tokens import WRITE

blueprint = Blueprint("api", __name__)

OPENAPI = Path(__file__).resolve().parent / "openapi.json"
_OPENAPI = OPENAPI.read_bytes()


@blueprint.get("/farm")
def farm() -> Response:
    """The farm's line as it was heard last, how old that is, and whether the caller may change anything."""
    here = site()
    can_write = caller().role == WRITE
    if here.plant is None:
        demos = [{"name": demo.name, "title": demo.title, "command": demo.command} for demo in here.demos]
        return answer({"farm": None, "can_write": can_write, "version": __version__, "demos": demos})
    snapshot = here.plant.snapshot
    frame, age = snapshot.frame, snapshot.age
    body: dict[str, Any] = {"farm": here.plant.name, "version": __version__, "t": None}
    if frame is not None:
        body |= {**frame["farm"], "t": frame["t"]}
    return answer({**body, "age_s": None if age is None else round(age, 3), "can_write": can_write})


@blueprint.get("/clients")
def clients() -> Response:
    """Who talks to the farm, and to which nodes."""
    return answer(ask("clients"))


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """What this API is, in OpenAPI 3.1."""
    return packed(_OPENAPI)
