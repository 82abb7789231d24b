"""Each value of a node with the place it comes from."""

from farm.cli.inspect import flatten, place
from tests.farm.cli.plants import LINE, PLANT, TANK


def test_values_are_flat_and_named() -> None:
    values = dict(flatten(TANK))
    assert values["address"] == "127.64.0.1"
    assert values["tags.Level.type"] == "REAL"
    assert values["enip.identity.vendor"] == 1
    assert values["enip.port"] == 44818


def test_members_of_lists_go_by_what_they_are_called() -> None:
    values = dict(flatten(LINE))
    assert values["tags.M.parts.[1].Speed.initial"] == 5.0
    assert values["types.Motor.members.Bits.length"] == 40
    assert values["enip.objects.TCPIP.Host Name.value"] == '"line"'
    assert values["tags.Flags.packed"] is True and "tags.M.packed" not in values


def test_places_are_the_nearest_that_is_known() -> None:
    places = PLANT.origins["tank"]
    assert place(places, "tags.Level.type") == "plant.yaml:9:5"
    assert place({"tags.Level": places[""]}, "tags.Level.unit") == "plant.yaml:4:3"
    assert place({}, "enip.port") == "built in"
