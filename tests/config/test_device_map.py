"""Devices out of profiles and files: that a node can be made of each, and that what they say fits together."""

import math
import re
from pathlib import Path

import pytest

from node.config.device_map import device_map, mapped_profile, mapped_profiles, profile_map
from node.config.model import ModbusConfig, NodeConfig, SignalConfig, TagConfig, UnitConfig
from node.config.register_map import RegisterMapError
from node.config.schema import problems
from node.errors import ConfigError
from node.objects.profiles import MODBUS_PROFILES
from node.signals.waveform import waveform

SUNSPEC = {"sunspec-inverter": (1, 103), "sunspec-inverter-float": (1, 113), "sunspec-meter": (1, 203)}

NOW = 125.25
"""Seconds after a start, at which values are looked at."""


def tags(name: str) -> dict[str, TagConfig]:
    return {tag.name: tag for tag in device_map(name)[1]}


def value(tag: TagConfig, now: float = NOW) -> float:
    """What a tag says."""
    if tag.signal is None:
        assert isinstance(tag.initial, int | float)
        return tag.initial
    return waveform(tag.signal.kind, dict(tag.signal.parameters), tag.signal.seed)(now)


@pytest.mark.parametrize("name", mapped_profiles())
def test_a_node_can_be_made_of_every_profile(name: str) -> None:
    profile, found, blocks = device_map(name)
    assert profile.name == name and profile_map(profile).problems == ()
    modbus = ModbusConfig(502, (UnitConfig(1, blocks),), profile.device_id)
    assert problems(NodeConfig(name, "modbus", name, "", found, modbus=modbus)) == []
    assert {block.order for block in blocks} == {profile.order}


def test_every_profile_but_the_generic_one_has_registers_and_says_who_it_is() -> None:
    assert set(MODBUS_PROFILES) - set(mapped_profiles()) == {"generic"}
    for profile in MODBUS_PROFILES.values():
        assert [number for number, text in profile.device_id if text] == [0, 1, 2]


def test_a_name_is_known_in_any_case() -> None:
    assert device_map("sdm630") == device_map("SDM630") == device_map(" SDM630 ")


@pytest.mark.parametrize("name", SUNSPEC)
def test_models_lie_one_behind_the_other_without_a_hole(name: str) -> None:
    _, _, blocks = device_map(name)
    at = {block.tag: block.start for block in blocks}
    ends = [block.start + block.count for block in blocks]
    assert (blocks[0].start, [block.start for block in blocks[1:]]) == (40000, ends[:-1])
    found, place = tags(name), 40002
    assert found["SunS"].initial == "SunS"
    for model in SUNSPEC[name]:
        assert (at[f"M{model}_ID"], found[f"M{model}_ID"].initial) == (place, model)
        length = found[f"M{model}_L"].initial
        assert isinstance(length, int)
        place += 2 + length
    assert (at["End_ID"], found["End_ID"].initial, found["End_L"].initial, ends[-1]) == (place, 0xFFFF, 0, place + 2)


@pytest.mark.parametrize("name", ["sunspec-inverter", "sunspec-meter"])
def test_the_scale_factors_are_those_of_the_registers(name: str) -> None:
    _, found, blocks = device_map(name)
    factors = {tag.name: tag.initial for tag in found if tag.name.endswith("_SF")}
    scales = {block.tag: block.scale for block in blocks}
    assert {scales[point] for point in factors} == {1.0}
    groups = {
        "A_SF": r"A|Aph[ABC]",
        "V_SF": r"PPV|P+Vph[ABC]{2}|PhV(ph[ABC]+)?",
        "W_SF": r"W|Wph[ABC]",
        "PF_SF": r"PF|PFph[ABC]",
    }
    groups |= {
        "Hz_SF": "Hz",
        "DCA_SF": "DCA",
        "DCV_SF": "DCV",
        "Tmp_SF": "TmpCab",
        "TotWh_SF": r"TotWh(Exp|Imp)(Ph[ABC])?",
    }
    for factor, points in groups.items():
        power = factors.get(factor)
        for point in (tag.name for tag in found if power is not None and re.fullmatch(points, tag.name)):
            assert isinstance(power, int) and scales[point] == pytest.approx(10.0**power), point


def test_what_an_inverter_has_not_says_so() -> None:
    assert [tags("sunspec-inverter")[name].initial for name in ("TmpSnk", "StVnd", "EvtVnd1")] == [
        -0x8000,
        0xFFFF,
        0xFFFFFFFF,
    ]
    meter = tags("sunspec-meter")
    assert [meter[name].initial for name in ("TotVAhExp", "TotVAh_SF", "TotVArhImpQ1PhB")] == [0, -0x8000, 0]
    assert tags("sunspec-inverter-float")["TmpSnk"].initial == 0x7FC00000


