"""The memory that a configuration comes to: what members start with, what moves them, what writes do, other names."""

from dataclasses import replace

import pytest

from node.cip.status import ATTRIBUTE_NOT_SETTABLE, CipError
from node.config.model import MemberConfig, PartConfig, SignalConfig, TagConfig, TypeConfig
from node.config.structures import build_templates
from node.errors import NodeError
from node.memory.attribute import Attribute
from node.memory.place import Place
from node.memory.tags import TagTable
from node.tag_memory import build_tags, shown_attribute, tag_place

MOTOR = TypeConfig(
    "Motor",
    (
        MemberConfig("Speed", "REAL"),
        MemberConfig("Run", "BOOL"),
        MemberConfig("Fault", "BOOL"),
        MemberConfig("Hours", "DINT", 4),
        MemberConfig("Label", "S8"),
        MemberConfig("Bits", "BOOL", 40),
    ),
)
TEMPLATES = build_templates((TypeConfig("S8", string=8), MOTOR))
RAMP = SignalConfig("ramp", (("max", 60.0), ("period", 60.0)))


def build(*tags: TagConfig, bool_true: int = 0xFF, programs: tuple[str, ...] = ()) -> TagTable:
    return build_tags(tags, 0.0, TEMPLATES, programs=programs, bool_true=bool_true)


def motor(*parts: PartConfig, dimensions: tuple[int, ...] = ()) -> TagConfig:
    return TagConfig("M", "Motor", dimensions, parts=parts)


def there(table: TagTable, *tags: TagConfig, text: str) -> Place:
    return tag_place(text, {tag.name.casefold(): tag for tag in tags}, table, TEMPLATES)


def values(config: TagConfig, text: str, now: float = 0.0) -> list[object]:
    """What a client reads at `text` of a node with that tag alone."""
    place = there(build(config), config, text=text)
    attribute = place.attribute.unpacked if place.attribute.bits and not place.indexed else place.attribute
    return list(attribute.read(place.start, place.start + (1 if place.indexed else len(attribute)), now))


@pytest.mark.parametrize(
    ("part", "text", "wanted"),
    [
        (PartConfig("Speed", 1.5), "M.Speed", [1.5]),
        (PartConfig("run", True), "M.Run", [True]),
        (PartConfig("Fault", True), "M.Run", [False]),
        (PartConfig("Hours", 7), "M.Hours", [7, 7, 7, 7]),
        (PartConfig("Hours", (1, 2, 3, 4)), "M.Hours", [1, 2, 3, 4]),
        (PartConfig("Hours[2]", 7), "M.Hours", [0, 0, 7, 0]),
        (PartConfig("Label", "P-1"), "M.Label", ["P-1"]),
        (PartConfig("Bits[39]", True), "M.Bits[39]", [True]),
        (PartConfig("Bits", True), "M.Bits", [True] * 40),
        (PartConfig("Bits", (True, False) * 20), "M.Bits[0]", [True]),
        (PartConfig("Hours[1].3", True), "M.Hours", [0, 8, 0, 0]),
    ],
)
def test_what_members_start_with(part: PartConfig, text: str, wanted: list[object]) -> None:
    assert values(motor(part), text) == wanted


def test_elements_start_with_what_is_said_of_them_or_of_all() -> None:
    config = motor(PartConfig("Speed", 5.0), PartConfig("[1].Speed", 7.0), dimensions=(3,))
    table = build(config)
    assert [there(table, config, text=f"M[{at}].Speed").attribute.item(0) for at in range(3)] == [5.0, 7.0, 5.0]
    grid = TagConfig("G", "INT", (2, 2), initial=1, parts=(PartConfig("[1,0]", 9), PartConfig("[0].2", True)))
    assert values(grid, "G") == [5, 1, 9, 1]
    texts = TagConfig("T", "SSTRING", (2,), parts=(PartConfig("[1]", "x"),))
    assert values(texts, "T") == ["", "x"]
    strings = TagConfig("T", "S8", (2,), initial="a")
    assert values(strings, "T") == ["a", "a"]


def test_signals_move_members_and_nothing_else() -> None:
    config = motor(PartConfig("Speed", signal=RAMP), PartConfig("Hours[1]", 3, RAMP), PartConfig("Run", signal=RAMP))
    assert values(config, "M.Speed", 10.0) == [10.0]
    assert values(config, "M.Hours", 10.0) == [0, 10, 0, 0]
    assert values(config, "M.Run", 10.0) == [True]
    whole = values(config, "M", 20.0)[0]
    assert whole == {
        "Speed": 20.0, "Run": True, "Fault": False, "Hours": [0, 20, 0, 0], "Label": "", "Bits": [False] * 40,
    }  # fmt: skip


