"""Faults as people describe them: what is taken, what is said to be wrong, and the words for what goes wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config.faults import COMMON, DISTRIBUTIONS, KINDS, _form, parse_fault
from node.errors import ConfigError

TAKEN: list[tuple[dict[str, Any], str]] = [
    ({"kind": "offline"}, "offline"),
    ({"kind": "refuse", "for": 60}, "refuse connections"),
    ({"kind": "slow", "seconds": 0.2}, "slow by 200 ms"),
    ({"kind": "slow", "distribution": "fixed", "seconds": 2}, "slow by 2 s"),
    (
        {"kind": "slow", "distribution": "normal", "mean": 0.2, "deviation": 0.05, "most": 1.5},
        "slow by 200 ms ± 50 ms, 1.5 s at most",
    ),
    (
        {"kind": "slow", "distribution": "pareto", "scale": 0.05, "shape": 1.5},
        "slow by 50 ms or more (pareto 1.5)",
    ),
    ({"kind": "drop", "percent": 10, "seed": -3}, "drop 10 % of replies"),
    ({"kind": "drop"}, "drop every reply"),
    ({"kind": "reset", "after": 20}, "reset after 20 requests"),
    ({"kind": "status", "code": 8}, "status 0x08 service not supported"),
    ({"kind": "status", "code": "0x08", "tag": "Level"}, "status 0x08 service not supported of Level"),
    ({"kind": "status", "code": [255, 8453], "tag": "*"}, "status 0xFF/0x2105 general error of all tags"),
    ({"kind": "status", "code": 0xD0}, "status 0xD0"),
    ({"kind": "truncate"}, "truncate every reply"),
    ({"kind": "truncate", "percent": 50, "keep": 10}, "truncate 50 % of replies to 10 bytes"),
    ({"kind": "corrupt", "percent": 0.5}, "corrupt 0.5 % of replies"),
    ({"kind": "slow", "seconds": 0.2, "most": 1, "every": 10}, "slow by 200 ms, 1 s at most, every 10 requests"),
    ({"kind": "drop", "every": 1}, "drop every reply"),
    ({"kind": "truncate", "every": 3}, "truncate 1 of 3 replies"),
    ({"kind": "close", "after": 3}, "close after 3 requests"),
    ({"kind": "exception", "code": 4, "every": 10}, "exception 04 server device failure in 1 of 10 replies"),
    ({"kind": "exception", "code": 0x63}, "exception 63 in every reply"),
    ({"kind": "wrong-transaction"}, "wrong transaction id in every reply"),
    ({"kind": "wrong-unit", "percent": 5}, "wrong unit in 5 % of replies"),
    ({"kind": "freeze", "tag": "*"}, "freeze of all tags"),
    ({"kind": "bias", "tag": "Line[3].Speed", "by": -5}, "bias by -5 of Line[3].Speed"),
    ({"kind": "spike", "tag": "Level", "by": 50, "percent": 5}, "spike by 50 in 5 % of reads of Level"),
    ({"kind": "bad-quality", "tag": "Level"}, "bad quality of Level"),
    ({"kind": "slow", "seconds": 0}, "slow by 0 ms"),
    ({"kind": "slow", "distribution": "normal", "mean": 0, "deviation": 0}, "slow by 0 ms ± 0 ms"),
    ({"kind": "reset", "after": 0}, "reset after 0 requests"),
    ({"kind": "bias", "tag": "Level", "by": 0}, "bias by 0 of Level"),
]


@pytest.mark.parametrize(("body", "text"), TAKEN)
def test_a_fault_is_taken_told_and_given_back(body: dict[str, Any], text: str) -> None:
    spec = parse_fault(body)
    assert spec.text == text
    assert parse_fault(json.loads(json.dumps(spec.dump()))) == spec


def test_every_kind_is_in_the_table() -> None:
    assert {body["kind"] for body, _ in TAKEN} == set(KINDS)


def test_what_is_as_it_would_be_anyway_is_left_out() -> None:
    assert parse_fault({"kind": "drop", "percent": 100.0, "seed": 0}).dump() == {"kind": "drop"}
    body = {"kind": "status", "code": [255, 8453], "for": 2.5, "seed": 7}
    assert parse_fault(body).dump() == body


WRONG: list[tuple[Any, str]] = [
    (None, "got None; wanted a map such as {'kind': 'slow', 'seconds': 0.2}"),
    ({}, f"a fault without a kind; wanted one of {', '.join(KINDS)}"),
    ({"kind": "slwo"}, "there is no fault 'slwo'; did you mean slow?"),
    ({"kind": 7}, f"there is no fault 7; wanted one of {', '.join(KINDS)}"),
    ({"kind": ["slow"]}, f"there is no fault ['slow']; wanted one of {', '.join(KINDS)}"),
    ({"kind": "offline", "seconds": 1}, "offline: unknown key 'seconds'; it takes for, seed"),
    ({"kind": "slow"}, "slow: seconds is missing: seconds, 0 to 3600 is wanted"),
    ({"kind": "slow", "seconds": -1}, "slow: seconds: got -1; wanted seconds, 0 to 3600"),
    ({"kind": "slow", "seconds": True}, "slow: seconds: got True; wanted seconds, 0 to 3600"),
    ({"kind": "slow", "seconds": float("nan")}, "slow: seconds: got nan; wanted seconds, 0 to 3600"),
    ({"kind": "slow", "seconds": "0.2"}, "slow: seconds: got '0.2'; wanted seconds, 0 to 3600"),
    (
        {"kind": "slow", "distribution": "poisson"},
        "slow: distribution: got 'poisson'; wanted one of fixed, normal, pareto",
    ),
    ({"kind": "slow", "distribution": ["x"]}, "slow: distribution: got ['x']; wanted one of fixed, normal, pareto"),
    (
        {"kind": "slow", "distribution": "normal", "mean": 1},
        "slow, normal: deviation is missing: seconds, 0 to 3600 is wanted",
    ),
    (
        {"kind": "slow", "distribution": "normal", "seconds": 1},
        "slow, normal: unknown key 'seconds'; it takes distribution, mean, deviation, most, every, for, seed",
    ),
    (
        {"kind": "slow", "distribution": "pareto", "scale": 1, "shape": 0},
        "slow, pareto: shape: got 0; wanted a number of 0.1 or more, as 1.5",
    ),
    ({"kind": "slow", "seconds": 1, "most": 0}, "slow: most: got 0; wanted seconds above 0, 3600 at most"),
    ({"kind": "drop", "percent": 0}, "drop: percent: got 0; wanted per cent above 0, 100 at most"),
    ({"kind": "drop", "percent": 101}, "drop: percent: got 101; wanted per cent above 0, 100 at most"),
    ({"kind": "drop", "percent": 5, "every": 2}, "drop: percent and every: one of them says how often"),
    ({"kind": "exception", "code": [4, 1]}, "exception: code: got [4, 1]; wanted a Modbus exception 1 to 255, as 4"),
    ({"kind": "reset"}, "reset: after is missing: a number of requests, 0 or more is wanted"),
    ({"kind": "reset", "after": 1.5}, "reset: after: got 1.5; wanted a number of requests, 0 or more"),
    ({"kind": "truncate", "keep": 0}, "truncate: keep: got 0; wanted a number of bytes, 1 or more"),
    ({"kind": "freeze"}, "freeze: tag is missing: a tag's name, or '*' for all is wanted"),
    ({"kind": "freeze", "tag": " "}, "freeze: tag: got ' '; wanted a tag's name, or '*' for all"),
    ({"kind": "bias", "tag": "T", "by": float("inf")}, "bias: by: got inf; wanted a finite number"),
    ({"kind": "bias", "tag": "T", "by": 10**400}, f"bias: by: got 1{'0' * 56}...; wanted a finite number"),
    ({"kind": "offline", "for": 10**400}, f"offline: for: got 1{'0' * 56}...; wanted seconds above 0"),
    ({"kind": "offline", "for": 0}, "offline: for: got 0; wanted seconds above 0"),
    ({"kind": "offline", "seed": 2**63}, "offline: seed: got 9223372036854775808; wanted a whole number of 64 bits"),
    ({"kind": "offline", "x" * 99: 1}, f"offline: unknown key '{'x' * 56}...; it takes for, seed"),
    *(
        (
            {"kind": "status", "code": code},
            f"status: code: got {code!r}; wanted a general status 1 to 255, as 8 or '0x08', or with an extended one, "
            "as [255, 8453]",
        )
        for code in (0, 256, "eight", [], [1, 2, 3], [255, 65536], True, None, 1.0)
    ),
]


@pytest.mark.parametrize(("body", "said"), WRONG)
def test_a_mistake_is_one_clear_line(body: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_fault(body)
    assert str(caught.value) == f"fault: {said}"
    assert "\n" not in said


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NEAR = {
    "seconds": st.floats(-1, 4000),
    "distribution": st.sampled_from([*DISTRIBUTIONS]),
    "mean": st.floats(0, 1),
    "deviation": st.integers(0, 2),
    "scale": st.floats(0, 1),
    "shape": st.floats(0, 2),
    "most": st.floats(0, 2),
    "percent": st.floats(0, 110),
    "every": st.integers(0, 3),
    "after": st.integers(-1, 3),
    "code": st.integers(0, 256) | st.lists(st.integers(0, 300), max_size=3),
    "tag": st.sampled_from(["Level", "*", "", "Line[3].Speed"]),
    "by": st.floats(width=16) | st.integers(),
    "keep": st.integers(0, 99),
    "for": st.floats(0, 9),
    "seed": st.integers(-2, 2),
}
"""What is a fault, or nearly one."""
KEYS = (
    "kind",
    "seconds",
    "distribution",
    "percent",
    "every",
    "after",
    "code",
    "tag",
    "by",
    "keep",
    "for",
    "seed",
    "most",
)


@given(st.dictionaries(st.sampled_from(KEYS), JUNK), st.sampled_from((*KINDS, "")))
def test_whatever_comes_is_a_fault_or_an_error(body: dict[str, Any], kind: str) -> None:
    if kind:
        body["kind"] = kind
    try:
        spec = parse_fault(body)
    except ConfigError as exc:
        assert "\n" not in str(exc)
    else:
        assert spec.text


@given(st.data(), st.sampled_from(KINDS))
def test_what_is_taken_is_given_back_as_it_is_taken(data: st.DataObject, kind: str) -> None:
    body: dict[str, Any] = {"kind": kind}
    if kind == "slow":
        body["distribution"] = data.draw(NEAR["distribution"])
    form = _form(kind, body.get("distribution", "fixed"))
    for key in (*form, *COMMON):
        if key not in body and data.draw(st.integers(0, 3)):
            body[key] = data.draw(NEAR[key])
    try:
        spec = parse_fault(body)
    except ConfigError:
        return
    assert parse_fault(json.loads(json.dumps(spec.dump()))) == spec
