"""Every view that the page has, and what is on it when it is there."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tests.dashboard.browser.served import Served

VIEWS = {
    "overview": ".tile:nth-child(2)",
    "nodes": ".grid tbody tr:nth-child(12)",
    "map": ".map .spot",
    "node/intake": ".tags tr:has-text('LIT101_Level')",
    "node/intake?tab=trend": ".chart .u-over",
    "node/intake?tab=connections": "section:has-text('connected'), section table",
    "node/intake?tab=requests": "section:has-text('Asked for but not defined')",
    "node/intake?tab=faults": "section button:has-text('Put one on')",
    "node/intake?tab=log": "section pre",
    "node/intake?tab=config": "section table.config tr:has-text('LIT101_Level')",
    "node/power-intake": ".tags tr:nth-child(2)",
    "events": ".events table tbody tr",
    "faults": ".fault-form",
    "clients": ".clients",
}
"""What stands in the address after `#`, to something that only that view has."""


def show(page: Page, plant: Served, view: str) -> None:
    """Goes to a view and waits until it is all there, and nothing of the view before."""
    page.goto(f"{plant.url}/#{view}")
    bare = view.partition("?")[0]
    if bare.startswith("node/"):
        page.locator("main h1", has_text=bare.removeprefix("node/")).wait_for()
    usual = "main section" if "tab=" in view else ".tags tbody tr"
    page.locator(VIEWS.get(view) or VIEWS.get(bare) or usual).first.wait_for()


PAINTED = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
"""What a page draws now is there when this is kept."""


def strip(page: Page) -> Locator:
    """What stands on top of every page."""
    return page.locator("header.strip")


def tile(page: Page, node: str) -> Locator:
    """A node on the overview."""
    return page.locator(f'.tile[data-item="{node}"]')


def row(page: Page, item: str) -> Locator:
    """A line of any table, by what it is about."""
    return page.locator(f'main tr[data-item="{item}"]')


def filter_box(page: Page) -> Locator:
    """What narrows tiles, or the table of nodes."""
    return page.get_by_role("searchbox", name="Filter")