def test_a_signal_of_all_elements_is_each_ones_own() -> None:
    spread = replace(RAMP, parameters=(*RAMP.parameters, ("spread", 5.0)))
    config = motor(PartConfig("Speed", signal=spread), dimensions=(3,))
    assert [member["Speed"] for member in values(config, "M", 10.0)] == [10.0, 15.0, 20.0]  # type: ignore[index]
    noise = motor(PartConfig("Speed", signal=SignalConfig("noise", seed=5)), dimensions=(3,))
    assert len({member["Speed"] for member in values(noise, "M", 1.0)}) == 3  # type: ignore[index]


@pytest.mark.parametrize("packed", [True, False])
def test_bool_arrays_with_signals(packed: bool) -> None:
    wave = SignalConfig("square", (("period", 10.0), ("spread", 1.0)))
    config = TagConfig("F", "BOOL", (70,), signal=wave, packed=packed)
    assert values(config, "F", 0.0) == [at % 10 < 5 for at in range(70)]


def test_what_a_write_does_is_each_members_own_rule() -> None:
    config = motor(
        PartConfig("Speed", signal=RAMP),
        PartConfig("Hours[1]", signal=replace(RAMP, on_write="hold")),
        PartConfig("Run", signal=replace(RAMP, on_write="refuse")),
    )
    table = build(config)

    def write(text: str, value: object) -> None:
        there(table, config, text=text).alone().write(0, [value], 10.0)  # type: ignore[list-item]

    def read(text: str) -> object:
        return there(table, config, text=text).alone().read(0, 1, 20.0)[0]

    write("M.Speed", 1.0)
    assert read("M.Speed") == 20.0
    write("M.Hours[1]", 77)
    write("M.Hours[2]", 78)
    assert (read("M.Hours[1]"), read("M.Hours[2]")) == (77, 78)
    write("M.Fault", True)
    for text, value in (("M.Run", False), ("M", read("M"))):
        with pytest.raises(CipError) as caught:
            write(text, value)
        assert caught.value.general == ATTRIBUTE_NOT_SETTABLE
    assert read("M.Fault") is True


def test_rights() -> None:
    table = build(
        TagConfig("A", "INT", access="none"),
        TagConfig("B", "INT", access="read only"),
        TagConfig("C", "INT", constant=True),
        TagConfig("D", "INT"),
    )
    found = {name: (attribute.readable, attribute.settable) for name, attribute in table}
    assert found == {"A": (False, False), "B": (True, False), "C": (True, False), "D": (True, True)}


def test_aliases_are_what_they_name_in_whatever_order() -> None:
    tags = (
        TagConfig("Second", "REAL", alias="First"),
        TagConfig("First", "REAL", alias="M[1].Speed"),
        TagConfig("Program:Main.Bit", "BOOL", alias="M[1].Hours[2].3"),
        TagConfig("All", "Motor", (2,), alias="M"),
        motor(PartConfig("[1].Speed", 5.0), dimensions=(2,)),
    )
    table = build(*tags)
    assert [found[0] for found in table] == ["M"]
    second = table.by_name("second")
    assert second is not None
    second.write(0, [6.0])
    assert there(table, *tags, text="First").alone().read(0, 1) == [6.0]
    assert there(table, *tags, text="All[1].Speed").alone().read(0, 1) == [6.0]
    bit = table.by_name("Program:Main.Bit")
    assert bit is not None
    bit.write(0, [True])
    assert there(table, *tags, text="M[1].Hours").attribute[0:4] == [0, 0, 8, 0]
    assert table.programs() == ["Main"]


def test_programs_without_tags() -> None:
    table = build(TagConfig("Program:Main.A", "INT"), programs=("Main", "Idle"))
    assert table.programs() == ["Main", "Idle"]
    assert table.find("main", "a") is not None


@pytest.mark.parametrize("byte", [0xFF, 1])
def test_the_byte_of_a_true_bool_is_the_profiles(byte: int) -> None:
    (found,) = [attribute for _, attribute in build(TagConfig("A", "BOOL"), bool_true=byte)]
    assert found.bool_true == byte


def test_what_registers_show() -> None:
    tags = (motor(dimensions=(2,)), TagConfig("Word", "INT", alias="M[1].Hours"))
    table = build(*tags)
    known = {tag.name.casefold(): tag for tag in tags}

    def shown(text: str) -> Attribute:
        return shown_attribute(text, known, table, TEMPLATES)

    assert (shown("M[1].Hours").type.name, len(shown("M[1].Hours"))) == ("DINT", 4)
    assert len(shown("M[1].Hours[2]")) == 1
    assert shown("Word[2]").name == "M[1].Hours[2]"
    for text in ("Nope", "M.Speed", "M[1].Nope"):
        with pytest.raises(NodeError):
            shown(text)


@pytest.mark.parametrize(
    "tag",
    [
        TagConfig("A", "Nope"),
        TagConfig("A", "INT", alias="Nope"),
        TagConfig("A", "Motor", parts=(PartConfig("Nope"),)),
        TagConfig("A", "Motor", parts=(PartConfig("Speed", signal=RAMP), PartConfig("Speed", signal=RAMP))),
    ],
)
def test_what_cannot_be_is_an_error_of_ours(tag: TagConfig) -> None:
    with pytest.raises(NodeError):
        build(tag)
