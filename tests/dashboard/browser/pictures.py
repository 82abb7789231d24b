"""`python -m tests.dashboard.browser.pictures [FOLDER]`: the pictures of the documentation, of a plant with something
abnormal in it; every page, in a light, a dark and a grey form where that says something."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from tests.dashboard.browser.abnormal import abnormal
from tests.dashboard.browser.chromium import Scheme, chromium, opened
from tests.dashboard.browser.served import WATERWORKS, Served, served, without_a_plant
from tests.dashboard.browser.views import show
from tests.farm_command import ROOT

COLOURS = 96
"""The most frequent ones are kept as they are, and so is every vivid one, which is what says that something is wrong;
all others, of the edges of letters, become the nearest."""
VIVID = 90
"""Difference of the strongest and the weakest part of a colour, of 255."""
VIEWS: dict[str, tuple[str, tuple[Scheme | str, ...]]] = {
    "overview": ("overview", ("light", "dark", "grey")),
    "nodes": ("nodes", ("light", "dark")),
    "node": ("node/intake", ("light", "dark", "grey")),
    "map": ("map", ("light", "dark")),
    "trend": ("node/intake?tab=trend", ("light", "dark")),
    "connections": ("node/intake?tab=connections", ("light",)),
    "requests": ("node/intake?tab=requests", ("light",)),
    "node-faults": ("node/clearwell?tab=faults", ("light",)),
    "log": ("node/intake?tab=log", ("light",)),
    "config": ("node/intake?tab=config", ("light",)),
    "events": ("events", ("light", "dark")),
    "faults": ("faults", ("light", "dark")),
    "clients": ("clients", ("light", "dark")),
}
"""Name of a picture: what stands in the address after `#`, and the forms it is taken in."""
GREY = "grey"
FLEET, FIRST = "fleet", "first"
"""Pictures of five hundred nodes, and of none."""
NAMES = [*VIEWS, FLEET, FIRST]
USUAL = [*(name for name in VIEWS if name not in ("log", "config")), FLEET]
"""Those that say nothing of the machine they were taken on."""
TANK_FARM = ROOT / "topologies/tank-farm-500.yaml"


def main() -> None:
    """Takes them all."""
    parser = argparse.ArgumentParser(prog="python -m tests.dashboard.browser.pictures", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs/pictures")
    parser.add_argument("--only", nargs="*", default=USUAL, choices=NAMES, metavar="NAME")
    arguments = parser.parse_args()
    arguments.folder.mkdir(exist_ok=True)
    with chromium() as browser:
        with served(WATERWORKS) as plant, abnormal(plant):
            for scheme in ("light", "dark"):
                take(browser, plant, arguments.folder, scheme, arguments.only)
        if FLEET in arguments.only:
            take_fleet(browser, arguments.folder)
        if FIRST in arguments.only:
            take_first(browser, arguments.folder)


def take(browser: Browser, plant: Served, folder: Path, scheme: Scheme, names: list[str]) -> None:
    """All pictures of one colour scheme; grey ones are made of light ones."""
    with opened(browser, scheme=scheme) as watched:
        page = watched.page
        page.goto(plant.link())
        page.locator(".tile").first.wait_for()
        page.wait_for_timeout(1500)  # another frame, so that nothing is only beginning
        for name, (view, forms) in VIEWS.items():
            if name not in names or scheme not in forms:
                continue
            show(page, plant, view)
            page.wait_for_timeout(2500 if "trend" in view else 1200)
            picture = page.screenshot()
            keep(picture, folder / (f"{name}.png" if scheme == "light" else f"{name}-{scheme}.png"))
            if scheme == "light" and GREY in forms:
                keep(picture, folder / f"{name}-grey.png", grey=True)
        for line in watched.wrong:
            print(line)


def take_fleet(browser: Browser, folder: Path) -> None:
    """Five hundred, of which a few are not as they should be."""
    with served(TANK_FARM) as plant, opened(browser) as watched:
        page, rows = watched.page, list(plant.rows().values())
        chosen = [row["name"] for row in rows if row["kind"] == "logix"]
        plant.ask("faults", "POST", {"fault": {"kind": "drop", "percent": 20}, "nodes": chosen[40:46]})
        plant.ask(f"nodes/{chosen[7]}/stop", "POST", {})
        page.goto(plant.url)
        page.locator(".tile.fault").first.wait_for()
        keep(page.screenshot(), folder / "fleet.png")


def take_first(browser: Browser, folder: Path) -> None:
    """What is there before there is a plant."""
    with without_a_plant() as url, opened(browser) as watched:
        watched.page.goto(url)
        watched.page.locator(".demos").wait_for()
        keep(watched.page.screenshot(), folder / "first.png")


def keep(picture: bytes, path: Path, grey: bool = False) -> None:
    """Writes it with few colours."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    if grey:
        image = image.convert("L").convert("RGB")
    found: list[tuple[int, tuple[int, int, int]]] = image.getcolors(1 << 20)  # type: ignore[assignment]
    counted = sorted(found, reverse=True)
    vivid = [(count, colour) for count, colour in counted if max(colour) - min(colour) >= VIVID][: COLOURS // 3]
    counted = list(dict.fromkeys(vivid + counted))[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in counted for part in colour])
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path} {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
