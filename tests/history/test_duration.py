"""Spans of time, read and shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.history.duration import format_duration, format_offset, parse_duration, parse_offset


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1w", 604800),
        ("1m30s", 90),
        ("1y", 31557600),
        ("1d12h", 129600),
        ("1d 12h", 129600),
        ("250ms", 0.25),
        ("10us", 1e-5),
        ("1:02:03.5", 3723.5),
        ("100:00", 360000),
        ("1.5", 1.5),
        (".5h", 1800),
        ("-1m30s", -90),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "-", "bogus", "1m1h", "1s1s", "1m30", "1:60", "1:2:3:4", "5 parsecs", "1e3", "٣s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (90061.5, "1d1h1m1.5s"),
        (608400, "1w1h"),
        (0.25, "250ms"),
        (0.0015, "1.5ms"),
        (1e-6, "1us"),
        (0, "0s"),
        (-90, "-1m30s"),
        (31557600, "1y"),
        (1.000001, "1.000001s"),
    ],
)
def test_a_duration_is_shown(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(-(10**15), 10**15))
def test_durations_come_back_as_they_went(microseconds: int) -> None:
    seconds = microseconds / 1_000_000
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "seconds"), [("< 1:00:00.001", -3600.001), ("<:1.001", -1.001), (">1:0.001", 60.001), (">1", 1.0)]
)
def test_an_offset_is_read(text: str, seconds: float) -> None:
    assert parse_offset(text) == seconds


@pytest.mark.parametrize("text", ["1:0", "", "<", "> x", "=1"])
def test_what_is_no_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no offset"):
        parse_offset(text)


@pytest.mark.parametrize(
    ("seconds", "digits", "text"),
    [(-3600.001, 3, "< 1:00:00.001"), (60.5, 3, "> 0:01:00.500"), (-7, 0, "< 0:00:07"), (59.9996, 3, "> 0:01:00.000")],
)
def test_an_offset_is_shown(seconds: float, digits: int, text: str) -> None:
    assert format_offset(seconds, digits) == text
