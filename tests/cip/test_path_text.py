"""Paths and routes as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.epath import (
    Attribute,
    Class,
    ConnectionPoint,
    Data,
    ElectronicKey,
    Element,
    Instance,
    Network,
    Port,
    Segment,
    Symbolic,
    decode_epath,
    encode_epath,
)
from node.cip.path_text import Route, format_path, parse_path, parse_route, route_segments
from node.errors import LocalProtocolError
from tests.cip.test_epath import SEGMENTS
from tests.vectors import survives

PATHS: list[tuple[str, str, list[Segment]]] = [
    ("Tag", "Tag", [Symbolic("Tag")]),
    (" Tag[3] ", "Tag[3]", [Symbolic("Tag"), Element(3)]),
    ("Tag[1, 2,0x3]", "Tag[1,2,3]", [Symbolic("Tag"), Element(1), Element(2), Element(3)]),
    (
        "Tag[1,2].Member[4].x",
        "Tag[1,2].Member[4].x",
        [Symbolic("Tag"), Element(1), Element(2), Symbolic("Member"), Element(4), Symbolic("x")],
    ),
    ("Program:Main.Tag", "Program:Main.Tag", [Symbolic("Program:Main"), Symbolic("Tag")]),
    ("@4/5/6", "@4/5/6", [Class(4), Instance(5), Attribute(6)]),
    ("@0x93/1/10", "@0x93/1/10", [Class(0x93), Instance(1), Attribute(10)]),
    ("@1", "@1", [Class(1)]),
    ("@1/0", "@1/0", [Class(1), Instance(0)]),
    ('@4/{"connection":100}', '@4/{"connection":100}', [Class(4), ConnectionPoint(100)]),
    ('@4/{"attribute": 3}', '@4/{"attribute":3}', [Class(4), Attribute(3)]),
    (
        "@22/1/1[5].x",
        "@0x16/1/1[5].x",
        [Class(22), Instance(1), Attribute(1), Element(5), Symbolic("x")],
    ),
    ("Program:Main@107/5", "Program:Main@0x6B/5", [Symbolic("Program:Main"), Class(107), Instance(5)]),
]

BAD_PATHS = {
    "": "an empty path",
    "Tag[": "wanted indices like",
    "Tag[1": "wanted indices like",
    "Tag[]": "'' where an index was wanted",
    "Tag[a]": "'a' where an index was wanted",
    "Tag[-1]": "-1 where an index was wanted, 0 to 4294967295",
    "Tag[4294967296]": "4294967296 where an index was wanted",
    "Tag[1,2,3,4]": "4 indices; an array has at most 3 dimensions",
    "Tag[1][2]": "wanted indices like",
    "Tag[1]x": "wanted indices like",
    "Tag[0-9]": "'0-9' is a range; give the first index and a count",
    "Tag.5": "bit 5 has no path; read the whole value",
    "5": "'5' is no name",
    "Tag..x": "'' is no name",
    ".Tag": "'' is no name",
    "two words": "'two words' is no name",
    "@": "'' where the number of a CIP class was wanted",
    "@a": "'a' where the number of a CIP class was wanted",
    "@1/": "'' where the number of a CIP instance was wanted",
    "@-1": "-1 where the number of a CIP class was wanted",
    "@1/2/3/4": "4 numbers after @, wanted class, instance and attribute",
    "@4@5": "'4@5' where",
    "@4/{": "'{' is no JSON",
    '@4/{"x":1}': "one of class, instance",
    '@4/{"element":true}': "one of class, instance",
}

ROUTES: list[tuple[str, Route]] = [
    ("false", ()),
    ("0", ()),
    ("[]", ()),
    ("1/0", ((1, 0),)),
    (" 1/0/2/10.0.0.7 ", ((1, 0), (2, "10.0.0.7"))),
    ('"1/0"', ((1, 0),)),
    ('[{"port":1,"link":0}]', ((1, 0),)),
    ('{"port":1,"link":0}', ((1, 0),)),
    ('["1/0", {"port":2,"link":"10.0.0.1"}]', ((1, 0), (2, "10.0.0.1"))),
    (' [{"link": 0, "port": "192.168.1.2"}] ', ((2, "192.168.1.2"),)),
    ('[{"link": 3, "port": "192.168.1.2"}]', ((3, "192.168.1.2"),)),
]

BAD_ROUTES = [
    "",
    "1",
    "true",
    "null",
    "x",
    "2/",
    "1/0/2",
    "[1]",
    "[[[[",
    "[" * 100_000,
    "1/256",
    "0/1",
    "70000/1",
    "²/1",
    '[{"port":1}]',
    '[{"port":true,"link":0}]',
    '[{"port":1,"link":null}]',
    '[{"port":"1","link":0}]',
    '[{"port":"10.0.0.1","link":"0"}]',
    '[{"port":1,"link":0,"slot":0}]',
    '[{"port":1,"link":"größe"}]',
]


@pytest.mark.parametrize(("text", "shown", "segments"), PATHS, ids=[text for text, _, _ in PATHS])
def test_a_path_is_read_and_shown(text: str, shown: str, segments: list[Segment]) -> None:
    assert parse_path(text) == segments
    assert format_path(segments) == shown
    assert parse_path(shown) == segments
    assert decode_epath(encode_epath(segments)) == segments


@pytest.mark.parametrize(("text", "message"), BAD_PATHS.items(), ids=[text or "empty" for text in BAD_PATHS])
def test_a_path_that_is_none_says_what_was_wanted(text: str, message: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        parse_path(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "route"), ROUTES, ids=[text for text, _ in ROUTES])
def test_a_route_is_read(text: str, route: Route) -> None:
    assert parse_route(text) == route


@pytest.mark.parametrize("text", BAD_ROUTES, ids=[text[:24] or "empty" for text in BAD_ROUTES])
def test_a_route_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="route"):
        parse_route(text)


def test_a_route_becomes_port_segments() -> None:
    assert encode_epath(route_segments(((1, 0), (2, "10.0.0.7")))).hex() == "0100120831302e302e302e37"


@pytest.mark.parametrize(
    ("segment", "shown"),
    [
        (Port(1, 0), '@{"port":1,"link":0}'),
        (Port(2, b"10.0.0.1"), '@{"port":2,"link":"10.0.0.1"}'),
        (ElectronicKey(1, 14, 54, 20, 2), '@{"key":[1,14,54,20,2]}'),
        (Data(b"\1\2"), '@{"data":"0102"}'),
        (Network(b"\x43\x05"), '@{"network":"4305"}'),
    ],
    ids=str,
)
def test_what_no_one_types_is_shown_too(segment: Segment, shown: str) -> None:
    assert format_path([segment]) == shown


NAMES = st.from_regex(r"\A(Program:)?[A-Za-z_][A-Za-z0-9_]{0,9}\Z")
INDICES = st.lists(st.integers(0, 0xFFFFFFFF).map(Element), max_size=3)
PARTS = st.builds(lambda name, indices: [Symbolic(name), *indices], NAMES, INDICES)


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_a_tag_s_path_that_is_shown_reads_back(parts: list[list[Segment]]) -> None:
    segments = [segment for part in parts for segment in part]
    assert parse_path(format_path(segments)) == segments


@given(st.lists(SEGMENTS, max_size=6))
def test_any_path_can_be_shown(segments: list[Segment]) -> None:
    assert bool(format_path(segments)) == bool(segments)


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    if survives(lambda data: parse_path(data.decode(errors="surrogatepass")), text.encode(errors="surrogatepass")):
        assert format_path(parse_path(text))


@given(st.one_of(st.text(max_size=30), st.text('[]{}"/0123456789portlink:,', max_size=30)))
def test_any_text_is_a_route_or_refused(text: str) -> None:
    try:
        route = parse_route(text)
    except LocalProtocolError:
        return
    assert encode_epath(route_segments(route)) or route == ()
