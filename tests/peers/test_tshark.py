"""Wireshark's dissectors read everything that the clients of this folder and their nodes said to each other.

It comes last, by its name: whatever ran before it is in the capture, and a conversation of its own in any case, which
is what it counts when it runs alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pylogix import PLC
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

from tests.peers.capture import Capture, dissect
from tests.peers.conftest import Running
from tests.peers.enip_tags import SAMPLES
from tests.peers.line_node import HOST
from tests.peers.ways import reached

pytestmark = pytest.mark.net


OTHERS = 100
"""Frames that the rest of this folder exchanges at the very least."""


@pytest.mark.timeout(300)
def test_every_frame_decodes(
    request: pytest.FixtureRequest, wire: Capture | str, controller: Running, water_works: Running, tmp_path: Path
) -> None:
    if isinstance(wire, str):
        pytest.skip(wire)
    with PLC(controller.address("controller")) as client:
        for sample in SAMPLES:
            assert client.Write(sample.name, sample.one).Status == "Success"
        assert client.Read("BIG[0]", 1000).Status == "Success"
        assert len(client.Read([sample.name for sample in SAMPLES])) == len(SAMPLES)
        client.conn.msg_socket.close()  # made by pylogix, and never closed by it
    outstations = ("power-intake", "power-pumps", "tower-level", "outstation")
    for name in outstations:
        with ModbusTcpClient(water_works.address(name), port=water_works.port(name, "modbus")) as modbus:
            assert modbus.read_device_information().function_code == 0x2B
            modbus.read_holding_registers(0, count=10)
            modbus.read_input_registers(0, count=10)
    with reached("rtu over tcp", tmp_path) as node, ModbusTcpClient(HOST, port=node.port, framer=FramerType.RTU) as rtu:
        assert rtu.read_holding_registers(0, count=10).registers == list(range(10))
        assert rtu.read_coils(0, count=10, device_id=100).bits[:3] == [True, False, False]
        assert rtu.write_registers(0, [0, 1]).count == 2
    here = str(request.path.parent)
    alone = all(item.path == request.path for item in request.session.items if str(item.path).startswith(here))
    others = 0 if alone else OTHERS
    seen = dissect(wire.stop())
    assert seen.complaints == []
    assert seen.frames.get("enip", 0) > 2 * len(SAMPLES) + others
    assert seen.frames.get("cip", 0) > 2 * len(SAMPLES) + others
    assert seen.frames.get("mbtcp", 0) >= 2 * 3 * len(outstations) + others
    assert seen.frames.get("mbrtu", 0) >= 2 * 3 + others
