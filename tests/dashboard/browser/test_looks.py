"""For whoever sees no colours, no contrast, or nothing at all; and at a glance, on paper."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Page

from tests.dashboard.browser.chromium import Scheme, Watched
from tests.dashboard.browser.client import pylogix
from tests.dashboard.browser.served import Served
from tests.dashboard.browser.views import VIEWS, show
from tests.waiting import until

pytestmark = [pytest.mark.net]

BAD = ("serious", "critical")
CONDITIONS = ("up", "down", "degraded", "fault", "stale", "starting", "stopped")
MADE = """async (conditions) => {
    const { TileField } = await import("/static/tiles.js");
    const host = document.createElement("div");
    host.id = "made";
    host.className = "fields";
    document.querySelector("main").replaceChildren(host);
    const rows = conditions.map((condition, id) => ({
        id, condition, name: "same", kind: "logix", profile: "x", group: "", network: "", subnet: "", level: null,
        requests_per_s: 1, p99_ms: 1, connections: 1, errors_per_min: 0, restarts: 0, age_s: 4, faults: [],
    }));
    new TileField(host).build(rows, "none", "requests", () => false);
}"""


@pytest.fixture
def something_wrong(plant: Served) -> Iterator[None]:
    """Faults, a forced tag, a stopped node, a client and an error, so that all of it is on the pages."""
    plant.ask("faults", "POST", {"fault": {"kind": "slow", "seconds": 0.05}, "nodes": ["clearwell", "intake"]})
    plant.ask("nodes/intake/tags/P_SpeedSP", "PUT", {"value": 65, "mode": "force"})
    plant.ask("nodes/power-pumps/stop", "POST", {})
    until(lambda: plant.condition("power-pumps") == "stopped", "it is stopped")
    with pylogix("127.64.1.1") as plc:
        plc.Read("NoSuchTag")
        yield
    plant.ask("nodes/power-pumps/start", "POST", {})
    plant.ask("nodes/intake/tags/P_SpeedSP", "PUT", {"mode": "release"})
    plant.ask("faults", "DELETE", {})
    until(lambda: {row["condition"] for row in plant.rows().values()} == {"up"}, "all is as it was")


def found_by_axe(page: Page, scheme: Scheme) -> list[str]:
    """A line for each bad thing; of a dark page only what its colours may do, since the rest is the same page."""
    rules = {} if scheme == "light" else {"runOnly": ["color-contrast"]}
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    answer = page.evaluate("(options) => axe.run(options)", {"resultTypes": ["violations"], **rules})
    violations: list[dict[str, Any]] = answer["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {[node['html'][:120] for node in one['nodes'][:3]]}"
        for one in violations
        if one["impact"] in BAD
    ]


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("something_wrong")
def test_nothing_keeps_anybody_out(watched: Callable[..., Watched], plant: Served, signed_in: object) -> None:
    schemes: tuple[Scheme, ...] = ("light", "dark")
    page = watched(storage_state=signed_in).page
    found = {}

    def look(what: str) -> None:
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            found[f"{what}, {scheme}"] = found_by_axe(page, scheme)

    for view in VIEWS:
        show(page, plant, view)
        look(view)
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    look("keys")
    assert {view: lines for view, lines in found.items() if lines} == {}


def greys(page: Page, selector: str) -> list[Image.Image]:
    """A picture of each such element, without colours, and of one size."""
    pictures = [Image.open(io.BytesIO(each.screenshot())).convert("L") for each in page.locator(selector).all()]
    return [picture.resize((24, 24)) for picture in pictures]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_condition_has_a_shape_and_a_word_that_need_no_colour(
    watched: Callable[..., Watched], plant: Served, scheme: Scheme
) -> None:
    page = watched(scheme=scheme).page
    page.goto(plant.url)
    page.locator(".tile").first.wait_for()
    page.evaluate(MADE, CONDITIONS)
    words = [text.strip() for text in page.locator("#made .tile .word").all_inner_texts()]
    assert words[0] == "", "what is normal is quiet"
    assert len(set(words)) == len(CONDITIONS)
    pictures = dict(zip(CONDITIONS, greys(page, "#made .tile .shape"), strict=True))
    for one, other in combinations(CONDITIONS, 2):
        difference = ImageStat.Stat(ImageChops.difference(pictures[one], pictures[other])).mean[0]
        assert difference > 8, f"{one} and {other} look alike without colours: {difference:.1f} of 255"


def test_what_is_normal_has_no_colour(page: Page) -> None:
    for picture in (page.locator(".tile").first.screenshot(), page.locator(".ways").screenshot()):
        image = Image.open(io.BytesIO(picture)).convert("HSV")
        saturation = max(image.getchannel("S").getextrema())
        assert saturation < 40, "grey is what is normal"


def test_nothing_is_taken_in_only_by_motion(page: Page) -> None:
    still = "getComputedStyle(document.querySelector('.tile')).transitionDuration"
    assert page.evaluate(still) == "0s"
