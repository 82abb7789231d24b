"""Instants as text, in UTC and in zones, with the time zone data of this machine. All is in 2014, which is settled."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.history.abbreviations import AmbiguousAbbreviation
from node.history.timestamp import ABBREVIATIONS, Timestamp
from node.history.zones import AmbiguousTime, NonExistentTime, ZoneError

AT = datetime(2014, 6, 1, tzinfo=UTC)
INSTANT = 1399326141.999836


@pytest.fixture
def canada() -> Iterator[None]:
    """Texts know the abbreviations of Canada and Berlin."""
    Timestamp.support_abbreviations("CA", at=AT, reset=True)
    Timestamp.support_abbreviations("Europe/Berlin", at=AT)
    yield
    ABBREVIATIONS.clear()


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        (0, "2014-05-05 21:42:21"),
        (1, "2014-05-05 21:42:22.0"),
        (3, "2014-05-05 21:42:22.000"),
        (5, "2014-05-05 21:42:21.99984"),
        (6, "2014-05-05 21:42:21.999836"),
    ],
)
def test_it_is_rounded_but_cut_off_at_whole_seconds(digits: int, text: str) -> None:
    assert Timestamp(INSTANT).render(digits=digits) == text


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ("abbreviation", "2014-05-05 15:42:22.000 MDT"),
        ("offset", "2014-05-05 15:42:22.000 -0600"),
        ("name", "2014-05-05 15:42:22.000 America/Edmonton"),
    ],
)
def test_a_zone_is_named_behind_it(detail: str, text: str) -> None:
    assert Timestamp(INSTANT).render("America/Edmonton", detail=detail) == text
    if detail != "abbreviation":
        assert Timestamp(text) == Timestamp(INSTANT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2014-04-24 08:00:00 MDT", 1398348000.0),
        ("2014-11-02 01:59:58 MDT", 1414915198.0),
        ("2014-11-02 01:00:01 MST", 1414915201.0),
        ("2014-11-02 00:59:59 America/Edmonton", 1414911599.0),
        ("2014-03-09 02:00:01 MST", 1394355601.0),
        ("2014-03-09 03:00:01 MDT", 1394355601.0),
        ("2014-07-01 12:00:00 MST", 1404241200.0),
        ("2014-10-26 02:01:00.456 CEST", 1414281660.456),
        ("2014-10-26 02:01:00.123 CET", 1414285260.123),
        ("2014-01-01 07:00:00.123456", 1388559600.123456),
        ("2014-01-01 07:00:00 -0700", 1388584800.0),
        ("2014-01-01 07:00:00 +05:30", 1388539800.0),
        ("2014 01 01 07-00-00.5", 1388559600.5),
        ("1969-12-31 23:59:59.999", -0.001),
    ],
)
def test_a_text_is_one_instant(canada: None, text: str, value: float) -> None:
    assert Timestamp(text).value == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2014-01-01",
        "2014-01-01 07:00",
        "2014-01-01T07:00:00",
        "2014-01-01 07:00:00+00:00",
        "2014-01-01 07:00:00.1234567",
        "2014-02-29 07:00:00",
        "2014-01-01 24:00:00",
        "2014-01-01 07:00:60",
        "2014-01-01 07:00:6\u0660",
        "2014-01-01 07:00:00 XYZ",
        "2014-01-01 07:00:00 ../../etc/passwd",
        "0000-01-01 07:00:00",
        "0001-01-01 00:00:00 +0100",
    ],
)
def test_a_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"wanted|is no timestamp|digits"):
        Timestamp(text)


def test_what_a_wall_clock_showed_twice_is_refused_with_both_ways_to_say_it(canada: None) -> None:
    with pytest.raises(AmbiguousTime, match=r"was twice, as MDT and as MST.*-0600 or -0700"):
        Timestamp("2014-11-02 01:00:01 America/Edmonton")
    assert Timestamp("2014-11-02 01:00:01 -0600").value == 1414911601
    assert Timestamp("2014-11-02 01:00:01 MDT").value == 1414911601
    assert Timestamp("2014-11-02 01:00:01 -0700").value == 1414915201


@pytest.mark.parametrize("zone", ["America/Edmonton", "MDT"])
def test_what_a_wall_clock_left_out_is_refused(canada: None, zone: str) -> None:
    with pytest.raises(NonExistentTime, match="never was"):
        Timestamp(f"2014-03-09 02:00:01 {zone}")


def test_summer_time_is_refused_in_winter(canada: None) -> None:
    with pytest.raises(NonExistentTime, match="America/Edmonton did not have MDT then"):
        Timestamp("2014-01-01 12:00:00 MDT")


def test_instants_go_over_the_change_of_clocks() -> None:
    before = Timestamp(1394355540)
    assert before.render("America/Edmonton", 0) == "2014-03-09 01:59:00 MST"
    assert (before + 61).render("America/Edmonton", 0) == "2014-03-09 03:00:01 MDT"


@pytest.mark.parametrize(
    ("region", "names"),
    [
        ("CA", "ADT AST CDT CST EDT EST MDT MST NDT NST PDT PST"),
        ("Europe/Berlin", "CEST CET"),
        ("Australia/Adelaide", "ACDT ACST"),
        ("IE", "GMT IST"),
    ],
)
def test_a_region_brings_its_abbreviations(region: str, names: str) -> None:
    try:
        assert Timestamp.support_abbreviations(region, at=AT, reset=True) == names.split()
        assert Timestamp.support_abbreviations(region, at=AT) == []
    finally:
        ABBREVIATIONS.clear()


def test_an_abbreviation_of_two_meanings_is_refused_unless_one_is_left_out_or_the_first_wins() -> None:
    try:
        with pytest.raises(
            AmbiguousAbbreviation, match=r"CST is one thing in America/\w+ and another in America/Havana"
        ):
            Timestamp.support_abbreviations("America", at=AT, reset=True)
        with pytest.raises(ZoneError, match="there is no time zone 'MDT'"):
            Timestamp("2014-04-24 08:00:00 MDT")
        Timestamp.support_abbreviations(["CA", "CU"], exclude=["America/Havana"], at=AT)
        Timestamp.support_abbreviations(["CA", "CU"], at=AT, reset=True, first=True)
        assert Timestamp("2014-04-24 08:00:00 CDT").value == 1398344400
    finally:
        ABBREVIATIONS.clear()


def test_a_region_that_is_none_is_refused() -> None:
    for region in ("QQ", "Atlantis", ""):
        with pytest.raises(ZoneError, match="wanted a country as CA"):
            Timestamp.support_abbreviations(region)


def test_the_machine_s_zone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TZ", ":America/Edmonton")
    assert Timestamp(1396531199).local == "2014-04-03 07:19:59.000 MDT"
    assert Timestamp("2014-04-03 07:19:59", "local").value == 1396531199
    monkeypatch.setenv("TZ", "Nowhere/Else")
    with pytest.raises(ZoneError, match="TZ='Nowhere/Else' names no time zone"):
        Timestamp(0).render("local")
    monkeypatch.setenv("TZ", str(tmp_path / "none"))
    with pytest.raises(ZoneError, match="no time zone can be read here"):
        Timestamp(0).render("local")
    monkeypatch.delenv("TZ")
    monkeypatch.setattr("node.history.zones._LOCALTIME", tmp_path / "none")
    assert Timestamp(0).local == "1970-01-01 00:00:00.000"
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    monkeypatch.setattr("node.history.zones._LOCALTIME", tmp_path / "localtime")
    assert Timestamp(0).render("local", detail="name") == "1970-01-01 01:00:00.000 Europe/Berlin"
    (tmp_path / "copied").write_bytes(Path("/usr/share/zoneinfo/Asia/Kolkata").read_bytes())
    monkeypatch.setattr("node.history.zones._LOCALTIME", tmp_path / "copied")
    assert Timestamp(0).local == "1970-01-01 05:30:00.000 IST"
    (tmp_path / "copied").write_bytes(Path("/usr/share/zoneinfo/Europe/Berlin").read_bytes())
    os.utime(tmp_path / "copied", (1, 1))
    assert Timestamp(0).local == "1970-01-01 01:00:00.000 CET"


def test_instants_are_equal_within_a_millisecond() -> None:
    one = Timestamp(1e9)
    assert one == Timestamp(1e9 + 0.0009)
    assert not one < Timestamp(1e9 + 0.0009)
    assert one <= Timestamp(1e9 - 0.0009)
    assert one >= Timestamp(1e9 + 0.0009)
    assert one != Timestamp(1e9 + 0.0011)
    assert one < Timestamp(1e9 + 0.0011)
    assert one > 1e9 - 0.0011
    assert one == 10**9
    assert one != "2001-09-09 01:46:40"
    with pytest.raises(TypeError):
        hash(one)


def test_instants_and_seconds_are_added_and_taken_away() -> None:
    one = Timestamp("2014-01-01 07:00:00.5")
    later = 1 + one + 0.25
    assert (later.utc, later - one) == ("2014-01-01 07:00:01.750", 1.25)
    assert str(later - 1.25) == str(one)
    assert (float(one), int(one), repr(one)) == (1388559600.5, 1388559600, "Timestamp('2014-01-01 07:00:00.500000')")


def test_datetimes_come_and_go() -> None:
    when = datetime(2014, 1, 1, 7, 0, 0, 123456, tzinfo=UTC)
    assert Timestamp(when).datetime() == when
    assert Timestamp(datetime(2014, 1, 1, 7), "America/Edmonton").value == 1388584800
    assert Timestamp(Timestamp(5)).value == 5
    assert abs(Timestamp() - Timestamp(datetime.now(UTC))) < 5


@pytest.mark.parametrize("value", [1e15, -1e15])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_what_no_calendar_has_is_refused(value: float, zone: str) -> None:
    with pytest.raises(ValueError, match="in no year from 1 to 9999"):
        Timestamp(value).render(zone)


@given(st.integers(-(10**10), 10**11), st.integers(0, 999_999))
def test_texts_come_back_as_they_went(second: int, microsecond: int) -> None:
    value = (second * 1_000_000 + microsecond) / 1_000_000
    assert abs(Timestamp(Timestamp(value).render(digits=6)).value - value) <= 1e-5 * 2
    assert abs(Timestamp(str(Timestamp(value))).value - value) <= 0.0005 + 1e-5
    for zone in ("Asia/Kolkata", "America/Edmonton"):
        shown = Timestamp(value).render(zone, detail="offset")
        if shown[:4] != "0000" and len(shown.split()[-1]) == 5:  # before 1900 offsets have seconds
            assert abs(Timestamp(shown).value - value) <= 0.0005 + 1e-5
