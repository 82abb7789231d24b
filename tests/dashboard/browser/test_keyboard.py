"""The whole of it without a mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.served import Served
from tests.dashboard.browser.views import PAINTED, filter_box, row, show, strip, tile
from tests.waiting import until

pytestmark = [pytest.mark.net]

PAGES = {"o": "overview", "n": "nodes", "m": "map", "e": "events", "f": "faults", "c": "clients"}


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def go(page: Page, letter: str) -> None:
    """Both keys count together for little more than a second, which a machine may not have: then once more."""

    def gone() -> bool:
        press(page, "g", letter)
        return bool(page.evaluate(f"{PAINTED}.then(() => location.hash)") == f"#{PAGES[letter]}")

    until(gone, f"it goes to {PAGES[letter]}")


def test_g_and_a_letter_go_to_a_page(page: Page, plant: Served) -> None:
    for letter, name in PAGES.items():
        go(page, letter)
        expect(page).to_have_url(f"{plant.url}/#{name}")
        expect(page.locator(".ways a[aria-current]")).to_have_text(name.capitalize())


def test_a_node_is_found_and_opened(page: Page, plant: Served) -> None:
    go(page, "n")
    expect(page.locator(".grid tbody tr")).to_have_count(12)
    press(page, "/")
    expect(filter_box(page)).to_be_focused()
    page.keyboard.type("filter-")
    expect(page.locator(".grid tbody tr")).to_have_count(2)
    press(page, "Escape", "j", "j")
    expect(row(page, "filter-2")).to_be_focused()
    press(page, "k")
    expect(row(page, "filter-1")).to_be_focused()
    press(page, "x")
    expect(page.get_by_label("select filter-1")).to_be_checked()
    press(page, "x", "Enter")
    expect(page).to_have_url(f"{plant.url}/#node/filter-1")


def test_a_tag_is_written_forced_and_released(page: Page, plant: Served) -> None:
    show(page, plant, "node/filter-2")
    press(page, "/")
    expect(page.locator("[data-key-filter]")).to_be_focused()
    page.keyboard.type("Mode")
    expect(page.locator(".tags tbody tr")).to_have_count(1)
    press(page, "Escape", "j", "w")
    expect(page.get_by_label("write Mode")).to_be_focused()
    page.keyboard.type("1")
    press(page, "Enter")
    until(lambda: plant.ask("nodes/filter-2/tags/Mode")["value"]["value"] == 1, "it is written")
    expect(row(page, "Mode").locator(".value")).to_contain_text("1")
    expect(row(page, "Mode")).to_be_focused()
    press(page, "w")
    expect(page.get_by_label("write Mode")).to_be_focused()
    page.keyboard.type("77")
    press(page, "Escape")
    expect(row(page, "Mode").locator(".value")).to_contain_text("1")
    press(page, "F")
    expect(page.get_by_label("force Mode")).to_be_focused()
    page.keyboard.type("2")
    press(page, "Enter")
    expect(row(page, "Mode")).to_contain_text("FORCED")
    press(page, "R")
    expect(row(page, "Mode")).not_to_contain_text("FORCED")
    assert plant.ask("nodes/filter-2/tags/Mode")["value"]["value"] == 1


def test_tab_reaches_everything_in_the_order_of_reading(page: Page) -> None:
    reached = []
    for _ in range(40):
        press(page, "Tab")
        reached.append(page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel || ''"))
        if "intake" in reached[-1]:
            break
    words = " | ".join(line.split("\n")[0] for line in reached)
    assert re.search(r"Skip to the page.*waterworks.*Overview.*Nodes.*Clients.*Select all shown.*intake", words), words


def test_a_fault_on_what_is_selected(page: Page, plant: Served) -> None:
    tile(page, "intake").focus()
    press(page, "x", "j", "x", "f")
    expect(page).to_have_url(re.compile(r"#faults\?.*nodes=intake(%2C|,)dosing"))


def test_a_pause_holds_everything_and_says_so(page: Page) -> None:
    press(page, ".")
    expect(strip(page)).to_contain_text("paused")
    press(page, ".")
    expect(strip(page)).not_to_contain_text("paused")


def test_the_keys_are_listed_and_the_list_is_left(page: Page) -> None:
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("go on")
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
