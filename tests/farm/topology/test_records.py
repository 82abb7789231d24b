"""Files, queues, server id and exception status of a unit, from the plant file to what a master is told."""

from pathlib import Path

import pytest

from node.config.check import problems
from node.config.load import dump, load
from node.config.model import ModbusConfig, RegisterBlock, UnitConfig
from node.config.schema import UNKNOWN_UNIT
from node.modbus.adu import encode_adu
from node.modbus_face import build_units
from node.tag_memory import build_tags
from tests.farm.topology.plants import headlines, node

BODY = (
    "kind: modbus, tags: {Recipe: {type: 'INT[4]', init: [1, 2, 3, 4]}, Alarms: 'DINT[2]', Name: STRING}, "
    "coils: {'00101-00108': [true, false, true, false, false, false, false, true]}"
)


def plant(more: str) -> str:
    return f"nodes: {{rtu: {{{BODY}, {more}}}}}\n"


def unit_of(folder: Path, more: str) -> UnitConfig:
    config = node(folder, plant(more))
    assert problems(config) == []
    assert config.modbus is not None
    return config.modbus.units[0]


def test_a_unit_has_them(tmp_path: Path) -> None:
    unit = unit_of(tmp_path, "files: {4: Recipe}, queues: {1000: Alarms}, server_id: PM710, exception_status: '00101'")
    assert unit.files == ((4, RegisterBlock("holding", 0, 4, "Recipe")),)
    assert unit.queues == ((1000, RegisterBlock("holding", 0, 4, "Alarms")),)
    assert (unit.server_id, unit.exception_status) == ("PM710", 100)


def test_a_node_has_them_beside_its_units(tmp_path: Path) -> None:
    body = "kind: modbus, tags: {Recipe: 'INT[4]'}, files: {4: Recipe}, units: {2: {holding: {'40001': 1}}}"
    config = node(tmp_path, f"nodes: {{rtu: {{{body}}}}}\n")
    assert config.modbus is not None
    assert [unit.unit_id for unit in config.modbus.units] == [1, 2]
    assert config.modbus.units[0].files == ((4, RegisterBlock("holding", 0, 4, "Recipe")),)


def test_units_of_units_have_them_too(tmp_path: Path) -> None:
    config = node(tmp_path, plant("units: {3..4: {files: {1: 'Recipe[1]'}, server_id: 'Valve${unit}'}}"))
    assert config.modbus is not None
    assert [(unit.unit_id, unit.server_id, len(unit.files)) for unit in config.modbus.units] == [
        (1, "", 0),
        (3, "Valve3", 1),
        (4, "Valve4", 1),
    ]
    assert load(dump(config), "rtu") == config


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("files: {0: Recipe}", "F013"),
        ("files: {1..3: Recipe}", "F012"),
        ("files: {4: Recipes}", "F062"),
        ("files: {4: Name}", "F062"),
        ("queues: {65536: Alarms}", "F013"),
        ("exception_status: '40001'", "F060"),
        ("modbus: {unknown_unit: quiet}", "F012"),
    ],
)
def test_what_they_cannot_be(tmp_path: Path, more: str, code: str) -> None:
    assert [line.rpartition("[")[2] for line in headlines(tmp_path, plant(more))] == [f"{code}]"]


@pytest.mark.parametrize(("word", "code"), UNKNOWN_UNIT.items())
def test_a_master_is_told(tmp_path: Path, word: str, code: int) -> None:
    more = f"files: {{4: Recipe}}, queues: {{7: Alarms}}, exception_status: '00101', modbus: {{unknown_unit: {word}}}"
    config = node(tmp_path, plant(more + ", units: {9: {}}"))
    assert isinstance(config.modbus, ModbusConfig)
    units = build_units(
        config.modbus, build_tags(config.tags, 0.0, {}), {tag.name.casefold(): tag for tag in config.tags}
    )

    def ask(unit: int, pdu: str) -> str:
        return units.answer(encode_adu(0, unit, bytes.fromhex(pdu)), 0.0)[7:].hex()

    assert ask(1, "14 07 06 0004 0001 0002") == "1406050600020003"
    assert ask(1, "18 0007") == "18000a0004" + "00" * 8
    assert ask(1, "07") == "0785"
    assert ask(1, "11") == "110901ff" + b"generic".hex()
    assert ask(5, "07") == (f"87{code:02x}" if code else "")


def test_a_template_for_a_unit_may_have_them(tmp_path: Path) -> None:
    text = "templates: {valve: {files: {1: Recipe}}}\n" + plant("units: {3: {use: valve}}")
    config = node(tmp_path, text)
    assert config.modbus is not None
    assert [len(unit.files) for unit in config.modbus.units] == [0, 1]
    wrong = "templates: {valve: {delay: 1s}}\n" + plant("units: {3: {use: valve}}")
    assert "a unit takes coils, discrete, input, holding, registers, files, queues" in headlines(tmp_path, wrong)[0]
