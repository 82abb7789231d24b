"""YAML read with positions: what a value is, where it stands, and what is no plant file."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.topology.document import ListNode, MapNode, Scalar, Source
from farm.topology.load import Budget, load, parse, read_text
from farm.topology.problem import Report


def read(text: str) -> MapNode:
    report = Report()
    root = parse(text, Source("plant.yaml"), report, Budget())
    assert root is not None and not report.failed, report.problems()
    return root


def faults(text: str) -> list[str]:
    report = Report()
    try:
        parse(text, Source("plant.yaml"), report, Budget())
    finally:
        found = [problem.headline.removeprefix("plant.yaml:") for problem in report.problems()]
    return found


def test_places_count_from_one_and_texts_stay_as_written() -> None:
    root = read('farm: 1.10\nnodes:\n  plc1: {kind: "logix", list: [on, ~]}\n')
    farm = root.entries["farm"][1]
    assert isinstance(farm, Scalar) and (farm.text, farm.plain, farm.line, farm.column) == ("1.10", True, 1, 7)
    plc = root.map("nodes").map("plc1")  # type: ignore[union-attr]
    assert plc is not None
    kind, items = plc.scalar("kind"), plc.get("list")
    assert kind is not None and (kind.text, kind.plain, kind.line, kind.column) == ("logix", False, 3, 16)
    assert isinstance(items, ListNode)
    on, null = items.items
    assert isinstance(on, Scalar) and on.text == "on" and not on.is_null
    assert isinstance(null, Scalar) and null.is_null
    assert plc.key("kind").column == 10


def test_a_null_is_absent_and_a_quoted_one_a_text() -> None:
    root = read('a:\nb: null\nc: "null"\n')
    assert root.get("a") is None and root.get("b") is None
    assert root.scalar("c") is not None
    assert [text for text, _, _ in root.items()] == ["c"]


def test_an_alias_is_the_anchored_value() -> None:
    root = read("a: &x {n: 1}\nb: *x\n")
    assert root.get("a") is root.get("b")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1: error: key 'a' stands twice; first at line 1 [F004]"),
        (
            "a: !!python/object/apply:os.system [x]\n",
            "1:4: error: YAML tag 'tag:yaml.org,2002:python/object/apply:os.sys",
        ),
        ("a: !local 1\n", "1:4: error: YAML tag '!local' is refused - write the value without it [F005]"),
        ("a: *x\n", "1:4: error: alias '*x' has no anchor [F005]"),
        ("a: &x [*x]\n", "1:8: error: alias '*x' refers to a value that contains it [F005]"),
        ("a: {b: ${i}}\n", "1:8: error: not YAML: "),
        ("a: [${i}]\n", "1:5: error: not YAML: "),
        ("a: 1\n---\nb: 2\n", "2:1: error: a second document begins - keep one plant in one file [F002]"),
        ("- 1\n", "1:1: error: a plant file is a map, beginning with 'farm: 1' [F012]"),
        ("", " error: a plant file is a map, beginning with 'farm: 1' [F012]"),
        ("a:\n\tb: 1\n", "2:1: error: not YAML: "),
        ("? [a]\n: 1\n", "1:3: error: a key must be a plain text - quote it [F012]"),
        ("a: \x1b[31m\n", "1:4: error: not YAML: character U+001B is not allowed [F002]"),
        ("a:\n  @0: 1\n", "2:3: error: not YAML: "),
    ],
)
def test_what_is_no_plant_file(text: str, wanted: str) -> None:
    assert faults(text)[0].startswith(wanted)


@pytest.mark.parametrize("text", ["a: {b: ${i}}", "a:\n  b: [1, x${i}]", "{a: {b: c, d: n-${i:03d}}}"])
def test_an_unquoted_variable_in_braces_is_recognised(text: str) -> None:
    assert faults(text)[0].endswith(" - quote values that contain ${...} inside { } [F002]")


def test_an_unquoted_at_is_recognised() -> None:
    assert 'quote what begins with @, as in "@0-9"' in faults("holding: {@0: 1}")[0]


def test_only_regular_readable_text_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"farm: 1\nname: \xff\n")
    for path, why in [
        (tmp_path / "none.yaml", "No such file"),
        (Path("/dev/zero"), "is not a regular file"),
        (tmp_path, "is not a regular file"),
        (tmp_path / "bad.yaml", "byte 0xFF is not UTF-8"),
    ]:
        report = Report()
        assert read_text(path, Source(str(path)), report) is None
        assert why in report.problems()[0].message


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plant.yaml")
    report = Report()
    assert read_text(tmp_path / "plant.yaml", Source("plant.yaml"), report) is None
    assert report.problems()[0].message == "is not a regular file"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_bytes(b"\xef\xbb\xbffarm: 1\n")
    report = Report()
    root = load(path, Source("plant.yaml"), report, Budget())
    assert root is not None and root.scalar("farm") is not None


@settings(max_examples=300)
@given(st.text(alphabet="ab:{}[]&*!|>-\n \"'$%@#,?\t~0", max_size=60))
def test_any_text_is_a_tree_or_a_fault(text: str) -> None:
    report = Report()
    root = parse(text, Source("plant.yaml"), report, Budget())
    assert (root is not None) or report.failed
