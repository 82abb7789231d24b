"""Every page opens, fits a small screen, and is where it was when its address is opened again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.chromium import Watched
from tests.dashboard.browser.served import Served
from tests.dashboard.browser.views import VIEWS, filter_box, show, strip, tile
from tests.waiting import until

pytestmark = [pytest.mark.net]

WIDER_THAN_SHOWN = """() => [document.documentElement, ...document.querySelectorAll("main, main .page, header, nav")]
    .filter((box) => box.scrollWidth > box.clientWidth + 1)
    .map((box) => `${box.tagName}.${box.className}: ${box.scrollWidth} > ${box.clientWidth}`)"""
CASES = json.loads((Path(__file__).parents[1] / "filter_cases.json").read_text())
FITTING = """async ({rows, faults, cases}) => {
    const {parseFilter} = await import("/static/filter.js");
    const kinds = new Map(Object.entries(faults).map(([id, kind]) => [Number(id), kind]));
    return cases.map(([text]) => {
        try {
            return rows.filter((row) => parseFilter(text)(row, kinds)).map((row) => row.name);
        } catch {
            return null;
        }
    });
}"""
CUT_OFF = """() => [...document.querySelectorAll("th, button, .tabs a, .ways a, .count, .fact")]
    .filter((box) => box.scrollWidth > box.clientWidth + 1 && box.getClientRects().length && !box.closest(".unseen"))
    .map((box) => box.textContent.trim())"""


def test_every_page_opens_and_fits_a_small_screen(page: Page, plant: Served) -> None:
    for view, sign in VIEWS.items():
        show(page, plant, view)
        expect(page.locator(sign).first).to_be_visible()
        expect(page.locator("main .problem")).to_have_count(0)
        assert page.evaluate(WIDER_THAN_SHOWN) == [], view
        assert page.evaluate(CUT_OFF) == [], view


def test_the_strip_says_what_is_normal_how_old_that_is_and_where_the_plant_can_be_reached(page: Page) -> None:
    expect(strip(page)).to_contain_text("waterworks")
    expect(strip(page).locator(".count.up")).to_contain_text("12 up")
    expect(strip(page)).to_contain_text("loopback only")
    expect(strip(page).locator(".age")).to_contain_text("s old")


def test_the_page_reads_a_filter_as_the_api_does(page: Page) -> None:
    found = page.evaluate(FITTING, CASES)
    assert found == [names for _, names in CASES["cases"]]


def test_a_pattern_in_an_address_that_somebody_typed(page: Page, plant: Served) -> None:
    page.goto(f"{plant.url}/#nodes?name=filter-?")
    expect(filter_box(page)).to_have_value("name:filter-?")
    expect(page.locator(".grid tbody tr")).to_have_count(2)


def test_a_filter_narrows_tiles_and_table_and_stands_in_the_address(page: Page, plant: Served) -> None:
    box = filter_box(page)
    box.fill("filter-")
    expect(page.locator(".tile")).to_have_count(2)
    box.fill("kind:modbus")
    expect(page.locator(".tile")).to_have_count(3)
    expect(page).to_have_url(re.compile("kind=modbus"))
    page.reload()
    expect(page.locator(".tile")).to_have_count(3)
    expect(filter_box(page)).to_have_value("kind:modbus")
    show(page, plant, "nodes")
    filter_box(page).fill("profile:1756* -name:lab")
    expect(page.locator(".grid tbody tr")).to_have_count(3)
    filter_box(page).fill("colour:red")
    expect(page.locator("#filter-help.problem")).to_be_visible()


def test_a_count_filters_and_filters_no_more(page: Page, plant: Served) -> None:
    strip(page).locator(".count.up").click()
    expect(page).to_have_url(f"{plant.url}/#overview?condition=up")
    expect(page.locator(".tile")).to_have_count(12)
    strip(page).locator(".count.up").click()
    expect(page).to_have_url(f"{plant.url}/#overview")


def test_the_address_holds_the_view(page: Page, plant: Served, watched: Callable[..., Watched]) -> None:
    show(page, plant, "nodes")
    page.get_by_role("button", name="Name").click()
    page.get_by_role("button", name="Name").click()
    filter_box(page).fill("kind:logix")
    first = page.locator(".grid tbody tr").first
    expect(first).to_contain_text("lab")
    colleague = watched().page
    colleague.goto(page.evaluate("location.href"))
    expect(colleague.locator(".grid tbody tr").first).to_contain_text("lab")
    expect(colleague.locator(".grid tbody tr")).to_have_count(8)
    expect(colleague.get_by_text("sign in").first).to_be_visible()


def test_a_node_is_opened_from_its_tile_and_left_again(page: Page, plant: Served) -> None:
    tile(page, "clearwell").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("clearwell")
    expect(page).to_have_title("clearwell · waterworks")
    page.get_by_role("link", name="Config").click()
    expect(page).to_have_url(f"{plant.url}/#node/clearwell?tab=config")
    expect(page.locator("table.config")).to_contain_text("plant.yaml")
    page.go_back()
    page.go_back()
    expect(tile(page, "clearwell")).to_be_visible()


def test_a_link_of_one_use_lets_one_browser_in(watched: Callable[..., Watched], plant: Served) -> None:
    link = plant.link()
    first, second = watched().page, watched()
    first.goto(link)
    assert "code=" not in first.url
    first.locator(".tile").first.wait_for()
    expect(first.get_by_text("sign in")).to_have_count(0)
    second.allowed.append("Failed to load resource")
    second.page.goto(link)
    second.page.goto(plant.url)
    expect(second.page.get_by_text("sign in").first).to_be_visible()


def test_a_read_only_link_shows_and_changes_nothing(watched: Callable[..., Watched], plant: Served) -> None:
    page = watched().page
    page.goto(plant.link("--read-only"))
    show(page, plant, "node/intake")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
    expect(page.locator(".tags").get_by_role("button", name="Write").first).to_be_disabled()
    page.get_by_role("button", name="Read only: sign in").click()
    page.get_by_label("Token").fill(plant.token)
    page.get_by_label("Token").press("Enter")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_enabled()


def test_two_tabs_share_one_stream(page: Page, plant: Served) -> None:
    other = page.context.new_page()
    other.goto(plant.url)
    other.locator(".tile").first.wait_for()
    before = other.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert not [name for name in before if "/stream?" in name]


@pytest.mark.parametrize("missing", ["SharedWorker", "SharedWorker; delete window.BroadcastChannel"])
def test_a_browser_without_shared_workers_is_fed_as_well(
    watched: Callable[..., Watched], plant: Served, missing: str
) -> None:
    page = watched(script=f"delete window.{missing}").page
    page.goto(plant.url)
    page.locator(".tile").first.wait_for()
    read = "async () => (await import('/static/fleet.js')).fleet.frameTime"
    first = page.evaluate(read)
    until(lambda: page.evaluate(read) > first + 1, "frames come")
