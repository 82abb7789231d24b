"""Rates and latencies from counters, with a clock of the test's own."""

import json
import tracemalloc

import pytest

from farm.supervisor.meter import Meter
from farm.supervisor.percentiles import difference, percentiles, total


def counters(requests: int, errors: int = 0, uptime: float = 0.0, latency: tuple[int, ...] = ()) -> dict[str, object]:
    return {"requests": requests, "errors": errors, "uptime": uptime, "latency": list(latency), "connections": 2}


def fed(meter: Meter, seconds: int, each: int, start: int = 0, bucket: int = 10) -> None:
    """`each` requests a second, all in one bucket."""
    for second in range(start, start + seconds + 1):
        meter.report(counters(each * second, uptime=second, latency=(0,) * bucket + (each * second,)), second)
        meter.tick(second + 0.3)


def test_a_steady_client_gives_a_steady_rate() -> None:
    meter = Meter()
    fed(meter, 30, 100)
    assert meter.requests_per_s == pytest.approx(100)
    assert (meter.requests, meter.connections, meter.last_request) == (3000, 2, 30)


def test_one_request_a_second_is_not_a_rate_that_jumps() -> None:
    meter, seen = Meter(), []
    for second in range(30):
        meter.report(counters(second, uptime=second), second + (0.2 if second % 2 else 0.0))
        meter.tick(second + 0.5)
        seen.append(meter.requests_per_s)
    assert all(0.9 < rate < 1.1 for rate in seen[8:])


def test_a_rate_falls_when_nothing_comes_any_more() -> None:
    meter = Meter()
    fed(meter, 20, 100)
    rates = []
    for second in range(22, 33):
        meter.tick(second)
        rates.append(meter.requests_per_s)
    assert rates[0] > 50
    assert rates == sorted(rates, reverse=True)
    assert (rates[-1], meter.active, meter.p50) == (0.0, False, None)


def test_a_burst_after_a_rest_counts_over_the_window_and_not_over_the_rest() -> None:
    meter = Meter()
    meter.report(counters(100), 0)
    meter.report(counters(150), 500)
    meter.tick(500.1)
    assert meter.requests_per_s == pytest.approx(10)


def test_what_a_node_counted_before_it_was_known_is_no_burst() -> None:
    meter = Meter()
    meter.report(counters(1_000_000, 500), 10)
    meter.tick(10.5)
    assert (meter.requests_per_s, meter.requests, meter.last_error, meter.active) == (0.0, 0, None, False)


def test_a_node_that_was_started_anew_counts_on() -> None:
    meter = Meter()
    fed(meter, 10, 100)
    meter.report(counters(40, uptime=0.5, latency=(0,) * 10 + (40,)), 11)
    meter.tick(11.1)
    assert meter.requests == 1040
    assert meter.requests_per_s == pytest.approx(40, abs=1)
    assert meter.p50 is not None


def test_a_node_whose_process_ended_does_nothing_and_its_next_counts_from_nothing() -> None:
    meter = Meter()
    fed(meter, 10, 100)
    meter.ended()
    assert (meter.requests_per_s, meter.connections, meter.active) == (0.0, 0, False)
    meter.report(counters(1500, uptime=5), 20)
    assert meter.requests == 2500


def test_latencies_are_those_of_the_last_seconds() -> None:
    meter = Meter()
    fed(meter, 20, 100, bucket=10)
    assert meter.p50 is not None
    assert 0.512 <= meter.p50 <= 1.024
    slow = (0,) * 10 + (2000, 0, 0, 0)
    for second in range(21, 40):
        meter.report(counters(2000 + second, uptime=second, latency=(*slow, 10 * (second - 20))), second)
        meter.tick(second)
    assert meter.p50 is not None
    assert 8 <= meter.p50 <= 16.4, "what was quick has left the window"


def test_percentiles_lie_within_their_buckets() -> None:
    assert percentiles([]) == (None, None)
    assert percentiles([0, 0, 0]) == (None, None)
    p50, p99 = percentiles([0] * 10 + [100])
    assert p50 == pytest.approx(0.768)
    assert p99 == pytest.approx(1.01888)
    p50, p99 = percentiles([0] * 7 + [98, 0, 0, 0, 0, 0, 2])
    assert p50 is not None
    assert p99 is not None
    assert 0.064 < p50 < 0.128
    assert 4.096 < p99 < 8.192


def test_buckets_are_added_and_subtracted_whatever_was_cut() -> None:
    assert difference([3, 5, 1], [1, 5]) == [2, 0, 1]
    assert total([[1, 2], [0, 0, 7], []]) == [1, 2, 7]


@pytest.mark.parametrize("every", [2, 4, 10])
def test_a_rate_is_steady_where_reports_come_more_rarely(every: int) -> None:
    meter, seen = Meter(), []
    for second in range(0, 20 * every, every):
        count = 100 * second
        meter.report(counters(count, uptime=second, latency=(0,) * 10 + (count,)), second)
        meter.tick(second + 0.3, every)
        seen.append(meter.requests_per_s)
    assert seen[3:] == [pytest.approx(100)] * 17
    assert meter.active and meter.p50 is not None
    meter.tick(second + 2 * every + 10.0, every)
    assert (meter.requests_per_s, meter.active) == (0.0, False)


def test_what_came_since_a_rest_is_spread_over_no_less_than_the_time_between_two_reports() -> None:
    meter = Meter()
    meter.report(counters(100), 0)
    meter.report(counters(600), 500)
    meter.tick(500.1, 10)
    assert meter.requests_per_s == pytest.approx(50)


@pytest.mark.parametrize("served", [200, 10**12])
def test_what_is_kept_of_a_node_does_not_grow_with_what_it_was_asked(served: int) -> None:
    """A count above 256 is an object of its own wherever it is kept."""
    meters = [Meter() for _ in range(100)]
    tracemalloc.start()
    try:
        for second in range(40):
            said = json.dumps(counters(served + second, uptime=second, latency=(served + second,) * 12))
            for meter in meters:
                meter.report(json.loads(said), second)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept / len(meters) < 6000
