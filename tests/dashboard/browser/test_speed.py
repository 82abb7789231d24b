"""How heavy and how quick the page is. Bounded by a clock, so nothing runs beside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dashboard.browser.chromium import Watched
from tests.dashboard.browser.served import Served
from tests.farm_command import ROOT

STATIC = ROOT / "farm/dashboard/static"
ASSETS = 200 * 1024
FIRST_PAINT_MS = 1000
TILES_MS = 30
PAINTED = "() => performance.getEntriesByName('first-contentful-paint').map((entry) => entry.startTime)"
# The best quarter: whatever else the machine does only adds to it.
UPDATED = """async (count) => {
    const { TileField } = await import("/static/tiles.js");
    const host = document.createElement("div");
    host.className = "fields";
    document.querySelector("main").replaceChildren(host);
    const rows = [...Array(count).keys()].map((id) => ({
        id, name: `plc-${id}`, condition: "up", kind: "logix", profile: "x", group: `site ${id % 50}`, network: "",
        subnet: "", level: null, requests_per_s: 0, p99_ms: 1, connections: 1, errors_per_min: 0, restarts: 0, age_s: 0,
        faults: [],
    }));
    const field = new TileField(host);
    field.build(rows, "group", "requests", () => false);
    const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    await painted();
    const spans = [];
    for (let turn = 1; turn <= 20; turn += 1) {
        for (const row of rows) {
            row.requests_per_s = turn + row.id / 10;
            row.condition = (row.id + turn) % 50 ? "up" : "fault";
        }
        await painted();
        const begun = performance.now();
        field.update(rows.map((row) => row.id), () => false);
        host.getBoundingClientRect(); // style and layout, which are most of it
        spans.push(performance.now() - begun);
    }
    return spans.sort((a, b) => a - b)[spans.length >> 2];
}"""


def test_all_that_a_browser_can_be_sent_is_small() -> None:
    files = [path for path in STATIC.rglob("*") if path.is_file() and not path.name.startswith(("LICENSE", "SHA256"))]
    assert sum(path.stat().st_size for path in files) < ASSETS


@pytest.mark.net
@pytest.mark.quiet
def test_the_first_paint_comes_within_a_second(watched: Callable[..., Watched], plant: Served) -> None:
    page = watched().page
    page.goto(plant.url)
    page.locator(".tile").first.wait_for()
    (painted,) = page.evaluate(PAINTED)
    shown = page.evaluate("performance.now()")
    assert painted < FIRST_PAINT_MS
    assert shown < 2 * FIRST_PAINT_MS, "the tiles themselves"


@pytest.mark.net
@pytest.mark.quiet
def test_five_hundred_tiles_are_updated_within_thirty_milliseconds(
    watched: Callable[..., Watched], plant: Served
) -> None:
    page = watched().page
    page.goto(plant.url)
    page.locator(".tile").first.wait_for()
    assert page.evaluate(UPDATED, 500) < TILES_MS
