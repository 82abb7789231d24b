"""Every signal: its shape, its bounds, and that nothing but (parameters, seed, t) decides its value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import ConfigError
from node.signals.waveform import SIGNALS, problems, waveform

TEN_YEARS = 10 * 365.25 * 86400.0

WALK = [5.0, 4.966903, 4.812582, 2.148183, 6.250186]
NOISE = [19.834513, 19.228398, 20.165909, 19.763769, 19.980253]
"""Printed once; they must never change, or plants would not repeat."""

times = st.floats(0, TEN_YEARS)
bounds = st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6)).map(lambda pair: (pair[0], pair[0] + pair[1]))
seeds = st.integers(0, 2**63)
bounded_kinds = st.sampled_from(["sine", "ramp", "sawtooth", "triangle", "square", "noise", "random_walk"])


def near(value: float, low: float, high: float) -> bool:
    """Within [low, high], but for what rounding adds."""
    slack = 1e-9 * max(abs(low), abs(high), 1.0)
    return low - slack <= value <= high + slack


@given(bounded_kinds, bounds, seeds, times)
def test_values_stay_within_min_and_max(kind: str, limits: tuple[float, float], seed: int, t: float) -> None:
    low, high = limits
    assert near(waveform(kind, {"min": low, "max": high}, seed)(t), low, high)


@given(st.sampled_from(sorted(SIGNALS)), seeds, st.lists(times, min_size=1, max_size=8))
def test_a_restart_and_the_order_of_reading_change_nothing(kind: str, seed: int, moments: list[float]) -> None:
    running = waveform(kind, {}, seed)
    seen = [running(t) for t in moments]
    assert seen == [waveform(kind, {}, seed)(t) for t in moments]


@pytest.mark.parametrize("kind", ["noise", "random_walk"])
def test_another_seed_gives_another_run(kind: str) -> None:
    runs = {tuple(waveform(kind, {}, seed)(float(t)) for t in range(1, 20)) for seed in range(50)}
    assert len(runs) == 50


def test_what_a_run_shows_is_the_same_on_every_host() -> None:
    walk = waveform("random_walk", {"start": 5.0, "step": 0.1, "min": 0.0, "max": 10.0}, 7)
    noise = waveform("noise", {"mean": 20.0, "sigma": 0.5}, 7)
    assert [round(walk(t), 6) for t in (0.0, 1.0, 2.0, 1000.0, 1e8)] == WALK
    assert [round(noise(t), 6) for t in (0.0, 1.0, 2.0, 1000.0, 1e8)] == NOISE


@pytest.mark.parametrize(
    ("kind", "parameters", "values"),
    [
        ("constant", {"value": 4.5}, {0: 4.5, 1e9: 4.5}),
        ("sine", {"min": 0.0, "max": 10.0, "period": 4.0}, {0: 5, 1: 10, 2: 5, 3: 0, 4: 5}),
        ("sine", {"mean": 3.0, "amplitude": 2.0, "period": 4.0, "phase": 1.0}, {0: 5, 1: 3, 2: 1}),
        ("sine", {"mean": 3.0, "period": 4.0}, {1: 4, 3: 2}),
        ("ramp", {"min": 10.0, "max": 20.0, "period": 10.0}, {0: 10, 5: 15, 9: 19, 10: 10}),
        ("sawtooth", {"min": 10.0, "max": 20.0, "period": 10.0}, {5: 15}),
        ("triangle", {"min": 0.0, "max": 10.0, "period": 10.0}, {0: 0, 2.5: 5, 5: 10, 7.5: 5, 10: 0}),
        ("square", {"period": 10.0, "duty": 0.3}, {0: 1, 2.9: 1, 3: 0, 9.9: 0, 10: 1}),
        ("square", {"min": 2.0, "max": 9.0, "period": 10.0, "phase": 5.0}, {0: 2, 5: 9}),
        ("counter", {"start": 5.0}, {0: 5, 0.9: 5, 1: 6, 100: 105}),
        ("counter", {"per_second": 2.0, "step": -3.0}, {0: 0, 0.5: -3, 1: -6}),
        ("counter", {"start": 8.0, "min": 1.0, "wrap": 10.0}, {0: 8, 1: 9, 2: 1, 3: 2, 10: 9, 11: 1}),
        ("noise", {"mean": 3.0, "sigma": 0.0}, {0: 3, 77: 3}),
        ("random_walk", {"min": 0.0, "max": 10.0}, {0: 5}),
        ("random_walk", {"min": 3.0}, {0: 6}),
    ],
)
def test_shapes(kind: str, parameters: dict[str, float], values: dict[float, float]) -> None:
    value = waveform(kind, parameters, 1)
    assert {t: value(float(t)) for t in values} == pytest.approx(values)


def test_noise_has_its_mean_and_deviation_and_holds_for_an_interval() -> None:
    noise = waveform("noise", {"mean": 10.0, "sigma": 2.0, "interval": 0.5}, 3)
    values = [noise(0.5 * step) for step in range(20_000)]
    mean = sum(values) / len(values)
    assert mean == pytest.approx(10, abs=0.05)
    assert math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) == pytest.approx(2, rel=0.02)
    assert noise(7.0) == noise(7.49) != noise(7.5)


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("sinus", {}, "signal 'sinus' is unknown; known: constant sine ramp"),
        ("ramp", {"top": 1.0}, "parameter 'top' is unknown to ramp; known: min max period phase spread"),
        ("ramp", {"min": 5.0, "max": 1.0}, "min 5 is above max 1"),
        ("ramp", {"min": 500.0}, "min 500 is above max 100"),
        ("sine", {"min": 5.0, "mean": 1.0}, "min and max, or mean and amplitude"),
        ("sine", {"min": 500.0}, "min 500 is above max 100"),
        ("sine", {"period": 0.0}, "period 0 s is too short"),
        ("sine", {"mean": float("nan")}, "not a finite number"),
        ("sine", {"spread": -1.0}, "spread -1 must not be negative"),
        ("square", {"duty": 1.5}, "duty 1.5 must be from 0 to 1"),
        ("counter", {"min": 5.0, "wrap": 5.0}, "wrap 5 must be above min 5"),
        ("counter", {"per_second": -1.0}, "per_second -1 must not be negative"),
        ("noise", {"sigma": -1.0}, "sigma -1 must not be negative"),
        ("noise", {"interval": 0.0}, "interval 0 s is too short"),
        ("random_walk", {"step": -1.0}, "step -1 must not be negative"),
        ("random_walk", {"start": 11.0, "min": 0.0, "max": 10.0}, "start 11 is outside min and max"),
        ("random_walk", {"revert": 2.0}, "revert 2 must be from 0 to 1"),
    ],
)
def test_parameters_that_cannot_be_are_named(kind: str, parameters: dict[str, float], said: str) -> None:
    assert said in "; ".join(problems(kind, parameters))
    with pytest.raises(ConfigError, match="signal: "):
        waveform(kind, parameters, 0)


def test_defaults_are_fine_and_every_parameter_says_what_it_is() -> None:
    for signal in SIGNALS.values():
        assert problems(signal.name, signal.defaults) == []
        assert signal.meaning
        assert all(parameter.meaning for parameter in signal.parameters)
        assert "spread" in signal.defaults
