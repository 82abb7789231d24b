"""Requests that nobody thought of: none of them is answered with an error of ours."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.controller import Controller
from node.web.app import HEADERS, create_app
from node.web.desk import Desk
from node.web.door import door_at
from tests.test_controller import gateway

WORDS = ("options", "tags", "server", "connections", "delay", "value", "Count", "attribute[1]", "error", "eof", "*", "")
PATHS = st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=6).map("/".join)
NAMES = ("Accept", "Content-Type", "Referer", "Origin", "Sec-Fetch-Site", "User-Agent", "If-None-Match", "Range")
VALUES = st.sampled_from(("text/html", "application/json", "none", "Mozilla/5.0", "*", "http://127.0.0.1"))
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10)


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    """Of a controller that is in a loop of its own thread and has no port open."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    controller = Controller(gateway("127.64.12.2"))
    try:
        yield create_app(Desk(loop, controller.ask_api), door_at("", "127.0.0.1", 80), "title").test_client()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(("GET", "HEAD", "PUT", "POST", "DELETE", "TRACE")),
    PATHS,
    st.dictionaries(st.sampled_from(NAMES), VALUES | TEXT, max_size=4),
    st.none() | st.binary(max_size=20) | st.sampled_from((b'{"value": 1}', b'{"value": [1, "x"]}', b'{"value": {}}')),
)
def test_whatever_comes_has_a_status_of_its_own(
    client: FlaskClient, method: str, path: str, headers: dict[str, str], body: bytes | None
) -> None:
    answer = client.open(f"/api/{path}", method=method, headers={"Host": "localhost", **headers}, data=body)
    assert answer.status_code < 500, answer.get_data()
    assert all(answer.headers.get(name) == value for name, value in HEADERS.items())
    assert answer.mimetype in ("application/json", "text/html")
