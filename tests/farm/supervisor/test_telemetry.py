"""A report is worth what its age says."""

from farm.supervisor.pace import Pace
from farm.supervisor.telemetry import Telemetry


def test_a_report_ages() -> None:
    telemetry = Telemetry()
    telemetry.report({"pump-1": {"requests": 7}, "pump-2": "nonsense"}, 100.0)
    assert telemetry.of("pump-1", 101.5) == {"requests": 7, "age": 1.5, "stale": False}
    assert telemetry.of("pump-1", 103.5) == {"requests": 7, "age": 3.5, "stale": True}
    assert telemetry.age("pump-1", 104.0) == 4.0
    assert telemetry.of("pump-2", 101.0) is None
    assert telemetry.age("pump-2", 101.0) is None


def test_the_last_report_counts() -> None:
    telemetry = Telemetry()
    telemetry.report({"pump-1": {"requests": 7}}, 100.0)
    telemetry.report({"pump-1": {"requests": 9}}, 101.0)
    assert telemetry.of("pump-1", 101.0) == {"requests": 9, "age": 0.0, "stale": False}


def test_nodes_that_are_gone_are_forgotten() -> None:
    telemetry = Telemetry()
    telemetry.report({"pump-1": {}, "pump-2": {}, "pump-3": {}}, 1.0)
    telemetry.keep(["pump-1", "pump-2"])
    telemetry.forget("pump-2")
    telemetry.forget("pump-9")
    assert [telemetry.of(name, 1.0) is not None for name in ("pump-1", "pump-2", "pump-3")] == [True, False, False]


def test_where_reports_come_more_rarely_they_are_stale_later() -> None:
    telemetry = Telemetry(Pace(4))
    telemetry.report({"pump-1": {"requests": 7}}, 100.0)
    found = [telemetry.of("pump-1", 100.0 + age) for age in (3.5, 9.0, 9.1)]
    assert [each and each["stale"] for each in found] == [False, False, True]


def test_nodes_of_a_farm_that_shrinks_are_not_down_until_they_have_heard_of_it() -> None:
    telemetry = Telemetry(Pace(12))
    telemetry.report({"pump-1": {"requests": 7}}, 100.0)
    telemetry.report({"pump-2": {"requests": 7}}, 80.0)
    before, telemetry.pace.every = telemetry.pace.stale, 1
    telemetry.paced(before, 111.0)
    found = {name: telemetry.of(name, 112.5) for name in ("pump-1", "pump-2")}
    assert {name: each and (each["age"], each["stale"]) for name, each in found.items()} == {
        "pump-1": (2.5, False),
        "pump-2": (32.5, True),
    }
