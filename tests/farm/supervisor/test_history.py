"""Ten minutes of each node, second by second."""

import sys

from farm.supervisor.history import SECONDS, History, Line


def turned(history: History, seconds: int, requests_each: int, start: float = 1000.0, before: int = 0) -> None:
    for second in range(seconds):
        history.turn(start + second)
        done = before + requests_each * (second + 1)
        history.note("pump-1", done, done // 10, 0.5, 2.0, 3)


def test_rates_are_differences() -> None:
    history = History()
    turned(history, 5, 100)
    trend = history.trend("pump-1")
    assert trend["times"] == [1000.0, 1001.0, 1002.0, 1003.0, 1004.0]
    assert trend["requests"] == [None, 100.0, 100.0, 100.0, 100.0]
    assert trend["errors"] == [None, 10.0, 10.0, 10.0, 10.0]
    assert (trend["p50"][-1], trend["p99"][-1], trend["connections"][-1]) == (0.5, 2.0, 3)


def test_since_gives_what_came_after() -> None:
    history = History()
    turned(history, 5, 100)
    trend = history.trend("pump-1", since=1002.0)
    assert (trend["times"], trend["requests"]) == ([1003.0, 1004.0], [100.0, 100.0])
    assert history.trend("pump-9")["times"] == []


def test_ten_minutes_are_kept_and_the_oldest_goes() -> None:
    history = History()
    turned(history, SECONDS + 50, 7)
    trend = history.trend("pump-1")
    assert len(trend["times"]) == SECONDS
    assert (trend["times"][0], trend["times"][-1]) == (1050.0, 1000.0 + SECONDS + 49)
    assert set(trend["requests"][1:]) == {7.0}


def test_the_last_minute_is_counted_from_its_two_ends() -> None:
    history = History()
    turned(history, 30, 10)
    assert history.last_minute("pump-1") == (290, 29)
    turned(history, 300, 10, start=1030.0, before=300)
    assert history.last_minute("pump-1") == (600, 60)
    assert history.last_minute("pump-9") == (0, 0)


def test_sums_may_pass_32_bits() -> None:
    history = History()
    turned(history, 5, 100, before=(1 << 32) - 250)
    assert history.trend("pump-1")["requests"][1:] == [100.0] * 4


def test_a_node_that_came_late_or_is_silent_has_no_numbers() -> None:
    history = History()
    turned(history, 3, 1)
    history.turn(1003.0)
    history.note("pump-1", 3, 0, None, None, None)
    history.note("pump-2", 50, 0, None, None, 1)
    assert history.trend("pump-1")["requests"][-1] is None
    late = history.trend("pump-2")
    assert late["connections"] == [None, None, None, 1]
    assert late["requests"] == [None, None, None, 0.0]
    assert late["p50"] == [None] * 4


def test_a_thousand_nodes_take_less_than_15_mib() -> None:
    assert Line.size * SECONDS * 1000 < 15 * 1024 * 1024
    history = History()
    history.turn(1.0)
    history.note("pump-1", 1, 0, None, None, 0)
    assert sys.getsizeof(history._rings["pump-1"]) < 15_000


def test_nodes_that_are_gone_are_forgotten() -> None:
    history = History()
    turned(history, 2, 1)
    history.keep(["pump-2"])
    assert history.trend("pump-1")["times"] == []


def test_a_line_may_be_of_more_seconds_than_one() -> None:
    history = History(4)
    for number in range(200):
        history.turn(1000.0 + 4 * number)
        history.note("pump-1", 400 * number, 40 * number, 0.5, 2.0, 3)
    trend = history.trend("pump-1")
    assert (len(trend["times"]), trend["times"][-1] - trend["times"][0]) == (150, 149 * 4.0)
    assert set(trend["requests"][1:]) == {100.0}
    assert history.last_minute("pump-1") == (6000, 600)


def test_other_lines_begin_anew() -> None:
    history = History()
    turned(history, 20, 10)
    history.begin(4)
    assert (history.trend("pump-1")["times"], history.last_minute("pump-1")) == ([], (0, 0))


def test_ten_thousand_nodes_take_no_more_than_two_and_a_half() -> None:
    history = History(4)
    history.turn(1.0)
    history.note("pump-1", 1, 0, None, None, 0)
    assert 10_000 * sys.getsizeof(history._rings["pump-1"]) < 2_600 * Line.size * SECONDS
