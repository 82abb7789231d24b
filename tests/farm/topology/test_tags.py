"""Tags: every form, type and signal, and what is said of those that cannot be."""

from pathlib import Path

import pytest

from node.config.model import SignalConfig, TagConfig
from node.config.schema import SIGNALS, TYPES
from tests.farm.topology.plants import HEAD, headlines, load, node


def tag(folder: Path, body: str) -> TagConfig:
    return node(folder, f"nodes: {{plc1: {{kind: logix, tags: {{T: {body}}}}}}}\n").tags[0]


@pytest.mark.parametrize("name", TYPES)
def test_every_type(tmp_path: Path, name: str) -> None:
    assert tag(tmp_path, name) == TagConfig("T", name)
    assert tag(tmp_path, f"'{name.lower()}[2,3,4]'") == TagConfig("T", name, (2, 3, 4))


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("{type: REAL, init: 5}", 5.0),
        ("{type: DINT, init: -0x10}", None),
        ("{type: DINT, init: 0x10}", 16),
        ("{type: BOOL, init: true}", True),
        ("{type: BOOL, init: 1}", True),
        ("{type: STRING, init: 5}", "5"),
        ("{type: STRING, init: 'true'}", "true"),
        ("{type: SSTRING, init: Grüße}", "Grüße"),
        ("{type: 'INT[3]', init: [1, 2, 3]}", (1, 2, 3)),
        ("{type: 'STRING[2]', init: [a, 1.10]}", ("a", "1.10")),
        ("{type: 'INT[3]', init: 7}", 7),
    ],
)
def test_initial_values(tmp_path: Path, body: str, wanted: object) -> None:
    if wanted is None:
        assert "F052" in headlines(tmp_path, f"nodes: {{p: {{kind: logix, tags: {{T: {body}}}}}}}\n")[0]
    else:
        found = tag(tmp_path, body).initial
        assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize("name", SIGNALS)
def test_every_signal_in_its_short_and_long_form(tmp_path: Path, name: str) -> None:
    short = tag(tmp_path, f"{{type: REAL, signal: {name}}}").signal
    assert short == tag(tmp_path, f"{{type: REAL, signal: {{{name}: {{}}}}}}").signal
    assert short == tag(tmp_path, f"{{type: REAL, signal: {{{name}: null}}}}").signal
    assert short is not None and (short.kind, short.parameters) == (name, ())


def test_parameters_are_numbers_and_times_in_the_signals_order(tmp_path: Path) -> None:
    body = "{type: REAL, on_write: hold, signal: {sine: {phase: 500ms, period: 2m, max: 9, min: -1.5}}}"
    assert tag(tmp_path, body).signal == SignalConfig(
        "sine", (("min", -1.5), ("max", 9.0), ("period", 120.0), ("phase", 0.5)), on_write="hold"
    )


def test_seeds_are_each_tags_own_and_always_the_same(tmp_path: Path) -> None:
    body = "tags: {A: {type: REAL, signal: noise}, B: {type: REAL, signal: noise}, C: {type: REAL, signal: ramp}}"
    group = f"groups: {{g: {{count: 2, kind: logix, {body}}}}}\n"

    def seeds(head: str = "") -> list[int]:
        return [tag.signal.seed for node in load(tmp_path, head + group).nodes for tag in node.tags if tag.signal]

    first = seeds()
    assert first == seeds() != seeds("seed: 1\n")
    assert len({*first}) == 5 and first[2] == first[5] == 0
    given = "nodes: {p: {kind: logix, tags: {A: {type: REAL, signal: {noise: {seed: 42}}}}}}\n"
    (found,) = load(tmp_path, given).nodes[0].tags
    assert found.signal is not None and found.signal.seed == 42


def test_the_rest_of_a_tag(tmp_path: Path) -> None:
    body = '{type: "DINT[4]", unit: m3/h, writable: false, address: "@0x93/1/10"}'
    assert tag(tmp_path, body) == TagConfig("T", "DINT", (4,), access="read only", unit="m3/h", address=(0x93, 1, 10))


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ("T: FLOAT", "type 'FLOAT' is unknown; known: BOOL SINT"),
        ("T: FLOAT", "(a 32-bit float is REAL) [F050]"),
        ("T: 'DINT[0]'", "an array of [0] elements"),
        ("T: 'DINT[1,2,3,4]'", "4 dimensions"),
        ("T: [REAL]", "tag 'T' is a list; wanted a type such as REAL"),
        ("T: {init: 5}", "tag 'T' has no 'type'"),
        ("T: {type: REAL, int: 5}", "unknown key 'int' in tag 'T' - did you mean 'init'? [F010]"),
        ("T: {type: REAL, write: false}", "did you mean 'writable'?"),
        ("T: {type: SINT, init: 200}", "tag 'T': 200 does not fit SINT; wanted -128 to 127"),
        ("T: {type: REAL, init: high}", "tag 'T': 'high' does not fit REAL; wanted a number"),
        ("T: {type: REAL, init: '5'}", "tag 'T': '5' does not fit REAL; wanted a number"),
        ("T: {type: 'INT[3]', init: [1, 2]}", "2 values for 3 elements"),
        ("T: {type: STRING, init: " + "x" * 83 + "}", "at most 82 ISO-8859-1 characters"),
        ("T: {type: STRING, signal: sine}", "a signal is a number and the type is STRING"),
        ("T: {type: REAL, signal: sinus}", "did you mean 'sine'? [F051]"),
        ("T: {type: REAL, signal: {sine: {perod: 5s}}}", "did you mean 'period'? [F010]"),
        ("T: {type: REAL, signal: {sine: {min: low}}}", "'min' in 'sine' in 'signal' in tag 'T' is 'low'"),
        ("T: {type: REAL, signal: {sine: {min: 5, max: 1}}}", "min 5 is above max 1"),
        ("T: {type: REAL, signal: {sine: {}, ramp: {}}}", "a tag has one signal, not 2: sine, ramp"),
        ("T: {type: REAL, signal: sine, on_write: keep}", "wanted one of overwrite, hold, refuse"),
        ("9T: REAL", "'9T' is no tag name"),
        ("T: REAL, t: DINT", "tag 't' is there already"),
        ("T: {type: REAL, address: '@22/1'}", "'@22/1' is no address"),
        ("T: {type: INT, address: '@22/1/1'}, U: {type: INT, address: '22/1/1'}", "is taken (line 1)"),
        ("T: 'DINT[4194304]', U: REAL", "has 4,194,305 values in its tags; allowed are 4,194,304"),
    ],
)
def test_what_is_refused(tmp_path: Path, tags: str, wanted: str) -> None:
    found = headlines(tmp_path, f"{HEAD}nodes: {{plc1: {{kind: logix, tags: {{{tags}}}}}}}\n".replace("(line 1)", ""))
    assert any(wanted.replace("line 1", "line 3") in line for line in found), found
