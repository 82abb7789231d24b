"""Faults as they are typed on a command line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config.fault_words import ALONE, parse_fault_words, words_of
from node.config.faults import KINDS, parse_fault
from node.errors import ConfigError


@pytest.mark.parametrize(
    ("typed", "body"),
    [
        ("slow 200ms", {"kind": "slow", "seconds": 0.2}),
        ("slow 0.5 every 10", {"kind": "slow", "seconds": 0.5, "every": 10}),
        ("slow seconds 1m", {"kind": "slow", "seconds": 60}),
        (
            "slow normal mean 0.2 deviation 50ms most 1s",
            {"kind": "slow", "distribution": "normal", "mean": 0.2, "deviation": 0.05, "most": 1},
        ),
        ("exception 4 every 10", {"kind": "exception", "code": 4, "every": 10}),
        ("exception 0x0B chance 5%", {"kind": "exception", "code": 11, "percent": 5}),
        ("drop 10% seed 3 for 5m", {"kind": "drop", "percent": 10, "seed": 3, "for": 300}),
        ("drop", {"kind": "drop"}),
        ("reset 20", {"kind": "reset", "after": 20}),
        ("close after 0", {"kind": "close", "after": 0}),
        ("status 255,8453 tag Level", {"kind": "status", "code": [255, 8453], "tag": "Level"}),
        ("truncate every 2 keep 9", {"kind": "truncate", "every": 2, "keep": 9}),
        ("wrong-transaction 50%", {"kind": "wrong-transaction", "percent": 50}),
        ("wrong-unit", {"kind": "wrong-unit"}),
        ("  bias  Level by  -5 ", {"kind": "bias", "tag": "Level", "by": -5}),
        ("offline for 2s", {"kind": "offline", "for": 2}),
    ],
)
def test_what_is_typed(typed: str, body: dict[str, object]) -> None:
    assert parse_fault_words(typed) == parse_fault(body)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "no fault; wanted one of offline, "),
        ("slwo 1", "there is no fault 'slwo'; did you mean slow?"),
        ("slow", "slow: seconds is missing"),
        ("slow soon", "slow has no 'soon'; it takes seconds, "),
        ("slow 2x", "slow: seconds: got '2x'; wanted seconds"),
        ("slow 1 2", "slow has no '2'; it takes seconds, "),
        ("slow 1 seconds 2", "seconds is there twice"),
        ("drop every", "every without a value"),
        ("drop every 0", "drop: every: got 0; wanted a number of requests, 1 or more"),
        ("drop 10% every 2", "drop: percent and every: one of them says how often"),
        ("drop percent 5", "drop has no 'percent'; it takes chance, every, for, seed, each"),
        ("exception 256", "exception: code: got 256; wanted a Modbus exception 1 to 255, as 4"),
        ("exception 1,2", "exception: code: got [1, 2]; wanted a Modbus exception 1 to 255, as 4"),
        ("exception every 2", "exception: code is missing"),
        ("offline now", "offline has no 'now'; it takes for, seed"),
        ("bias Level", "bias: by is missing"),
    ],
)
def test_what_is_typed_wrong_is_one_line_that_quotes_it(typed: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_fault_words(typed)
    assert str(caught.value).startswith(f"fault {typed!r}: {said}")
    assert "\n" not in str(caught.value)


def test_every_kind_has_its_words() -> None:
    assert set(ALONE) == {kind for kind in KINDS if words_of(kind)}
    assert all(word in words_of(kind) for kind, word in ALONE.items())


@given(st.lists(st.sampled_from([*KINDS, "every", "chance", "seed", "1", "10%", "0", "x", "for", "code", "tag"])))
def test_any_words_are_a_fault_or_one_line(words: list[str]) -> None:
    try:
        assert parse_fault_words(" ".join(words)).kind == words[0]
    except ConfigError as exc:
        assert "\n" not in str(exc)
