"""pymodbus at the devices of `topologies/meters.yaml`: registers where their lists have them, in whole runs, and values
in the order and scale that those say."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pymodbus.client import ModbusTcpClient

from tests.peers.conftest import Running

pytestmark = pytest.mark.net

FLOAT = ModbusTcpClient.DATATYPE.FLOAT32


@contextmanager
def client(meters: Running, name: str) -> Iterator[ModbusTcpClient]:
    with ModbusTcpClient(meters.address(name), port=meters.port(name, "modbus")) as made:
        yield made


def floats(registers: list[int], *at: int, order: str = "big") -> list[float]:
    """Values at places in a run of registers."""
    found = [ModbusTcpClient.convert_from_registers(registers[n : n + 2], FLOAT, word_order=order) for n in at]
    return [value for value in found if isinstance(value, float)]


@pytest.mark.parametrize(("name", "at"), [("mains", (0, 2, 4)), ("workshop", (0,))])
def test_an_eastron_meter_is_read_in_one_run_of_input_registers(
    meters: Running, name: str, at: tuple[int, ...]
) -> None:
    with client(meters, name) as modbus:
        run = modbus.read_input_registers(0, count=80).registers
        assert len(run) == 80
        assert all(225 < volts < 235 for volts in floats(run, *at))
        (hertz,) = floats(run, 70)
        assert 49.9 < hertz < 50.1
        assert modbus.read_input_registers(346, count=1).exception_code == 2
        assert modbus.read_holding_registers(0, count=1).exception_code == 2


@pytest.mark.parametrize(("name", "first"), [("feeder", 2999), ("feeder-0", 3000)])
def test_number_3000_of_a_power_meter_is_where_its_profile_says(meters: Running, name: str, first: int) -> None:
    with client(meters, name) as modbus:
        run = modbus.read_holding_registers(first, count=112).registers
        amperes, volts, kilowatts, hertz = floats(run, 0, 28, 60, 110)
        assert 4.7 < amperes < 11.3 and 225 < volts < 235 and 3.1 < kilowatts < 7.4 and 49.9 < hertz < 50.1
        assert modbus.read_holding_registers(first - 1, count=1).exception_code == 2
        name_at = first - 3000 + 30
        text = b"".join(word.to_bytes(2, "big") for word in modbus.read_holding_registers(name_at, count=60).registers)
        assert [text[n : n + 40].rstrip(b"\0") for n in (0, 40, 80)] == [b"Feeder 1", b"PM5560", b"Schneider Electric"]
        assert modbus.write_register(first, 1).exception_code == 2


def test_a_controller_has_the_low_word_first_and_no_input_registers(meters: Running) -> None:
    with client(meters, "plc") as modbus:
        level, flow = floats(modbus.read_holding_registers(4, count=4).registers, 0, 2, order="little")
        assert 20 <= level <= 80 and 38 < flow < 46
        assert not modbus.write_registers(1000, [1, 2, 3]).isError()
        assert modbus.read_holding_registers(1000, count=3).registers == [1, 2, 3]
        assert not modbus.write_coil(255, True).isError()
        assert modbus.read_input_registers(0, count=1).exception_code == 2


def test_a_plain_device_is_a_hundred_of_each_table(meters: Running) -> None:
    with client(meters, "scratch") as modbus:
        for read in (modbus.read_holding_registers, modbus.read_input_registers):
            assert read(0, count=100).registers == [0] * 100
            assert read(1, count=100).exception_code == 2
        for bits in (modbus.read_coils, modbus.read_discrete_inputs):
            assert bits(0, count=100).bits[:100] == [False] * 100


def test_a_device_out_of_a_table(meters: Running) -> None:
    with client(meters, "boiler") as modbus:
        flow, back, litres, *volume = modbus.read_input_registers(0, count=5).registers
        assert 620 <= flow <= 710 and 440 <= back <= 490 and 800 < litres < 880
        assert 1_873_400 <= volume[0] << 16 | volume[1] < 1_874_000
        serial = modbus.read_holding_registers(0, count=8).registers
        assert b"".join(word.to_bytes(2, "big") for word in serial) == b"HM-20-00471\0\0\0\0\0"
        assert modbus.write_register(100, 0).exception_code == 4
        assert not modbus.write_register(100, 3600).isError()
        assert modbus.read_holding_registers(100, count=1).registers == [3600]
        assert modbus.read_discrete_inputs(0, count=2).bits[:2] == [True, False]


def test_farm_reads_and_lists_what_a_map_makes(meters: Running) -> None:
    listed = [line.split() for line in meters.farm("tags", "boiler").splitlines()]
    assert listed[0] == ["NODE", "TAG", "TYPE", "VALUE", "UNIT", "ADDRESS"]
    rows = {cells[1]: cells for cells in listed}
    assert rows["FlowTemperature"][4:] == ["°C", "30001"]
    assert rows["Serial"] == ["boiler", "Serial", "STRING", '"HM-20-00471"', "40001-40008"]
    assert 62 <= float(meters.farm("read", "boiler", "FlowTemperature")) <= 71
    assert 1873.4 <= float(meters.farm("read", "cellar", "U20_Volume")) < 1874
    assert meters.farm("write", "cellar", "CellarInterval", "45").strip() == "45"
