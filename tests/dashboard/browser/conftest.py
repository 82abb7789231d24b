"""One plant, one dashboard and one Chromium for all tests of this folder, and a page for each test that fails it when
anything goes wrong in the page: an error, a warning, a refusal of the security policy, a dialog."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browser.chromium import Watched, chromium, opened, why_not
from tests.dashboard.browser.served import PATIENCE, WATERWORKS, Served, served

expect.set_options(timeout=PATIENCE * 1000)


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


@pytest.fixture(scope="package")
def signed_in(browser: Browser, plant: Served) -> object:
    """What a browser keeps that may change the plant."""
    context = browser.new_context()
    answer = context.request.post(f"{plant.url}/api/v1/session", data={"token": plant.token})
    assert answer.ok, answer.text()
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def shown(watched: Callable[..., Watched], plant: Served, signed_in: object) -> Watched:
    """The plant's first page, of a person who may change it."""
    opened = watched(storage_state=signed_in)
    opened.page.goto(plant.url)
    opened.page.locator(".tile").first.wait_for()
    return opened


@pytest.fixture
def page(shown: Watched) -> Page:
    """The same, where nothing may go wrong in it."""
    return shown.page
