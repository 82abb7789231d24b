"""Modbus: blocks, their tags, units, and what cannot be shown as registers."""

from pathlib import Path

import pytest

from node.config.model import NodeConfig, RegisterBlock, TagConfig
from node.config.schema import problems as config_problems
from tests.farm.topology.plants import headlines, node


def rtu(folder: Path, body: str, kind: str = "modbus") -> NodeConfig:
    found = node(folder, f"nodes: {{rtu: {{kind: {kind}, {body}}}}}\n")
    assert config_problems(found) == []
    return found


def blocks(config: NodeConfig, unit: int = 1) -> tuple[RegisterBlock, ...]:
    assert config.modbus is not None
    return next(each.blocks for each in config.modbus.units if each.unit_id == unit)


@pytest.mark.parametrize(
    ("body", "tag", "block"),
    [
        ("holding: {'40001-40010': 7}", TagConfig("HR40001", "UINT", (10,), 7), ("holding", 0, 10)),
        ("holding: {'@0-9': 7}", TagConfig("HR40001", "UINT", (10,), 7), ("holding", 0, 10)),
        ("holding: {'40001': 7}", TagConfig("HR40001", "UINT", (), 7), ("holding", 0, 1)),
        ("holding: {'@20000': 7}", TagConfig("HR420001", "UINT", (), 7), ("holding", 20000, 1)),
        ("holding: {'40001-40002': [1, 2]}", TagConfig("HR40001", "UINT", (2,), (1, 2)), ("holding", 0, 2)),
        ("holding: {'40001': REAL}", TagConfig("HR40001", "REAL"), ("holding", 0, 2)),
        ("holding: {'40001-40004': float32}", TagConfig("HR40001", "REAL", (2,)), ("holding", 0, 4)),
        ("holding: {'40001': 'LREAL[3]'}", TagConfig("HR40001", "LREAL", (3,)), ("holding", 0, 12)),
        ("holding: {'40001-40006': 'DINT[3]'}", TagConfig("HR40001", "DINT", (3,)), ("holding", 0, 6)),
        ("input: {'30001': int16}", TagConfig("IR30001", "INT"), ("input", 0, 1)),
        ("coils: {'00001-00008': true}", TagConfig("CO00001", "BOOL", (8,), True), ("coils", 0, 8)),
        ("coils: {'00001': 0}", TagConfig("CO00001", "BOOL", (), False), ("coils", 0, 1)),
        ("coils: {'00001-00016': INT}", TagConfig("CO00001", "INT"), ("coils", 0, 16)),
        ("discrete: {'10001': {name: High}}", TagConfig("High", "BOOL"), ("discrete", 0, 1)),
    ],
)
def test_a_block_has_a_tag(tmp_path: Path, body: str, tag: TagConfig, block: tuple[str, int, int]) -> None:
    config = rtu(tmp_path, body)
    assert config.tags == (tag,)
    assert blocks(config) == (RegisterBlock(*block, tag=tag.name),)


def test_the_long_form(tmp_path: Path) -> None:
    body = "{type: uint16, name: Speed, signal: {ramp: {max: 1500, period: 10s}}, unit: rpm, writable: false}"
    config = rtu(tmp_path, f"holding: {{'@0': {body}, '@10-11': {{type: float32, order: cdab, init: 3.5}}}}")
    speed, real = config.tags
    assert (speed.name, speed.type, speed.unit, speed.writable) == ("Speed", "UINT", "rpm", False)
    assert speed.signal is not None and speed.signal.parameters == (("max", 1500.0), ("period", 10.0))
    assert (real.name, real.initial) == ("HR40011", 3.5)
    assert [block.order for block in blocks(config)] == ["ABCD", "CDAB"]


def test_the_profile_says_the_order_and_who_it_is(tmp_path: Path) -> None:
    config = rtu(tmp_path, "profile: M340, holding: {'40001': REAL}, device_id: {revision: v9, product_name: Level}")
    assert blocks(config)[0].order == "CDAB"
    assert config.modbus is not None
    assert config.modbus.device_id == ((0, "Schneider Electric"), (1, "BMX P34 2020"), (2, "v9"), (4, "Level"))


def test_a_tag_seen_as_registers(tmp_path: Path) -> None:
    body = (
        "tags: {Level: REAL, Words: 'INT[10]', Doors: 'BOOL[8]', Bits: DINT},"
        " holding: {'40001': {tag: level}, '40101-40105': {tag: Words, order: DCBA}},"
        " coils: {'00001': {tag: Doors}, '00101-00132': {tag: Bits}}"
    )
    config = rtu(tmp_path, body, "gateway")
    assert [tag.name for tag in config.tags] == ["Level", "Words", "Doors", "Bits"]
    assert blocks(config) == (
        RegisterBlock("coils", 0, 8, "Doors"),
        RegisterBlock("coils", 100, 32, "Bits"),
        RegisterBlock("holding", 0, 2, "Level"),
        RegisterBlock("holding", 100, 5, "Words", "DCBA"),
    )


def test_units(tmp_path: Path) -> None:
    text = (
        "templates: {valve: {holding: {'40001': {name: 'V${unit}_Position'}, '40002': 5}}}\n"
        "nodes: {gw: {kind: gateway, unit: 9, holding: {'40001': 1},"
        " units: {1..3: {use: valve}, 2: null, 7: {coils: {'00001': true}}}}}\n"
    ).replace("2: null, ", "")
    config = node(tmp_path, text)
    assert config.modbus is not None
    assert [unit.unit_id for unit in config.modbus.units] == [9, 1, 2, 3, 7]
    names = [tag.name for tag in config.tags]
    assert names == ["HR40001", *(f"{n}" for u in (1, 2, 3) for n in (f"V{u}_Position", f"U{u}_HR40002")), "U7_CO00001"]
    assert config_problems(config) == []


