"""Times, losses and rates, as a plant file and `farm link` have them."""

import pytest

from farm.errors import FarmError
from farm.topology.link_text import parse_delay, parse_loss, parse_rate, parse_time


@pytest.mark.parametrize(
    ("text", "wanted"), [("200ms", 0.2), ("1.5s", 1.5), ("0", 0.0), ("2", 2.0), ("1m", 60.0), (" 40 ms ", 0.04)]
)
def test_times(text: str, wanted: float) -> None:
    assert parse_time(text) == pytest.approx(wanted)


@pytest.mark.parametrize("text", ["", "soon", "-1ms", "61s", "1h", "1e400", "nan", "inf", "200 msec", "9" * 5000])
def test_no_times(text: str) -> None:
    with pytest.raises(FarmError, match="is no time for a link; wanted one such as 200ms, at most 60 s"):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("40ms", (0.04, None)), ("40ms±10ms", (0.04, 0.01)), ("40ms +- 10ms", (0.04, 0.01)), ("0±1ms", (0.0, 0.001))],
)
def test_delays_with_their_jitter(text: str, wanted: tuple[float, float | None]) -> None:
    assert parse_delay(text) == wanted


@pytest.mark.parametrize("text", ["±10ms", "40ms±", "40ms±-1ms", "40ms±1ms±1ms", "40ms+10ms"])
def test_no_delays(text: str) -> None:
    with pytest.raises(FarmError):
        parse_delay(text)


@pytest.mark.parametrize(
    ("text", "wanted"), [("2%", 2.0), ("0.5 %", 0.5), ("100%", 100.0), ("0", 0.0), ("0.0", 0.0), ("0%", 0.0)]
)
def test_losses(text: str, wanted: float) -> None:
    assert parse_loss(text) == wanted


@pytest.mark.parametrize("text", ["2", "101%", "-1%", "%", "", "1e2%", "half", "0.5", "1.%"])
def test_no_losses(text: str) -> None:
    with pytest.raises(FarmError, match="is no loss; wanted per cent from 0% to 100% such as 2%"):
        parse_loss(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("9600bit", 9600),
        ("9.6kbit", 9600),
        ("1mbit", 1_000_000),
        ("1Mbit/s", 1_000_000),
        ("2.5 Gbit", 2_500_000_000),
        ("0", 0),
    ],
)
def test_rates(text: str, wanted: int) -> None:
    assert parse_rate(text) == wanted


@pytest.mark.parametrize(
    "text", ["9600", "1mbyte", "1mbps", "-1bit", "0.1bit", "101gbit", "", "bit", "9" * 400 + "bit"]
)
def test_no_rates(text: str) -> None:
    with pytest.raises(FarmError, match="is no rate; wanted bits a second such as 9600bit, 64kbit or 1mbit"):
        parse_rate(text)
