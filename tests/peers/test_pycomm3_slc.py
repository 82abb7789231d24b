"""pycomm3's SLCDriver with default settings against a MicroLogix 1100 and 1400 and an SLC 5/05: it asks for a large
connection, is refused, and opens a small one; its path names a slot, whatever the controller."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pycomm3 import CIPDriver, SLCDriver
from pycomm3.exceptions import RequestError

from tests.peers.conftest import Running, running

pytestmark = pytest.mark.net

PLANT = """\
farm: 1
name: pccc
defaults: {kind: logix}
nodes:
  ml1100: {profile: 1763-L16DWD, address: 127.64.231.51}
  ml1400:
    profile: 1766-L32BXB
    address: 127.64.231.52
    tags:
      N7: "INT[100]"
      F8: "REAL[10]"
      T4: "SLC_TIMER[8]"
      ST9: "SLC_STRING[5]"
      B3: "INT[16]"
      L10: "DINT[4]"
      A11: "INT[4]"
      N20: {type: "INT[4]", signal: {constant: {value: 7}}}
      N21: {type: "INT[4]", access: read only}
  slc505: {profile: 1747-L551, address: 127.64.231.53}
"""
NODES = {"ml1100": "1763-LEC", "ml1400": "1766-LEC", "slc505": "5/05"}
MISSING = "Illegal Command or Format, Address may not exist or not enough elements in data file"

WRITTEN = [
    ("N7:0", -32768),
    ("N7:1{10}", [3, -3, 32767, 4, 5, 6, 7, 8, 9, 10]),
    ("N7:20{40}", list(range(40))),
    ("F8:0", 1.5),
    ("F8:1{3}", [0.25, -1.0, 2.0**90]),
    ("B3:2", 0x1234),
    ("S:3", 99),
    ("O:0", 3),
    ("I:0", 0x55),
    ("I:0.3", 17),
    ("O:0.1", -1),
]
BITS = [
    "N7:60/3",
    "N7:60/15",
    "B3/48",
    "B3:3/7",
    "T4:0.DN",
    "T4:1.EN",
    "T4:1.TT",
    "C5:0.CU",
    "C5:0.UA",
    "I:0/2",
    "O:0/9",
]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One controller of each profile."""
    file = tmp_path_factory.mktemp("pccc") / "plant.yaml"
    file.write_text(PLANT)
    yield from running(file)


@pytest.fixture(params=NODES)
def plc(plant: Running, request: pytest.FixtureRequest) -> Iterator[SLCDriver]:
    with SLCDriver(plant.address(request.param)) as client:
        yield client


@pytest.fixture
def micrologix(plant: Running) -> Iterator[SLCDriver]:
    with SLCDriver(plant.address("ml1400")) as client:
        yield client


@pytest.mark.parametrize("node", NODES)
def test_learns_which_processor_it_is(plant: Running, node: str) -> None:
    identity = CIPDriver.list_identity(plant.address(node))
    with SLCDriver(plant.address(node)) as plc:
        assert plc.get_processor_type() == NODES[node]
    assert identity is not None
    assert identity["product_name"].startswith(plant.nodes[node]["profile"][:7])  # type: ignore[index]


@pytest.mark.parametrize(("address", "value"), WRITTEN, ids=[address for address, _ in WRITTEN])
def test_writes_and_reads_words(plc: SLCDriver, address: str, value: object) -> None:
    assert plc.write((address, value)).error is None
    read = plc.read(address)
    assert (read.value, read.error) == (value, None)


@pytest.mark.parametrize("address", BITS)
def test_writes_and_reads_bits(plc: SLCDriver, address: str) -> None:
    for value in (1, 0, 1):
        assert plc.write((address, value)).error is None
        assert plc.read(address).value is bool(value)


def test_bits_of_a_binary_file_are_counted_through_it(plc: SLCDriver) -> None:
    """It can count so by whole words only: it takes B3/17 for bit 0 of word 1."""
    assert plc.write(("B3:1", 1)).error is None
    assert plc.read("B3/16").value is True
    assert plc.read("B3:0").value == 0


def put(client: CIPDriver, digits: str) -> bytes:
    """A typed write, FNC AA, outside any connection, as other clients of such controllers send it; STS and TNS of what
    comes back."""
    requestor = bytes.fromhex("073df345435021")
    reply = client.generic_message(
        service=0x4B,
        class_code=0x67,
        instance=1,
        request_data=requestor + bytes.fromhex("0f000100aa" + digits),
        connected=False,
        unconnected_send=False,
    )
    assert reply.error is None
    assert reply.value[:8] == requestor + b"\x4f"
    return bytes(reply.value[8:])


