"""YAML that is the same to every reader, whichever version of YAML he knows."""

import pytest
import yaml

from farm.render.documents import yaml_text


@pytest.mark.parametrize(
    "text", ["12e7", "1e10", "123456789012e345", ".5", "1.", "-3E+2", "0o17", "y", "N", "502", "no", "~"]
)
def test_what_is_a_number_or_a_truth_to_somebody_has_quotes(text: str) -> None:
    assert yaml_text({"a": text, text: "b"}) == f"a: '{text}'\n'{text}': b\n"


@pytest.mark.parametrize("text", ["12e7f", "plc-1", "e5", "10.20.0.1", "nodes", "yard", "1e", "0x"])
def test_what_is_a_text_to_everybody_has_none(text: str) -> None:
    assert yaml_text({"a": text}) == f"a: {text}\n"


def test_lines_stay_lines_and_lists_of_plain_values_are_on_one() -> None:
    body = {"text": "one\ntwo\n", "list": ["a", 1], "maps": [{"b": 2}]}
    text = yaml_text(body, ("about it", "", "and more"))
    assert text == "# about it\n#\n# and more\ntext: |\n  one\n  two\nlist: [a, 1]\nmaps:\n- b: 2\n"
    assert yaml.safe_load(text) == body
