"""ciplink with default settings: pycomm3's ways and its own, a core in Rust. It reads program tags by instance within
their program, holds each packet to the version of the tag table (class 0xAC), keeps what it uploaded in a file, and
asks devices for their ports."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.peers import optional
from tests.peers.conftest import Running, running
from tests.peers.logix_plant import LOGIX, MICRO800, node
from tests.peers.test_pycomm3 import RECIPE, TYPES

ciplink = optional.client("ciplink", "ciplink")

pytestmark = pytest.mark.net

PROGRAM: dict[str, Any] = {
    "P1": 99,
    "Local": RECIPE,
    "Local.r": 4.5,
    "Local.s": "local",
    "Local.ins[1].on": True,
    "List{10}": [float(index) for index in range(10)],
    "List[3]": -1.5,
}
MICROLOGIX = """\
farm: 1
name: micrologix
nodes:
  ml1400:
    kind: logix
    profile: 1766-L32BXB
    address: 127.64.231.61
    tags:
      N7: "INT[100]"
      F8: "REAL[10]"
      T4: "SLC_TIMER[8]"
      ST9: "SLC_STRING[5]"
      B3: "INT[16]"
      L10: "DINT[4]"
"""


@pytest.fixture(params=(*LOGIX, MICRO800))
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def plc(logix: Running, profile: str) -> Iterator[Any]:
    """A Micro800 is asked for its tags apart: ciplink asks while it opens, on a connection that it has not opened."""
    uploads = profile != MICRO800
    with ciplink.LogixDriver(logix.address(node(profile)), init_tags=uploads) as driver:
        if not uploads:
            driver.get_tag_list()
        yield driver


@pytest.mark.parametrize("tag", [tag for tag in TYPES if not tag.startswith("Bits")])
def test_writes_and_reads_back(plc: Any, tag: str) -> None:
    for value in TYPES[tag]:
        assert plc.write(tag, value).error is None
        read = plc.read(tag)
        assert (read.value, read.error) == (value, None)


@pytest.mark.parametrize("profile", LOGIX)
@pytest.mark.parametrize("tag", [tag for tag in TYPES if tag.startswith("Bits")])
def test_arrays_of_bits(plc: Any, tag: str) -> None:
    for value in TYPES[tag]:
        assert plc.write(tag, value).error is None
        assert plc.read(tag).value == value


@pytest.mark.parametrize("profile", LOGIX)
def test_uploads_tags_programs_and_structures(plc: Any, profile: str) -> None:
    assert plc.tags["Cube"]["dimensions"] == [2, 3, 4]
    assert plc.tags["U"]["data_type"]["attributes"] == list(RECIPE)
    assert plc.tags["Name"]["data_type_name"] == "STRING"
    assert plc.tags["Program:MainProgram.Local"]["data_type_name"] == "Recipe"
    assert [plc.tags[name]["external_access"] for name in ("Count", "Fixed", "Secret")] == [
        *("Read/Write", "Read Only", "None")
    ]
    assert set(plc.info["programs"]) == {"MainProgram", "Idle"}
    assert (plc.name, plc.info["name"]) == (node(profile), node(profile))


@pytest.mark.parametrize("profile", LOGIX)
@pytest.mark.parametrize("tag", PROGRAM)
def test_program_tags(plc: Any, tag: str) -> None:
    name = f"Program:MainProgram.{tag}"
    assert plc.write(name, PROGRAM[tag]).error is None
    assert plc.read(name).value == PROGRAM[tag]
    assert plc.read(name.lower()).value == PROGRAM[tag]


@pytest.mark.parametrize("profile", LOGIX)
def test_follows_the_version_of_the_tag_table(plc: Any) -> None:
    assert plc.check_tag_table() is False
    assert plc.read("U", "Name", "Program:MainProgram.P1", "Count")[0].error is None


def test_five_thousand_elements_in_fragments(plc: Any) -> None:
    values = [index * 7 - 3 for index in range(5000)]
    assert plc.write("Large{5000}", values).error is None
    assert plc.read("Large{5000}").value == values


def test_three_hundred_tags_at_once(plc: Any) -> None:
    tags = [f"Large[{index}]" for index in range(300)]
    assert [done.error for done in plc.write(*[(tag, index) for index, tag in enumerate(tags)])] == [None] * 300
    assert [read.value for read in plc.read(*tags)] == list(range(300))


def test_hears_what_may_not_be(plc: Any) -> None:
    for tag in ("Fixed", "Constant"):
        assert plc.write(tag, 1).error is not None
    for tag in ("Secret", "Nowhere", "Table[6]"):
        assert plc.read(tag).error is not None
    assert [read.error is None for read in plc.read("Count", "Nowhere", "Speed")] == [True, False, True]


@pytest.mark.parametrize("profile", LOGIX)
def test_hears_that_there_are_no_trends_and_goes_on(plc: Any) -> None:
    with pytest.raises(ciplink.ResponseError, match="class unsupported"):
        plc.trend("Count")
    assert plc.authenticate_metadata().error is not None
    assert plc.get_tag_description("Count").error is not None
    assert plc.read("Count").error is None


@pytest.mark.parametrize("profile", LOGIX)
def test_reads_and_sets_its_clock(plc: Any) -> None:
    moment = datetime.datetime(2031, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)
    assert plc.set_plc_time(int(moment.timestamp() * 1e6)).error is None
    assert plc.get_plc_time(tz=datetime.UTC).value["datetime"] - moment < datetime.timedelta(minutes=1)
    assert plc.set_plc_time().error is None


@pytest.mark.parametrize("profile", LOGIX)
def test_keeps_what_it_uploaded_in_a_file(logix: Running, profile: str, tmp_path: Path) -> None:
    cache = tmp_path / "tags"
    for kept in (False, True):
        assert cache.exists() is kept
        with ciplink.LogixDriver(logix.address(node(profile)), tag_cache_file=cache) as plc:
            assert plc.write("Program:MainProgram.P1", 5).error is None
            assert [read.error for read in plc.read("U.s", "UA{3}", "Program:MainProgram.P1")] == [None] * 3


def test_looks_tags_up_when_it_needs_them(logix: Running, profile: str) -> None:
    with ciplink.LogixDriver(logix.address(node(profile)), lazy_tags=True) as plc:
        assert plc.write("U.s", "salt").error is None
        read = plc.read("U.s", "UA[1].in", "Nowhere", "Count")
        assert [one.error is None for one in read] == [True, True, False, True]
        assert read[0].value == "salt"
        assert set(read[1].value) == {"x", "y", "on"}


def test_who_it_is_and_which_ports_it_has(logix: Running, profile: str) -> None:
    host = logix.address(node(profile))
    listed = ciplink.CIPDriver.list_identity(host)
    with ciplink.CIPDriver(host) as device:
        assert device.get_identity()["serial"] == listed["serial"]
        ports = {port["type_name"]: port for port in device.get_ports()}
        assert ports["EtherNet/IP"]["ip"] == host
        assert ("Backplane" in ports) == (profile != MICRO800)
        if profile != MICRO800:
            found = device.browse_port("", ports["Backplane"], nodes=["0"])
            assert found[0]["identity"]["serial"] == listed["serial"]


@pytest.fixture(scope="module")
def micrologix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    plant = tmp_path_factory.mktemp("micrologix") / "plant.yaml"
    plant.write_text(MICROLOGIX)
    yield from running(plant)


def test_data_files_of_a_micrologix(micrologix: Running) -> None:
    with ciplink.SLCDriver(micrologix.address("ml1400")) as plc:
        assert plc.get_processor_type() == "1766-LEC"
        assert plc.get_file_directory()["N7"] == {"elements": 100, "length": 200}
        for tag, value in (
            *(("N7:0", -32768), ("N7:1{10}", list(range(10))), ("N7:60/3", True), ("F8:1", 2.5), ("B3:0/5", True)),
            *(("T4:0.PRE", 500), ("T4:0.EN", True), ("ST9:1", "pump"), ("L10:2", 70000)),
        ):
            assert plc.write((tag, value)).error is None
            assert plc.read(tag).value == value
        assert plc.read("N99:0").error is not None
        assert plc.read("N7:0").value == -32768
