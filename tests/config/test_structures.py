"""Types of a node's own: what templates they come to, and what they cannot be."""

from dataclasses import replace

import pytest

from node.cip.predefined import STRING, TIMER
from node.cip.template import TEMPLATES
from node.cip.types import BOOL, DINT, DWORD, REAL
from node.config.model import MemberConfig, NodeConfig, TypeConfig
from node.config.structures import (
    MAX_ALL_PARTS,
    MAX_PARTS,
    MAX_TYPES,
    build_templates,
    identifier_fault,
    lay_out_types,
    tag_kind,
)
from node.errors import ConfigError
from tests.config.configs import GATEWAY
from tests.config.test_check import said

S8 = TypeConfig("S8", string=8)
MOTOR = TypeConfig(
    "Motor",
    (
        MemberConfig("Run", "BOOL"),
        MemberConfig("Speed", "real"),
        MemberConfig("Hours", "DINT", 4),
        MemberConfig("Label", "s8"),
        MemberConfig("Bits", "BOOL", 40),
    ),
)
LINE = TypeConfig("Line", (MemberConfig("Name", "STRING"), MemberConfig("Motors", "motor", 3)))


def test_a_string_type_is_a_length_and_characters() -> None:
    template = build_templates((S8,))["s8"]
    assert (template.name, template.instance, template.capacity, template.size) == ("S8", TEMPLATES[0], 8, 12)


def test_members_lie_as_logix_has_them() -> None:
    templates = build_templates((S8, MOTOR, LINE))
    motor = templates["motor"]
    assert [(member.name, member.type, member.offset, member.length, member.bits) for member in motor.visible] == [
        ("Run", BOOL, 0, 0, 0),
        ("Speed", REAL, 4, 0, 0),
        ("Hours", DINT, 8, 4, 0),
        ("Label", templates["s8"], 24, 0, 0),
        ("Bits", DWORD, 36, 2, 40),
    ]
    assert motor.size == 44
    assert [(member.name, member.type) for member in templates["line"].visible] == [("Name", STRING), ("Motors", motor)]
    assert [template.instance for template in templates.values()] == list(TEMPLATES[:3])


def test_what_a_name_means() -> None:
    templates = build_templates((S8, MOTOR))
    assert tag_kind("MOTOR", templates) is templates["motor"]
    assert (tag_kind("timer", templates), tag_kind("dint", templates)) == (TIMER, DINT)
    assert tag_kind("Pump", templates) is None


def members(*pairs: tuple[str, str]) -> TypeConfig:
    return TypeConfig("T", tuple(MemberConfig(*pair) for pair in pairs))


@pytest.mark.parametrize(
    ("types", "wanted"),
    [
        ((members(("X", "Pump")),), "types.T.members.X: type 'Pump' is none that was declared before"),
        ((LINE, MOTOR, S8), "types.Line.members.Motors: type 'motor' is none that was declared before"),
        ((members(("X", "SSTRING")),), "types.T.members.X: SSTRING varies in length"),
        ((members(("X", "INT"), ("x", "INT")),), "types.T.members.x: the member is there twice"),
        ((members(("9X", "INT")),), "types.T.members.9X: '9X' is no name for a member"),
        ((TypeConfig("T", (MemberConfig("X", "INT", -1),)),), "types.T.members.X: an array of -1"),
        ((TypeConfig("T", (MemberConfig("X", "INT", 70000),)),), "an array of 70000; wanted 1 to 65535 elements"),
        ((TypeConfig("T"),), "types.T: 0 members; wanted 1 to 512"),
        ((TypeConfig("T", string=70000),), "types.T: a string type has no members, and 1 to 65535 characters"),
        ((TypeConfig("T", (MemberConfig("X", "INT"),), 5),), "types.T: a string type has no members"),
        ((replace(MOTOR, name="DINT"),), "types.DINT: 'DINT' is a type that every controller has"),
        ((replace(S8, name="FLOAT"),), "(a 32-bit float is REAL)"),
        ((S8, replace(S8, name="s8")), "types.s8: there is a type of that name already"),
    ],
)
def test_what_is_no_type(types: tuple[TypeConfig, ...], wanted: str) -> None:
    assert wanted in said(replace(GATEWAY, types=types))
    with pytest.raises(ConfigError):
        build_templates(types)


def test_those_that_can_be_are_there_beside_those_that_cannot() -> None:
    templates, faults = lay_out_types((S8, members(("X", "Pump")), MOTOR))
    assert list(templates) == ["s8", "motor"]
    assert faults == (("types.T.members.X", "type 'Pump' is none that was declared before"),)


def test_what_they_come_to_is_counted_before_it_is_laid_out() -> None:
    wide = [TypeConfig("A0", (MemberConfig("X", "INT"),))]
    for number in range(1, 40):
        inner = tuple(MemberConfig(f"X{at}", f"A{number - 1}") for at in range(10))
        wide.append(TypeConfig(f"A{number}", inner))
    _, faults = lay_out_types(tuple(wide))
    assert faults[0] == ("types.A4", f"more than {MAX_PARTS} members, with those of the structures it is made of")
    huge = (
        TypeConfig("A", (MemberConfig("X", "LREAL", 65535),)),
        TypeConfig("B", (MemberConfig("X", "A", 65535),)),
    )
    assert lay_out_types(huge)[1] == (("types.B", "is larger than 2097152 bytes"),)
    flat = tuple(MemberConfig(f"X{at}", "INT") for at in range(512))
    _, faults = lay_out_types(tuple(TypeConfig(f"A{number}", flat) for number in range(150)))
    assert faults[0] == ("types.A98", f"the types together have more than {MAX_ALL_PARTS} members")
    many = tuple(TypeConfig(f"A{number}", string=1) for number in range(MAX_TYPES + 1))
    assert lay_out_types(many)[1] == ((f"types.A{MAX_TYPES}", f"more than {MAX_TYPES} types in one node"),)


@pytest.mark.parametrize("name", ["Motor", "_a", "A1_b", "A" * 40])
def test_names_as_logix_has_them(name: str) -> None:
    assert identifier_fault(name, "type") == ""


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A.B", "A__B", "A_", "\u00c4", "A" * 41, "ZZZZZZZZZZA0", "A B"])
def test_names_that_logix_refuses(name: str) -> None:
    assert identifier_fault(name, "type").startswith(f"{name!r} is no name for a type; wanted a letter or _")


def test_programs_have_names_of_the_same_kind() -> None:
    node: NodeConfig = replace(GATEWAY, programs=("Main", "9x", "main"))
    assert said(node).splitlines() == [
        "programs: '9x' is no name for a program; wanted a letter or _, then letters, digits and single _, at most 40, "
        "not ending with _",
        "programs: a program is there twice, and case makes no difference",
    ]
