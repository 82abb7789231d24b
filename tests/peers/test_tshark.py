"""Wireshark's dissectors read everything that clients and the water works say to each other."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pylogix import PLC
from pymodbus.client import ModbusTcpClient

from tests.peers.capture import capturing, dissect
from tests.peers.conftest import Running
from tests.peers.enip_tags import SAMPLES

pytestmark = pytest.mark.net


def test_every_frame_decodes(
    controller: Running, water_works: Running, cpppo: Callable[..., list[str]], tmp_path: Path
) -> None:
    if shutil.which("mbpoll") is None:
        pytest.skip("mbpoll is not installed (Debian: apt-get install mbpoll)")
    meter = next(node for node in water_works.nodes.values() if "modbus" in dict(node["ports"]))  # type: ignore[call-overload]
    name = str(meter["name"])
    host, port = water_works.address(name), water_works.port(name, "modbus")
    plc = controller.address("controller")
    file = tmp_path / "all.pcap"
    with capturing(file, f"host {plc} or host {host}"):
        with PLC(plc) as client:
            for sample in SAMPLES:
                assert client.Write(sample.name, sample.one).Status == "Success"
            assert client.Read("BIG[0]", 1000).Status == "Success"
            assert len(client.Read([sample.name for sample in SAMPLES])) == len(SAMPLES)
            assert client.Read("NOWHERE").Status != "Success"
        cpppo("-a", f"{plc}:44818", "--list-identity", "--list-services", "I32=(DINT)5", "DINTS[0-9]")
        cpppo("-a", f"{plc}:44818", "--multiple", *["I32"] * 20)
        with ModbusTcpClient(host, port=port) as modbus:
            assert modbus.read_holding_registers(0, count=1).function_code != 0
            modbus.read_device_information()
            modbus.read_coils(0, count=1)
        subprocess.run(
            ["mbpoll", "-m", "tcp", "-p", str(port), "-a", "1", "-1", "-t", "4", "-r", "1", host],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=False,
        )
    seen = dissect(file, port)
    assert seen.complaints == []
    assert seen.frames.get("enip", 0) > 50
    assert seen.frames.get("cip", 0) > 50
    assert seen.frames.get("mbtcp", 0) >= 6
