"""The table of what is refused: a rebound name, another site's page, no token, the wrong one, a form's body, too much.

Each line is a request to a dashboard that serves a plant; what it would have changed must be as it was.
"""

import json
from typing import Any

import pytest

from farm.dashboard.limits import BODY
from farm.dashboard.safety import HEADERS
from tests.dashboard.served import Served

pytestmark = pytest.mark.net

JSON = {"Content-Type": "application/json"}
TAG = "/api/v1/nodes/plc/tags/Count"
ROGUE = {"value": 666}
EVERY_CHANGE = [
    ("PUT", TAG, ROGUE),
    ("POST", "/api/v1/tags:batch", {"writes": [{"node": "plc", "tag": "Count", "value": 666}]}),
    ("POST", "/api/v1/nodes/plc/stop", {}),
    ("POST", "/api/v1/nodes/plc/start", {}),
    ("POST", "/api/v1/nodes/plc/restart", {}),
    ("POST", "/api/v1/nodes:stop", {"nodes": ["plc"]}),
    ("POST", "/api/v1/nodes:start", {"nodes": ["plc"]}),
    ("POST", "/api/v1/nodes:restart", {"nodes": ["plc"]}),
    ("POST", "/api/v1/faults", {"fault": {"kind": "offline"}, "nodes": ["plc"]}),
    ("DELETE", "/api/v1/faults", None),
    ("DELETE", "/api/v1/faults/1", None),
    ("DELETE", "/api/v1/nodes/plc/connections/127.0.0.1:5", None),
    ("POST", "/node/plc/api/tags/Count/attribute", {"value": 666}),
    ("GET", "/node/plc/api/tags/Count/attribute/666", None),
    ("GET", "/node/plc/api/tags/Count/attribute=666", None),
    ("GET", "/node/plc/api/connections/eof/true", None),
    ("GET", "/node/plc/api/tags//Count/attribute/666", None),
]


def sent(served: Served, method: str, path: str, body: Any, headers: dict[str, str]) -> int:
    """The status that comes back, in the form that all errors have; nothing may be changed by it."""
    packed = None if body is None else json.dumps(body).encode()
    answer = served.request(method, path, packed, headers)
    if answer.status >= 400:
        assert set(answer.json) == {"error", "detail", "hint"}, answer.body
        assert answer.json["error"]
    assert {name: answer.headers.get(name.lower()) for name in HEADERS} == HEADERS
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    return answer.status


@pytest.fixture(scope="module")
def cookie(served: Served) -> str:
    """Of a browser that came by a link."""
    return signed_in(served)


def signed_in(served: Served, *options: str) -> str:
    """The cookie that a link of `farm dashboard` is answered with."""
    link = served.farm("dashboard", *options).stdout.split()[-1]
    answer = served.request("GET", "/" + link.partition("/?")[2].join(("?", "")))
    assert answer.status == 303
    assert answer.headers["location"] == "/"
    text = answer.headers["set-cookie"]
    assert "HttpOnly" in text
    assert "SameSite=Strict" in text
    assert "Path=/" in text
    again = served.request("GET", "/" + link.partition("/?")[2].join(("?", "")))
    assert again.status == 403, "a link lets in once"
    return text.partition(";")[0]


@pytest.fixture(autouse=True)
def unchanged(served: Served) -> Any:
    """Nothing that is refused may have been done."""
    yield
    rows = served.get("/api/v1/nodes?filter=name:plc")["nodes"]
    assert [(row["state"], row["restarts"], row["faults"]) for row in rows] == [("up", 0, [])]
    assert served.get(TAG)["value"]["value"] != 666


@pytest.mark.parametrize(("method", "path", "body"), EVERY_CHANGE, ids=lambda part: str(part)[:40])
def test_nothing_is_changed_without_a_right_to(served: Served, cookie: str, method: str, path: str, body: Any) -> None:
    bearer, reader = {"Authorization": f"Bearer {served.token}"}, {"Authorization": f"Bearer {served.reader}"}
    host = f"127.0.0.1:{served.port}"
    assert sent(served, method, path, body, JSON) == 401
    assert sent(served, method, path, body, {**JSON, "Authorization": "Bearer " + "0" * 32}) == 401
    assert sent(served, method, path, body, {**JSON, "Authorization": f"Basic {served.token}"}) == 401
    assert sent(served, method, path, body, {**JSON, **reader}) == 403
    for foreign in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert sent(served, method, path, body, {**JSON, **bearer, **foreign}) == 403
        assert sent(served, method, path, body, {**JSON, "Cookie": cookie, **foreign}) == 403
    other_port = {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"}
    assert sent(served, method, path, body, {**JSON, "Cookie": cookie, **other_port}) == 403
    assert sent(served, method, path, body, {**JSON, "Cookie": cookie}) in (401, 403)
    assert sent(served, method, path, body, {**JSON, **bearer, "Host": "evil.example"}) == 421
    if path.startswith("/node/"):  # a cookie is not enough where a GET can change something
        assert sent(served, method, path, body, {**JSON, "Cookie": cookie, "Origin": f"http://{host}"}) == 401
    if body is not None:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            assert sent(served, method, path, body, {**bearer, "Content-Type": kind}) in (400, 415)


@pytest.mark.parametrize("path", [TAG + "/release", TAG + "%2Frelease", TAG + "/error", TAG[:-5] + "release"])
def test_looking_at_a_tag_does_nothing_to_it(served: Served, path: str) -> None:
    served.change("PUT", TAG, {"value": 5, "mode": "force"})
    try:
        assert sent(served, "GET", path, None, {}) == 404
        assert served.get(TAG)["value"]["forced"] is True
    finally:
        served.change("PUT", TAG, {"mode": "release"})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("[::1]:{port}", 200),
        ("127.0.0.1:9", 200),
        ("evil.example", 421),
        ("evil.example:{port}", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:{port}", 421),
        ("127.0.0.2:{port}", 421),
        ("0.0.0.0:{port}", 421),
        ("127.0.0.1:{port}@evil.example", 421),
        ("127.0.0.1, evil.example", 421),
        ("", 421),
    ],
)
@pytest.mark.parametrize("path", ["/", "/static/nothing", "/api/v1/farm", "/metrics", "/healthz", "/nothing"])
def test_only_our_own_names_are_answered_to(served: Served, host: str, status: int, path: str) -> None:
    found = sent(served, "GET", path, None, {"Host": host.format(port=served.port)})
    assert found == (404 if status == 200 and "nothing" in path else status)


