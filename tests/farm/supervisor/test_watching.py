"""Tags that somebody looks at, for as long as it is renewed."""

from farm.supervisor import watching as module
from farm.supervisor.watching import LEASE, MOST, RENEW, Watching


def test_a_node_is_told_when_it_does_not_know() -> None:
    watching = Watching()
    assert watching.wants("pump-1", ["Level"], 0.0) == {"tags": ["Level"], "writes": True}
    assert watching.wants("pump-1", ["Level"], 1.0) is None
    assert watching.wants("pump-1", ["Flow"], 2.0) == {"tags": ["Level", "Flow"], "writes": True}
    assert watching.wants("pump-1", ["Flow"], 2.0 + RENEW) is not None, "its lease is renewed"
    assert watching.wants("pump-1", ["Flow"], LEASE + 2.5) == {"tags": ["Flow"], "writes": True}, "Level has lapsed"
    watching.again("pump-1")
    assert watching.wants("pump-1", ["Flow"], LEASE + 2.6) is not None, "it was started anew"


def test_the_latest_win_where_too_many_are_wanted() -> None:
    watching = Watching()
    watching.wants("pump-1", [f"T{number}" for number in range(MOST)], 0.0)
    told = watching.wants("pump-1", ["New"], 1.0)
    assert told is not None
    assert (len(told["tags"]), told["tags"][-1], "T0" in told["tags"]) == (MOST, "New", False)


def test_what_was_pushed_out_by_others_is_not_said_any_more() -> None:
    watching = Watching()
    watching.wants("pump-1", [f"A{number}" for number in range(MOST)], 0.0)
    watching.report("pump-1", {"A0": 1.0, "A1": 2.0}, 1000.0)
    watching.wants("pump-1", ["New"], 1.0)
    watching.tick(2.0, 1002.0)
    assert watching.values("pump-1") == {"A1": 2.0}
    assert watching.trend("pump-1", ["A0"], 0.0, 1003.0) == {"A0": [[1000.0, 1.0], [1002.0, None]]}


def test_values_are_kept_as_they_changed_up_to_now() -> None:
    watching = Watching()
    watching.wants("pump-1", ["Level"], 0.0)
    watching.report("pump-1", {"Level": 1.0, "Other": 5}, 1000.0)
    watching.report("pump-1", {"Level": 2.0}, 1003.0)
    assert watching.values("pump-1") == {"Level": 2.0}
    trend = watching.trend("pump-1", ["Level", "Other"], 0.0, 1005.0)
    assert trend == {"Level": [[1000.0, 1.0], [1003.0, 2.0], [1005.0, 2.0]], "Other": []}
    assert watching.trend("pump-1", ["Level"], 1001.0, 1005.0)["Level"] == [[1003.0, 2.0], [1005.0, 2.0]]
    assert watching.trend("pump-9", ["Level"], 0.0, 1005.0) == {"Level": []}


def test_where_nobody_looked_there_is_a_gap_and_old_values_go() -> None:
    watching = Watching()
    watching.wants("pump-1", ["Level"], 0.0)
    watching.report("pump-1", {"Level": 1.0}, 1000.0)
    watching.tick(LEASE + 1, 1016.0)
    assert watching.trend("pump-1", ["Level"], 0.0, 1020.0) == {"Level": [[1000.0, 1.0], [1016.0, None]]}
    watching.tick(700.0, 1000.0 + module.KEPT + 20)
    assert watching.trend("pump-1", ["Level"], 0.0, 2000.0) == {"Level": []}
    assert watching._nodes == {}


def test_nodes_that_are_gone_are_forgotten() -> None:
    watching = Watching()
    watching.wants("pump-1", ["Level"], 0.0)
    watching.keep(["pump-2"])
    assert watching.values("pump-1") == {}
