"""The time a router waits, as two bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.ticks import decode_ticks, encode_ticks


@pytest.mark.parametrize(
    ("tick", "ticks", "seconds"),
    [(0x0A, 0x05, 5.12), (0x05, 0x9D, 5.024), (0x0A, 0xFF, 261.12), (0x1A, 0x05, 5.12), (0, 0, 0.0), (0, 1, 0.001)],
    ids=["pycomm3", "cpppo", "pylogix", "high priority", "none", "least"],
)
def test_what_clients_send(tick: int, ticks: int, seconds: float) -> None:
    assert decode_ticks(tick, ticks) == seconds


@given(st.floats(0.001, 8000))
def test_a_time_is_kept_to_a_hundredth(seconds: float) -> None:
    tick, ticks = encode_ticks(seconds)
    assert 0 < ticks <= 0xFF
    kept = decode_ticks(tick, ticks)
    assert kept <= seconds + 1e-9
    assert seconds - kept <= max(0.001, seconds / 128)


def test_less_and_more_than_there_is_room_for() -> None:
    assert encode_ticks(0.0) == (0, 1)
    assert encode_ticks(1e6) == (15, 255)
