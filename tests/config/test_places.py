"""Paths behind a tag: what they mean, what clients send for them, and what is said of those that mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.epath import Element, Symbolic
from node.cip.types import BOOL
from node.config.model import TagConfig
from node.config.moving import overlap
from node.config.places import MAX_PLACES, Spot, find, places, root
from node.config.structures import build_templates
from node.errors import ConfigError
from tests.config.test_structures import LINE, MOTOR, S8

TEMPLATES = build_templates((S8, MOTOR, LINE))


def tag(type: str, *dimensions: int, packed: bool = False) -> Spot:
    spot = root(TagConfig("T", type, dimensions, packed=packed), TEMPLATES)
    assert spot is not None
    return spot


@pytest.mark.parametrize(
    ("spot", "path", "kind", "dimensions", "shown"),
    [
        (tag("REAL"), "", "REAL", (), ""),
        (tag("INT", 5), "[3]", "INT", (), "[3]"),
        (tag("INT", 5), "", "INT", (5,), ""),
        (tag("INT", 2, 3, 4), "[1,2,3]", "INT", (), "[1,2,3]"),
        (tag("INT", 2, 3, 4), "[23]", "INT", (), "[1,2,3]"),
        (tag("INT", 2, 3, 4), "[ 1 , 0 , 2 ]", "INT", (), "[1,0,2]"),
        (tag("Motor"), "Speed", "REAL", (), ".Speed"),
        (tag("Motor"), ".sPEED", "REAL", (), ".Speed"),
        (tag("Motor"), "Hours", "DINT", (4,), ".Hours"),
        (tag("Motor"), "Hours[2]", "DINT", (), ".Hours[2]"),
        (tag("Motor"), "Hours[2].31", "BOOL", (), ".Hours[2].31"),
        (tag("Motor"), "Label", "S8", (), ".Label"),
        (tag("Motor"), "Label.LEN", "DINT", (), ".Label.LEN"),
        (tag("Motor"), "Bits", "BOOL", (40,), ".Bits"),
        (tag("Motor"), "Bits[39]", "BOOL", (), ".Bits[39]"),
        (tag("Line", 3), "[2].Motors[1].Run", "BOOL", (), "[2].Motors[1].Run"),
        (tag("TIMER"), "DN", "BOOL", (), ".DN"),
        (tag("LINT"), "63", "BOOL", (), ".63"),
        (tag("BOOL", 70, packed=True), "[69]", "BOOL", (), "[69]"),
        (tag("BOOL", 70), "[69]", "BOOL", (), "[69]"),
    ],
)
def test_what_a_path_means(spot: Spot, path: str, kind: str, dimensions: tuple[int, ...], shown: str) -> None:
    found = find(spot, path)
    assert (found.kind.name, found.dimensions, found.path, found.count) == (kind, dimensions, shown, 1)


@pytest.mark.parametrize(
    ("spot", "path", "word", "bit"),
    [
        (tag("BOOL", 70, packed=True), "[69]", "[2]", 5),
        (tag("BOOL", 70), "[69]", "[69]", None),
        (tag("Motor"), "Bits[39]", ".Bits[1]", 7),
        (tag("Motor"), "Run", ".Run", None),
        (tag("DINT", 2), "[1].31", "[1]", 31),
        (tag("INT", 2, 3), "[1,2]", "[1,2]", None),
    ],
)
def test_what_clients_send(spot: Spot, path: str, word: str, bit: int | None) -> None:
    found = find(spot, path)
    assert (found.word_path, found.bit) == (word, bit)


def test_segments_behind_a_tag() -> None:
    found = find(tag("Line", 2, 3), "[1,2].Motors[0].Bits[33]")
    names = [Element(1), Element(2), Symbolic("Motors"), Element(0), Symbolic("Bits"), Element(1), Symbolic("1")]
    assert found.segments == names


@pytest.mark.parametrize(
    ("spot", "path", "wanted"),
    [
        (tag("Motor"), "Sped", "Motor has no member 'Sped'; did you mean Speed?"),
        (tag("Motor"), "Nix", "Motor has no member 'Nix'; it has Run, Speed, Hours, Label, Bits"),
        (tag("PID"), "Qqqqq", "it has SP, KP, KI, KD, BIAS, MAXS, MINS, DB, SO, MAXO, MINO, UPD …"),
        (tag("TIMER"), "CTL", "TIMER has no member 'CTL'"),
        (tag("Motor"), "Speed.X", "REAL has no members"),
        (tag("Motor"), "Speed.3", "REAL has no bits"),
        (tag("BOOL"), "0", "BOOL has no bits"),
        (tag("SSTRING"), "0", "SSTRING has no bits"),
        (tag("SINT"), "8", "SINT has bits 0 to 7"),
        (tag("INT"), "[0]", "the tag is no array"),
        (tag("Motor"), "Speed[0]", "Speed is no array"),
        (tag("INT", 5), "[5]", "[5] is past the end; elements are 0 to 4"),
        (tag("INT", 2, 3), "[2,0]", "[2,0] is past the end; elements are [2,3], counted from 0"),
        (tag("INT", 2, 3), "[6]", "is past the end"),
        (tag("INT", 2, 3, 4), "[1,2]", "2 indices for 3 dimensions"),
        (tag("Line", 2), "Name", "an index is missing, as in Line[3].Motor.Run"),
        (tag("Line"), "Motors.Speed", "an index is missing"),
        (tag("Motor"), "Hours[", "wanted indices as [3] or [1,2,3], closed by ]"),
        (tag("Motor"), "Hours[-1]", "wanted indices as [3]"),
        (tag("Motor"), "Hours[1]x", "wanted a dot or the end behind ]"),
        (tag("Motor"), ".", "'' is no member"),
        (tag("Motor"), "Speed..X", "'' is no member"),
        (tag("Motor"), "Sp eed", "'Sp eed' is no member"),
    ],
)
def test_what_means_nothing(spot: Spot, path: str, wanted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find(spot, path)
    assert wanted in caught.value.message and "\n" not in caught.value.message


@given(st.text("[]0123456789.,SpeedHours ", max_size=20))
def test_any_text_is_a_place_or_a_config_error(path: str) -> None:
    for spot in (tag("Line", 2, 3), tag("Motor"), tag("DINT", 5), tag("BOOL", 40, packed=True)):
        try:
            found = list(places(spot, path))
        except ConfigError:
            continue
        assert found
        for each in found:
            again = find(spot, each.path)
            assert (again.kind, again.dimensions, again.steps) == (each.kind, each.dimensions, each.steps)


def test_where_indices_are_left_out_all_are_meant() -> None:
    found = list(places(tag("Line", 2), "Motors.Hours[1]"))
    assert [spot.path for spot in found] == [f"[{i}].Motors[{j}].Hours[1]" for i in range(2) for j in range(3)]
    assert {spot.count for spot in found} == {6}
    assert [spot.path for spot in places(tag("Line", 2), "[1].Motors.Run")] == [
        f"[1].Motors[{j}].Run" for j in range(3)
    ]
    assert [spot.dimensions for spot in places(tag("Motor", 2), "Hours")] == [(4,), (4,)]
    assert [spot.path for spot in places(tag("INT", 2), "3")] == ["[0].3", "[1].3"]


def test_not_more_than_one_can_look_over() -> None:
    assert next(places(tag("Motor", MAX_PLACES), "Speed")).count == MAX_PLACES
    with pytest.raises(ConfigError, match=f"means {MAX_PLACES + 1} elements; wanted at most {MAX_PLACES}"):
        next(places(tag("Motor", MAX_PLACES + 1), "Speed"))


@pytest.mark.parametrize(
    ("spot", "paths", "shared"),
    [
        (tag("Motor", 3), ["Speed", "[1].Speed"], True),
        (tag("Motor", 3), ["[0].Speed", "[1].Speed"], False),
        (tag("Motor", 3), ["[1].speed", "[1].Speed"], True),
        (tag("Motor", 3), ["Speed", "Run", "Hours"], False),
        (tag("Motor", 3), ["Hours", "[2].Hours[1]"], True),
        (tag("Motor", 3), ["[1].Hours[1]", "[2].Hours[1]"], False),
        (tag("Motor", 3), ["Hours[1]", "Hours[2]"], False),
        (tag("Motor", 3), ["Hours[1]", "[2].Hours[1]"], True),
        (tag("Motor", 3), ["Hours[1]", "[2].Hours[2]"], False),
        (tag("Line", 3), ["[0].Motors.Speed", "[1].Motors.Speed"], False),
        (tag("Line", 3), ["[0].Motors.Speed", "Motors[1].Speed"], True),
        (tag("DINT"), ["3", "4"], False),
        (tag("DINT"), ["3", "3"], True),
        (tag("DINT", 2), ["[0]", "[0].3"], True),
        (tag("DINT", 2), ["[0].3", "3"], True),
        (tag("DINT", 2), ["[0].3", "4"], False),
        (tag("Motor"), ["Bits", "Bits[3]"], True),
        (tag("Motor"), ["Bits[3]", "Bits[35]", "Bits[4]"], False),
        (tag("BOOL", 70, packed=True), ["[3]", "[35]", "[4]"], False),
    ],
)
def test_two_signals_never_move_the_same(spot: Spot, paths: list[str], shared: bool) -> None:
    found = [next(places(spot, path)) for path in paths]
    assert (overlap(found) is not None) is shared
    assert (overlap(found[::-1]) is not None) is shared
    if all(each.kind is not BOOL for each in found):
        spans = [span(spot, each.path) for path in paths for each in places(spot, path)]
        assert any(not one.isdisjoint(other) for n, one in enumerate(spans) for other in spans[:n]) is shared


def span(spot: Spot, path: str) -> set[str]:
    """The paths of all elements that a path means."""
    found = find(spot, path)
    if not found.dimensions:
        return {found.path}
    return {find(spot, f"{found.path}[{index}]").path for index in range(found.length)}


def test_many_are_compared_quickly_and_too_many_not_at_all() -> None:
    whole = tag("DINT", 10_000)
    exact = [find(whole, f"[{number}]") for number in range(10_000)]
    assert overlap(exact) is None
    bits = [find(whole, f"[{number}].3") for number in range(2000)]
    assert overlap([*bits, next(places(whole, "4"))]) is None
    loose = [next(places(tag("DINT", 100, 100), f"[{number},0]")) for number in range(100)]
    assert overlap(loose) is None
    assert overlap([*bits, find(whole, "[7].3")]) is not None
