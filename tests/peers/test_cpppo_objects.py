"""cpppo's `poll` and `get_attribute` against the lone server, with the configuration of the specification's example."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.net

ROOT = Path(__file__).parents[2]
HOST = "127.64.231.5"

CONFIGURATION = """\
[Identity]
# Generally, strings are not quoted
Product Name           = 1756-L61/C LOGIX5561

[TCPIP]
# However, some complex structures require JSON configuration:
Interface Configuration = {
    "ip_address":      "192.168.0.201",
    "network_mask":    "255.255.255.0",
    "dns_primary":     "8.8.8.8",
    "dns_secondary":   "8.8.4.4",
    "domain_name":     "example.com",
}
Host Name              = controller
"""

TCPIP = (
    "TCPIP: [2, 48, 0, [{'class': 246}, {'instance': 1}], '192.168.0.201', "
    "'255.255.255.0', '0.0.0.0', '8.8.8.8', '8.8.4.4', 'example.com', 'controller']"
)
"""As the specification prints it."""


def serve(folder: Path, *arguments: str) -> Iterator[str]:
    """A lone server in `folder`; gives its address and port."""
    command = [sys.executable, "-m", "node", "enip", "-v", "-a", f"{HOST}:0", *arguments]
    environment = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            assert select.select([server.stdout], [], [], 20)[0], (folder / "log").read_text()
            ready = re.search(rf"{re.escape(HOST)}:(\d+)", server.stdout.readline())
            assert ready is not None, (folder / "log").read_text()
            yield f"{HOST}:{ready[1]}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server runs: the configuration lies there."""
    made = tmp_path_factory.mktemp("controller")
    (made / "cpppo.cfg").write_text(CONFIGURATION)
    return made


@pytest.fixture(scope="module")
def controller(folder: Path) -> Iterator[str]:
    """A controller with the example's configuration."""
    yield from serve(folder, "SCADA=INT[10]")


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PowerFlex 755."""
    yield from serve(tmp_path_factory.mktemp("drive"), "--profile", "PowerFlex-755")


@pytest.fixture(scope="module")
def python() -> str:
    """The Python that cpppo is installed in."""
    found = Path(os.environ.get("CPPPO_PYTHON", ROOT / ".venv-cpppo/bin/python"))
    if not found.exists():
        pytest.skip("cpppo is not installed: make test puts it into .venv-cpppo")
    return str(found)


def poll(python: str, address: str, *parameters: str, lines: int) -> list[str]:
    """The first `lines` lines that poll prints; it goes on for ever."""
    command = [python, "-u", "-m", "cpppo.server.enip.poll", "-v", "-t", "10", "-a", address, *parameters]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as polling:
        assert polling.stdout is not None
        patience = threading.Timer(60, polling.kill)
        patience.start()
        try:
            found: list[str] = []
            while len(found) < lines:
                line = polling.stdout.readline()
                assert line, f"poll ended after {found}"
                found.append(line.strip())
            return found
        finally:
            patience.cancel()
            polling.kill()


def get_attribute(python: str, address: str, *paths: str) -> dict[str, list[int]]:
    """The bytes of each path, as get_attribute prints them."""
    done = subprocess.run(
        [python, "-m", "cpppo.server.enip.get_attribute", "-v", "-a", address, *paths],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {
        match[1]: [int(number) for number in match[2].split(",") if number.strip()]
        for match in re.finditer(r"(@\S+)\s+== \[(.*)\]", done.stdout)
    }


def test_the_server_says_which_file_it_loaded(controller: str, folder: Path) -> None:
    assert controller
    assert "Loaded config files: ['cpppo.cfg']" in (folder / "log").read_text()


def test_poll_shows_what_the_file_says(controller: str, python: str) -> None:
    shown = poll(python, controller, "TCPIP", "Identity", lines=4)
    assert shown[0] == shown[2] == TCPIP
    assert re.fullmatch(r"Identity: \[1, 14, 54, 2836, 12384, -?\d+, '1756-L61/C LOGIX5561'\]", shown[1])
    assert shown[1] == shown[3]


def test_get_attribute_shows_its_bytes(controller: str, python: str) -> None:
    shown = get_attribute(python, controller, "@1/1", "@1/1/7", "@0xF5/1/6", "@0xF4/0/9", "@0x8b/1/10")
    product = b"1756-L61/C LOGIX5561"
    assert shown["@0x0001/1"][:10] == [1, 0, 14, 0, 54, 0, 20, 11, 0x60, 0x30]
    assert bytes(shown["@0x0001/1"][14:]) == bytes((len(product),)) + product
    assert bytes(shown["@0x0001/1/7"]) == bytes((len(product),)) + product
    assert bytes(shown["@0x00F5/1/6"]) == b"\x0a\0controller"
    assert shown["@0x00F4/0/9"] == [0, 0, 0, 0, 1, 0, 1, 0, 4, 0, 2, 0]
    assert shown["@0x008B/1/10"] == [0]


def test_counters_count(controller: str, python: str) -> None:
    first, second = (get_attribute(python, controller, "@0xF6/1/4")["@0x00F6/1/4"] for _ in range(2))
    words = [[int.from_bytes(bytes(data[at : at + 4]), "little") for at in range(0, 44, 4)] for data in (first, second)]
    for index in (0, 1, 6, 7):
        assert 0 < words[0][index] < words[1][index]


def test_poll_shows_a_drive_run(drive: str, python: str) -> None:
    names = ("Output Frequency", "DC Bus Volts", "Rated kW", "Speed Units")
    shown = poll(python, drive, "-S", *names, lines=4)
    values = dict(re.fullmatch(r"(.+): \[(.+)\]", line).groups() for line in shown)  # type: ignore[union-attr]
    assert 40 < float(values["Output Frequency"]) < 50
    assert 530 < float(values["DC Bus Volts"]) < 550
    assert float(values["Rated kW"]) == 11
    assert int(values["Speed Units"]) == 0
