"""Register maps of a plant: profiles, files beside it, blocks beside a map, and every fault at its own place."""

from pathlib import Path

import pytest

import farm.topology.register_maps
from farm.topology import Problem
from node.config.model import NodeConfig, RegisterBlock, TagConfig
from node.config.schema import problems as config_problems
from tests.farm.topology.plants import load, problems

METER = """# a meter
address,type,name,unit,scale,access,signal
40001,INT,Temperature,°C,0.1,read,noise mean=20
40002,REAL,Flow,l/h,,,
40010-40019,UINT,Spare
00001,BOOL,Run
"""


def node(folder: Path, body: str, kind: str = "modbus", meter: str = METER) -> NodeConfig:
    plant = load(folder, f"nodes: {{rtu: {{kind: {kind}, {body}}}}}\n", {"maps/meter.csv": meter})
    (found,) = plant.nodes
    assert config_problems(found) == []
    return found


def units(config: NodeConfig) -> dict[int, tuple[RegisterBlock, ...]]:
    assert config.modbus is not None
    return {unit.unit_id: unit.blocks for unit in config.modbus.units}


def spans(config: NodeConfig, unit: int = 1) -> list[tuple[str, str, int]]:
    """Tag, table and wire address of each block."""
    return [(block.tag, block.table, block.start) for block in units(config)[unit]]


WHOLE = [("Temperature", "holding", 0), ("Flow", "holding", 1), ("Spare", "holding", 9), ("Run", "coils", 0)]


def test_a_file_is_a_device(tmp_path: Path) -> None:
    config = node(tmp_path, "registers: maps/meter.csv, unit: 7")
    assert spans(config, 7) == WHOLE
    temperature, flow = config.tags[:2]
    assert (temperature.name, temperature.type, temperature.unit) == ("Temperature", "REAL", "°C")
    assert flow == TagConfig("Flow", "REAL", unit="l/h")
    assert units(config)[7][0] == RegisterBlock(
        "holding", 0, 1, "Temperature", access="read only", shown_as="INT", scale=0.1
    )


def test_the_order_is_the_profile_s_of_the_node_and_of_a_named_profile_its_own(tmp_path: Path) -> None:
    assert units(node(tmp_path, "profile: M340, registers: maps/meter.csv"))[1][1].order == "CDAB"
    plc = node(tmp_path, "profile: SDM120, registers: m340")
    assert (plc.profile, {block.order for block in units(plc)[1]}) == ("SDM120", {"CDAB"})
    assert plc.modbus is not None and plc.modbus.device_id[1] == (1, "SDM120")


def test_a_profile_brings_its_registers_when_the_file_says_nothing_of_them(tmp_path: Path) -> None:
    config = node(tmp_path, "profile: SDM630, unit: 3")
    assert spans(config, 3)[:2] == [("L1_Voltage", "input", 0), ("L2_Voltage", "input", 2)]
    assert node(tmp_path, "profile: generic").tags == ()


@pytest.mark.parametrize("body", ["holding: {'40001': 5}", "units: {2: {coils: {'00001': 1}}}", "units: {}"])
def test_a_node_with_registers_of_its_own_has_none_of_its_profile(tmp_path: Path, body: str) -> None:
    config = node(tmp_path, f"profile: SDM630, {body}")
    assert "L1_Voltage" not in {tag.name for tag in config.tags}


def test_blocks_beside_a_map_win_over_the_lines_they_touch(tmp_path: Path) -> None:
    config = node(tmp_path, "registers: maps/meter.csv, holding: {'40003': {name: Flow}, '40020': 7, '40005': 7}")
    assert spans(config) == [
        ("Flow", "holding", 2),
        ("HR40020", "holding", 19),
        ("HR40005", "holding", 4),
        *[row for row in WHOLE if row[0] != "Flow"],
    ]
    assert [tag.type for tag in config.tags if tag.name == "Flow"] == ["UINT"]


