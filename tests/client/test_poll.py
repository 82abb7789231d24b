"""Polling: the rhythm by itself, and over real sockets with a drive that is stopped and started again."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from typing import ClassVar

import pytest

from node.client.drives import PowerFlex, PowerFlex750
from node.client.failure import NoAnswer
from node.client.poll import Poller, Rhythm, poll
from node.errors import LocalProtocolError, NodeError
from tests.client.restarted import Restarted
from tests.waiting import until

VELOCITY = [pytest.approx(789.01)]
CURRENT = [pytest.approx(123.45)]
FREQUENCY = [pytest.approx(456.78)]


@pytest.fixture(scope="module")
def drive() -> Iterator[Restarted]:
    """A PowerFlex 755 that tests may stop, and start again."""
    with Restarted("node.examples.powerflex") as device:
        yield device


def test_the_rhythm_is_that_of_the_manual() -> None:
    """2.1.7: when the polls of its transcript ended, in seconds behind 21:34, and when the next one did."""
    rhythm = Rhythm(1.0, 10.371)
    assert rhythm.succeeded(10.371) == pytest.approx(11.371)
    assert rhythm.succeeded(12.372) == pytest.approx(13.371)
    seen = [13.348, 14.352, 15.859, 18.117, 21.499, 26.636]
    for ended, begun in itertools.pairwise(seen):
        assert rhythm.failed(ended) == pytest.approx(begun, abs=0.08)
    assert rhythm.succeeded(26.636) == pytest.approx(27.376, abs=0.01)
    assert rhythm.failed(30.0) == 31.0


def test_pauses_grow_up_to_the_longest() -> None:
    rhythm = Rhythm(1.0, 0.0)
    assert [rhythm.failed(0.0) for _ in range(8)] == [1.0, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10.0, 10.0]
    slow = Rhythm(60.0, 0.0)
    assert [slow.failed(0.0), slow.failed(0.0)] == [60.0, 60.0]
    quick = Rhythm(0.5, 0.0)
    assert [quick.failed(0.0), quick.failed(0.0), quick.failed(0.0)] == [0.5, 0.75, 1.125]
    for _ in range(5000):
        quick.failed(0.0)
    assert quick.failed(1.0) == 11.0


def test_what_was_missed_is_not_made_up_for() -> None:
    rhythm = Rhythm(0.25, 100.0)
    assert rhythm.succeeded(100.26) == 100.5
    assert rhythm.succeeded(107.01) == 107.25
    for cycle in (0.0, -1.0, float("nan")):
        with pytest.raises(LocalProtocolError, match="a cycle of"):
            Rhythm(cycle, 0.0)


@pytest.mark.net
def test_failures_back_off_and_values_resume(drive: Restarted) -> None:
    """2.1.7, `poll_example`, quicker: the drive is stopped, and started again."""
    values: list[tuple[str, object]] = []
    failures: list[tuple[float, NodeError]] = []

    def process(name: str, value: list[float] | None) -> None:
        values.append((name, value))

    process.done = False  # type: ignore[attr-defined]
    thread = threading.Thread(
        target=poll,
        args=(PowerFlex750,),
        kwargs={
            "address": (drive.host, drive.port),
            "cycle": 0.2,
            "timeout": 2.0,
            "process": process,
            "failure": lambda exc: failures.append((time.monotonic(), exc)),
            "params": ["Motor Velocity", "Output Current"],
        },
    )
    thread.start()
    try:
        until(lambda: len(values) >= 6, "six values")
        assert values[:6] == [("Motor Velocity", VELOCITY), ("Output Current", CURRENT)] * 3
        drive.stop()
        try:
            until(lambda: len(failures) >= 5, "five failures")
        finally:
            drive.start()
        before = len(values)
        until(lambda: len(values) >= before + 4, "values once it is there again")
        assert values[-1] in [("Motor Velocity", VELOCITY), ("Output Current", CURRENT)]
    finally:
        process.done = True  # type: ignore[attr-defined]
        thread.join(5)
    assert not thread.is_alive()
    assert all(isinstance(exc, NoAnswer) for _, exc in failures)
    pauses = [later[0] - earlier[0] for earlier, later in itertools.pairwise(failures)]
    for pause, least in zip(pauses, [0.2, 0.3, 0.45, 0.675], strict=False):
        assert pause >= least - 0.01, pauses


@pytest.mark.net
def test_three_rates_in_four_threads_over_one_connection(drive: Restarted) -> None:
    """2.1.7, `poll_example_many`, quicker."""
    counts: dict[str, int] = {}
    sessions: set[str] = set()
    lock = threading.Lock()
    via = PowerFlex750(drive.host, drive.port, timeout=2.0)

    def process(name: str, value: list[float] | None) -> None:
        with lock:
            counts[name] = counts.get(name, 0) + 1
            sessions.add(str(via))
            sessions.discard("PowerFlex 755 at None")  # another thread found the drive away meanwhile

    failures: list[NodeError] = []
    with Poller(via, process, failures.append) as poller:
        begun = time.monotonic()
        poller.poll("Output Frequency", cycle=0.1)
        poller.poll(["Motor Velocity", "Output Current"], cycle=0.25)
        poller.poll("Elapsed kWh", cycle=1.0)
        poller.poll("Speed Units", cycle=1.0)
        until(lambda: counts.get("Elapsed kWh", 0) >= 3 and counts.get("Speed Units", 0) >= 3, "three of the slowest")
        took = time.monotonic() - begun
        assert poller.values == {
            "Output Frequency": FREQUENCY,
            "Motor Velocity": VELOCITY,
            "Output Current": CURRENT,
            "Elapsed kWh": [pytest.approx(987.65)],
            "Speed Units": [1],
        }
        assert len(sessions) == 1, "one connection"
        assert counts["Motor Velocity"] == counts["Output Current"]
        for name, cycle in (("Output Frequency", 0.1), ("Motor Velocity", 0.25), ("Elapsed kWh", 1.0)):
            assert counts[name] <= took / cycle + 2, name
        assert counts["Output Frequency"] > counts["Motor Velocity"] > counts["Elapsed kWh"]
        assert failures == []
        drive.stop()
        try:
            until(lambda: poller.values == {} and poller.problem is not None, "no values of a drive that is away")
        finally:
            drive.start()
        until(lambda: len(poller.values) == 5 and poller.problem is None, "all values again")
        assert len(sessions) == 2, "one connection again"
    assert poller.done
    assert str(via).endswith(" at None")
    with pytest.raises(LocalProtocolError, match="done"):
        poller.poll("Speed Units")


@pytest.mark.net
def test_a_fault_is_a_value_and_a_bug_no_end(drive: Restarted, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[tuple[object, object]] = []

    def process(name: object, value: list[object] | None) -> None:
        seen.append((name, value))
        if value is None:
            raise ZeroDivisionError
        process.done = len(seen) >= 6  # type: ignore[attr-defined]

    class Mine(PowerFlex):
        """A drive with one parameter more than every device has."""

        PARAMETERS: ClassVar = dict(PowerFlex.PARAMETERS, accel_time=PowerFlex.number(140, "REAL", "s"))

    via = Mine(drive.host, drive.port)
    poll(via=via, cycle=0.05, params=["@0x93/9999/10", "Accel Time"], process=process)
    assert seen == [("@0x93/9999/10", None), ("Accel Time", [10.0])] * 3
    assert "ZeroDivisionError" in caplog.text
    assert not str(via).endswith(" at None"), "it is somebody's"
    via.close()


def test_what_cannot_be_polled_is_said_at_once() -> None:
    with pytest.raises(LocalProtocolError, match="nothing to poll"):
        poll(PowerFlex750, params=[])
    with pytest.raises(LocalProtocolError, match=r"SCADA\["):
        poll(PowerFlex750, params=["Motor Velocity", "SCADA["])
    with Poller(PowerFlex750("127.64.33.99", 1)) as poller:
        with pytest.raises(LocalProtocolError, match="a cycle of 0"):
            poller.poll("Motor Velocity", cycle=0)
        with pytest.raises(LocalProtocolError, match="nothing to poll"):
            poller.poll([])
