"""Who wins: node over group over templates over kind over defaults; maps merge, lists replace, null removes."""

from pathlib import Path

from tests.farm.topology.plants import HEAD, headlines, load

LAYERS = """
farm: 1
name: demo
defaults: {kind: small, tags: {A: {type: DINT, init: 1}, B: {type: DINT, init: 1}}, enip: {max_connections: 5}}
kinds:
  base: {extends: logix, profile: 1756-L83E, tags: {A: {init: 2, unit: m}, C: {type: DINT, init: 2}}}
  small: {extends: base, tags: {C: {init: 3}}, enip: {idle_timeout: 5s}}
templates:
  one: {tags: {C: {init: 4}, D: {type: "INT[2]", init: [1, 2]}}}
  two: {tags: {C: {unit: s}, D: {init: [3, 4]}, E: {type: REAL, signal: {sine: {min: 1, max: 2}}}}}
groups:
  g:
    count: 3
    use: [one, two]
    tags: {E: {signal: {sine: {max: 5}}}, F: REAL}
nodes:
  g-2: {tags: {B: null, E: {signal: ramp}, F: {type: DINT}}, profile: 1769-L18ER}
  g-3: {use: one, tags: {E: null}}
  alone: {use: [two, one], tags: {E: {signal: null}}}
"""


def test_the_most_specific_wins(tmp_path: Path) -> None:
    one, two, *_ = load(tmp_path, LAYERS).nodes
    tags = {tag.name: tag for tag in one.tags}
    assert list(tags) == ["A", "B", "C", "D", "E", "F"]
    assert (tags["A"].initial, tags["A"].unit, tags["B"].initial) == (2, "m", 1)
    assert (tags["C"].initial, tags["C"].unit) == (4, "s")
    assert tags["D"].initial == (3, 4)
    assert tags["E"].signal is not None and tags["E"].signal.parameters == (("min", 1.0), ("max", 5.0))
    assert one.enip is not None and (one.enip.max_connections, one.enip.idle_timeout) == (5, 5.0)
    assert (one.kind, one.profile, two.profile) == ("logix", "1756-L83E", "1769-L18ER")


def test_an_override_says_only_what_differs(tmp_path: Path) -> None:
    one, two, three, _ = load(tmp_path, LAYERS).nodes
    tags = {tag.name: tag for tag in two.tags}
    assert list(tags) == ["A", "C", "D", "E", "F"]
    assert tags["E"].signal is not None and (tags["E"].signal.kind, tags["E"].signal.parameters) == ("ramp", ())
    assert tags["F"].type == "DINT"
    assert [tag for tag in one.tags if tag.name in "ACD"] == [tag for tag in two.tags if tag.name in "ACD"]
    assert (two.name, three.name) == ("g-2", "g-3")


def test_a_list_replaces_and_null_removes(tmp_path: Path) -> None:
    _, _, three, alone = load(tmp_path, LAYERS).nodes
    assert {tag.name: tag.initial for tag in three.tags} == {"A": 2, "B": 1, "C": 4, "D": (1, 2), "F": None}
    tags = {tag.name: tag for tag in alone.tags}
    assert tags["D"].initial == (1, 2) and tags["E"].signal is None


def test_a_null_member_is_taken_out(tmp_path: Path) -> None:
    plant = load(tmp_path, "groups: {g: {count: 3, kind: logix}}\nnodes: {g-2: null}\n")
    assert [node.name for node in plant.nodes] == ["g-1", "g-3"]


def test_a_section_set_to_null_takes_away_all_below_it(tmp_path: Path) -> None:
    text = "templates: {t: {tags: {A: REAL}}}\nnodes: {p: {kind: logix, use: t, tags: null}}\n"
    assert load(tmp_path, text).nodes[0].tags == ()


def test_short_and_long_forms_are_one(tmp_path: Path) -> None:
    text = (
        "templates: {t: {tags: {A: REAL, B: {type: REAL, signal: noise}}, holding: {'40001': 7, '@10': REAL}}}\n"
        "nodes: {p: {kind: gateway, use: t, tags: {A: {init: 5}, B: {signal: {noise: {mean: 3}}}},"
        " holding: {'40001': {name: Speed}, '@10': {init: 2}}}}\n"
    )
    (node,) = load(tmp_path, text).nodes
    assert {tag.name: tag.initial for tag in node.tags} == {"A": 5.0, "B": None, "Speed": 7, "HR40011": 2.0}
    assert node.tags[1].signal is not None and node.tags[1].signal.parameters == (("mean", 3.0),)


def test_templates_may_depend_on_a_groups_variables(tmp_path: Path) -> None:
    text = (
        "templates: {a: {tags: {A: REAL}}, b: {tags: {B: REAL}}}\n"
        'groups: {g: {for: {t: [a, b], k: [logix, gateway]}, kind: "${k}", use: ["${t}"]}}\n'
    )
    found = {node.name: (node.kind, node.tags[0].name) for node in load(tmp_path, text).nodes}
    assert found == {
        "g-a-logix": ("logix", "A"),
        "g-a-gateway": ("gateway", "A"),
        "g-b-logix": ("logix", "B"),
        "g-b-gateway": ("gateway", "B"),
    }


def test_what_is_refused(tmp_path: Path) -> None:
    text = (
        f"{HEAD}kinds:\n  a: {{extends: b}}\n  b: {{extends: a}}\n  c: {{extends: logiks}}\n"
        "  logix: {extends: modbus}\n  d: {tags: {A: REAL}}\n"
        "nodes:\n  p: {kind: a, use: tank}\n  q: {kind: logix, use: [tnk]}\ntemplates: {tank: {}}\n"
    )
    found = headlines(tmp_path, text)
    assert [line.rpartition("[")[2] for line in found] == ["F031]", "F031]", "F030]", "F016]", "F011]", "F032]"]
    assert "did you mean 'logix'?" in found[2] and "did you mean 'tank'?" in found[5]
