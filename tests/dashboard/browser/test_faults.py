"""A fault that is put on in the page is one for clients, and gone when it is taken off."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect
from pylogix import PLC

from tests.dashboard.browser.chromium import Watched
from tests.dashboard.browser.client import pylogix
from tests.dashboard.browser.served import Served
from tests.dashboard.browser.views import row, show, strip, tile
from tests.waiting import until

pytestmark = [pytest.mark.net]

CLEARWELL = "127.64.1.7"
DELAY = 0.3


def seconds_of_a_read(plc: PLC) -> float:
    begun = time.monotonic()
    answer = plc.Read("LIT601_Level")
    assert answer.Status == "Success", answer
    return time.monotonic() - begun


def test_a_slow_node_is_slow_for_clients_and_marked(page: Page, plant: Served) -> None:
    with pylogix(CLEARWELL) as plc:
        until(lambda: seconds_of_a_read(plc) < DELAY, "it is quick before")
        show(page, plant, "faults?kind=slow&nodes=clearwell")
        page.get_by_label("seconds", exact=True).fill(str(DELAY))
        page.get_by_role("button", name=re.compile("^Put .* on 1 node$")).click()
        expect(page.get_by_role("table", name="Active faults")).to_contain_text("slow by 300 ms")
        assert seconds_of_a_read(plc) >= DELAY
        page.get_by_role("link", name="Overview").click()
        expect(tile(page, "clearwell")).to_have_class(re.compile(r"\bfault\b"))
        expect(tile(page, "clearwell")).to_contain_text("FAULT")
        expect(strip(page).locator(".count.fault")).to_contain_text("1 fault")
        strip(page).get_by_role("button", name="Stop all").click()
        expect(tile(page, "clearwell")).to_have_class(re.compile(r"\bup\b"))
        until(lambda: seconds_of_a_read(plc) < DELAY, "it is quick again")


def test_a_biased_value_is_marked_and_its_fault_ends_by_itself(page: Page, plant: Served) -> None:
    def put_on(seconds: str) -> None:
        show(page, plant, "faults?kind=bias&nodes=dosing")
        page.get_by_label("tag, * is all").fill("DoseSP")
        page.get_by_label("by", exact=True).fill("1000")
        page.get_by_label(re.compile("^seconds, empty")).fill(seconds)
        page.get_by_role("button", name=re.compile("^Put .* on 1 node$")).click()
        expect(page.get_by_role("status").filter(has_text="bias")).to_be_visible()

    with pylogix("127.64.1.2") as plc:
        put_on("")
        expect(page.get_by_role("table", name="Active faults")).to_contain_text("bias")
        assert plc.Read("DoseSP[0]").Value > 1000
        show(page, plant, "node/dosing")
        expect(row(page, "DoseSP")).to_contain_text("FAULTED")
        strip(page).get_by_role("button", name="Stop all").click()
        expect(row(page, "DoseSP")).not_to_contain_text("FAULTED")
        page.reload()  # which takes away what was said of the first
        put_on("2")
        until(lambda: plc.Read("DoseSP[0]").Value < 1000, "it is as it was")
        expect(page.get_by_text("No fault active")).to_be_visible()


def test_a_share_of_a_filter_has_the_same_fate_for_the_same_seed(page: Page, plant: Served) -> None:
    chosen = []
    for _ in range(2):
        show(page, plant, "faults?kind=drop&q=kind:logix")
        page.get_by_label("% of these").fill("50")
        page.get_by_label("seed").fill("7")
        page.get_by_role("button", name=re.compile("^Put .* on 8 nodes$")).click()
        expect(page.get_by_role("table", name="Active faults")).to_contain_text("drop")
        (fault,) = plant.ask("faults")["faults"]
        chosen.append(fault["nodes"])
        page.get_by_role("button", name=re.compile("^Take off")).click()
        expect(page.get_by_text("No fault active")).to_be_visible()
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 4


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("exception", "exception 04 server device failure in 1 of 3 replies"),
        ("wrong-unit", "wrong unit in 1 of 3 replies"),
        ("wrong-transaction", "wrong transaction id in 1 of 3 replies"),
    ],
)
def test_every_nth_reply_of_modbus_is_another(page: Page, plant: Served, kind: str, text: str) -> None:
    show(page, plant, f"faults?kind={kind}&nodes=power-intake")
    page.get_by_label("or each Nth").fill("3")
    page.get_by_role("button", name=re.compile("^Put .* on 1 node$")).click()
    expect(page.get_by_role("table", name="Active faults")).to_contain_text(text)
    show(page, plant, "node/power-intake")
    expect(page.get_by_label("Identity").get_by_text("Modbus/TCP")).to_be_visible()
    strip(page).get_by_role("button", name="Stop all").click()
    expect(strip(page).get_by_role("button", name="Stop all")).to_be_hidden()


def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(shown: Watched, plant: Served) -> None:
    shown.allowed.append("status of 422")
    page = shown.page
    show(page, plant, "faults?kind=freeze&nodes=dosing")
    page.get_by_label("tag, * is all").fill("NoSuchTag")
    page.get_by_role("button", name=re.compile("^Put .* on 1 node$")).click()
    expect(page.get_by_role("alert")).to_contain_text("NoSuchTag")
    assert plant.ask("faults")["faults"] == []
