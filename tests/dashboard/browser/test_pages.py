"""Every page opens, says what it is for, and stands where it stood after a reload."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.chromium import Watched
from tests.dashboard.browser.served import Served
from tests.dashboard.browser.views import VIEWS, show

pytestmark = [pytest.mark.net]


def test_every_page_opens(page: Page, plant: Served) -> None:
    for view, sign in VIEWS.items():
        show(page, plant, view)
        expect(page.locator(sign).first).to_be_visible()
        expect(page.locator(".problem")).to_have_count(0)
