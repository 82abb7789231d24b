"""The application: a plain WSGI object, every route behind the same guards, every error in the same form.

The guards run before each request, by what its view was marked with (`free`, `changing`); a view without a mark only
looks. See `safety` for what they check.
"""

import logging
from typing import Any

from flask import Flask, Response, current_app, g, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from farm.dashboard import (
    api,
    assets,
    events_api,
    faults_api,
    map_api,
    metrics,
    node_tree,
    nodes_api,
    safety,
    session_api,
    stream_api,
    tags_api,
)
from farm.dashboard.answers import refused
from farm.dashboard.limits import BODY
from farm.dashboard.marks import FREE, NEEDS_NO_TOKEN, OWN_CHECK, mark_of
from farm.dashboard.refusal import Refusal
from farm.dashboard.site import EXTENSION, STATIC, Site, site

log = logging.getLogger(__name__)

LOOKING = ("GET", "HEAD")


def create_app(served: Site) -> Flask:
    """The application that serves `served`."""
    app = Flask("farm.dashboard", static_folder=None)
    app.extensions[EXTENSION] = served
    app.config.update(MAX_CONTENT_LENGTH=BODY, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    app.before_request(_guard)
    app.after_request(_head)
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)
    app.register_blueprint(assets.routes(STATIC))
    for module in (api, nodes_api, tags_api, faults_api, events_api, map_api, session_api, stream_api):
        app.register_blueprint(module.blueprint, url_prefix="/api/v1")
    for module in (metrics, node_tree):
        app.register_blueprint(module.blueprint)
    return app


def _guard() -> Any:
    """Refuses what may not be; answers the link that lets a browser in."""
    here, headers = site(), request.headers
    safety.check_host(headers.get("Host", ""), here.doors)
    if request.endpoint == "assets.index" and "code" in request.args:
        return _let_in(request.args["code"])
    if request.routing_exception is not None:
        return None  # there is nothing there, whoever asks
    mark = mark_of(current_app.view_functions.get(request.endpoint or ""))
    if mark == FREE:
        g.caller = safety.Caller(None, by_cookie=True)
        return None
    if safety.is_foreign(headers):
        raise Refusal(403, "another site's page may not ask here")
    if mark == NEEDS_NO_TOKEN:  # it is about to get one
        _check_body()
        return None
    g.caller = safety.caller_of(headers, request.cookies.get(here.cookie, ""), here.keys)
    if request.method in LOOKING or mark == OWN_CHECK:
        safety.check_read(g.caller, here.doors)
        return None
    safety.check_change(g.caller, headers)
    _check_body()
    return None


def _check_body() -> None:
    """A body is JSON; only DELETE needs none."""
    if request.content_length or request.method != "DELETE":
        safety.check_json(request.headers.get("Content-Type", ""))


def _let_in(code: str) -> AnyResponse:
    """A link is good once; then the cookie is what counts, and the code is gone from the address."""
    here = site()
    role = here.keys.redeem(code) if here.keys is not None else None
    if role is None and not (here.keys and here.keys.session_role(request.cookies.get(here.cookie, ""))):
        raise Refusal(403, "that link is not good any more: it lets in once", "call `farm dashboard` for another one")
    response = redirect("/", 303)
    if role is not None and here.keys is not None:
        session_api.set_cookie(response, here.keys.session(role))
    return response


def _head(response: Response) -> Response:
    for name, value in safety.HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _http_error(exc: HTTPException) -> Response:
    """What Flask finds wrong with a request, in our form."""
    line = {404: f"there is nothing at {request.path:.120}", 413: f"a body of over {BODY} bytes"}
    error = line.get(exc.code or 500, (exc.name or "error").lower())
    response = refused(Refusal(exc.code or 500, error, detail=(exc.description or "")[:200]))
    if exc.code == 405 and (allowed := getattr(exc, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _bug(exc: Exception) -> Response:
    log.error("a bug in the dashboard at %s %s", request.method, request.path, exc_info=exc)
    return refused(Refusal(500, "a bug in the dashboard", "its log has more: dashboard/web.log of the run's folder"))