def test_units_have_maps_each_with_tags_of_its_own(tmp_path: Path) -> None:
    body = "units: {1..2: {registers: maps/meter.csv}, 3: {registers: SDM120, input: {'30001': {name: V, type: REAL}}}}"
    config = node(tmp_path, body)
    assert spans(config, 2) == [(f"U2_{name}", table, start) for name, table, start in WHOLE]
    assert spans(config, 3)[:2] == [("V", "input", 0), ("U3_Reserved2", "input", 2)]
    signals = [tag.signal for tag in config.tags if tag.name.endswith("_Temperature")]
    assert len(signals) == len({signal.seed for signal in signals if signal is not None}) == 2


def test_a_template_gives_units_their_map(tmp_path: Path) -> None:
    text = """
farm: 1
name: demo
templates: {meter: {registers: meter.csv}}
nodes: {a: {kind: modbus, units: {4: {use: meter}}}}
"""
    (found,) = load(tmp_path, text.lstrip(), {"meter.csv": METER}).nodes
    assert spans(found, 4)[0] == ("U4_Temperature", "holding", 0)


def test_a_gateway_shows_a_map_over_both_protocols(tmp_path: Path) -> None:
    config = node(tmp_path, "registers: plain", "gateway")
    assert [(tag.name, tag.packed) for tag in config.tags[:2]] == [("Coils", True), ("DiscreteInputs", True)]


def test_the_name_of_a_map_may_be_filled_in_and_taken_away(tmp_path: Path) -> None:
    text = """
farm: 1
name: demo
defaults: {registers: "maps/${model:-meter}.csv"}
groups: {m: {count: 2, kind: modbus}}
nodes: {m-2: {registers: null}}
"""
    first, second = load(tmp_path, text.lstrip(), {"maps/meter.csv": METER}).nodes
    assert spans(first) == WHOLE
    assert spans(second) == []


def test_chance_is_the_plant_s_unless_the_cell_has_its_own(tmp_path: Path) -> None:
    files = {"meter.csv": "address,type,name,signal\n40001,INT,A,noise\n40002,INT,B,noise seed=9\n"}
    text = "groups: {m: {count: 2, kind: modbus, registers: meter.csv}}\n"
    seeds = [
        [tag.signal.seed for tag in each.tags if tag.signal is not None]
        for plant in (load(tmp_path, text, files), load(tmp_path, f"seed: 5\n{text}", files))
        for each in plant.nodes
    ]
    assert {second for _, second in seeds} == {9}
    assert len({first for first, _ in seeds}) == 4


def test_where_values_come_from(tmp_path: Path) -> None:
    text = (
        "nodes: {a: {kind: modbus, registers: meter.csv, holding: {'40001': 1}}, b: {kind: modbus, profile: SDM120}}\n"
    )
    plant = load(tmp_path, text, {"meter.csv": METER})
    found = {path: str(place) for path, place in plant.origins["a"].items()}
    column = text.index("'40001'") + 1
    assert found["modbus.units.1.blocks.0"] == f"{tmp_path}/plant.yaml:3:{column}"
    assert found["modbus.units.1.blocks.1"] == found["tags.Flow"] == f"{tmp_path}/meter.csv:4:1"
    assert str(plant.origins["b"]["tags.Voltage"]) == "profile SDM120:4:1"


def test_a_changed_file_changes_the_nodes_that_use_it_alone(tmp_path: Path) -> None:
    text = "nodes: {a: {kind: modbus, registers: meter.csv}, b: {kind: modbus, profile: SDM120}}\n"
    before, after = (
        load(tmp_path, text, {"meter.csv": meter}).nodes for meter in (METER, METER.replace("0.1,read", "0.01,read"))
    )
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True]


def lines(found: list[Problem]) -> list[str]:
    return [f"{Path(each.file).name}:{each.line}:{each.column}: {each.message} [{each.code}]" for each in found]


