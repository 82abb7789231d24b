"""Single values after YAML 1.2, each kind with what it takes and what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.topology.document import Scalar, Source
from farm.topology.scalars import (
    Address,
    BadValueError,
    Choice,
    Number,
    ScalarShape,
    Seconds,
    Subnet,
    Text,
    Truth,
    Whole,
    WholeOr,
)
from farm.topology.vocabulary import BackendName, BlockText, Range, Revision, RouteText, TagAddress, TypeText

SHAPES: list[ScalarShape[object]] = [
    Text(),
    Whole(0, 255),
    Number(),
    Seconds(),
    Truth(),
    Choice(("ABCD", "CDAB")),
    WholeOr(Whole(1, 9), "auto"),
    Address(),
    Subnet(),
    Range(1, 20),
    Revision(),
    RouteText(),
    TagAddress(),
    TypeText(),
    TypeText(blocks=True),
    BlockText(),
    BackendName(),
]


def scalar(text: str, plain: bool = True, filled: bool = False) -> Scalar:
    return Scalar(text, plain, Source("plant.yaml"), 1, 1, filled)


@pytest.mark.parametrize(
    ("shape", "text", "wanted"),
    [
        (Whole(0, 255), "0x10", 16),
        (Whole(0, 255), "0o17", 15),
        (Whole(0, 255), "010", 10),
        (Number(), "-1.5e3", -1500.0),
        (Number(), "7", 7.0),
        (Seconds(), "100ms", 0.1),
        (Seconds(), "10s", 10.0),
        (Seconds(), "1.5 min", 90.0),
        (Seconds(), "2h", 7200.0),
        (Seconds(), "3", 3.0),
        (Truth(), "True", True),
        (Truth(), "false", False),
        (Choice(("ABCD", "CDAB")), "cdab", "CDAB"),
        (WholeOr(Whole(1, 9), "auto"), "auto", "auto"),
        (WholeOr(Whole(1, 9), "auto"), "4", 4),
        (Text(), "1.10", "1.10"),
        (Range(1, 20), "1..20", (1, 20)),
        (Range(1, 20), "7", (7, 7)),
        (Revision(), "32.10", (32, 10)),
        (RouteText(), "any", None),
        (RouteText(), "none", ()),
        (RouteText(), "1/0, 2/192.168.1.2", ((1, 0), (2, "192.168.1.2"))),
        (TagAddress(), "@22/1/0x0A", (22, 1, 10)),
        (TypeText(), "dint[2,3]", ("DINT", (2, 3))),
        (TypeText(blocks=True), "float32", ("REAL", ())),
        (TypeText(blocks=True), "UINT16[4]", ("UINT", (4,))),
        (BlockText(), "7", None),
        (BlockText(), "REAL", ("REAL", ())),
        (BackendName(), "process", "process"),
    ],
)
def test_what_is_taken(shape: ScalarShape[object], text: str, wanted: object) -> None:
    assert shape.read(scalar(text)) == wanted


@pytest.mark.parametrize(
    ("shape", "text", "hint"),
    [
        (Truth(), "yes", "write true"),
        (Truth(), "OFF", "write false"),
        (Truth(), "1", ""),
        (Whole(0, 255), "256", ""),
        (Whole(0, 255), "1_000", ""),
        (Whole(0, 255), "9" * 60000, ""),
        (Number(), ".nan", ""),
        (Number(), ".inf", ""),
        (Number(), "1e999", ""),
        (Seconds(), "-1s", ""),
        (Seconds(), "10 parsecs", ""),
        (Text(), "true", "quote it if it is meant as a text"),
        (Text(longest=5), "abcdef", ""),
        (Subnet(), "127.64.0.1/10", "did you mean 127.64.0.0/10?"),
        (Address(), "127.64.0", ""),
        (Range(1, 20), "20..1", "write the lower one first"),
        (Range(1, 20), "0..3", ""),
        (Revision(), "32", ""),
        (Revision(), "1.300", ""),
        (RouteText(), "1-0", ""),
        (TagAddress(), "@22/1", ""),
        (BackendName(), "kubernetes", "this release has process, netns, docker, swarm"),
    ],
)
def test_what_is_refused(shape: ScalarShape[object], text: str, hint: str) -> None:
    with pytest.raises(BadValueError) as caught:
        shape.read(scalar(text))
    assert caught.value.hint == hint
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("shape", [Whole(0, 9), Number(), Truth()])
def test_quotes_make_a_text_unless_a_variable_made_it(shape: ScalarShape[object]) -> None:
    text = "true" if isinstance(shape, Truth) else "7"
    with pytest.raises(BadValueError) as caught:
        shape.read(scalar(text, plain=False))
    assert caught.value.hint == "write it without quotes"
    assert shape.read(scalar(text, plain=True, filled=True)) == (True if text == "true" else 7)


@given(st.sampled_from(SHAPES), st.text(max_size=40), st.booleans())
def test_any_text_is_a_value_or_a_bad_value(shape: ScalarShape[object], text: str, plain: bool) -> None:
    try:
        shape.read(scalar(text, plain))
    except BadValueError as exc:
        assert exc.message
    else:
        assert shape.wanted
