"""The page of a lone simulator's web interface (`--web`): live tags, what a person does with the keyboard alone, in
light and dark, and with many tags."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from node.client.connector import Connector
from tests.dashboard.browser.chromium import Scheme, Watched
from tests.web.simulator import HOST, Simulator, simulator

pytestmark = pytest.mark.net

OTHER = "127.64.12.3"
NASTY = "<img src=x onerror=alert(1)>"
MANY = [f"Tag_{number:03}=DINT" for number in range(499)]
COUNT = """() => {
    window.touched = 0;
    const options = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver((found) => (window.touched += found.length)).observe(document.getElementById("live"), options);
}"""


@pytest.fixture(scope="module")
def served() -> Iterator[Simulator]:
    with simulator("SCADA=INT[1000]", "Level=REAL", "Name=STRING") as made:
        yield made


@pytest.fixture
def client(served: Simulator) -> Iterator[Connector]:
    with Connector(HOST, served.port, timeout=5.0) as made:
        made.read_tag("Level")
        yield made


Open = Callable[..., Watched]


def opened(watched: Open, served: Simulator, path: str = "/", scheme: Scheme = "light") -> Page:
    page = watched(scheme=scheme).page
    page.goto(f"http://{HOST}:{served.web}{path}")
    page.locator("#state:not(:empty)").wait_for()
    return page


@pytest.fixture
def refusing(watched: Open) -> Open:
    """Pages in which a request may be refused, which a browser writes down as an error."""

    def open_page(**options: object) -> Watched:
        page = watched(**options)
        page.allowed.append("status of 400")
        return page

    return open_page


def row(page: Page, name: str) -> str:
    return " ".join(page.locator("tr", has=page.get_by_role("cell", name=name, exact=True)).inner_text().split())


def test_values_and_connections_are_live(watched: Open, served: Simulator, client: Connector) -> None:
    page = opened(watched, served)
    expect(page.locator("#state")).to_have_text("serving")
    assert row(page, "SCADA") == "SCADA INT[1000] [0, 0, 0, 0, 0, 0, ...] Set …"
    client.write_tag("SCADA[2]", 77)
    client.write_tag("Name", NASTY)
    expect(page.get_by_text("[0, 0, 77, 0, 0, 0, ...]").first).to_be_visible()
    expect(page.get_by_role("cell", name=f"'{NASTY}'")).to_be_visible()
    expect(page.get_by_role("heading", name="Connections (1)")).to_be_visible()
    served.say("/connections/*/eof/true")
    expect(page.get_by_text("Nobody is connected.")).to_be_visible()
    served.say("/tags/SCADA/attribute[2]=0")


def test_a_tag_is_set_and_has_an_error_by_keyboard_alone(refusing: Open, served: Simulator, client: Connector) -> None:
    page = opened(refusing, served)
    page.get_by_role("button", name="Set SCADA").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="SCADA INT[1000]")).to_be_visible()
    expect(page.get_by_label("Value")).to_be_focused()
    page.keyboard.type("41")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .said")).to_have_text("tags.SCADA.attribute[3]='41' (41)")
    assert client.read_tag("SCADA[3]") == 41
    page.get_by_label("Status of every access").fill("8")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .said")).to_have_text("tags.SCADA.error='8' (8)")
    page.get_by_label("Value").fill("x")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .said.problem")).to_contain_text("does not fit INT")
    page.keyboard.press("Escape")
    expect(page.get_by_role("cell", name="0x08")).to_be_visible()
    served.say("/tags/SCADA/error=0")
    served.say("/tags/SCADA/attribute[3]=0")


def test_the_server_is_disabled_and_enabled_and_delayed(watched: Open, served: Simulator) -> None:
    page = opened(watched, served)
    page.get_by_role("button", name="Disable").click()
    expect(page.locator("#state")).to_have_text("disabled")
    page.get_by_role("button", name="Enable").click()
    expect(page.locator("#state")).to_have_text("serving")
    page.get_by_label("Delay of replies").fill("0.1-0.2")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("options.delay.range='0.1-0.2' (0.1-0.2)")
    page.get_by_label("Delay of replies").fill("0")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("options.delay.value='0' (0.0)")


def test_a_path_is_a_page_of_its_own_and_sets_its_value_once(watched: Open, served: Simulator) -> None:
    page = opened(watched, served, "/api/tags/L*/attribute=1.5")
    expect(page.get_by_text("tags.Level.attribute='1.5' (1.5)").first).to_be_visible()
    assert page.locator("tbody tr:visible").count() == 1
    served.say("/tags/Level/attribute=2.5")
    expect(page.get_by_role("cell", name="2.5")).to_be_visible()
    assert page.locator("tbody").get_by_text("1.5").count() == 0


def found_by_axe(page: Page) -> list[str]:
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]


@contextmanager
def site(page: str) -> Iterator[str]:
    """The address of a server with one page: on loopback too, or the browser would have it ask nothing here."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            """Nowhere."""

    with ThreadingHTTPServer((OTHER, 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{OTHER}:{server.server_port}/"
        server.shutdown()


def test_a_page_of_another_site_changes_nothing_whatever_it_tries(watched: Open, served: Simulator) -> None:
    at = f"http://{HOST}:{served.web}/api/tags/SCADA"
    evil = f"""<img src="{at}/attribute[0]=1"><img referrerpolicy="no-referrer" src="{at}/attribute[1]=1">
        <iframe src="{at}/attribute[2]=1"></iframe><a rel="noreferrer" href="{at}/attribute[5]=1">link</a>
        <form method="post" action="{at}/attribute[3]=1" target="_blank"><button>post</button></form>
        <script>
            fetch("{at}/attribute[4]=1", {{ mode: "no-cors", referrerPolicy: "no-referrer" }}).catch(() => 0);
            navigator.sendBeacon("{at}/attribute[0]=1");
        </script>"""
    opening = watched()
    opening.allowed += ["status of 403", "frame", "ERR_BLOCKED"]
    page = opening.page
    with site(evil) as address:
        page.goto(address)
        with page.expect_popup() as posted:
            page.get_by_role("button", name="post").click()
        expect(posted.value.get_by_text("another site's page may not change anything here")).to_be_visible()
        page.get_by_role("link", name="link").click()
        expect(page.get_by_text("another site's page may not change anything here")).to_be_visible()
    assert served.say("/tags/SCADA/attribute[0-5]") == "tags.SCADA.attribute[0-5]: [0, 0, 0, 0, 0, 0]"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_people_out(
    watched: Open, served: Simulator, client: Connector, scheme: Scheme
) -> None:
    served.say("/tags/Name/error=8")
    try:
        page = opened(watched, served, scheme=scheme)
        expect(page.get_by_role("cell", name="0x08")).to_be_visible()
        page.evaluate(AXE_SCRIPT)
        assert found_by_axe(page) == []
        page.get_by_role("button", name="Set Level").click()
        assert found_by_axe(page) == []
    finally:
        served.say("/tags/Name/error=0")


def test_many_tags_are_touched_only_where_something_changed(watched: Open) -> None:
    with simulator(*MANY, "BIG=REAL[1000]") as served:
        page = opened(watched, served)
        expect(page.get_by_role("heading", name="Tags (500)")).to_be_visible()
        page.evaluate(COUNT)
        with page.expect_response("**/api/**"), page.expect_response("**/api/**"):
            pass
        served.say("/tags/BIG/attribute[5]=1.25")
        expect(page.get_by_text("[0.0, 0.0, 0.0, 0.0, 0.0, 1.25, ...]").first).to_be_visible()
        assert page.evaluate("window.touched") == 1
        page.get_by_label("Filter").fill("tag_49")
        assert page.locator("tbody tr:visible").count() == 9


def test_it_ends_by_a_second_press_and_the_page_says_that_it_is_gone(watched: Open) -> None:
    with simulator("A=INT") as served:
        opening = watched()
        opening.allowed.append("Failed to load resource")
        page = opening.page
        page.goto(f"http://{HOST}:{served.web}/")
        page.get_by_role("button", name="End the simulator").click()
        assert served.process.poll() is None
        page.get_by_role("button", name="Press again: it ends").click()
        assert served.process.wait(10) == 0
        expect(page.locator("#state")).to_contain_text("no answer for")
