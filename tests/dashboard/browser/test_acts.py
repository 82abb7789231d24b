"""What a person does in the page reaches the plant, as a client of the plant sees it."""

from __future__ import annotations

import re
import socket
import struct

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.chromium import Watched
from tests.dashboard.browser.client import pylogix, value_of
from tests.dashboard.browser.served import Served, killed
from tests.dashboard.browser.views import row, show, strip, tile
from tests.waiting import until

pytestmark = [pytest.mark.net]

REGISTER_SESSION = struct.pack("<HHII8sIHH", 0x65, 4, 0, 0, b"browser?", 0, 1, 0)
# It is down for little more than a second, so the page itself looks, at all of it at one moment.
LOOK_OUT = """(name) => {
    window.seenDown = false;
    const text = (element) => element?.textContent.replace(/\\s+/g, " ") ?? "";
    setInterval(() => {
        const tile = document.querySelector(`.tile[data-item="${name}"]`);
        const counted = text(document.querySelector("header.strip .count.down"));
        window.seenDown ||= tile.matches(".down") && text(tile).includes("DOWN") && counted.includes("1 down");
    }, 20);
}"""
INTAKE, DOSING, CHLORINE, LAB = "127.64.1.1", "127.64.1.2", "127.64.1.6", "127.64.1.8"


def type_into(page: Page, tag: str, button: str, value: str) -> None:
    """Changes a tag's value in place."""
    row(page, tag).get_by_role("button", name=button).click()
    editor = row(page, tag).locator("input.edit")
    editor.fill(value)
    editor.press("Enter")
    expect(editor).to_have_count(0)


def test_a_written_tag_is_what_a_client_reads_and_an_event(page: Page, plant: Served) -> None:
    show(page, plant, "node/intake")
    type_into(page, "P_SpeedSP", "Write", "61.5")
    expect(row(page, "P_SpeedSP").locator(".value")).to_contain_text("61.5")
    assert value_of(INTAKE, "P_SpeedSP") == pytest.approx(61.5)
    type_into(page, "Station", "Write", "weir 7")
    until(lambda: value_of(INTAKE, "Station") == "weir 7", "it is written")
    show(page, plant, "events")
    expect(page.locator(".events tbody tr", has_text="P_SpeedSP").first).to_contain_text("dashboard")


@pytest.mark.parametrize("value", [2**53 + 1, -(2**63), 2**63 - 1])
def test_a_number_that_is_longer_than_those_of_a_browser_is_shown_and_written_to_its_last_digit(
    page: Page, plant: Served, value: int
) -> None:
    with pylogix(LAB) as plc:
        assert plc.Write("Test_LINT", value).Status == "Success"
    show(page, plant, "node/lab")
    expect(row(page, "Test_LINT").locator(".value")).to_contain_text(str(value))
    type_into(page, "Test_LINT", "Write", str(value ^ 1))
    expect(row(page, "Test_LINT").locator(".value")).to_contain_text(str(value ^ 1))
    assert value_of(LAB, "Test_LINT") == value ^ 1


def test_a_value_that_does_not_fit_is_refused_with_the_reason(shown: Watched, plant: Served) -> None:
    shown.allowed.append("status of 422")
    page = shown.page
    show(page, plant, "node/intake")
    before = value_of(INTAKE, "Mode")
    type_into(page, "Mode", "Write", "4711")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("4711"))
    assert value_of(INTAKE, "Mode") == before


def test_what_a_client_writes_is_shown_with_who_wrote_it(page: Page, plant: Served) -> None:
    show(page, plant, "node/dosing")
    with pylogix(DOSING) as plc:

        def shown() -> bool:
            assert plc.Write("Mode", 1).Status == "Success"
            page.wait_for_timeout(300)
            return "127.0.0.1" in row(page, "Mode").inner_text()

        until(shown, "who wrote it: a node notes that as soon as somebody looks")
    expect(row(page, "Mode").locator(".value")).to_contain_text("1")


