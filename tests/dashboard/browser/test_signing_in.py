"""A dashboard that other machines can reach: whoever opens it types a token, and may do what that token may."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browser.chromium import Watched
from tests.dashboard.browser.served import Served, served
from tests.dashboard.browser.views import row, strip, tile

pytestmark = [pytest.mark.net]

PLANT = "farm: 1\nname: open\nnodes:\n  plc1: {kind: logix, address: 127.64.9.21, tags: {Level: REAL}}\n"
STREAM = 12_000
"""Milliseconds until what was refused is asked for again, and heard."""


@pytest.fixture(scope="module")
def reachable(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One node, whose dashboard listens on every address of this machine."""
    file = tmp_path_factory.mktemp("open") / "plant.yaml"
    file.write_text(PLANT)
    with served(file) as running:
        running.farm("dashboard", "--stop")
        running.farm("dashboard", "--listen", f"0.0.0.0:{running.url.rpartition(':')[2]}")
        yield running


@pytest.fixture
def asked(watched: Callable[..., Watched], reachable: Served) -> Watched:
    """The page, which wants a token."""
    opened = watched()
    opened.allowed.append("status of 401")
    opened.page.goto(reachable.url)
    expect(opened.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    return opened


def sign_in(page: Page, *tokens: str) -> None:
    """Types them one after the other; all but the last are refused."""
    page.get_by_role("button", name="Sign in…").click()
    dialog = page.get_by_role("dialog")
    for token in tokens:
        if token != tokens[0]:
            expect(dialog.get_by_role("alert")).to_contain_text("that token is not known here")
        dialog.get_by_label("Token").fill(token)
        dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0)
    expect(tile(page, "plc1")).to_be_visible()


def test_who_types_the_token_sees_the_plant_and_may_change_it(asked: Watched, reachable: Served) -> None:
    page = asked.page
    expect(page.locator(".tile")).to_have_count(0)
    sign_in(page, "0" * 32, reachable.read_token[::-1], reachable.token)
    expect(strip(page).locator(".sign-in")).to_have_count(0)
    expect(strip(page).locator(".age")).to_contain_text("s old", timeout=STREAM)
    page.goto(f"{reachable.url}/#node/plc1")
    row(page, "Level").get_by_role("button", name="Write").click()
    row(page, "Level").locator("input.edit").fill("2.5")
    row(page, "Level").locator("input.edit").press("Enter")
    expect(row(page, "Level").locator(".value")).to_contain_text("2.5")
    assert reachable.ask("nodes/plc1/tags/Level")["value"]["value"] == 2.5
    page.reload()
    expect(row(page, "Level")).to_be_visible()


def test_who_types_the_token_for_looking_may_look(asked: Watched, reachable: Served) -> None:
    asked.allowed.append("status of 403")
    page = asked.page
    sign_in(page, reachable.read_token)
    expect(page.locator(".said")).to_contain_text("Signed in to read")
    expect(strip(page).locator(".sign-in")).to_be_visible()
    page.goto(f"{reachable.url}/#node/plc1")
    for name in ("Write", "Force", "Stop", "Restart"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    row(page, "Level").focus()
    page.keyboard.press("F")
    expect(page.locator("input.edit")).to_have_count(0)
    page.goto(f"{reachable.url}/#faults?nodes=plc1")
    expect(page.get_by_role("button", name="Put it on")).to_be_disabled()
    refused = page.evaluate("""async () => (await fetch("api/v1/nodes/plc1/tags/Level", {method: "PUT",
        headers: {"Content-Type": "application/json"}, body: '{"value": 9}'})).status""")
    assert refused == 403
    assert reachable.ask("nodes/plc1/tags/Level")["value"]["value"] != 9
