"""The dashboard's page of a large plant in Chromium: how long until its nodes are on the screen, and what it works."""

from __future__ import annotations

import time
from dataclasses import dataclass

SETTLE = 3.0
PATIENCE_MS = 120_000.0


@dataclass(frozen=True, slots=True)
class PageCost:
    """Seconds until the first node is shown, milliseconds a second that the page's main thread works from then on, and
    MiB of its objects."""

    seconds: float
    work_ms: float
    heap_mib: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, {self.work_ms:.0f} ms/s, {self.heap_mib:.0f} MiB"


def page_cost(url: str, seconds: float) -> PageCost | None:
    """What the page at `url` takes, watched for so long; None where there is no Chromium to drive."""
    try:
        from tests.dashboard.browser.chromium import chromium, opened, why_not
    except ImportError:
        return None
    if why_not():
        return None
    with chromium() as browser, opened(browser) as shown:
        session = shown.page.context.new_cdp_session(shown.page)
        session.send("Performance.enable")

        def metrics() -> dict[str, float]:
            return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}

        begun = time.monotonic()
        shown.page.goto(url)
        shown.page.locator(".tile").first.wait_for(timeout=PATIENCE_MS)
        until_shown = time.monotonic() - begun
        time.sleep(SETTLE)
        before, begun = metrics()["TaskDuration"], time.monotonic()
        while time.monotonic() < begun + seconds:
            shown.page.title()  # lets its driver take what the browser said
            time.sleep(0.5)
        after, passed = metrics(), time.monotonic() - begun
        work = (after["TaskDuration"] - before) / passed * 1000
        return PageCost(until_shown, work, after["JSHeapUsedSize"] / (1 << 20))
