"""Signals as the source of attributes: types, arrays, and what a write does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import ATTRIBUTE_NOT_SETTABLE, CipError
from node.cip.text import SSTRING
from node.cip.types import BOOL, DINT, ELEMENTARY, INT, LINT, REAL, SINT, UINT, USINT, Type
from node.errors import ConfigError
from node.memory.attribute import Attribute
from node.signals.source import SignalSource
from node.signals.waveform import SIGNALS


def moving(
    type: Type, kind: str, on_write: str = "overwrite", length: int = 0, epoch: float = 0.0, **parameters: float
) -> Attribute:
    attribute = Attribute(type, (length,) if length else (), name="Level")
    attribute.source = SignalSource(kind, parameters, 1, on_write, epoch, type)
    return attribute


@given(
    st.sampled_from(ELEMENTARY),
    st.sampled_from(sorted(SIGNALS)),
    st.floats(0, 1e9),
    st.sampled_from([1.0, 1e3, 1e12, 1e30]),
)
def test_any_signal_fits_any_type(type: Type, kind: str, now: float, size: float) -> None:
    named = {parameter.name for parameter in SIGNALS[kind].parameters}
    sizes: dict[str, Any] = {name: size for name in ("max", "value", "start", "sigma") if name in named}
    attribute = moving(type, kind, **sizes)
    (value,) = attribute.read(0, 1, now)
    assert not isinstance(value, str)
    assert type.low <= value <= type.high


def test_time_counts_from_the_plants_start() -> None:
    attribute = moving(DINT, "counter", epoch=1000.0)
    assert [attribute.read(0, 1, now)[0] for now in (900.0, 1000.0, 1001.0, 1060.5)] == [0, 0, 1, 60]


@pytest.mark.parametrize(("value", "shown"), [(2.4, 2), (2.5, 3), (-2.6, -3), (1e9, 32767), (-1e9, -32768)])
def test_integers_are_rounded_and_clamped(value: float, shown: int) -> None:
    assert moving(INT, "constant", value=value).read(0, 1) == [shown]


@pytest.mark.parametrize(
    ("type", "t", "shown"), [(SINT, 127, 127), (SINT, 128, -128), (USINT, 256, 0), (UINT, 65537, 1), (LINT, 300, 300)]
)
def test_a_counter_wraps_at_the_limit_of_its_type(type: Type, t: int, shown: int) -> None:
    assert moving(type, "counter").read(0, 1, float(t)) == [shown]


def test_a_bool_is_true_above_a_half() -> None:
    attribute = moving(BOOL, "square", period=10.0)
    assert [attribute.read(0, 1, now)[0] for now in (0.0, 4.9, 5.0, 9.9)] == [True, True, False, False]


def test_an_array_shows_one_value_or_with_spread_a_wave() -> None:
    assert moving(REAL, "counter", length=4).read(1, 4, 7.0) == [7, 7, 7]
    assert moving(REAL, "counter", length=4, spread=2.0).read(1, 4, 7.0) == [9, 11, 13]


def test_only_what_is_read_is_written() -> None:
    attribute = moving(DINT, "constant", length=3, value=5.0)
    attribute.read(1, 2)
    assert list(attribute.array) == [0, 5, 0]


def test_overwrite_lets_a_write_succeed_and_the_signal_win() -> None:
    attribute = moving(DINT, "counter")
    attribute.write(0, [99], 3.0)
    assert attribute.read(0, 1, 4.0) == [4]


def test_hold_stops_the_signal_where_it_was_written() -> None:
    attribute = moving(DINT, "counter", "hold", length=3)
    attribute.write(1, [99], 3.0)
    assert attribute.read(0, 3, 4.0) == [4, 99, 4]
    assert attribute.read(0, 3, 9.0) == [9, 99, 9]


def test_refuse_makes_a_write_an_error() -> None:
    attribute = moving(DINT, "counter", "refuse")
    with pytest.raises(CipError) as caught:
        attribute.write(0, [99], 3.0)
    assert caught.value.general == ATTRIBUTE_NOT_SETTABLE
    assert attribute.read(0, 1, 4.0) == [4]


def test_a_text_cannot_move() -> None:
    with pytest.raises(ConfigError, match="SSTRING"):
        SignalSource("sine", {}, 0, "overwrite", 0.0, SSTRING)
