"""What the page does when what feeds it stops, dies, comes back, or was never there."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.abnormal import silent
from tests.dashboard.browser.chromium import Watched
from tests.dashboard.browser.client import pylogix
from tests.dashboard.browser.served import Served, killed, without_a_plant
from tests.dashboard.browser.views import strip, tile
from tests.farm_command import farm
from tests.waiting import until

pytestmark = [pytest.mark.net]

RECOVERS = 5.0
"""Seconds within which a page hears again: a promise, so it is held where nothing runs beside."""
FRAME_TIME = "async () => (await import('/static/fleet.js')).fleet.frameTime"
SMALL = "farm: 1\nname: small\nnodes:\n  plc1: {kind: logix, address: 127.64.9.1, tags: {Level: REAL}}\n"


def test_a_silent_supervisor_is_not_taken_for_a_quiet_plant(shown: Watched, plant: Served) -> None:
    page = shown.page
    shown.allowed.append("Failed to load resource")
    with silent(plant.supervisor()):
        expect(strip(page).locator(".age")).to_contain_text(re.compile(r"no data for \d+ s"))
        expect(page.locator("main")).to_have_class("dimmed")
    expect(strip(page).locator(".age")).to_contain_text("s old")
    expect(page.locator("main")).not_to_have_class("dimmed")


@pytest.mark.quiet
def test_a_page_recovers_from_the_death_of_the_supervisor_and_nodes_do_not_notice(
    shown: Watched, plant: Served
) -> None:
    page = shown.page
    shown.allowed.append("Failed to load resource")
    before = plant.supervisor()
    with pylogix("127.64.1.3") as plc:
        assert plc.Read("LIT301_Sludge").Status == "Success"
        killed(before)
        assert plc.Read("LIT301_Sludge").Status == "Success"
        plant.farm("ps")
        back = time.time()
        until(lambda: page.evaluate(FRAME_TIME) > back, "a frame of the new supervisor", seconds=RECOVERS)
        assert plc.Read("LIT301_Sludge").Status == "Success"
    assert plant.supervisor() != before
    expect(strip(page).locator(".age")).to_contain_text("s old")
    expect(strip(page).locator(".count.up")).to_contain_text("12 up")


@pytest.mark.quiet
def test_a_page_recovers_from_the_death_of_its_server(shown: Watched, plant: Served) -> None:
    page = shown.page
    shown.allowed += ["Failed to load resource", "net::ERR"]
    plant.farm("dashboard", "--stop")
    expect(strip(page).locator(".age")).to_contain_text("no data for")
    plant.farm("dashboard", "--listen", plant.url.removeprefix("http://"))
    back = time.time()
    until(lambda: page.evaluate(FRAME_TIME) > back, "a frame of the new server", seconds=RECOVERS)


def test_without_a_plant_the_page_says_how_to_start_one_and_shows_it(watched: Callable[..., Watched]) -> None:
    with tempfile.TemporaryDirectory(prefix="plcd", dir="/tmp") as folder:
        root = Path(folder)
        root.chmod(0o711)
        (root / "small.yaml").write_text(SMALL)
        opened = watched()
        opened.allowed += ["Failed to load resource", "net::ERR"]
        page = opened.page
        with without_a_plant(root) as url:
            page.goto(url)
            expect(page.get_by_role("heading", level=1)).to_have_text("No plant runs yet")
            page.get_by_role("button", name=re.compile("^Copy .*demo")).click()
            assert "demo" in page.evaluate("navigator.clipboard.readText()")
            try:
                farm(root, "up", str(root / "small.yaml"))
                expect(tile(page, "plc1")).to_be_visible()
                hears_a_plant_that_begins_anew(root, page)
            finally:
                farm(root, "down", "--all")


def hears_a_plant_that_begins_anew(root: Path, page: Page) -> None:
    """Its events are counted from the first again."""
    page.evaluate("location.hash = 'events'")
    farm(root, "fault", "slow", "--seconds", "1ms", "plc1")
    farm(root, "fault", "clear", "--all")
    expect(page.locator(".events tbody")).to_contain_text("cleared: slow by 1 ms")
    farm(root, "down")
    expect(page.get_by_role("heading", level=1)).to_have_text("No plant runs yet")
    farm(root, "up", str(root / "small.yaml"))
    expect(page.locator(".events tbody tr").first).to_be_visible()
    farm(root, "fault", "drop", "--chance", "1", "plc1")
    expect(page.locator(".events tbody")).to_contain_text("drop")
    expect(page.locator(".events tbody")).not_to_contain_text("cleared")
