"""mbpoll (on libmodbus) with default settings: all four tables, 32-bit values in both word orders, exceptions."""

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.peers.modbus_node import HOST, REALS, modbus_node

pytestmark = [
    pytest.mark.net,
    pytest.mark.skipif(not shutil.which("mbpoll"), reason="mbpoll is not installed (Debian: apt-get install mbpoll)"),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with modbus_node(tmp_path_factory.mktemp("mbpoll")) as port:
        yield port


def mbpoll(port: int, *arguments: str, values: tuple[str, ...] = ()) -> str:
    """Everything that one run prints."""
    command = ["mbpoll", "-p", str(port), "-1", "-o", "10", *arguments, HOST, *values]  # seconds that it waits
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def read(port: int, *arguments: str) -> dict[int, str]:
    """What it reads, by its own reference (which begins at 1)."""
    return {int(at): value for at, value in re.findall(r"^\[(\d+)\]:\s+(\S+)", mbpoll(port, *arguments), re.M)}


def write(port: int, *arguments: str, values: tuple[str, ...]) -> str:
    """The line that says how many it wrote."""
    (line,) = re.findall(r"^Written .*$", mbpoll(port, *arguments, values=values), re.M)
    return str(line)


def test_coils(port: int) -> None:
    assert read(port, "-t", "0", "-r", "1", "-c", "9") == {k: "1" if k % 3 == 1 else "0" for k in range(1, 10)}
    assert write(port, "-t", "0", "-r", "11", values=("1",)) == "Written 1 references."
    assert write(port, "-t", "0", "-r", "12", values=("1", "0", "1")) == "Written 3 references."
    assert read(port, "-t", "0", "-r", "11", "-c", "4") == {11: "1", 12: "1", 13: "0", 14: "1"}


def test_discrete_inputs(port: int) -> None:
    assert read(port, "-t", "1", "-r", "1", "-c", "6") == {1: "1", 2: "0", 3: "0", 4: "0", 5: "0", 6: "1"}


def test_registers(port: int) -> None:
    assert read(port, "-t", "4", "-r", "1", "-c", "125") == {k: str(k - 1) for k in range(1, 126)}
    assert write(port, "-t", "4", "-r", "21", values=("513",)) == "Written 1 references."
    assert write(port, "-t", "4", "-r", "22", values=("1", "2")) == "Written 2 references."
    assert read(port, "-t", "3", "-r", "21", "-c", "3") == {21: "513", 22: "1", 23: "2"}


@pytest.mark.parametrize(("order", "option"), [("ABCD", ("-B",)), ("CDAB", ())])
def test_reals_in_both_word_orders(port: int, order: str, option: tuple[str, ...]) -> None:
    first = REALS[order] + 1
    for table in ("3:float", "4:float"):
        assert read(port, "-t", table, "-r", str(first), *option) == {first: "1234.5"}
    arguments = ("-t", "4:float", "-r", str(first + 2), *option)
    assert write(port, *arguments, values=("0.25",)) == "Written 1 references."
    assert read(port, *arguments) == {first + 2: "0.25"}


def test_exceptions(port: int) -> None:
    assert "Illegal data address" in mbpoll(port, "-r", "127")
    assert "Illegal data address" in mbpoll(port, "-r", "126", values=("1",))
    assert "Target device failed to respond" in mbpoll(port, "-a", "9", "-r", "1")
    assert read(port, "-a", "0", "-r", "126") == {126: "7"}
