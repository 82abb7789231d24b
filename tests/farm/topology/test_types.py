"""Types of a plant's own: in any order, from any file, and what cannot be one."""

from pathlib import Path

import pytest

from node.config.model import MemberConfig, TypeConfig
from node.config.schema import build_templates
from node.config.schema import problems as config_problems
from tests.farm.topology.plants import headlines, load, node

TYPES = """
types:
  Line: {Name: STRING, Motors: "motor[3]", Timer: TIMER}
  Motor: {Speed: REAL, Run: BOOL, Hours: "DINT[4]", Label: STR20}
  Other: {X: INT}
  STR20: {string: 20}
"""


def one(folder: Path, types: str, tags: str = "T: Motor") -> tuple[TypeConfig, ...]:
    config = node(folder, f"{types}\nnodes: {{p: {{kind: logix, tags: {{{tags}}}}}}}\n".lstrip())
    assert config_problems(config) == []
    return config.types


def test_a_node_has_those_its_tags_use_each_after_what_it_is_made_of(tmp_path: Path) -> None:
    motor = TypeConfig(
        "Motor",
        (
            MemberConfig("Speed", "REAL"),
            MemberConfig("Run", "BOOL"),
            MemberConfig("Hours", "DINT", 4),
            MemberConfig("Label", "STR20"),
        ),
    )
    assert one(tmp_path, TYPES) == (TypeConfig("STR20", string=20), motor)
    assert [each.name for each in one(tmp_path, TYPES, "T: 'line[2,3]', X: 'OTHER[2]'")] == [
        "STR20",
        "Motor",
        "Line",
        "Other",
    ]
    assert one(tmp_path, TYPES, "T: REAL") == ()


def test_a_tag_has_its_type_as_it_is_declared(tmp_path: Path) -> None:
    found = node(tmp_path, f"{TYPES}nodes: {{p: {{kind: logix, tags: {{T: 'mOTOR [2]'}}}}}}\n".lstrip())
    assert (found.tags[0].type, found.tags[0].dimensions) == ("Motor", (2,))


def test_one_that_nobody_uses_changes_no_node(tmp_path: Path) -> None:
    tags = "nodes: {p: {kind: logix, tags: {T: Motor}}}\n"
    more = TYPES.lstrip().replace("  Other", "  Another: {X: INT, Y: Other}\n  Other")
    assert load(tmp_path, TYPES.lstrip() + tags).nodes == load(tmp_path, more + tags).nodes


def test_types_come_from_all_files(tmp_path: Path) -> None:
    text = "include: types.yaml\ntypes: {A: {B: B}}\nnodes: {p: {kind: logix, tags: {T: A}}}\n"
    (config,) = load(tmp_path, text, {"types.yaml": "types: {B: {X: INT}, A: {C: REAL}}\n"}).nodes
    assert config.types == (
        TypeConfig("B", (MemberConfig("X", "INT"),)),
        TypeConfig("A", (MemberConfig("C", "REAL"), MemberConfig("B", "B"))),
    )


def test_variables_and_null(tmp_path: Path) -> None:
    text = 'vars: {n: 7}\ntypes: {A: {X: "DINT[${n}]", Y: null, Z: INT}, S: {string: "${n}"}}\n'
    config = node(tmp_path, text + "nodes: {p: {kind: logix, tags: {T: A, U: S}}}\n")
    assert config.types[0].members == (MemberConfig("X", "DINT", 7), MemberConfig("Z", "INT"))
    assert config.types[1].string == 7


def test_a_member_may_be_called_string(tmp_path: Path) -> None:
    assert one(tmp_path, "types: {Motor: {string: STRING}}") == (
        TypeConfig("Motor", (MemberConfig("string", "STRING"),)),
    )


def test_they_come_to_templates(tmp_path: Path) -> None:
    templates = build_templates(one(tmp_path, TYPES, "T: Line"))
    assert {name: template.size for name, template in templates.items()} == {"str20": 24, "motor": 48, "line": 244}


