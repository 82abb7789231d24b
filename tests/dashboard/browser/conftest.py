"""One plant, one dashboard and one Chromium for all tests of this folder, and a page for each test that fails it when
anything goes wrong in the page: an error, a warning, a refusal of the security policy, a dialog."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from tests.dashboard.browser.chromium import Watched, chromium, opened, why_not
from tests.dashboard.browser.served import WATERWORKS, Served, served


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if reason := why_not():
        pytest.skip(reason)
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def plant(browser: Browser) -> Iterator[Served]:
    """The water works of twelve nodes."""
    with served(WATERWORKS) as running:
        yield running


@pytest.fixture
def watched(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens pages, with the options of `opened`, and judges them all in the end."""
    pages: list[Watched] = []
    with ExitStack() as stack:

        def open_page(**options: object) -> Watched:
            pages.append(stack.enter_context(opened(browser, **options)))  # type: ignore[arg-type]
            return pages[-1]

        yield open_page
        wrong = [line for page in pages for line in page.wrong]
    assert wrong == []


@pytest.fixture
def page(watched: Callable[..., Watched], plant: Served) -> Page:
    """The plant's first page, of a person who may change it."""
    shown = watched().page
    shown.goto(plant.link())
    shown.locator(".tile").first.wait_for()
    return shown
