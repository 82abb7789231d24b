"""Who may ask, and how: nothing that is refused may have been done."""

import http.client
import json
from collections.abc import Iterator

import pytest

from node.web.app import HEADERS
from tests.http_answers import Answer
from tests.web.simulator import HOST, Simulator, simulator

pytestmark = pytest.mark.net

SET = "/api/tags/SCADA/attribute[0]=666"
CHANGES = [
    ("GET", SET, None),
    ("GET", "/api/tags/SCADA/attribute[0]/666", None),
    ("GET", "/api/tags//SCADA/attribute[0]=666", None),
    ("GET", "/api/options/delay/value=6.5", None),
    ("GET", "/api/tags/*/error/8", None),
    ("GET", "/api/server/control/disable/true", None),
    ("GET", "/api/server/control/done=true", None),
    ("GET", "/api/connections/eof/true", None),
    ("POST", SET, None),
    ("PUT", "/api/tags/SCADA/attribute[0]", b'{"value": 666}'),
]
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def served() -> Iterator[Simulator]:
    with simulator("SCADA=INT[1000]") as made:
        yield made


@pytest.fixture(autouse=True)
def unchanged(served: Simulator) -> Iterator[None]:
    before = served.get("")["data"]
    yield
    assert served.process.poll() is None
    assert served.get("")["data"] == before


def sent(served: Simulator, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = served.request(method, path, body, {**JSON, **named} if body is not None else named)
    expected = {**HEADERS, **({"Cache-Control": answer.headers["cache-control"]} if "/static/" in path else {})}
    assert {name: answer.headers.get(name.lower()) for name in HEADERS} == expected
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    return answer


@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=lambda part: str(part)[:50])
def test_a_page_of_another_origin_changes_nothing(
    served: Simulator, method: str, path: str, body: bytes | None
) -> None:
    own = f"http://{HOST}:{served.web}"
    for foreign in (
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "same-site", "Referer": f"{own}/"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://{HOST}:1"},
        {"Referer": "http://evil.example/page"},
        {"Referer": f"http://evil.example/{HOST}:{served.web}/"},
        {"Referer": f"http://{HOST}:{served.web}.evil.example/"},
        {"Referer": f"http://{HOST}:1/"},
        {"User_Agent": CHROME},
        {"User_Agent": CHROME, "Referer": "http://evil.example/"},
    ):
        answer = sent(served, method, path, body, **foreign)
        assert answer.status == 403, foreign
        assert set(answer.json) == {"error", "detail", "hint"}
    for host in ("evil.example", f"evil.example:{served.web}", "127.64.12.1.evil.example", "", "127.64.12.2", "a b"):
        assert sent(served, method, path, body, Host=host).status == 421


