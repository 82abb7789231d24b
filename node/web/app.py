"""The paths of the web interface: `/` for browsers, `/api/...` for everybody, in the words of 2016.

    GET, HEAD   what fits the path; a GET whose path has a value puts it there first, as it did in 2016
    POST, PUT   the same, with the value in the path or as {"value": ...} in the body

    200  the answer            404  the path names what there is not
    400  a value or a body that cannot be taken, a query string; the envelope, or {"error", "detail", "hint"}
    403, 421  not from there (`origin`)      503, 504  the simulator has no time (`desk`)

A browser gets the answer as a page, which then asks for JSON.
"""

import json
import logging
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from node.commands.api import Answer, split
from node.config.model import Json
from node.web import origin
from node.web.desk import Desk
from node.web.door import Door
from node.web.refusal import Refusal

BODY = 1 << 20
"""Bytes of a request's body."""
PATH_LIMIT = 20_000
"""Characters of a path: a value may be a list."""
JSON, HTML = "application/json", "text/html"
METHODS = ("GET", "POST", "PUT")
HEADERS = {**origin.HEADERS, "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
"""Of every answer. A page says to its own server that it was it that asked."""

log = logging.getLogger(__name__)


def create_app(desk: Desk, door: Door, title: str) -> Flask:
    """The application that answers with what `desk` says; `title` tells people what it is that they see."""
    app = Flask("node.web.app")
    app.config.update(MAX_CONTENT_LENGTH=BODY, PROVIDE_AUTOMATIC_OPTIONS=False, SEND_FILE_MAX_AGE_DEFAULT=3600)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.before_request(lambda: _check_who_asks(door))
    app.after_request(_head)
    app.context_processor(lambda: {"title": title})
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)

    @app.get("/")
    def index() -> Response:
        return _page("", desk.ask(""))

    @app.route("/api", defaults={"path": ""}, methods=METHODS)
    @app.route("/api/<path:path>", methods=METHODS)
    def api(path: str) -> Response:
        value = _value_of_request(path)
        answer = desk.ask(path, value)
        if value is not None or _value_in(path) is not None:
            log.info("%s %r: %.200r", request.remote_addr, f"api/{path}"[:200], answer.envelope["command"])
        return _page(path, answer) if _wants_page() else _answered(answer)

    return app


def _check_who_asks(door: Door) -> None:
    origin.check_host(request.headers.get("Host", ""), door.names, door.any_address)
    if origin.is_foreign(request.headers) and not origin.is_link(request.headers):
        raise Refusal(403, "another site's page may not ask here")


def _value_in(path: str) -> str | None:
    return split(path)[3]


def _value_of_request(path: str) -> Json:
    """The value of the body, None where the path has it or there is none. Raises `Refusal` unless the request may be,
    for it may change something wherever there is a value."""
    if len(path) > PATH_LIMIT:
        raise Refusal(414, f"a path of {len(path)} characters; at most {PATH_LIMIT} are read", "send a body with PUT")
    in_path = _value_in(path) is not None
    if request.method not in ("POST", "PUT") and not in_path:
        return None
    if request.method == "HEAD":
        raise Refusal(405, "HEAD sets nothing", "use GET, POST or PUT")
    origin.check_change(request.headers)
    if request.query_string:
        raise Refusal(400, "a path ends at a question mark", "write %3F where a value has one")
    body = _body() if request.content_length else None
    if (body is not None) == in_path:
        wanted = 'one value: at the end of the path, or as {"value": ...} in the body'
        raise Refusal(400, f"got {'two' if in_path else 'none'}, wanted {wanted}")
    return body


def _body() -> Json:
    if request.mimetype != JSON:
        raise Refusal(415, f"got a body of type {request.mimetype[:80] or 'none'}, wanted {JSON}")
    try:
        body = request.get_json(cache=False)
    except RecursionError:
        raise Refusal(400, "the body is nested too deeply") from None
    if not isinstance(body, dict) or set(body) != {"value"} or body["value"] is None:
        raise Refusal(400, 'the body must be {"value": ...}')
    value: Json = body["value"]
    return value


def _wants_page() -> bool:
    return request.accept_mimetypes.best_match((JSON, HTML)) == HTML


def _status(answer: Answer) -> int:
    return 200 if answer.is_there and answer.done else 400 if answer.is_there else 404


def _json(body: Any, status: int) -> Response:
    return Response(json.dumps(body, indent=4) + "\n", status, content_type=JSON)


def _answered(answer: Answer) -> Response:
    return _json(answer.envelope, _status(answer))


def _page(path: str, answer: Answer) -> Response:
    """The answer in words, and in JSON until the page's script has made tables of it and asks on its own: for what the
    path names, never for what it sets."""
    group, match, _, _ = split(path)
    command = answer.envelope["command"]
    text = render_template(
        "page.html",
        command=command,
        group=group,
        match=match,
        text=json.dumps(answer.envelope, indent=4),
    )
    return Response(text, _status(answer), content_type=f"{HTML}; charset=utf-8")


def _head(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _refused(refusal: Refusal) -> Response:
    if _wants_page():
        unsaid = refusal.status == 403 and not origin.is_foreign(request.headers)
        asks = unsaid and request.method == "GET" and "Referer" not in request.headers
        page = render_template("refused.html", body=refusal.body, path=request.path if asks else "")
        response = Response(page, refusal.status, content_type=f"{HTML}; charset=utf-8")
    else:
        response = _json(refusal.body, refusal.status)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status == 405:
        response.headers["Allow"] = ", ".join(METHODS)
    return response


def _http_error(exc: HTTPException) -> Response:
    """What Flask finds wrong with a request, in our form."""
    line = {
        404: f"there is nothing at {request.path:.120}",
        405: f"{request.method:.20} is not answered here",
        413: f"a body of over {BODY} bytes",
    }
    error = line.get(exc.code or 500, (exc.name or "error").lower())
    hint = "the interface is at /api" if exc.code == 404 else ""
    return _refused(Refusal(exc.code or 500, error, hint, detail=(exc.description or "")[:200]))


def _bug(exc: Exception) -> Response:
    log.error("a bug in the web interface at %s %r", request.method, request.path[:200], exc_info=exc)
    return _refused(Refusal(500, "a bug in the web interface", "the simulator's log has more"))
