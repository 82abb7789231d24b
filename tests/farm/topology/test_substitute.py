"""`${…}`: where values come from, in what order, and that they stay values."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.topology import load_plant
from farm.topology.arithmetic import ExpressionError
from farm.topology.substitute import UnsetError, fill_text
from tests.farm.topology.plants import HEAD, headlines, load, problems, write

NODE = "nodes: {plc1: {kind: logix, tags: {T: {type: STRING, init: '%s'}}}}\n"


def text_of(folder: Path, template: str, head: str = "", **settings: str) -> object:
    return load(folder, head + NODE % template, **settings).nodes[0].tags[0].initial


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("${A}", "one"),
        ("a-${A}-${B}", "a-one-two"),
        ("${NONE:-none}", "none"),
        ("${NONE:-}", ""),
        ("${A:-none}", "one"),
        ("${EMPTY:-none}", "none"),
        ("${N + 1}", "6"),
        ("${(N + 1) * 2 // 3 % 3:02d}", "01"),
        ("${N:03d}", "005"),
        ("${N:x}", "5"),
        ("$${A} costs 5$ or $$5", "${A} costs 5$ or $5"),
        ("${B2}", "two-two"),
        ("${name}", "plc1"),
    ],
)
def test_what_comes_out(tmp_path: Path, template: str, wanted: str) -> None:
    head = 'vars: {A: one, B: two, B2: "${B}-${B}", N: 5, EMPTY: ""}\n'
    assert text_of(tmp_path, template, head) == wanted


def test_settings_win_over_vars_and_vars_over_the_environment(tmp_path: Path) -> None:
    path = write(tmp_path, "vars: {A: file, B: file, C: '${C:-file}'}\n" + NODE % "${A} ${B} ${C} ${D}")
    environ = dict.fromkeys("ABCD", "environment")
    plant = load_plant(path, settings={"A": "set"}, environ=environ)
    assert plant.nodes[0].tags[0].initial == "set file environment environment"
    assert load_plant(path, environ={"D": "d"}).nodes[0].tags[0].initial == "file file file d"


@given(st.text(max_size=80))
def test_a_value_cannot_inject_structure(value: str) -> None:
    assert fill_text("<${A}>", {"A": value}.get) == f"<{value}>"


def test_a_value_that_looks_like_yaml_stays_a_text(tmp_path: Path) -> None:
    for value in ("null", "~", "{a: b}", "x, y: z", "- 1", "# c", "'"):
        assert text_of(tmp_path, "${A}", A=value) == value


def test_what_was_filled_in_may_be_a_number_where_one_is_wanted(tmp_path: Path) -> None:
    text = 'nodes: {plc1: {kind: logix, enip: {port: "${P}"}, tags: {T: {type: DINT, init: "${P}"}}}}\n'
    (node,) = load(tmp_path, text, P="4000").nodes
    assert node.enip is not None and node.enip.port == 4000
    assert node.tags[0].initial == 4000


def test_keys_are_filled_in_too(tmp_path: Path) -> None:
    group = 'groups: {g: {count: 2, kind: logix, tags: {"T${i}_Level": REAL}}}\n'
    text = f"{group}nodes: {{g-2: {{tags: {{T2_Level: {{init: 5}}}}}}}}\n"
    one, two = load(tmp_path, text).nodes
    assert [(tag.name, tag.initial) for tag in (*one.tags, *two.tags)] == [("T1_Level", None), ("T2_Level", 5.0)]


@pytest.mark.parametrize(
    ("template", "head", "wanted"),
    [
        ("${NIX}", "", "'NIX' is not set: not in vars, --set or the environment (in 'plc1') [F021]"),
        ("${LINE}", "vars: {LINES: 1}\n", "- did you mean 'LINES'? [F021]"),
        ("${NIX:?say which plant}", "", "say which plant (in 'plc1') [F021]"),
        ("${A", "", "'${' is not closed by '}' [F020]"),
        ("${A:-${B}}", "", "they do not nest [F020]"),
        ("${2 ** 3}", "", "'**' is not understood"),
        ("${i:3q}", "", "is no number format"),
        ("${A + 1}", "vars: {A: x}\n", "'A' is 'x', not a whole number (in 'plc1') [F020]"),
        ("${A}", 'vars: {A: "${B}", B: "${A}"}\n', "in a circle: A -> B -> A (in 'plc1') [F023]"),
    ],
)
def test_what_is_refused(tmp_path: Path, template: str, head: str, wanted: str) -> None:
    (found,) = headlines(tmp_path, HEAD + head + NODE % template)
    assert wanted in found


def test_a_bad_expression_is_found_in_a_template_nobody_uses(tmp_path: Path) -> None:
    (found,) = problems(
        tmp_path, "templates: {t: {tags: {A: {type: REAL, init: '${1 +}'}}}}\nnodes: {p: {kind: logix}}\n"
    )
    assert found.code == "F020"


def test_a_setting_that_nothing_asks_for_is_a_slip(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "nodes: {p: {kind: logix, tags: {'T${COUNT:-1}': REAL}}}\n", cuont="5", COUNT="2")
    assert (found.file, found.code, found.message) == ("--set", "F022", "no ${cuont} in the plant")


@given(st.text(alphabet="${}AB:-?+*(/ 0159dx$", max_size=40))
def test_any_text_is_filled_in_or_an_error(text: str) -> None:
    try:
        filled = fill_text(text, {"A": "1", "B": 2}.get)
    except (ExpressionError, UnsetError):
        return
    assert "$" in text or filled == text