def test_nothing_is_read_by_another_origin_but_links_may_lead_here(served: Simulator) -> None:
    assert sent(served, "GET", "/api", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors").status == 403
    assert sent(served, "GET", "/api", Sec_Fetch_Site="same-site", Sec_Fetch_Dest="script").status == 403
    assert sent(served, "GET", "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="iframe").status == 403
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert sent(served, "GET", "/api/tags", **link).status == 200
    assert sent(served, "GET", "/api", Host="evil.example").status == 421


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": "curl/8.5.0", "Accept": "*/*"},
        {"User-Agent": "Wget/1.21.4", "Accept": "*/*"},
        {"User-Agent": "python-requests/2.32"},
        {"User-Agent": CHROME, "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        {"User-Agent": CHROME, "Sec-Fetch-Site": "same-origin"},
        {"User-Agent": CHROME, "Origin": "own"},
        {"User-Agent": CHROME, "Referer": "own/api/tags"},
        {"Host": "localhost:5"},
        {"Host": "LOCALHOST"},
    ],
)
def test_programs_persons_and_our_own_page_pass(served: Simulator, headers: dict[str, str]) -> None:
    own = f"http://{HOST}:{served.web}"
    sent = {name: value.replace("own", own, 1) if value.startswith("own") else value for name, value in headers.items()}
    assert served.request("GET", "/api/tags/SCADA/attribute[0]=5", None, sent).status == 200
    assert served.request("GET", "/api/tags/SCADA/attribute[0]=0", None, sent).status == 200


def test_a_browser_that_says_nothing_shows_a_button_that_does_it(served: Simulator) -> None:
    page = {"User-Agent": CHROME, "Accept": "text/html,*/*;q=0.8"}
    answer = served.request("GET", SET, None, page)
    assert answer.status == 403
    assert '<form method="post" action="/api/tags/SCADA/attribute%5B0%5D%3D666">' in answer.body.decode()
    foreign = served.request("GET", SET, None, {**page, "Sec-Fetch-Site": "cross-site"})
    assert foreign.status == 403
    assert "<form" not in foreign.body.decode()
    pressed = {**page, "Origin": f"http://{HOST}:{served.web}", "Content-Type": "application/x-www-form-urlencoded"}
    pressed["Content-Length"] = "0"
    action = "/api/tags/SCADA/attribute%5B0%5D%3D1"
    done = served.request("POST", action, None, pressed)
    assert done.status == 200
    assert "tags.SCADA.attribute[0]=&#39;1&#39; (1)" in done.body.decode()
    served.say("/tags/SCADA/attribute[0]=0")


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status"),
    [
        ("HEAD", "/api/tags", None, "", 200),
        ("HEAD", SET, None, "", 405),
        ("DELETE", "/api/tags/SCADA", None, "", 405),
        ("OPTIONS", "/api", None, "", 405),
        ("PATCH", SET, None, "", 405),
        ("POST", "/", None, "", 405),
        ("GET", "/nope", None, "", 404),
        ("GET", "/static/../app.py", None, "", 404),
        ("GET", "/static/%2e%2e/app.py", None, "", 404),
        ("GET", f"{SET}?x=1", None, "", 400),
        ("PUT", "/api/tags/SCADA/attribute[0]", None, "", 400),
        ("PUT", SET, b'{"value": 666}', "application/json", 400),
        ("PUT", "/api/tags/SCADA/attribute[0]", b"value=666", "application/x-www-form-urlencoded", 415),
        ("PUT", "/api/tags/SCADA/attribute[0]", b'{"value": 666}', "text/plain", 415),
        ("PUT", "/api/tags/SCADA/attribute[0]", b'{"value": ', "application/json", 400),
        ("PUT", "/api/tags/SCADA/attribute[0]", b"666", "application/json", 400),
        ("PUT", "/api/tags/SCADA/attribute[0]", b'{"value": null}', "application/json", 400),
        ("PUT", "/api/tags/SCADA/attribute[0]", b'{"value": 666, "more": 1}', "application/json", 400),
        ("PUT", "/api/tags/SCADA/attribute[0]", b"[" * 100_000, "application/json", 400),
        ("PUT", "/api/tags/SCADA/attribute[0]", b" " * (1 << 20) + b"1", "application/json", 413),
        ("GET", "/api/tags/SCADA/attribute=" + "6" * 20_000, None, "", 414),
    ],
    ids=lambda part: str(part)[:40],
)
def test_methods_and_bodies_that_make_no_sense_have_a_status(
    served: Simulator, method: str, path: str, body: bytes | None, kind: str, status: int
) -> None:
    answer = served.request(method, path, body, {"Content-Type": kind} if kind else {})
    assert answer.status == status, answer.body
    if status == 405:
        assert answer.headers["allow"]
    if status >= 400 and method != "HEAD":
        assert set(json.loads(answer.body)) == {"error", "detail", "hint"}
    if method == "HEAD":
        assert answer.body == b""


def test_what_came_from_a_wire_is_text(served: Simulator) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    for path in (f"/api/tags/{nasty}", f"/api/tags/SCADA/{nasty}=1", f"/{nasty}", f"/api/tags/SCADA/error={nasty}"):
        quoted = path.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")
        answer = served.request("GET", quoted, None, {"Accept": "text/html", "Sec-Fetch-Site": "none"})
        assert answer.status in (400, 404)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "&lt;img src" in answer.body.decode()
        assert "<img" not in answer.body.decode()


def test_bytes_that_are_no_http_are_survived(served: Simulator) -> None:
    for junk in (b"\x00\xff\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"PUT /api HTTP/1.1\r\n\r\n"):
        connection = http.client.HTTPConnection(HOST, served.web, timeout=5)
        connection.connect()
        assert connection.sock is not None
        connection.sock.sendall(junk)
        assert connection.sock.recv(12).startswith(b"HTTP/1.")
        connection.close()
    assert served.get("/options")["data"]
