"""The pages' files: small, complete, nothing from elsewhere, and text from the wire only ever as text."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.dashboard.vendor import PACKAGES, SUMS, VENDOR, sums

STATIC = ROOT / "farm" / "dashboard" / "static"
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
OURS = [path for path in FILES if VENDOR not in path.parents]
SCRIPTS = [path for path in OURS if path.suffix == ".js"]

BUDGET = 200 * 1024
"""Bytes of everything that a browser can be asked to load, as it stands on disk."""
LINES = 250

UNSAFE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|DOMParser|createContextualFragment"
    r"|\beval\b|new Function|setAttribute\(\s*[\"']on|javascript:"
)
"""Ways in which a tag's name could become markup or code."""
ELSEWHERE = re.compile(r"(?:https?:)?//(?!www\.w3\.org/)[a-z0-9-]+\.[a-z]{2,}", re.IGNORECASE)


def relative(path: Path) -> str:
    return path.relative_to(STATIC).as_posix()


def test_all_of_it_stays_small() -> None:
    loaded = [path for path in FILES if not path.name.startswith("LICENSE") and path.name != SUMS]
    assert sum(path.stat().st_size for path in loaded) < BUDGET


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_a_script_is_a_small_room_that_says_what_it_is_for(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= LINES
    assert lines[0].startswith("// ")


def test_what_is_vendored_is_what_was_fetched() -> None:
    assert (VENDOR / SUMS).read_text() == sums(VENDOR)


def test_everything_vendored_has_its_licence() -> None:
    wanted = {name for files in PACKAGES.values() for name in files.values()}
    assert {path.name for path in VENDOR.iterdir()} == wanted | {SUMS}
    for package, files in PACKAGES.items():
        licence = VENDOR / f"LICENSE.{package.partition('@')[0]}"
        assert licence.name in files.values()
        assert re.search(r"MIT License|Permission is hereby granted|Apache License", licence.read_text())


@pytest.mark.parametrize("path", OURS, ids=relative)
def test_text_from_the_wire_stays_text(path: Path) -> None:
    assert UNSAFE.findall(path.read_text()) == []


@pytest.mark.parametrize("path", OURS, ids=relative)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    assert ELSEWHERE.findall(path.read_text()) == []


def test_the_page_has_no_script_or_style_in_it() -> None:
    page = (STATIC / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", page) == []
    for script in SCRIPTS:
        assert re.findall(r"[\s\"'`]style=", script.read_text()) == [], relative(script)


def test_what_is_imported_and_linked_is_there() -> None:
    for path in SCRIPTS:
        for target in re.findall(r'(?:from|import) "(\.[^"]+)"', path.read_text()):
            assert (path.parent / target).resolve().is_file(), f"{relative(path)}: {target}"
    linked = re.findall(r'(?:href|src)="static/([^"]+)"', (STATIC / "index.html").read_text())
    assert len(linked) > 1
    assert [target for target in linked if not (STATIC / target).is_file()] == []


def test_no_import_is_left_over() -> None:
    left = []
    for path in SCRIPTS:
        text = path.read_text()
        for names in re.findall(r"import \{([^}]+)\} from", text):
            for name in (name.strip().split(" as ")[-1] for name in names.split(",") if name.strip()):
                if len(re.findall(rf"\b{re.escape(name)}\b", text)) < 2:
                    left.append(f"{relative(path)}: {name}")
    assert left == []


def test_all_of_it_is_package_data() -> None:
    data = (ROOT / "pyproject.toml").read_text().partition("[tool.setuptools.package-data]")[2].partition("\n[")[0]
    assert re.search(r'"farm\.dashboard" = \[.*"static/\*\*"', data)