def test_reads_the_words_of_timers_and_counters(plc: SLCDriver) -> None:
    """Its own writes of them go to the control word: it sends no sub-element."""
    for digits in ("0204860202 1100", "0205870301 f401", "0206880001 0a00"):
        assert put(plc, digits) == b"\0\1\0"
    read = plc.read("T4:2.ACC", "T4:2.PRE", "C5:3.PRE", "C5:3.ACC")
    assert [tag.value for tag in read] == [17, 0, 500, 0]
    assert put(plc, "0206880401 0a00") == b"\x10\1\0"


def test_writes_and_reads_texts(micrologix: SLCDriver) -> None:
    for text in ("hello", "even", "", "x" * 82):
        assert micrologix.write(("ST9:1", text)).error is None
        assert micrologix.read("ST9:1").value == text
    assert micrologix.write(("ST9:0", "first")).error is None
    assert micrologix.read("ST9:0{2}").value == ["first", "x" * 82]


def test_writes_and_reads_long_words_and_letters(micrologix: SLCDriver) -> None:
    assert micrologix.write(("L10:0", -(2**31))).error is None
    assert micrologix.write(("L10:1{3}", [1, 2**31 - 1, -1])).error is None
    assert micrologix.read("L10:0{4}").value == [-(2**31), 1, 2**31 - 1, -1]
    assert micrologix.write(("L10:1/2", 1)).error is None
    assert micrologix.read("L10:1").value == 5
    assert micrologix.write(("A11:0{2}", ["AB", "CD"])).error is None
    assert micrologix.read("A11:0{2}").value == ["AB", "CD"]


def test_a_data_file_is_a_tag(plant: Running, micrologix: SLCDriver) -> None:
    assert micrologix.write(("N7:70", 1234), ("ST9:4", "seen")) is not None
    rows = {row["name"]: row for row in json.loads(plant.farm("tags", "ml1400", "--json"))}
    assert rows["N7"]["value"][70] == 1234
    assert rows["ST9"]["value"][4] == "seen"
    assert {"O0", "I1", "S2", "C5", "R6"} <= set(rows)


@pytest.mark.parametrize("node", NODES)
def test_the_farm_s_own_verbs_speak_pccc(plant: Running, node: str) -> None:
    for tag, values, read in (
        ("N7[50-52]", ["1", "-2", "0x10"], "1\n-2\n16\n"),
        ("N7[53].7", ["true"], "true\n"),
        ("F8[5]", ["-3.25"], "-3.25\n"),
        ("T4[6].PRE", ["250"], "250\n"),
        ("T4[6].TT", ["true"], "true\n"),
        ("R6[1].POS", ["7"], "7\n"),
    ):
        assert plant.farm("write", node, tag, *values) == read
        assert plant.farm("read", node, tag) == read
    assert plant.farm("read", node, "S2[0-2]") == "0\n6\n0\n"
    rows = {row["name"]: row["address"] for row in json.loads(plant.farm("tags", node, "--json"))}
    assert (rows["T4"], rows["I1"]) == ("T4:0-7", "I:0-3")


def test_a_signal_moves_a_data_file(micrologix: SLCDriver) -> None:
    assert micrologix.read("N20:0{4}").value == [7, 7, 7, 7]


def test_lists_the_files(plc: SLCDriver, micrologix: SLCDriver) -> None:
    files = plc.get_file_directory()
    names = ["O0", "I1", "S2", "B3", "T4", "C5", "R6", "N7", "F8"]
    assert list(files)[:9] == names
    assert [files[name]["elements"] for name in names[:3]] == [4, 4, 66]
    there = micrologix.get_file_directory()
    assert {name: there[name]["elements"] for name in list(there)[7:]} == {
        "N7": 100,
        "F8": 10,
        "ST9": 5,
        "L10": 4,
        "A11": 4,
        "N20": 4,
        "N21": 4,
    }


@pytest.mark.parametrize("address", ["N7:250", "N7:60{60}", "N99:0", "F7:0", "T4:8.ACC", "ST9:5", "O:4"])
def test_hears_what_is_not_there_and_goes_on(micrologix: SLCDriver, address: str) -> None:
    read = micrologix.read(address)
    assert (read.value, read.error) == (None, MISSING)
    assert micrologix.read("N7:0").error is None


def test_hears_why_it_may_not(micrologix: SLCDriver) -> None:
    assert micrologix.read("N7:0{119}").error == "Error code in EXT STS Byte"
    assert micrologix.write(("N21:0", 1)).error == "Function not allows due to command protection selection"
    assert micrologix.read("N21:0").value == 0
    assert micrologix.get_datalog_queue(1, 0) == [None]
    with pytest.raises(RequestError):
        micrologix.read("R6:0.LEN")  # which this client does not know