@pytest.mark.parametrize("path", ["/api/v1/farm", "/api/v1/stream", "/api/v1/nodes", "/metrics", "/node/plc/api"])
def test_another_sites_page_may_not_even_look(served: Served, path: str) -> None:
    for foreign in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
    ):
        assert sent(served, "GET", path, None, foreign) == 403


def test_our_own_page_may_change_something_with_the_cookie(served: Served, cookie: str) -> None:
    for ours in ({"Origin": f"http://127.0.0.1:{served.port}"}, {"Sec-Fetch-Site": "same-origin"}):
        assert sent(served, "PUT", TAG, {"value": 7}, {**JSON, "Cookie": cookie, **ours}) == 200
    assert served.get("/api/v1/farm", Cookie=cookie)["can_write"] is True
    assert served.get("/api/v1/farm")["can_write"] is False
    assert served.get(TAG)["value"]["value"] == 7


def test_a_link_to_look_with_changes_nothing(served: Served) -> None:
    cookie = signed_in(served, "--read-only")
    ours = {**JSON, "Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    assert sent(served, "PUT", TAG, ROGUE, ours) == 403
    assert served.get("/api/v1/farm", Cookie=cookie)["can_write"] is False


def test_a_cookie_that_was_made_up_is_none(served: Served, cookie: str) -> None:
    name, _, signed = cookie.partition("=")
    almost = signed[:-1] + ("1" if signed[-1] == "0" else "0")
    for value in ("", "write.1.2", "a" * 5000, almost):
        headers = {**JSON, "Cookie": f"{name}={value}", "Sec-Fetch-Site": "same-origin"}
        assert sent(served, "PUT", TAG, ROGUE, headers) == 401


def test_signing_in_and_out_with_a_token(served: Served) -> None:
    def sign_in(token: Any, **headers: str) -> Any:
        return served.request("POST", "/api/v1/session", json.dumps({"token": token}).encode(), {**JSON, **headers})

    assert sign_in("0" * 32).status == 401
    assert sign_in(7).status == 401
    assert sign_in(served.token, Origin="http://evil.example").status == 403
    assert sign_in(served.token, **{"Content-Type": "text/plain"}).status == 415
    assert sign_in(served.reader).json == {"can_write": False}
    answer = sign_in(served.token)
    assert answer.json == {"can_write": True}
    cookie = answer.headers["set-cookie"].partition(";")[0]
    ours = {**JSON, "Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    assert sent(served, "PUT", TAG, {"value": 8}, ours) == 200
    out = served.request("DELETE", "/api/v1/session", headers={"Cookie": cookie})
    assert out.status == 200
    assert "Expires=Thu, 01 Jan 1970" in out.headers["set-cookie"]


def test_a_body_has_its_limit(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.token}", **JSON}
    body = b'{"value": "' + b"x" * BODY + b'"}'
    assert sent(served, "PUT", TAG, "x" * BODY, headers) == 413
    assert served.request("PUT", TAG, body, headers).status == 413
    told = {**headers, "Content-Length": str(100 * BODY)}
    assert served.request("PUT", TAG, None, told).status == 413, "it is not waited for"
    deep = b'{"value": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert served.request("PUT", TAG, deep, headers).status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"value": 1, "extra": 2}', b"\xff\xfe", b'{"mode": []}'])
def test_bodies_that_make_no_sense(served: Served, body: bytes) -> None:
    answer = served.request("PUT", TAG, body, {"Authorization": f"Bearer {served.token}", **JSON})
    assert answer.status == 400, answer.body


def test_paths_lead_to_no_file(served: Served) -> None:
    for path in ("/static/../app.py", "/static/..%2f..%2fapp.py", "/static//etc/passwd", "/static/%2e%2e/tokens.py"):
        assert sent(served, "GET", path, None, {}) == 404
