"""pysunspec2, of those who write the SunSpec models: finds the models of inverters and meters, and reads points by name
and in their units."""

import time
from typing import Any

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP
from sunspec2.modbus.modbus import ModbusClientException

from tests.peers.conftest import Running

pytestmark = pytest.mark.net

DEVICES = {"roof-1": (1, 103), "roof-2": (1, 113), "grid": (1, 203)}
"""Node to its models."""


def scanned(meters: Running, name: str) -> Any:
    """The device, with all its models read."""
    device = SunSpecModbusClientDeviceTCP(1, meters.address(name), meters.port(name, "modbus"), timeout=10)
    device.scan()
    device.close()
    return device


@pytest.mark.parametrize("name", DEVICES)
def test_the_models_are_found_at_40000_to_their_end(meters: Running, name: str) -> None:
    device = scanned(meters, name)
    assert device.base_addr == 40000
    assert tuple(model.model_id for model in device.model_list) == DEVICES[name]
    assert [model.error_info for model in device.model_list] == [""] * len(device.model_list)
    assert [(model.model_addr, model.model_len) for model in device.model_list[:2]] == [
        (40002, 66),
        (40070, device.model_list[1].points["L"].value),
    ]


@pytest.mark.parametrize(
    ("name", "model", "serial"),
    [
        ("roof-1", "Inverter 10", "SIM-I-0001"),
        ("roof-2", "Inverter 10F", "SIM-F-0001"),
        ("grid", "Meter 3", "SIM-M-0001"),
    ],
)
def test_the_common_model_says_who_it_is(meters: Running, name: str, model: str, serial: str) -> None:
    common = scanned(meters, name).models[1][0]
    assert [common.points[point].value for point in ("Mn", "Md", "Vr", "SN", "DA")] == [
        "plcfarm",
        model,
        "1.0",
        serial,
        1,
    ]
    assert common.points["Opt"].value is None


def values(model: Any) -> dict[str, float | None]:
    """Point to its value, in its unit."""
    return {name: point.cvalue for name, point in model.points.items()}


@pytest.mark.parametrize(("name", "model"), [("roof-1", 103), ("roof-2", 113)])
def test_an_inverter_is_believable(meters: Running, name: str, model: int) -> None:
    found = values(scanned(meters, name).models[model][0])
    inside = {
        "A": (14, 39),
        "PhVphA": (225, 235),
        "PPVphAB": (393, 404),
        "W": (3490, 8510),
        "Hz": (49.9, 50.1),
        "VAr": (400, 1300),
        "PF": (98, 100),
        "DCV": (610, 630),
        "DCW": (3500, 8900),
        "TmpCab": (34, 48),
    }
    assert {
        point: found[point] for point, (low, high) in inside.items() if not low <= (found[point] or 0) <= high
    } == {}
    assert (found["W"] or 0) / (found["A"] or 1) / 230 == pytest.approx(0.99, abs=0.02)
    assert found["St"] == 4 and found["Evt1"] == 0 and (found["WH"] or 0) > 180_000
    assert [found[point] for point in ("TmpSnk", "TmpTrns", "StVnd", "EvtVnd1", "EvtVnd4")] == [None] * 5


def test_a_meter_is_believable(meters: Running) -> None:
    found = values(scanned(meters, "grid").models[203][0])
    phases = [found[f"W{phase}"] or 0 for phase in ("phA", "phB", "phC")]
    assert sum(phases) == pytest.approx(found["W"] or 0, abs=2)
    assert 3100 < sum(phases) < 7400
    for phase in "ABC":
        assert 225 < (found[f"PhVph{phase}"] or 0) < 235 and 4 < (found[f"Aph{phase}"] or 0) < 12.2
    assert 90 < (found["PF"] or 0) < 100 and 49.9 < (found["Hz"] or 0) < 50.1
    imported = [found[f"TotWhImpPh{phase}"] or 0 for phase in "ABC"]
    assert sum(imported) == pytest.approx(found["TotWhImp"] or 0, abs=10)
    assert [found[point] for point in ("TotVAhExp", "TotVAh_SF", "TotVArh_SF")] == [None] * 3


def test_values_move_between_two_reads(meters: Running) -> None:
    device = SunSpecModbusClientDeviceTCP(1, meters.address("roof-1"), meters.port("roof-1", "modbus"), timeout=10)
    device.scan()
    model = device.models[103][0]
    seen = set()
    for _ in range(40):
        model.read()
        seen.add((model.PhVphA.cvalue, model.PPVphBC.cvalue, model.DCV.cvalue))
        if len(seen) > 1:
            break
        time.sleep(0.1)
    device.close()
    assert len(seen) > 1


def test_what_a_device_lets_nobody_write_is_refused_and_its_address_taken(meters: Running) -> None:
    device = SunSpecModbusClientDeviceTCP(1, meters.address("grid"), meters.port("grid", "modbus"), timeout=10)
    device.scan()
    common, meter = device.models[1][0], device.models[203][0]
    common.points["DA"].value = 7
    common.points["DA"].write()
    common.read()
    assert common.points["DA"].value == 7
    common.points["DA"].value = 1
    common.points["DA"].write()
    with pytest.raises(ModbusClientException, match="exception: 2"):
        device.write(meter.model_addr + 2, b"\x00\x01")
    device.close()