@pytest.mark.parametrize(
    ("name", "volts", "amperes", "watts", "unit"),
    [
        ("SDM120", "Voltage", "Current", "Power", 1),
        ("SDM630", "L2_Voltage", "L2_Current", "L2_Power", 1),
        ("PM5560", "VoltageBN", "CurrentB", "ActivePowerB", 1000),
        ("sunspec-meter", "PhVphB", "AphB", "WphB", 1),
        ("sunspec-inverter", "DCV", "DCA", "DCW", 1),
        ("sunspec-inverter-float", "DCV", "DCA", "DCW", 1),
    ],
)
@pytest.mark.parametrize("now", [0.0, NOW, 40_000.0])
def test_power_is_what_voltage_and_current_make(
    name: str, volts: str, amperes: str, watts: str, unit: float, now: float
) -> None:
    found = tags(name)
    apparent = value(found[volts], now) * value(found[amperes], now)
    assert 0.93 * apparent < unit * value(found[watts], now) < 1.01 * apparent


@pytest.mark.parametrize(
    ("name", "total", "parts"),
    [
        ("SDM630", "TotalPower", ("L1_Power", "L2_Power", "L3_Power")),
        ("SDM630", "SumOfCurrents", ("L1_Current", "L2_Current", "L3_Current")),
        ("PM5560", "ActivePowerTotal", ("ActivePowerA", "ActivePowerB", "ActivePowerC")),
        ("sunspec-inverter", "A", ("AphA", "AphB", "AphC")),
        ("sunspec-meter", "W", ("WphA", "WphB", "WphC")),
        ("sunspec-meter", "VAR", ("VARphA", "VARphB", "VARphC")),
    ],
)
def test_a_total_is_the_sum_of_its_phases(name: str, total: str, parts: tuple[str, ...]) -> None:
    found = tags(name)
    assert value(found[total]) == pytest.approx(sum(value(found[part]) for part in parts), rel=1e-4)


@pytest.mark.parametrize(
    ("name", "energy", "power", "unit"),
    [
        ("SDM120", "ImportEnergy", "Power", 3.6e6),
        ("SDM630", "ImportEnergy", "TotalPower", 3.6e6),
        ("PM5560", "ActiveEnergyDelivered", "ActivePowerTotal", 3600),
        ("sunspec-inverter", "WH", "W", 3600),
        ("sunspec-inverter-float", "WH", "W", 3600),
        ("sunspec-meter", "TotWhImp", "W", 3600),
    ],
)
def test_energy_counts_up_as_the_mean_power_asks(name: str, energy: str, power: str, unit: float) -> None:
    found = tags(name)
    turn = dict(found[power].signal.parameters)["period"] if found[power].signal is not None else math.nan
    mean = sum(value(found[power], turn * at / 8) for at in range(8)) / 8
    gained = value(found[energy], 100 * turn) - value(found[energy], 0.0)
    assert gained == pytest.approx(mean * 100 * turn / unit, rel=0.01)


def test_no_two_voltages_have_the_same_noise() -> None:
    seeds = [
        tag.signal.seed for tag in device_map("SDM630")[1] if tag.signal is not None and tag.signal.kind == "noise"
    ]
    assert len(seeds) > 5 and len(set(seeds)) == len(seeds) and 0 not in seeds


def test_the_other_way_of_counting_is_one_further_on() -> None:
    here, there = (device_map(name) for name in ("PM5560", "PM5560-base0"))
    assert here[1] == there[1]
    assert {block.tag: block.start + 1 for block in here[2]} == {block.tag: block.start for block in there[2]}
    assert {block.tag: block.start for block in here[2]}["CurrentA"] == 2999


def test_a_file_is_a_generic_device(tmp_path: Path) -> None:
    file = tmp_path / "meter.csv"
    file.write_text("\ufeffaddress,type,name,signal\n40001,INT,A,noise seed=5\n40002,INT,B,noise\n")
    profile, found, blocks = device_map(str(file))
    assert profile is MODBUS_PROFILES["generic"]
    assert found[0] == TagConfig("A", "INT", signal=SignalConfig("noise", seed=5))
    assert found[1].signal is not None and found[1].signal.seed not in (0, 5)
    assert [(block.tag, block.start) for block in blocks] == [("A", 0), ("B", 1)]


def test_a_wrong_file_is_told_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "meter.csv"
    file.write_text("address,type,name\n40001,INT,A\n5,INT,B\n40001,INT,C\n")
    with pytest.raises(RegisterMapError) as caught:
        device_map(str(file))
    assert str(caught.value).splitlines() == [
        f"{file}:3: address '5' could be a register number or a wire address; "
        "write 40006 or holding@5 for wire address 5",
        f"{file}:4: holding 40001 is in line 2 already",
    ]


def test_what_is_neither(tmp_path: Path) -> None:
    def said(text: str) -> str:
        with pytest.raises(ConfigError) as caught:
            device_map(text)
        return str(caught.value)

    assert said("SDM63") == (
        "SDM63: is no file, and no profile with registers; profiles: plain, M340, PM5560, PM5560-base0, SDM120, "
        "SDM630, sunspec-inverter, sunspec-inverter-float, sunspec-meter; did you mean SDM630?"
    )
    assert said(f"{tmp_path}/meter.csv") == f"{tmp_path}/meter.csv: there is no such file"
    assert said(str(tmp_path)) == f"{tmp_path}: is not a regular file; wanted a register map as CSV"
    (tmp_path / "latin.csv").write_bytes(b"address,type,name\n40001,INT,\xe9\n")
    assert said(f"{tmp_path}/latin.csv") == f"{tmp_path}/latin.csv:2: byte 0xE9 is not UTF-8; save the file as UTF-8"
    assert mapped_profile("generic") is None
