"""What a page shows while others change the plant under it: nodes that go and come, tags that two write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.dashboard.browser.chromium import Watched
from tests.dashboard.browser.served import Served, killed, served
from tests.dashboard.browser.views import row, strip, tile

pytestmark = [pytest.mark.net]

FIRST = '  first: {kind: logix, address: 127.64.9.11, tags: {Level: REAL, Count: DINT, "Program:Main.Step": DINT}}\n'
OTHERS = """\
  second: {kind: logix, address: 127.64.9.12, tags: {Level: REAL}}
  third: {kind: logix, address: 127.64.9.13, tags: {Level: REAL, Other: INT}}
"""
HEAD = "farm: 1\nname: changing\nnodes:\n"
WHOLE = HEAD + FIRST + OTHERS


@pytest.fixture(scope="module")
def changing(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Three nodes, whose file is there to be changed."""
    file = tmp_path_factory.mktemp("changing") / "plant.yaml"
    file.write_text(WHOLE)
    with served(file) as running:
        yield running


@pytest.fixture
def plant_file(changing: Served) -> Iterator[Path]:
    """That file; the plant is as it was in the end."""
    file = Path(changing.ask("farm")["file"])
    yield file
    file.write_text(WHOLE)
    changing.farm("up", str(file))


@pytest.fixture
def signed_in(changing: Served, watched: Callable[..., Watched]) -> Callable[[str], Watched]:
    """Opens a view in a browser of its own, of a person who may change things."""

    def open_view(view: str) -> Watched:
        opened = watched()
        opened.page.goto(changing.link())
        opened.page.locator(".tile").first.wait_for()
        opened.page.goto(f"{changing.url}/#{view}")
        return opened

    return open_view


def fact(page: Page, name: str) -> Locator:
    """What stands under a heading of a node's facts."""
    return page.locator(".fact", has=page.get_by_text(name, exact=True)).locator("dd")


def change(page: Page, tag: str, button: str, value: str) -> None:
    """Changes a tag's value in place."""
    row(page, tag).get_by_role("button", name=button).click()
    editor = row(page, tag).locator("input.edit")
    editor.fill(value)
    editor.press("Enter")
    expect(editor).to_have_count(0)


def test_no_node_is_shown_as_another_is(
    signed_in: Callable[[str], Watched], changing: Served, plant_file: Path
) -> None:
    """Frames name nodes by their place, which is another node's when one before is gone."""
    opened = signed_in("overview")
    opened.allowed.append("net::ERR_FAILED")
    page = opened.page
    changing.farm("stop", "second")
    expect(tile(page, "second")).to_contain_text("STOPPED")
    page.route("**/api/v1/nodes", lambda route: route.abort())
    plant_file.write_text(HEAD + OTHERS)
    changing.farm("up", str(plant_file))
    page.wait_for_timeout(2500)
    expect(tile(page, "second")).to_contain_text("STOPPED")
    expect(tile(page, "first")).not_to_contain_text("STOPPED")
    page.unroute("**/api/v1/nodes")
    expect(tile(page, "first")).to_have_count(0)
    expect(tile(page, "second")).to_contain_text("STOPPED")
    expect(tile(page, "third")).to_have_class(re.compile(r"\bup\b"))
    changing.farm("start", "second")


def test_a_node_that_goes_and_comes_back_under_its_page(
    signed_in: Callable[[str], Watched], changing: Served, plant_file: Path
) -> None:
    opened = signed_in("node/first")
    opened.allowed += ["status of 404", "status of 422"]  # while it is not there, and while it starts
    page = opened.page
    expect(row(page, "Level")).to_be_visible()
    plant_file.write_text(HEAD + FIRST.replace("first", "renamed") + OTHERS)
    changing.farm("up", str(plant_file))
    expect(page.locator("main")).to_contain_text("This plant has no such node")
    page.get_by_role("link", name="All nodes").click()
    expect(page.locator("tr[data-item='renamed']")).to_be_visible()
    page.go_back()
    plant_file.write_text(WHOLE)
    changing.farm("up", str(plant_file))
    change(page, "Count", "Write", "12")
    expect(row(page, "Count").locator(".value")).to_contain_text("12")


