"""pylogix with default settings against every Logix profile, and with `Micro800=True` against that one."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from pylogix import PLC

from tests.peers.conftest import Running
from tests.peers.logix_plant import LOGIX, MICRO800, node

pytestmark = pytest.mark.net

VALUES = {
    "Flag": [True, False],
    "Tiny": [-128, 127],
    "Word": [-32768, 32767],
    "Count": [-(2**31), 2**31 - 1],
    "Long": [-(2**63), 2**63 - 1],
    "Speed": [1.5, -3.25],
    "Precise": [1e300, -2.5],
    "Name": ["Waterworks North", "x" * 82],
    "Names[2]": ["third"],
    "Table[5]": [6],
    "Square[1,2]": [7],
    "Cube[1,2,3]": [-1],
    "Count.7": [True, False],
    "Delay.PRE": [5000],
    "Delay.DN": [True, False],
    "U.d": [9],
    "U.b1": [True, False],
    "U.s": ["salt"],
    "U.in.x": [12],
    "U.ins[1].on": [True],
    "U.r": [2.5],
    "U.short.DATA[3]": [65],
    "UA[2].arr[1]": [-7],
}


@pytest.fixture(params=(*LOGIX, MICRO800))
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def plc(logix: Running, profile: str) -> Iterator[PLC]:
    with PLC(logix.address(node(profile))) as client:
        client.Micro800 = profile == MICRO800
        yield client
    client.conn.msg_socket.close()  # made by pylogix, and never closed by it


@pytest.mark.parametrize("tag", VALUES)
def test_writes_and_reads_back(plc: PLC, tag: str) -> None:
    for value in VALUES[tag]:
        assert plc.Write(tag, value).Status == "Success"
        read = plc.Read(tag)
        assert (read.Status, read.Value) == ("Success", value)


def test_bits_of_a_bool_array(plc: PLC) -> None:
    for index in range(90, 96):
        assert plc.Write(f"Bits[{index}]", False).Status == "Success"
    for index, value in ((37, True), (95, True), (37, False)):
        assert plc.Write(f"Bits[{index}]", value).Status == "Success"
        assert plc.Read(f"Bits[{index}]").Value is value
    assert plc.Read("Bits[90]", 6).Value == [False] * 5 + [True]


def test_five_thousand_elements_in_fragments(plc: PLC) -> None:
    values = [index * 3 for index in range(5000)]
    assert plc.Write("Large[0]", values).Status == "Success"
    read = plc.Read("Large[0]", 5000)
    assert (read.Status, read.Value) == ("Success", values)


def test_a_structure_as_bytes_and_back(plc: PLC) -> None:
    assert plc.Write("UA[0].d", 77).Status == "Success"
    whole = plc.Read("UA[0]")
    assert whole.Status == "Success"
    assert int.from_bytes(whole.Value[:4], "little") == 77


def test_lists_in_one_packet(plc: PLC, profile: str) -> None:
    if profile == MICRO800:  # which has no Multiple Service Packet: pylogix reads a list one by one, and writes none
        assert (plc.Write("Tiny", 5).Status, plc.Write("Count", 6).Status) == ("Success", "Success")
    else:
        assert [done.Status for done in plc.Write([("Tiny", 5), ("Count", 6)])] == ["Success", "Success"]
    replies = plc.Read(["Tiny", "Count", "Nowhere", "Speed"])
    assert [reply.Value for reply in replies[:2]] == [5, 6]
    assert [reply.Status == "Success" for reply in replies] == [True, True, False, True]


def test_what_may_not_be(plc: PLC) -> None:
    assert plc.Write("Fixed", 1).Status != "Success"
    assert plc.Write("Constant", 1.0).Status != "Success"
    assert plc.Read("Secret").Status != "Success"
    assert plc.Read("Nowhere").Status != "Success"
    assert plc.Read("Count").Status == "Success"


@pytest.mark.parametrize("profile", LOGIX)
def test_lists_tags_programs_and_structures(plc: PLC) -> None:
    listed = plc.GetTagList()
    assert listed.Status == "Success"
    tags = {tag.TagName: tag for tag in listed.Value}
    assert tags["Cube"].DataType == "DINT"
    assert (tags["Large"].Array, tags["Large"].Size) == (1, 5000)
    assert tags["U"].DataType == "Recipe"
    assert tags["Name"].DataType == "ASCIISTRING82"  # as real controllers call it
    assert tags["Program:MainProgram.P1"].DataType == "DINT"
    recipe = plc.UDTByName["Recipe"]
    assert [field.TagName for field in recipe.Fields if not field.Internal] == [
        *("d", "b0", "b1", "s", "arr", "flags", "in", "ins", "r", "tiny", "off", "l", "short")
    ]
    assert recipe.FieldsByName["in"].DataType == "Inner"
    assert sorted(plc.GetProgramsList().Value) == ["Program:Idle", "Program:MainProgram"]
    local = plc.GetProgramTagList("Program:MainProgram")
    assert {tag.TagName for tag in local.Value} == {f"Program:MainProgram.{name}" for name in ("P1", "Local", "List")}
    assert plc.Write("Program:MainProgram.P1", 12).Status == "Success"
    assert plc.Read("Program:MainProgram.P1").Value == 12


@pytest.mark.parametrize("profile", LOGIX)
def test_reads_and_sets_its_clock(plc: PLC) -> None:
    assert plc.SetPLCTime().Status == "Success"
    read = plc.GetPLCTime()
    assert read.Status == "Success"
    assert abs(read.Value - datetime.datetime.now()) < datetime.timedelta(days=1)


def test_who_it_is(plc: PLC, logix: Running, profile: str) -> None:
    device = plc.GetDeviceProperties().Value
    assert device.Vendor == "Rockwell Automation/Allen-Bradley"
    assert device.IPAddress == logix.address(node(profile))
    if profile != MICRO800:
        assert plc.GetModuleProperties(0).Value.ProductName == device.ProductName


def test_a_message_of_ones_own(plc: PLC) -> None:
    reply = plc.Message(0x0E, 0x01, 1, 7)
    assert reply.Status == "Success"