def test_a_forced_tag_stays_what_it_is_until_it_is_released(page: Page, plant: Served) -> None:
    show(page, plant, "node/chlorine")
    type_into(page, "ChlorineSP", "Force", "0.8")
    expect(row(page, "ChlorineSP")).to_contain_text("FORCED")
    expect(page.locator(".note-forced")).to_contain_text("1 forced")
    with pylogix(CHLORINE) as plc:
        plc.Write("ChlorineSP", 0.1)
        assert plc.Read("ChlorineSP").Value == pytest.approx(0.8)
    page.get_by_role("link", name="Overview").click()
    expect(tile(page, "chlorine")).to_contain_text("FORCED")
    page.go_back()
    row(page, "ChlorineSP").get_by_role("button", name="Release").click()
    expect(row(page, "ChlorineSP")).not_to_contain_text("FORCED")
    with pylogix(CHLORINE) as plc:
        plc.Write("ChlorineSP", 0.3)
        assert plc.Read("ChlorineSP").Value == pytest.approx(0.3)
    page.get_by_role("link", name="Overview").click()
    expect(tile(page, "chlorine")).not_to_contain_text("FORCED")


def test_a_kicked_client_is_hung_up_on(page: Page, plant: Served) -> None:
    with socket.create_connection((INTAKE, 44818), timeout=10) as client:
        client.sendall(REGISTER_SESSION)
        assert len(client.recv(28)) == 28
        peer = "{}:{}".format(*client.getsockname())
        show(page, plant, "node/intake?tab=connections")
        page.get_by_role("button", name=f"Kick {peer}").click()
        expect(row(page, peer)).to_have_count(0)
        assert client.recv(1) == b""


def test_what_clients_asked_for_is_told_in_words(page: Page, plant: Served) -> None:
    with pylogix(INTAKE) as plc:
        plc.Read("LIT101_Level")
        plc.Read("LIT999_Level")
        show(page, plant, "node/intake?tab=requests")
        expect(page.get_by_role("table", name="Last requests")).to_contain_text("Read Tag LIT101_Level")
        page.get_by_label("errors only").check()
        expect(page.get_by_role("table", name="Last requests")).not_to_contain_text("LIT101_Level")
        expect(page.get_by_role("table", name="Asked for but not defined")).to_contain_text("LIT999_Level")
        show(page, plant, "clients")
        expect(row(page, "127.0.0.1")).to_contain_text("EtherNet/IP")
        show(page, plant, "map")
        expect(page.locator('.spot[data-item="127.0.0.1"]')).to_be_visible()
        expect(page.locator(".edges path").first).to_be_attached()


def test_a_killed_node_is_seen_to_go_down_and_to_come_back(page: Page, plant: Served) -> None:
    expect(tile(page, "filter-1")).to_have_class(re.compile(r"\bup\b"))
    page.evaluate(LOOK_OUT, "filter-1")
    killed(plant.rows()["filter-1"]["pid"])
    until(lambda: page.evaluate("window.seenDown"), "its tile and the strip say that it is down")
    expect(tile(page, "filter-1")).to_have_class(re.compile(r"\bup\b"))
    expect(strip(page).locator(".count.up")).to_contain_text("12 up")
    expect(page.locator(".last")).to_contain_text("filter-1")
    assert isinstance(value_of("127.64.1.4", "FIT_Flow"), float)


def test_a_node_is_stopped_and_started(page: Page, plant: Served) -> None:
    show(page, plant, "node/power-pumps")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("STOPPED")
    with socket.socket() as client:
        assert client.connect_ex(("127.64.1.10", 502)) != 0
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("up")
    before = plant.rows()["power-pumps"]["pid"]
    page.get_by_role("button", name="Restart").click()
    expect(page.get_by_text("restart: power-pumps")).to_be_visible()

    def is_another() -> bool:
        row = plant.rows()["power-pumps"]
        return row["condition"] == "up" and row["pid"] != before

    until(is_another, "it is up again")


def test_more_than_ten_nodes_are_not_restarted_by_a_slip_of_the_hand(page: Page, plant: Served) -> None:
    pids = {name: found["pid"] for name, found in plant.rows().items()}
    page.get_by_role("button", name="Select all shown").click()
    page.locator(".bulk").get_by_role("button", name="Restart").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Restart")).to_be_disabled()
    dialog.get_by_label("Type 12 to go on").fill("11")
    expect(dialog.get_by_role("button", name="Restart")).to_be_disabled()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert {name: found["pid"] for name, found in plant.rows().items()} == pids
