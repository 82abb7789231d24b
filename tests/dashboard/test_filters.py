"""The filter language, by the cases that the page's own code is held to as well."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.dashboard.filters import MOST, NUMBERS, TEXTS, parse_filter, sort_rows
from farm.dashboard.refusal import Refusal

CASES = json.loads(Path(__file__).with_name("filter_cases.json").read_text())
ROWS: list[dict[str, Any]] = CASES["rows"]
FAULTS = {int(number): kind for number, kind in CASES["faults"].items()}


def fitting(text: str) -> list[str]:
    """Names of the rows that it fits."""
    test = parse_filter(text)
    return [row["name"] for row in ROWS if test(row, FAULTS)]


@pytest.mark.parametrize(("text", "names"), CASES["cases"])
def test_what_a_filter_fits(text: str, names: list[str] | None) -> None:
    if names is not None:
        assert fitting(text) == names
        return
    with pytest.raises(Refusal) as refused:
        parse_filter(text)
    assert refused.value.status == 400
    assert "keys are name state" in refused.value.hint


def test_every_key_has_a_case() -> None:
    texts = " ".join(text for text, _ in CASES["cases"])
    assert [key for key in (*TEXTS, *NUMBERS) if key not in texts] == []


def test_a_filter_is_not_endless() -> None:
    with pytest.raises(Refusal):
        parse_filter("a" * (MOST + 1))


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        test = parse_filter(text)
    except Refusal as exc:
        assert exc.status == 400
    else:
        assert all(test(row, FAULTS) in (True, False) for row in ROWS)


def test_patterns_of_many_stars_are_quick() -> None:
    test = parse_filter("name:" + "*a" * 200 + "b")
    assert not test({**ROWS[0], "name": "a" * 400}, {})


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("name", ["intake", "tank-2", "tank-10", "x[1]"]),
        ("-name", ["x[1]", "tank-10", "tank-2", "intake"]),
        ("p99", ["x[1]", "intake", "tank-2", "tank-10"]),
        ("-p99", ["tank-2", "intake", "x[1]", "tank-10"]),
        ("condition", ["tank-10", "tank-2", "x[1]", "intake"]),
        ("level", ["intake", "tank-2", "tank-10", "x[1]"]),
    ],
)
def test_sorting(key: str, names: list[str]) -> None:
    assert [row["name"] for row in sort_rows(ROWS, key)] == names


@pytest.mark.parametrize("key", ["", "-", "colour", "p99_ms"])
def test_sorting_by_nothing(key: str) -> None:
    with pytest.raises(Refusal):
        sort_rows(ROWS, key)
