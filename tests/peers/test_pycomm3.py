"""pycomm3 with default settings: it uploads tags and templates, learns layouts, and reads by name or by instance."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from pycomm3 import CIPDriver, LogixDriver, Services

from tests.peers.conftest import Running
from tests.peers.logix_plant import LOGIX, MICRO800, node

pytestmark = pytest.mark.net

PROFILES = (*LOGIX, MICRO800)
INNER = {"x": 0, "y": 0, "on": False}
RECIPE: dict[str, Any] = {
    "d": 1,
    "b0": True,
    "b1": False,
    "s": "sugar",
    "arr": [1, -2, 3],
    "flags": [True, False] * 16,
    "in": {"x": 5, "y": -6, "on": True},
    "ins": [INNER, {"x": 1, "y": 2, "on": True}],
    "r": 1.5,
    "tiny": -8,
    "off": True,
    "l": -(2**40),
    "short": "exactly 20 letters ok"[:20],
}
TYPES = {
    "Flag": [True, False],
    "Tiny": [-128, 127],
    "Word": [-32768, 32767],
    "Count": [-(2**31), 2**31 - 1],
    "Long": [-(2**63), 2**63 - 1],
    "Speed": [1.5, -3.25],
    "Precise": [1e300, -2.5],
    "Name": ["Waterworks North", "x" * 82, ""],
    "Names[2]": ["third"],
    "Short": ["12345678901234567890"],
    "Table{6}": [[1, 2, 3, 4, 5, 6]],
    "Square[1,2]{3}": [[7, 8, 9]],
    "Cube[1,2,3]": [-1],
    "Bits[37]": [True, False],
    "Bits{96}": [[True, False, True] * 32],
    "Delay.PRE": [5000],
    "Delay.DN": [True],
    "Parts.ACC": [17],
    "U.b1": [True, False],
    "U.s": ["salt"],
    "U.in.x": [12],
    "U.ins[1].on": [True],
    "U.flags[7]": [True],
    "UA[2].arr[1]": [-7],
    "UA[1]": [RECIPE],
    "UA{3}": [[RECIPE, RECIPE, RECIPE]],
}


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def plc(logix: Running, profile: str) -> Iterator[LogixDriver]:
    with LogixDriver(logix.address(node(profile))) as driver:
        yield driver


def test_uploads_every_tag_with_its_type(plc: LogixDriver, profile: str) -> None:
    tags = plc.tags
    assert tags["Cube"]["dimensions"] == [2, 3, 4]
    assert tags["Cube"]["data_type_name"] == "DINT"
    assert tags["Bits"]["data_type_name"] == ("BOOL" if profile == MICRO800 else "DWORD")
    assert tags["U"]["data_type_name"] == "Recipe"
    assert tags["U"]["data_type"]["attributes"] == list(RECIPE)
    assert tags["Name"]["data_type_name"] == "STRING"
    assert tags["Short"]["data_type_name"] == "STR20"
    assert tags["Delay"]["data_type"]["attributes"] == ["PRE", "ACC", "EN", "TT", "DN"]
    if profile != MICRO800:
        shown = [tags[name]["external_access"] for name in ("Count", "Fixed", "Secret")]
        assert shown == ["Read/Write", "Read Only", "None"]
        assert tags["Program:MainProgram.Local"]["data_type_name"] == "Recipe"
        assert set(plc.info["programs"]) == {"MainProgram", "Idle"}
        assert [tags[name]["alias"] for name in ("Other", "Bit", "U")] == [True, True, False]


@pytest.mark.parametrize("tag", TYPES)
def test_writes_and_reads_back(plc: LogixDriver, tag: str, profile: str) -> None:
    if profile == MICRO800 and tag.startswith("Bits"):
        tag_values = {"Bits[37]": [True], "Bits{96}": [[True, False, True] * 32]}[tag]
    else:
        tag_values = TYPES[tag]
    for value in tag_values:
        written = plc.write(tag, value)
        assert written, written
        read = plc.read(tag)
        assert (read.value, read.error) == (value, None)


def test_reads_what_the_plant_says(plc: LogixDriver) -> None:
    assert plc.read("Name").value in ("ready", "", "Waterworks North")
    fixed, constant = plc.read("Fixed", "Constant")
    assert (fixed.value, constant.value) == (42, 2.5)


def test_writes_one_bit_and_leaves_the_others(plc: LogixDriver, profile: str) -> None:
    assert plc.write("Count", 0)
    assert plc.write("Count.3", True)
    assert plc.read("Count").value == 8
    if profile != MICRO800:  # where pycomm3 loses count of several bits
        assert all(plc.write(("Count.0", True), ("Count.3", False)))
        assert plc.read("Count", "Count.0", "Count.3")[0].value == 1


def test_five_thousand_elements_in_fragments(plc: LogixDriver) -> None:
    values = [index * 7 - 3 for index in range(5000)]
    assert plc.write("Large{5000}", values)
    assert plc.read("Large{5000}").value == values
    assert plc.read("Large[4990]{10}").value == values[4990:]


def test_a_hundred_tags_in_bundles(plc: LogixDriver) -> None:
    tags = [f"Large[{index}]" for index in range(300)]
    assert all(plc.write(*[(tag, index) for index, tag in enumerate(tags)]))
    assert [tag.value for tag in plc.read(*tags)] == list(range(300))


def test_hears_what_may_not_be(plc: LogixDriver) -> None:
    for tag in ("Fixed", "Constant"):
        assert not plc.write(tag, 1)
    assert not plc.read("Secret")
    assert not plc.read("Nowhere")
    assert not plc.read("Table[6]")
    assert plc.read("Count").error is None


def test_who_it_is_and_what_its_clock_says(plc: LogixDriver, profile: str) -> None:
    info = plc.get_plc_info()
    assert info["vendor"] == "Rockwell Automation/Allen-Bradley"
    if profile == MICRO800:
        return
    assert plc.get_plc_name() == node(profile)
    told = plc.get_plc_time().value["datetime"]
    assert abs(told - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)
    moment = datetime.datetime(2031, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)
    assert plc.set_plc_time(int(moment.timestamp() * 1e6))
    assert plc.get_plc_time().value["microseconds"] // 10_000_000 == int(moment.timestamp()) // 10
    assert plc.set_plc_time()


@pytest.mark.parametrize("profile", LOGIX)
def test_program_tags(plc: LogixDriver) -> None:
    for tag, value in (("P1", 99), ("Local", RECIPE), ("Local.r", 4.5), ("List{10}", [float(i) for i in range(10)])):
        assert plc.write(f"Program:MainProgram.{tag}", value)
        assert plc.read(f"Program:MainProgram.{tag}").value == value
    assert plc.write("U.arr{3}", [4, 5, 6])
    assert plc.read("Other{3}").value == [4, 5, 6]
    assert plc.write("Word", 8)
    assert plc.read("Bit").value is True


def test_generic_messages(logix: Running, profile: str) -> None:
    with CIPDriver(logix.address(node(profile))) as driver:
        for connected in (True, False):
            reply = driver.generic_message(
                Services.get_attribute_single, 0x01, 1, attribute=7, connected=connected, unconnected_send=False
            )
            assert reply.error is None
            assert reply.value[1:].decode() != ""
        refused = driver.generic_message(Services.get_attribute_single, 0x99, 1, attribute=1, connected=False)
        assert refused.error is not None
    identity = CIPDriver.list_identity(logix.address(node(profile)))
    assert identity is not None
    assert identity["ip_address"] == logix.address(node(profile))


@pytest.mark.parametrize("profile", ["1756-L83E"])
def test_module_in_a_slot(plc: LogixDriver) -> None:
    assert plc.get_module_info(0)["product_name"].startswith("1756-L83E")
