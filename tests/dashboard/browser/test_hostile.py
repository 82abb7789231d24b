"""What comes from a wire, a file or a plant is text: nothing in it becomes an element, an attribute or a script."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.dashboard.browser.chromium import Watched
from tests.dashboard.browser.client import pylogix
from tests.dashboard.browser.served import Served
from tests.dashboard.browser.views import PAINTED, VIEWS, row, show

pytestmark = [pytest.mark.net]

IMAGE = "<img src=x onerror=hacked=1>"
CORPUS = [
    IMAGE,
    "<script>hacked=1</script>",
    '"><svg onload=hacked=1>',
    "'-hacked=1-'",
    "javascript:hacked=1",
    "${hacked=1}{{hacked=1}}",
    "</style></title><iframe srcdoc='<script>parent.hacked=1</script>'>",
]
CAUGHT = f"""async () => {{
    for (let turn = 0; turn < 3; turn += 1) await {PAINTED};
    return {{
        hacked: window.hacked ?? null,
        made: document.querySelectorAll("main :is(img, script, iframe), header img, svg[onload], [onerror]").length,
        links: [...document.querySelectorAll("a[href]")].filter((link) => link.protocol === "javascript:").length,
    }};
}}"""
NOTHING = {"hacked": None, "made": 0, "links": 0}
KEPT = {
    "name",
    "condition",
    "state",
    "kind",
    "protocol",
    "level",
    "time",
    "mode",
    "source",
    "reach_kind",
    "subnet",
    "address",
}
"""Members whose few words the page knows, what it asks for by name, and addresses, which it takes apart to sort."""


def test_what_a_client_sends_is_shown_as_it_is(page: Page, plant: Served) -> None:
    with pylogix("127.64.1.8") as plc:
        for text in CORPUS:
            plc.Write("Test_STRING", text)
            plc.Read(text)
        plc.Write("Test_STRING", IMAGE)
        show(page, plant, "node/lab?q=Test_STRING")
        expect(row(page, "Test_STRING").locator(".value")).to_contain_text(IMAGE)
        assert page.evaluate(CAUGHT) == NOTHING
        row(page, "Test_STRING").get_by_role("button", name="Write").click()
        expect(row(page, "Test_STRING").locator("input.edit")).to_have_value(IMAGE)
        show(page, plant, "node/lab?tab=requests")
        expect(page.locator("main")).to_contain_text(IMAGE)
        assert page.evaluate(CAUGHT) == NOTHING
    plant.ask("nodes/lab/tags/Test_STRING", "PUT", {"value": IMAGE, "mode": "force"})
    plant.ask("nodes/lab/tags/Test_STRING", "PUT", {"mode": "release"})
    show(page, plant, "events")
    expect(page.locator("main")).to_contain_text(IMAGE)
    assert page.evaluate(CAUGHT) == NOTHING


def test_what_stands_in_an_address_is_shown_as_it_is(shown: Watched, plant: Served) -> None:
    page = shown.page
    shown.allowed.append("status of 404")
    for text in CORPUS:
        hidden = page.evaluate("encodeURIComponent", text)
        for view in (f"node/{hidden}", f"nodes?q={hidden}", f"{hidden}?{hidden}={hidden}", f"node/intake?tab={hidden}"):
            page.goto(f"{plant.url}/#{view}")
            page.locator("main").wait_for()
            assert page.evaluate(CAUGHT) == NOTHING, view
    page.goto(f"{plant.url}/#node/{page.evaluate('encodeURIComponent', IMAGE)}")
    expect(page.locator("h1")).to_have_text(IMAGE)


def spoilt(value: Any, key: str, turn: list[int]) -> Any:
    """The same with a line of the corpus behind every text that need not be one of a few words."""
    if isinstance(value, dict):
        return {name: spoilt(member, name, turn) for name, member in value.items()}
    if isinstance(value, list):
        return [spoilt(member, key, turn) for member in value]
    if not isinstance(value, str) or key in KEPT:
        return value
    turn[0] += 1
    return f"{value} {CORPUS[turn[0] % len(CORPUS)]}"


def test_no_member_of_any_answer_becomes_more_than_text(
    watched: Callable[..., Watched], plant: Served, signed_in: object
) -> None:
    """Names of nodes and tags cannot be so: files with such names are refused."""
    opened = watched(storage_state=signed_in)
    opened.allowed.append("net::ERR_FAILED")  # the stream, which is not spoilt but cut
    page = opened.page
    turn = [0]

    def spoil(route: Route) -> None:
        if "/stream" in route.request.url:
            route.abort()
            return
        answer = route.fetch()
        route.fulfill(response=answer, body=json.dumps(spoilt(answer.json(), "", turn)))

    page.context.route("**/api/v1/**", spoil)
    with pylogix("127.64.1.1") as plc:
        plc.Read("LIT101_Level")
        plant.ask("faults", "POST", {"fault": {"kind": "freeze", "tag": "Station"}, "nodes": ["intake"], "for": 60})
        for number, (view, sign) in enumerate(VIEWS.items()):
            page.goto(f"{plant.url}/?{number}#{view}")  # another address each time: all is asked for, and spoilt, anew
            page.locator(sign).first.wait_for()
            expect(page.locator("main")).not_to_contain_text("Asking…")
            assert page.evaluate(CAUGHT) == NOTHING, view
    plant.ask("faults", "DELETE", {})
    assert turn[0] > 1000
