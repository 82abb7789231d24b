"""Tags as they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config.model import TagConfig
from node.config.tagspec import TYPES, parse_tag
from node.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("SCADA=INT[1000]", TagConfig("SCADA", "INT", (1000,))),
        ("TEXT=SSTRING[100]", TagConfig("TEXT", "SSTRING", (100,))),
        ("X=DINT", TagConfig("X", "DINT")),
        ("x=dint", TagConfig("x", "DINT")),
        ("M=REAL[2,3,4]", TagConfig("M", "REAL", (2, 3, 4))),
        (" M = real [2, 3] ", TagConfig("M", "REAL", (2, 3))),
        ("TAG@22/1/1=INT[10]", TagConfig("TAG", "INT", (10,), address=(22, 1, 1))),
        ("out@0x93/1/0x0A=DINT[2]", TagConfig("out", "DINT", (2,), address=(0x93, 1, 10))),
        ("Program:Main.Step=STRING", TagConfig("Program:Main.Step", "STRING")),
        ("T=TIMER", TagConfig("T", "TIMER")),
        ("c=counter[5]", TagConfig("c", "COUNTER", (5,))),
        ("P=Pid", TagConfig("P", "PID")),
        ("S=string[10]", TagConfig("S", "STRING", (10,))),
        ("Flags=BOOL[40]", TagConfig("Flags", "BOOL", (40,))),
        ("_b=BOOL[1]", TagConfig("_b", "BOOL", (1,))),
    ],
)
def test_parse_tag(text: str, tag: TagConfig) -> None:
    assert parse_tag(text) == tag


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SCADA", "tag 'SCADA': wanted NAME=TYPE or NAME=TYPE[LENGTH], for instance SCADA=INT[1000]"),
        ("=INT", "'' is no tag name"),
        ("9x=INT", "'9x' is no tag name; wanted a letter or _"),
        ("a b=INT", "'a b' is no tag name"),
        ("a..b=INT", "'a..b' is no tag name"),
        ("\u00e9=INT", "is no tag name"),
        ("X=FLOAT", "type 'FLOAT' is unknown; known: BOOL SINT INT DINT LINT USINT"),
        ("X=FLOAT", "(a 32-bit float is REAL)"),
        ("X=DOUBLE", "(a 64-bit float is LREAL)"),
        ("X=DNT", "(did you mean DINT?)"),
        ("X=", "type '' is unknown"),
        ("X=INT[", "'[' does not end with ']'"),
        ("X=INT[5", "'[5' does not end with ']'"),
        ("X=INT[]", "'[]' is no array length"),
        ("X=INT[a]", "'[a]' is no array length"),
        ("X=INT[-1]", "'[-1]' is no array length"),
        ("X=INT[0]", "an array of [0] elements; wanted 1 to"),
        ("X=INT[1,2,3,4]", "4 dimensions; an array has at most 3"),
        ("X=INT[5000000]", "an array of [5000000] elements"),
        ("X@1/2=INT", "'@1/2' is no address; wanted @CLASS/INSTANCE/ATTRIBUTE"),
        ("X@1/2/70000=INT", "'@1/2/70000' is no address"),
        ("X@1/b/3=INT", "'@1/b/3' is no address"),
    ],
)
def test_what_was_typed_wrong_is_quoted(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_tag(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_tag_or_a_config_error(text: str) -> None:
    try:
        tag = parse_tag(text)
    except ConfigError:
        return
    assert tag.type in TYPES


@given(st.sampled_from(TYPES), st.lists(st.integers(1, 100), max_size=3))
def test_every_type_and_shape(type: str, lengths: list[int]) -> None:
    shape = f"[{','.join(map(str, lengths))}]" if lengths else ""
    assert parse_tag(f"T={type}{shape}") == TagConfig("T", type, tuple(lengths))
