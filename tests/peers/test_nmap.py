"""nmap's script for Modbus, as people run it who look over a network: who a device says it is, at its units alone."""

import re
import shutil
import subprocess

import pytest

from node.objects.profiles import MODBUS_PROFILES
from tests.peers.conftest import Running

pytestmark = [
    pytest.mark.net,
    pytest.mark.skipif(not shutil.which("nmap"), reason="nmap is not installed (Debian: apt-get install nmap)"),
]


def discovered(meters: Running, name: str) -> dict[int, dict[str, str]]:
    """Unit id to what the script prints of it, for each of the 246 that it asks."""
    port = str(meters.port(name, "modbus"))
    script = ["--script", "+modbus-discover", "--script-args", "modbus-discover.aggressive=true"]
    command = ["nmap", "-Pn", "-sT", "-n", "-p", port, *script, meters.address(name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=True)
    found: dict[int, dict[str, str]] = {}
    for line in done.stdout.splitlines():
        unit = re.fullmatch(r"\| +sid 0x([0-9a-f]+): *", line)
        if unit:
            found[int(unit[1], 16)] = {}
        elif said := re.fullmatch(r"\|[ _] {4}([\w ]+): (.*?) *", line):
            found[max(found)][said[1]] = said[2]
    assert len(found) == 246, done.stdout
    return found


@pytest.mark.parametrize(
    ("name", "profile", "units"),
    [
        ("mains", "SDM630", [1]),
        ("plc", "M340", [1]),
        ("cellar", "generic", [1, 2, 3, 20]),
    ],
)
def test_a_device_says_who_it_is_at_its_units_alone(meters: Running, name: str, profile: str, units: list[int]) -> None:
    found = discovered(meters, name)
    texts = dict(MODBUS_PROFILES[profile].device_id)
    wanted = " ".join(texts[number] for number in range(3))
    assert {unit: said for unit, said in found.items() if "error" not in said} == {
        unit: {"Slave ID data": rf"\x{unit:02X}\xFF{texts[1]}", "Device identification": wanted} for unit in units
    }
    others = [said for unit, said in found.items() if unit not in units]
    assert others == [{"error": "GATEWAY TARGET DEVICE FAILED TO RESPOND"}] * (246 - len(units))
