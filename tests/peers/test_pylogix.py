"""pylogix with default settings: it opens a large class 3 connection and learns each tag's type from a first read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pylogix import PLC

from tests.peers.conftest import Running
from tests.peers.enip_tags import SAMPLES, Sample

pytestmark = pytest.mark.net


@pytest.fixture
def plc(controller: Running) -> Iterator[PLC]:
    with PLC(controller.address("controller")) as client:
        yield client
    client.conn.msg_socket.close()  # made by pylogix, and never closed by it


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
def test_writes_and_reads_every_type(plc: PLC, sample: Sample) -> None:
    for value in (sample.one, sample.other):
        written = plc.Write(sample.name, value)
        assert written.Status == "Success"
        read = plc.Read(sample.name)
        assert (read.Status, read.Value) == ("Success", value)


def test_reads_and_writes_a_thousand_reals(plc: PLC) -> None:
    values = [index / 4 for index in range(1000)]
    written = plc.Write("BIG[0]", values)
    assert written.Status == "Success"
    read = plc.Read("BIG[0]", 1000)
    assert (read.Status, read.Value) == ("Success", values)


def test_reads_and_writes_elements_of_a_cube(plc: PLC) -> None:
    assert plc.Write("CUBE[1,2,3]", 123).Status == "Success"
    assert plc.Read("CUBE[1,2,3]").Value == 123
    assert plc.Read("CUBE[0,0,0]").Value == 0


def test_sets_and_reads_one_bit(plc: PLC) -> None:
    assert plc.Write("SCADA", 0).Status == "Success"
    assert plc.Write("SCADA.5", 1).Status == "Success"
    assert plc.Read("SCADA").Value == 32
    assert plc.Read("SCADA.5").Value is True


def test_reads_a_list_in_one_packet(plc: PLC) -> None:
    assert plc.Write([("I16", 5), ("I32", 6)])[1].Status == "Success"
    replies = plc.Read(["I16", "I32", "NOWHERE", "F32"])
    assert [reply.Value for reply in replies[:2]] == [5, 6]
    assert [reply.Status == "Success" for reply in replies] == [True, True, False, True]


def test_hears_that_a_tag_is_unknown_and_goes_on(plc: PLC) -> None:
    assert plc.Read("NOWHERE").Status == "Path segment error"
    assert plc.Read("SCADA").Status == "Success"


def test_asks_a_device_who_it_is(plc: PLC, controller: Running) -> None:
    device = plc.GetDeviceProperties().Value
    assert device.Vendor == "Rockwell Automation/Allen-Bradley"
    assert device.DeviceType == "Programmable Logic Controller"