@pytest.mark.parametrize(
    ("types", "wanted"),
    [
        ("A: {X: FLOAT}", "type 'FLOAT' is unknown; known: BOOL SINT"),
        ("A: {X: RAEL}", "(did you mean REAL?) [F050]"),
        ("A: {X: Moter}, Motor: {Y: INT}", "type 'Moter' is unknown"),
        ("A: {X: SSTRING}", "type 'A': SSTRING varies in length"),
        ("A: {X: 'INT[2,3]'}", "has 2 dimensions - an array within a type has one [F050]"),
        ("A: {X: 'INT[70000]'}", "an array of 70000; wanted 1 to 65535 elements"),
        ("A: {X: A}", "types contain each other in a circle: A -> A [F057]"),
        ("A: {X: B}, B: {Y: C}, C: {Z: 'a[3]'}", "types contain each other in a circle: A -> B -> C -> A [F057]"),
        ("A: {X: INT, x: INT}", "the member is there twice, and case makes no difference"),
        ("A: {X: INT}, a: {X: INT}", "type 'a' is there already, as 'A' [F016]"),
        ("REAL: {X: INT}", "'REAL' is a type that every controller has"),
        ("timer: {X: INT}", "'timer' is a type that every controller has"),
        ("FLOAT: {X: INT}", "'FLOAT' is what others call a type"),
        ("9A: {X: INT}", "'9A' is no name for a type"),
        ("A__B: {X: INT}", "single _"),
        ("A: {X_: INT}", "'X_' is no name for a member"),
        ("A: {ZZZZZZZZZZA0: INT}", "is no name for a member"),
        (f"{'A' * 41}: {{X: INT}}", "at most 40 characters"),
        ("A: {}", "type 'A': 0 members; wanted 1 to 512"),
        ("A: {string: 0}", "'string' in type 'A' is '0'; wanted a whole number from 1 to 65535"),
        ("A: {string: 70000}", "wanted a whole number from 1 to 65535"),
        ("A: REAL", "type 'A' is 'REAL'; wanted a map of members to their types"),
        ("A: {X: [REAL]}", "member 'X' of type 'A' is a list"),
        ("A: {X: 'LINT[65535]', Y: 'LINT[65535]', Z: 'LINT[65535]', U: 'LINT[65535]', V: 'LINT[9]'}", "2097152 bytes"),
    ],
)
def test_what_cannot_be_one(tmp_path: Path, types: str, wanted: str) -> None:
    found = headlines(tmp_path, f"types: {{{types}}}\nnodes: {{p: {{kind: logix, tags: {{T: A}}}}}}\n")
    assert any(wanted in line for line in found), found
    assert all(line.startswith(("1:", "2:")) for line in found)


def test_one_fault_in_a_type_is_told_once(tmp_path: Path) -> None:
    text = "types: {A: {X: FLOAT}, B: {Y: A}}\ngroups: {g: {count: 50, kind: logix, tags: {T: B, U: A}}}\n"
    assert len(headlines(tmp_path, text)) == 1


def test_a_type_that_is_not_there_is_found_where_it_is_named(tmp_path: Path) -> None:
    text = "types: {Motor: {X: INT}}\ntemplates: {t: {tags: {A: Mtor}}}\nnodes: {p: {kind: logix}}\n"
    (found,) = headlines(tmp_path, text)
    assert found.startswith("2:27: type 'Mtor' is unknown") and "(did you mean Motor?)" in found
    assert "[F050]" in found


def test_types_nested_beyond_all_measure(tmp_path: Path) -> None:
    deep = ", ".join(f"A{n}: {{X: A{n + 1}}}" for n in range(100))
    wide = ", ".join(f"A{n}: {{{', '.join(f'X{m}: A{n + 1}' for m in range(10))}}}" for n in range(20))
    for types, said in (
        (f"{deep}, A100: {{X: INT}}", "more than 32 deep"),
        (f"{wide}, A20: {{X: INT}}", "4096 members"),
    ):
        found = headlines(tmp_path, f"types: {{{types}}}\nnodes: {{p: {{kind: logix}}}}\n")
        assert any(said in line and "[F057]" in line for line in found), found
