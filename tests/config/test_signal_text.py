"""A signal in one line: what comes of it, and what is said of a wrong one."""

import pytest

from node.config.model import SignalConfig
from node.config.signal_text import parse_seconds, parse_signal
from node.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sine", SignalConfig("sine")),
        (
            "Sine period=10s MAX=90 min=0",
            SignalConfig("sine", (("min", 0.0), ("max", 90.0), ("period", 10.0))),
        ),
        ("ramp min=-1.5 period=5m", SignalConfig("ramp", (("min", -1.5), ("period", 300.0)))),
        ("counter per_second=.5 on_write=hold", SignalConfig("counter", (("per_second", 0.5),), 0, "hold")),
        ("noise seed=7 interval=250ms", SignalConfig("noise", (("interval", 0.25),), 7)),
    ],
)
def test_it_is_a_signal(text: str, wanted: SignalConfig) -> None:
    assert parse_signal(text) == wanted


@pytest.mark.parametrize(("text", "seconds"), [("100ms", 0.1), ("2h", 7200.0), ("1d", 86400.0), ("3", 3.0)])
def test_times(text: str, seconds: float) -> None:
    assert parse_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "-1s", "s", "1 s", "1w", "nan", "inf", "1e999"])
def test_what_is_no_time(text: str) -> None:
    assert parse_seconds(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sinus",
            "'sinus' is no signal; wanted constant, sine, ramp, sawtooth, triangle, square, counter, noise, "
            "random_walk; did you mean sine?",
        ),
        (
            "ramp peroid=5s",
            "ramp has no 'peroid'; wanted min, max, period, phase, spread, on_write; did you mean period?",
        ),
        ("ramp seed=5", "there is no chance in ramp, and so no seed"),
        ("ramp period", "'period' is no setting; wanted NAME=VALUE, as period=10s"),
        ("ramp period=", "'period=' is no setting; wanted NAME=VALUE, as period=10s"),
        ("ramp period=fast", "period 'fast'; wanted a time as 100ms, 10s, 5m or 1h"),
        ("ramp max=9x", "max '9x'; wanted a number"),
        ("ramp max=1 max=2", "max stands twice"),
        ("ramp on_write=held", "on_write 'held'; wanted overwrite, hold, refuse; did you mean hold?"),
        ("noise seed=-1", "seed '-1'; wanted a whole number from 0 to 4294967295"),
    ],
)
def test_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_signal(text)
    assert caught.value.message == message