def test_one_unit_of_a_range_is_overridden_by_its_number(tmp_path: Path) -> None:
    text = (
        "groups: {g: {count: 1, kind: modbus, units: {1..3: {holding: {'40001': 1}}}}}\n"
        "nodes: {g-1: {units: {2: {holding: {'40001': {init: 5}}}, 3: null}}}\n"
    )
    config = node(tmp_path, text)
    assert {tag.name: tag.initial for tag in config.tags} == {"U1_HR40001": 1, "U2_HR40001": 5}


def test_a_modbus_node_without_blocks_has_an_empty_unit(tmp_path: Path) -> None:
    assert blocks(rtu(tmp_path, "unit: 17"), 17) == ()


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("holding: {'0': 7}", 'could be a register number or a wire address - write "40001" or "@0"'),
        ("holding: {'40001-40003': REAL}", "40001-40003 are 3 registers, and one REAL takes 2"),
        ("holding: {'40001-40003': 'REAL[2]'}", "the key takes 3, and the type 4 (in 'rtu') - name the first only"),
        ("holding: {'40001': STRING}", "STRING cannot be shown in registers"),
        ("coils: {'00001': REAL}", "REAL cannot be shown as a coil"),
        ("holding: {'40001-40010': 1, '40010': 2}", "holding 40010 is in two blocks"),
        ("holding: {'465536': REAL}", "2 from wire address 65535 end beyond 65535 (in 'rtu') [F060]"),
        ("holding: {'40001': {tag: Nix}}", "there is no tag 'Nix'"),
        ("tags: {A: REAL}, holding: {'40001': {tag: A, init: 5}}", "'init' is the business of tag 'A'"),
        ("tags: {A: REAL}, holding: {'40001-40004': {tag: A}}", "4 registers of tag 'A', which has 2"),
        ("tags: {A: STRING}, holding: {'40001': {tag: A}}", "tag 'A' is STRING, which cannot be shown as registers"),
        ("holding: {'40001': {name: A}, '40002': {name: a}}", "tag 'a' is there already"),
        ("holding: {'40001': 70000}", "tag 'HR40001': 70000 does not fit UINT"),
        ("holding: {'40001': flaot}", "type 'flaot' is unknown"),
        ("holding: {'40001': {order: ABDC}}", "wanted one of ABCD, CDAB, BADC, DCBA"),
        ("units: {1..3: {}, 2: {}}", "unit 2 is given twice"),
        ("holding: {'40001': 1}, units: {1: {}}", "unit 1 is given twice"),
        ("units: {300: {}}", "wanted a number or a range such as 1..16, from 0 to 255"),
        ("units: {1: {tags: {A: REAL}}}", "unknown key 'tags' in unit '1'"),
        ("identity: {vendor: 5}", "'identity' is of no use: kind modbus speaks Modbus only"),
        ("profile: 1756-L61", "profile 1756-L61 is none of kind modbus (in 'rtu') - known: generic"),
    ],
)
def test_what_is_refused(tmp_path: Path, body: str, wanted: str) -> None:
    found = headlines(tmp_path, f"nodes: {{rtu: {{kind: modbus, {body}}}}}\n")
    assert any(wanted in line for line in found), found


def test_a_template_for_a_unit_has_registers_only(tmp_path: Path) -> None:
    text = "templates: {t: {tags: {A: REAL}}}\nnodes: {rtu: {kind: modbus, units: {1: {use: t}}}}\n"
    assert "a template for a unit cannot have 'tags'" in headlines(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("body", "block"),
    [
        (
            "holding: {'40001': {type: REAL, as: int16, scale: 0.1, min: 0, max: 80}}",
            RegisterBlock("holding", 0, 1, "HR40001", shown_as="INT", scale=0.1, least=0.0, most=80.0),
        ),
        (
            "holding: {'40001-40004': {type: INT, as: DINT, direction: read only}}",
            RegisterBlock("holding", 0, 4, "HR40001", access="read only", shown_as="DINT"),
        ),
        (
            "tags: {T: 'REAL[2]'}, input: {'30001': {tag: T, as: int16, scale: 0.1, offset: -40}}",
            RegisterBlock("input", 0, 2, "T", shown_as="INT", scale=0.1, offset=-40.0),
        ),
        ("coils: {'00001': {direction: write only}}", RegisterBlock("coils", 0, 1, "CO00001", access="write only")),
    ],
)
def test_a_block_with_another_type_a_scale_and_rights(tmp_path: Path, body: str, block: RegisterBlock) -> None:
    assert blocks(rtu(tmp_path, body)) == (block,)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("holding: {'40001': {type: BOOL, scale: 2}}", "only numbers in registers have a scale"),
        ("coils: {'00001': {scale: 2}}", "only numbers in registers have a scale"),
        ("holding: {'40001': {scale: 0}}", "a scale of 0"),
        ("holding: {'40001': {min: 5, max: 4}}", "min 5 is above max 4"),
        ("holding: {'40001': {as: 'INT[2]'}}", "'as' takes a type alone"),
        ("holding: {'40001': {type: REAL, as: STRING}}", "cannot be shown in registers"),
        ("input: {'30001': {direction: read only}}", "read only anyway"),
        ("holding: {'40001': {direction: none}}", "read/write, read only, write only"),
    ],
)
def test_scales_and_rights_that_cannot_be(tmp_path: Path, body: str, message: str) -> None:
    found = headlines(tmp_path, f"nodes: {{rtu: {{kind: modbus, {body}}}}}\n")
    assert len(found) == 1
    assert message in found[0]
