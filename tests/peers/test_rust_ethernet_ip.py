"""rust-ethernet-ip with default settings: without a connection, each request in an Unconnected Send of its own, types
learnt from what is read, numbers in Multiple Service Packets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.peers import optional
from tests.peers.conftest import Running
from tests.peers.logix_plant import LOGIX, MICRO800, node

rust = optional.client("rust_ethernet_ip", "rust-ethernet-ip")

pytestmark = pytest.mark.net

ENIP = 44818
VALUES: dict[str, tuple[str, list[Any]]] = {
    "Flag": ("BOOL", [True, False]),
    "Tiny": ("SINT", [-128, 127]),
    "Word": ("INT", [-32768, 32767]),
    "Count": ("DINT", [-(2**31), 2**31 - 1]),
    "Long": ("LINT", [-(2**63), 2**63 - 1]),
    "Speed": ("REAL", [1.5, -3.25]),
    "Precise": ("LREAL", [1e300, -2.5]),
    "Name": ("STRING", ["Waterworks North", "x" * 82, ""]),
    "Bits[37]": ("BOOL", [True, False]),
    "Bits[95]": ("BOOL", [True, False]),
    "Table[5]": ("DINT", [6]),
    "Square[1,2]": ("INT", [7]),
    "Cube[1,2,3]": ("DINT", [-1]),
    "Count.7": ("BOOL", [True, False]),
    "Delay.PRE": ("DINT", [5000]),
    "Delay.DN": ("BOOL", [True, False]),
    "U.d": ("DINT", [9]),
    "U.b1": ("BOOL", [True, False]),
    "U.s": ("STRING", ["salt", ""]),
    "U.in.x": ("INT", [12]),
    "U.ins[1].on": ("BOOL", [True, False]),
    "U.flags[3]": ("BOOL", [True, False]),
    "U.r": ("REAL", [2.5]),
    "UA[2].arr[1]": ("INT", [-7]),
}
PROGRAM = {
    "Program:MainProgram.P1": ("DINT", 12),
    "Program:MainProgram.List[2]": ("REAL", 1.5),
    "Program:MainProgram.Local.r": ("REAL", 4.5),
    "Program:MainProgram.Local.s": ("STRING", "local"),
}


@pytest.fixture(params=(*LOGIX, MICRO800))
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def plc(logix: Running, profile: str) -> Iterator[Any]:
    with rust.Client(f"{logix.address(node(profile))}:{ENIP}") as client:
        yield client


@pytest.mark.parametrize("tag", VALUES)
def test_writes_and_reads_back(plc: Any, tag: str) -> None:
    kind, values = VALUES[tag]
    for value in values:
        plc.write_tag(tag, value, value_type=kind)
        assert plc.read_tag(tag) == value


@pytest.mark.parametrize("profile", LOGIX)
def test_program_tags(plc: Any) -> None:
    for tag, (kind, value) in PROGRAM.items():
        plc.write_tag(tag, value, value_type=kind)
        assert plc.read_tag(tag) == value


def test_leaves_the_other_bits_of_an_array(plc: Any) -> None:
    for index, value in ((36, False), (37, True), (38, False), (69, True)):
        plc.write_tag(f"Bits[{index}]", value, value_type="BOOL")
    assert [plc.read_tag(f"Bits[{index}]") for index in (36, 37, 38, 69)] == [False, True, False, True]


def test_reads_structures_as_their_bytes(plc: Any) -> None:
    plc.write_tag("UA[1].d", 77, value_type="DINT")
    raw = bytes(plc.read_tag("UA[1]")["data"])
    assert raw[2:6] == (77).to_bytes(4, "little")  # behind the handle of the structure


@pytest.mark.parametrize("profile", LOGIX)  # a Micro800 has no Multiple Service Packet
def test_lists_of_tags(plc: Any) -> None:
    items = [rust.BatchWriteItem(tag, VALUES[tag][1][0], VALUES[tag][0]) for tag in ("Tiny", "Word", "Count", "Speed")]
    assert all(result.success for result in plc.write_tags(items).values())
    assert plc.read_tags([item.tag_name for item in items]) == {item.tag_name: item.value for item in items}


@pytest.mark.parametrize("profile", LOGIX)  # a Micro800 has no Multiple Service Packet
def test_sixty_elements(plc: Any) -> None:
    items = [rust.BatchWriteItem(f"Large[{index}]", index * 3, "DINT") for index in range(60)]
    assert all(result.success for result in plc.write_tags(items).values())
    assert plc.read_tags([item.tag_name for item in items]) == {item.tag_name: item.value for item in items}


def test_hears_what_may_not_be_and_goes_on(plc: Any) -> None:
    for tag, value, kind in (("Fixed", 1, "DINT"), ("Constant", 1.0, "REAL"), ("Nowhere", 1, "DINT")):
        with pytest.raises(rust.PlcOperationError):
            plc.write_tag(tag, value, value_type=kind)
    for tag in ("Secret", "Nowhere", "Table[6]"):
        with pytest.raises(rust.PlcOperationError):
            plc.read_tag(tag)
    assert (plc.read_tag("Fixed"), plc.read_tag("Constant")) == (42, 2.5)
    assert plc.check_health()


@pytest.mark.parametrize("profile", LOGIX)
def test_goes_by_the_backplane(logix: Running, profile: str) -> None:
    path = rust.RoutePath(slots=[0])
    with rust.Client(f"{logix.address(node(profile))}:{ENIP}", route_path=path) as client:
        client.write_tag("Count", 4711)
        assert client.read_tag("Count") == 4711
