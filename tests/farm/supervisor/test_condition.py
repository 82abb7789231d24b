"""Which word says how a node is: the first that fits."""

from typing import Any

import pytest

from farm.supervisor.condition import CONDITIONS, condition
from farm.supervisor.pace import Pace


@pytest.mark.parametrize(
    ("state", "age", "more", "word"),
    [
        ("up", 0.5, {}, "up"),
        ("up", None, {}, "up"),
        ("down", 0.5, {"faults": 1}, "down"),
        ("crash-loop", None, {}, "down"),
        ("restarting", 0.5, {}, "down"),
        ("stopped", 9.0, {"bugs": 1}, "stopped"),
        ("starting", None, {}, "starting"),
        ("up", 3.5, {"faults": 1}, "stale"),
        ("up", 3.5, {"pace": Pace(4)}, "up"),
        ("up", 9.5, {"pace": Pace(4)}, "stale"),
        ("up", 0.5, {"faults": 1, "bugs": 1}, "fault"),
        ("up", 0.5, {"forced": 2}, "fault"),
        ("up", 0.5, {"bad_link": True}, "degraded"),
        ("up", 0.5, {"bugs": 1}, "degraded"),
        ("up", 0.5, {"errors": 4, "requests": 4}, "up"),
        ("up", 0.5, {"errors": 5, "requests": 100}, "up"),
        ("up", 0.5, {"errors": 6, "requests": 100}, "degraded"),
        ("up", 0.5, {"errors": 5, "requests": 5}, "degraded"),
    ],
)
def test_the_first_that_fits(state: str, age: float | None, more: dict[str, Any], word: str) -> None:
    assert condition(state, age, **more) == word
    assert word in CONDITIONS