def test_every_wrong_line_is_told_once_beside_the_plant_s_own_faults(tmp_path: Path) -> None:
    text = "nodes:\n  a: {kind: modbus, registers: m.csv}\n  b: {kind: modbus, registers: m.csv, holding: {'0': 1}}\n"
    bad = "address,type,name\n40001,INT,A\n40002,INT,a\n5,INT,B\n"
    found = problems(tmp_path, text, {"m.csv": bad})
    assert lines(found)[1:] == [
        "m.csv:3:1: name 'a' is that of line 2 [F073]",
        "m.csv:4:1: address '5' could be a register number or a wire address; "
        "write 40006 or holding@5 for wire address 5 [F073]",
    ]
    assert found[0].code == "F060"
    assert found[2].excerpt.splitlines()[0] == "    4 | 5,INT,B"


def test_a_tag_of_the_plant_and_one_of_a_map_cannot_have_one_name(tmp_path: Path) -> None:
    text = "nodes: {a: {kind: modbus, registers: m.csv, tags: {flow: REAL}}}\n"
    (found,) = problems(tmp_path, text, {"m.csv": METER})
    where = f"{tmp_path}/plant.yaml, line 3"
    assert lines([found]) == [f"m.csv:4:1: tag 'Flow' is there already ({where}) (in 'a') [F053]"]


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("../m.csv", "cannot read registers from '../m.csv'", "name a file below the plant's folder, without .."),
        ("/etc/passwd", "cannot read registers from '/etc/passwd'", "name a file below the plant's folder"),
        (".", "cannot read registers from '.'", "name a file below the plant's folder"),
        ("folder", "'folder' is not a regular file", "name a CSV file"),
        ('""', "cannot read registers from ''", "name a file below the plant's folder"),
        ("link.csv", "'link.csv' leads out of the plant's folder", ""),
        ("SDM63", "'SDM63' is no file, and no profile with registers", "did you mean 'SDM630'?"),
        ("generic", "'generic' is no file, and no profile with registers", "profiles: plain, M340"),
        ("none.csv", "'none.csv' is no file, and no profile with registers", "profiles: plain, M340"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, written: str, message: str, hint: str) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    (tmp_path / "m.csv").write_text(METER)
    (folder / "folder").mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "m.csv")
    (found,) = problems(folder, f"nodes: {{a: {{kind: modbus, registers: {written}}}}}\n")
    assert found.message == f"{message} (in 'a')"
    assert hint in found.hint
    assert (found.code, found.line, found.column) == ("F073", 3, 38)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 0, "is empty; wanted a first line such as address,type,name,unit,scale,access,signal"),
        (b"address,type,name\n40001,INT,\xe9\n", 2, "byte 0xE9 is not UTF-8 (in 'a')"),
    ],
)
def test_what_is_no_map(tmp_path: Path, content: bytes, line: int, message: str) -> None:
    (tmp_path / "m.csv").write_bytes(content)
    (found,) = problems(tmp_path, "nodes: {a: {kind: modbus, registers: m.csv}}\n")
    assert (Path(found.file).name, found.line, found.message) == ("m.csv", line, message)


def test_a_file_is_named_relative_to_the_one_that_names_it(tmp_path: Path) -> None:
    files = {"site/nodes.yaml": "nodes: {a: {kind: modbus, registers: m.csv}}\n", "site/m.csv": METER}
    (found,) = load(tmp_path, "include: site/nodes.yaml\n", files).nodes
    assert spans(found) == WHOLE


def test_registers_are_of_no_use_without_modbus(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "nodes: {a: {kind: logix, registers: SDM630}}\n")
    assert (found.code, found.message) == (
        "F038",
        "'registers' is of no use: kind logix speaks EtherNet/IP only (in 'a')",
    )


def test_what_maps_bring_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(farm.topology.register_maps, "MAX_WEIGHT", 1000)
    text = "groups: {{m: {{count: {}, kind: modbus, profile: SDM630}}}}\n"
    assert len(load(tmp_path, text.format(18)).nodes) == 18
    (found,) = problems(tmp_path, text.format(19))
    assert (found.code, found.hint) == ("F037", "make fewer nodes, or smaller ones")
