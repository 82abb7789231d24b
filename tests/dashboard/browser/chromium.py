"""Chromium, driven: found on the machine, and with pages that remember whatever went wrong in them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, StorageState, ViewportSize, sync_playwright

from tests.dashboard.browser.served import PATIENCE

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The one without windows first: it opens a page three times as fast."""
LAPTOP = ViewportSize(width=1366, height=768)
"""The smallest screen that has to do."""
Scheme = Literal["light", "dark"]


def why_not() -> str:
    """Why no browser can be driven here, "" when one can."""
    if sys.platform != "linux":
        return "no Chromium of Debian's here"
    return "" if any(map(shutil.which, NAMES)) else "no chromium: apt-get install chromium-headless-shell"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window. While it runs, its driver's event loop is this thread's."""
    with sync_playwright() as driver:
        browser = launch(driver)
        yield browser
        browser.close()


def launch(driver: Playwright) -> Browser:
    """The browser of this machine. As root it has to do without its sandbox; all it opens is ours."""
    (path, *_) = filter(None, map(shutil.which, NAMES))
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    return driver.chromium.launch(executable_path=path, args=["--no-proxy-server", *flags])


@dataclass
class Watched:
    """A page, and a line for each error of JavaScript, each refusal of its security policy, each failed request.
    `allowed` are words of such lines that a test has caused itself."""

    page: Page
    allowed: list[str] = field(default_factory=list)
    _wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Begins to listen."""
        self.page.on("pageerror", lambda error: self._wrong.append(f"{error.message}\n{error.stack or ''}"))
        self.page.on("console", self._heard)
        self.page.on("dialog", lambda dialog: self._wrong.append(f"a dialog: {dialog.message}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location
            self._wrong.append(f"{message.type}: {message.text} ({where.get('url')}:{where.get('lineNumber')})")

    @property
    def wrong(self) -> list[str]:
        """What went wrong, without what is allowed."""
        return [line for line in self._wrong if not any(words in line for words in self.allowed)]


@contextmanager
def opened(
    browser: Browser, *, scheme: Scheme = "light", script: str = "", storage_state: StorageState | None = None
) -> Iterator[Watched]:
    """A page with nothing in it yet, of a browser that was never here or kept `storage_state` from then; `script` runs
    before those of any page."""
    context = browser.new_context(
        viewport=LAPTOP, color_scheme=scheme, reduced_motion="reduce", storage_state=storage_state
    )
    context.set_default_timeout(PATIENCE * 1000)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    if script:
        context.add_init_script(script)
    watched = Watched(context.new_page())
    watched.watch()
    try:
        yield watched
    finally:
        context.close()
