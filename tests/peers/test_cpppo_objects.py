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

from tests.cpppo_cfg import EXAMPLE

pytestmark = pytest.mark.net

ROOT = Path(__file__).parents[2]
HOST = "127.64.231.5"

CONFIGURATION = EXAMPLE.replace("1756-L61/B", "1756-L61/C")

TCPIP = (
    "TCPIP: [2, 48, 0, [{'class': 246}, {'instance': 1}], '192.168.0.201', "
    "'255.255.255.0', '0.0.0.0', '8.8.8.8', '8.8.4.4', 'example.com', 'controller']"
)
"""As the specification prints it."""


def serve(folder: Path, *arguments: str, port: int = 0) -> Iterator[str]:
    """A lone server in `folder`; gives its address and port."""
    command = [sys.executable, "-m", "node", "enip", "-v", "-a", f"{HOST}:{port}", *arguments]
    environment = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            assert select.select([server.stdout], [], [], 60)[0], (folder / "log").read_text()
            ready = re.search(rf"{re.escape(HOST)}:(\d+)", server.stdout.readline())
            assert ready is not None, (folder / "log").read_text()
            yield f"{HOST}:{ready[1]}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=60)


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
    """A PowerFlex 755, on the port that the examples of cpppo know."""
    yield from serve(tmp_path_factory.mktemp("drive"), "--profile", "PowerFlex-755", port=44818)


@pytest.fixture(scope="module")
def micrologix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MicroLogix 1400."""
    yield from serve(tmp_path_factory.mktemp("micrologix"), "--profile", "1766-L32BXB", "N7=INT[100]")


@pytest.fixture(scope="module")
def python() -> str:
    """The Python that cpppo is installed in."""
    found = Path(os.environ.get("CPPPO_PYTHON", ROOT / ".venv-cpppo/bin/python"))
    if not found.exists():
        pytest.skip("cpppo is not installed: make test puts it into .venv-cpppo")
    return str(found)


def poll(python: str, address: str, *parameters: str, lines: int) -> list[str]:
    """The first `lines` lines that poll prints; it goes on for ever."""
    shown = endless(python, "poll", "-v", "-t", "10", "-a", address, *parameters)
    return [next(shown) for _ in range(lines)]


def endless(python: str, module: str, *arguments: str) -> Iterator[str]:
    """What a program prints that goes on for ever, line by line."""
    command = [python, "-u", "-m", f"cpppo.server.enip.{module}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as polling:
        assert polling.stdout is not None
        patience = threading.Timer(60, polling.kill)
        patience.start()
        try:
            for line in polling.stdout:
                yield line.strip()
            raise AssertionError(f"{module} ended")
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


def test_poll_at_several_rates_from_several_threads(drive: str, python: str) -> None:
    """Through one connection, as the manual's last example does: twice a second, every second, 5 and 10 seconds."""
    counts: dict[str, int] = {}
    for line in endless(python, "poll_example_many", drive.partition(":")[0]):
        name, equals, value = line.rpartition(": ")[2].partition(" == ")
        assert equals, line
        assert re.fullmatch(r"\[-?[\d.]+\]", value), line
        counts[name.strip()] = counts.get(name.strip(), 0) + 1
        if counts.get("Output Frequency", 0) >= 6:
            break
    assert set(counts) == {"Output Frequency", "Motor Velocity", "Output Current", "Elapsed KwH", "Speed Units"}
    assert 2 <= counts["Motor Velocity"] <= 5
    assert counts["Speed Units"] == 1


@pytest.mark.parametrize(("device", "product"), [("drive", b"PowerFlex 755"), ("micrologix", b"1766-L32BXBA A/7.00")])
def test_a_simple_device_routes_nothing(
    request: pytest.FixtureRequest, python: str, device: str, product: bytes
) -> None:
    address = request.getfixturevalue(device)
    shown = get_attribute(python, address, "-S", "@1/1", "@1/1/7", "@0xF5/1/5", "@0xF6/1/3")
    assert bytes(shown["@0x0001/1"][14:]) == bytes(shown["@0x0001/1/7"]) == bytes((len(product),)) + product
    assert shown["@0x00F5/1/5"][:4] == [5, 231, 64, 127]
    assert len(shown["@0x00F6/1/3"]) == 6
    polled = poll(python, address, "-S", "TCPIP", "Identity", lines=2)
    assert product.decode() in " ".join(polled)
    routed = subprocess.run(
        [python, "-m", "cpppo.server.enip.get_attribute", "-a", address, "@1/1"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert routed.returncode != 0