def test_the_configuration_is_what_the_node_has_now(
    signed_in: Callable[[str], Watched], changing: Served, plant_file: Path
) -> None:
    page = signed_in("node/third?tab=config").page
    expect(page.locator("table.config")).to_contain_text("Other")
    plant_file.write_text(WHOLE.replace("Other: INT", "Another: INT"))
    changing.farm("up", str(plant_file))
    expect(page.locator("table.config")).to_contain_text("Another")


def test_what_is_told_of_a_node_moves_on_every_tab(signed_in: Callable[[str], Watched], changing: Served) -> None:
    page = signed_in("node/first?tab=faults").page
    changing.ask("nodes/first/tags/Level", "PUT", {"value": 1.5, "mode": "force"})
    expect(page.locator(".note-forced")).to_contain_text("1 forced")
    changing.ask("nodes/first/tags/Count", "PUT", {"value": 2, "mode": "force"})
    expect(page.locator(".note-forced")).to_contain_text("2 forced")
    for tag in ("Level", "Count"):
        changing.ask(f"nodes/first/tags/{tag}", "PUT", {"mode": "release"})
    changing.ask("faults", "POST", {"fault": {"kind": "slow", "seconds": 0.01}, "nodes": ["first"], "for": 100})
    faults = page.get_by_role("table", name="Active faults")
    expect(faults).to_contain_text("slow")
    moving = (faults.locator("tbody td").nth(2), fact(page, "up for"))
    before = [each.inner_text() for each in moving]
    for each, text in zip(moving, before, strict=True):
        expect(each).not_to_have_text(text)
    faults.get_by_role("button", name="Take off").click()
    expect(page.get_by_text("No fault is on this node.")).to_be_visible()


def test_two_browsers_change_one_tag(signed_in: Callable[[str], Watched], changing: Served) -> None:
    tag = "Program:Main.Step"
    one, other = signed_in("node/first").page, signed_in("node/first").page
    value = [row(page, tag).locator(".value") for page in (one, other)]
    change(one, tag, "Write", "5")
    expect(value[1]).to_contain_text("5")
    row(other, tag).get_by_role("button", name="Write").click()
    row(other, tag).locator("input.edit").fill("77")
    change(one, tag, "Write", "6")
    other.wait_for_timeout(1500)
    expect(row(other, tag).locator("input.edit")).to_have_value("77")
    row(other, tag).locator("input.edit").press("Enter")
    expect(value[0]).to_contain_text("77")
    change(one, tag, "Force", "-0x9")
    expect(row(other, tag)).to_contain_text("FORCED")
    expect(value[1]).to_contain_text("-9")
    change(other, "Count", "Write", "3")
    row(other, tag).get_by_role("button", name="Release").click()
    expect(row(one, tag)).not_to_contain_text("FORCED")
    expect(value[0]).to_contain_text("77")
    expect(row(one, "Count").locator(".value")).to_contain_text("3")


def test_a_write_to_many_says_which_failed(signed_in: Callable[[str], Watched], changing: Served) -> None:
    page = signed_in("nodes").page
    page.get_by_role("button", name="Select all shown").click()
    for tag, said in (("Other", "2 of 3 nodes failed"), ("Level", "write: Level of 3 nodes")):
        page.get_by_role("button", name="Write a tag…").click()
        page.get_by_label("Tag", exact=True).fill(tag)
        page.get_by_label("Value", exact=True).fill("4")
        page.get_by_role("button", name="Go on").click()
        expect(page.locator(".said")).to_contain_text(said)
    assert changing.ask("nodes/third/tags/Other")["value"]["value"] == 4


def test_a_page_that_is_opened_while_the_supervisor_is_away_shows_what_is_known(
    signed_in: Callable[[str], Watched], changing: Served
) -> None:
    opened = signed_in("overview")
    opened.allowed.append("Failed to load resource")
    page = opened.page
    killed(changing.supervisor())
    page.reload()
    expect(tile(page, "first")).to_be_visible()
    expect(strip(page).locator(".age")).to_contain_text("no data for")
    changing.farm("ps")
    expect(strip(page).locator(".age")).to_contain_text("s old")
    expect(page.locator(".last li").first).to_be_visible()
