"""`modbus_sim` with several units, profiles and faults: what is typed where, and what clients then find."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from node.cli.modbus import build_config, main, parser
from node.cli.modbus_units import Typed, build_unit, gathered, parse_units
from node.client.failure import NoAnswer
from node.client.modbus_aio import AsyncModbus
from node.config.device_map import device_map, mapped_profiles
from node.config.model import NodeConfig, RegisterBlock, UnitConfig
from node.errors import ConfigError
from node.modbus.functions import ModbusError
from node.modbus.ranges import NUMBERING, wire_address
from tests.cli.test_modbus_sim import HOST, running

pytestmark = pytest.mark.net


def typed(*arguments: str) -> dict[int, Typed]:
    """What is typed, by unit."""
    found = parser().parse_intermixed_args(list(arguments))
    return gathered(found.ranges, found.profile, found.unit)


def config(*arguments: str) -> NodeConfig:
    return build_config((), units=typed(*arguments))


def units(found: NodeConfig) -> dict[int, UnitConfig]:
    assert found.modbus is not None
    return {unit.unit_id: unit for unit in found.modbus.units}


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("40001=1 30001", {1: (["40001=1", "30001"], "")}),
        ("40001=1 --unit 2 40001=5 30001-30010=1", {1: (["40001=1"], ""), 2: (["40001=5", "30001-30010=1"], "")}),
        ("--unit=2 -v 40001 -d 0.1 --udp 40002", {2: (["40001", "40002"], "")}),
        ("--unit 2,4-5 40001", {2: (["40001"], ""), 4: (["40001"], ""), 5: (["40001"], "")}),
        ("--unit 2 40001 --unit 3 40002 --unit 2 40003", {2: (["40001", "40003"], ""), 3: (["40002"], "")}),
        ("--profile SDM630", {1: ([], "SDM630")}),
        ("--unit 3 --profile=SDM630 --unit 4 40001 --profile plain", {3: ([], "SDM630"), 4: (["40001"], "plain")}),
        ("-a :0 --unit 7 40001=1,2 --fault drop", {7: (["40001=1,2"], "")}),
    ],
)
def test_what_is_typed_behind_a_unit_is_its_own(arguments: str, wanted: dict[int, tuple[list[str], str]]) -> None:
    assert {unit: (one.ranges, one.profile) for unit, one in typed(*arguments.split()).items()} == wanted


def test_units_as_they_are_typed() -> None:
    assert parse_units("2") == [2]
    assert parse_units("0, 5 - 7,255") == [0, 5, 6, 7, 255]
    for text in ("", "x", "256", "3-2", "2-", "-1", "2,,3", "2,1-3", "²"):
        with pytest.raises(ConfigError):
            parse_units(text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "registers: none; type some, as 40001-40100=99, or --profile NAME"),
        (("--unit", "2"), "--unit 2: unit 2 has no registers; type some behind it"),
        (("40001", "--unit", "256", "40001"), "--unit 256: '256' is no unit; wanted 0 to 255"),
        (("--unit", "2", "40001", "--unit", "2-3", "400001"), "registers of unit 2: 40001 is given twice"),
        (("--unit", "2", "40001=x"), "registers of unit 2: 40001=x: 'x' is no whole number"),
        (("--profile", "SDM63"), "SDM63: is no file, and no profile with registers"),
        (("--profile", "plain", "--profile", "M340"), "--profile: unit 1 has plain and M340; wanted one"),
        (("--serial", "pty", "--unit", "0", "40001"), "modbus.units.0: a unit on a line is 1 to 247"),
        (("40001", "--fault", "slwo 1"), "fault 'slwo 1': there is no fault 'slwo'; did you mean slow?"),
        (("40001", "-a", f"{HOST}:0", "--fault", "freeze Level"), "fault 'freeze of Level': there is no tag 'Level'"),
    ],
)
def test_what_is_typed_wrong_is_one_line(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"modbus_sim: {said}")
    assert err.count("\n") == 1


def test_each_wrong_line_of_a_map_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "meter.csv"
    file.write_text("address,type,name\n40001,UNIT,A\n40002,INT,\n40003,INT,Good\n")
    assert main(["--profile", str(file)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"modbus_sim: {file}:2: type 'UNIT'")
    assert second == f"modbus_sim: {file}:3: no name"


def test_help_shows_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^  {re.escape(name)} ", shown, re.MULTILINE) for name in mapped_profiles())
    assert {"--unit", "--profile", "--fault"} <= set(re.findall(r"^  (--\w+)", shown, re.MULTILINE))


def test_units_have_memories_of_their_own() -> None:
    found = config("40001=1", "--unit", "2-3", "40001=5")
    assert [(tag.name, tag.initial) for tag in found.tags] == [
        ("holding_40001", (1,)),
        ("U2_holding_40001", (5,)),
        ("U3_holding_40001", (5,)),
    ]
    assert units(found)[3].blocks == (RegisterBlock("holding", 0, 1, "U3_holding_40001"),)


def test_a_profile_is_a_whole_device_and_says_who_it_is() -> None:
    found = config("--profile", "sdm630", "--unit", "2", "40001")
    profile, tags, blocks = device_map("SDM630")
    assert (found.profile, found.modbus and found.modbus.device_id) == ("SDM630", profile.device_id)
    assert (found.tags[: len(tags)], units(found)[1].blocks) == (tags, blocks)
    assert [tag.name for tag in found.tags[len(tags) :]] == ["U2_holding_40001"]


def test_every_profile_can_be_every_unit() -> None:
    for name in mapped_profiles():
        found = config("--profile", name, "--unit", "2,247", "--profile", name)
        assert len(units(found)[247].blocks) == len(units(found)[1].blocks) > 1


def test_typed_values_are_put_into_plain_rows_and_in_place_of_others(tmp_path: Path) -> None:
    file = tmp_path / "meter.csv"
    file.write_text(
        "address,type,name,scale,init,signal\n"
        "40001-40004,INT,Words,,7,\n"
        "40005,REAL,Level,,1.5,\n"
        "40007,INT,Scaled,0.1,,\n"
        "40008,UINT,Moving,,,ramp max=9\n"
        "00001-00004,BOOL,Bits,,true,\n"
    )
    found = config("--profile", str(file), "40002=0xFFFF", "40004-40006=3", "40007=4", "40008=5", "2=0", "40100=6")
    assert {tag.name: tag.initial for tag in found.tags} == {
        "Words": (7, -1, 7, 3),
        "Bits": (True, False, True, True),
        "holding_40005": (3, 3, 4, 5),
        "holding_40100": (6,),
    }
    assert sorted((block.start, block.count) for block in units(found)[1].blocks if block.table == "holding") == [
        (0, 4),
        (4, 4),
        (99, 1),
    ]


def test_a_map_alone_stays_as_it_is() -> None:
    _, tags, blocks = device_map("M340")
    assert build_unit(1, (), (tags, blocks)) == (tags, UnitConfig(1, blocks))


async def _read(port: int, unit: int, table: str, address: int, count: int = 1) -> list[int]:
    async with AsyncModbus(HOST, port, unit, timeout=5) as client:
        return await client.read_registers(table, address, count)


def test_clients_find_each_unit_and_no_other() -> None:
    with running("-a", f"{HOST}:0", "40001-40100=99", "--unit", "2", "40001=5", "30001-30010=1") as (_, ready):
        port = int(ready["port"])
        assert asyncio.run(_read(port, 1, "holding", 99)) == [99]
        assert asyncio.run(_read(port, 2, "holding", 0)) == [5]
        assert asyncio.run(_read(port, 2, "input", 0, 10)) == [1] * 10
        for unit, table, address, code in ((2, "holding", 1, 2), (1, "input", 0, 2), (3, "holding", 0, 11)):
            with pytest.raises(ModbusError) as caught:
                asyncio.run(_read(port, unit, table, address))
            assert caught.value.code == code


def test_faults_are_on_from_the_first_request() -> None:
    faults = ("--fault", "exception 6 every 2", "--fault", "slow 150ms")
    with running("-a", f"{HOST}:0", *faults, "40001=8") as (_, ready):
        port = int(ready["port"])

        async def scene() -> None:
            began = asyncio.get_running_loop().time()
            assert await _read(port, 1, "holding", 0) == [8]
            assert asyncio.get_running_loop().time() - began >= 0.149
            with pytest.raises(ModbusError, match="06"):
                await _read(port, 1, "holding", 0)
            assert await _read(port, 1, "holding", 0) == [8]

        asyncio.run(scene())


def test_a_simulator_may_end_connections_and_answer_another() -> None:
    with running("-a", f"{HOST}:0", "--fault", "close 1", "40001=8") as (_, ready):

        async def scene() -> None:
            async with AsyncModbus(HOST, int(ready["port"]), timeout=5) as client:
                assert await client.read_registers("holding", 0) == [8]
                with pytest.raises(NoAnswer, match="closed by the device"):
                    await client.read_registers("holding", 0)

        asyncio.run(scene())


TABLE = [
    (1, 9999, True),
    (10001, 19999, False),
    (100001, 165536, False),
    (30001, 39999, False),
    (300001, 365536, False),
    (40001, 99999, True),
    (400001, 465536, True),
]
"""The register ranges of the documentation of 2016: from, to, and whether clients write them; all are read."""


def test_every_row_of_the_table_is_served_from_its_first_register_to_its_last() -> None:
    assert [(row.first, row.last) for row in NUMBERING] == sorted(row[:2] for row in TABLE)
    five, six = [row for row in TABLE if row[1] < 100000], [row for row in TABLE if row[1] > 100000]

    async def look(port: int, rows: list[tuple[int, int, bool]], unit: int) -> None:
        async with AsyncModbus(HOST, port, unit, timeout=5) as client:
            for first, last, writable in rows:
                for number in (first, last):
                    table, address = wire_address(number)
                    bits = table in ("coils", "discrete")
                    read = client.read_bits if bits else client.read_registers
                    assert await read(table, address) == [1], number
                    if writable:
                        await (client.write_bits(address, [False]) if bits else client.write_registers(address, [7]))
                        assert await read(table, address) == [0 if bits else 7], number
                table, beyond = wire_address(last)
                if beyond < 0xFFFF:
                    with pytest.raises(ModbusError, match="02"):
                        await (client.read_bits if table in ("coils", "discrete") else client.read_registers)(
                            table, beyond + 1
                        )

    ranges = [f"{first}-{last}=1" for first, last, _ in five]
    more = [f"{first}-{last}=1" for first, last, _ in six]
    with running("-a", f"{HOST}:0", *ranges, "--unit", "2", *more) as (_, ready):
        asyncio.run(look(int(ready["port"]), five, 1))
        asyncio.run(look(int(ready["port"]), six, 2))
