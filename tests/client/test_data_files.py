"""The client for data files, against a MicroLogix of ours."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from node.cip.pccc import PcccError
from node.cip.status import CipError
from node.cip.types import UINT
from node.client.data_files import AsyncDataFiles
from node.client.failure import NoAnswer
from node.config.model import EnipConfig, NodeConfig, TagConfig
from node.config.schema import identity
from node.controller import Controller
from node.errors import LocalProtocolError
from tests.client.scripted import HOST

pytestmark = pytest.mark.net

Result = TypeVar("Result")

MICROLOGIX = NodeConfig(
    "ml",
    "logix",
    "1766-L32BXB",
    HOST,
    (
        TagConfig("N7", "INT", (300,), tuple(range(300))),
        TagConfig("N20", "UINT", (2,)),
        TagConfig("N21", "INT", (2,), access="read only"),
        TagConfig("ST9", "SLC_STRING", (5,)),
        TagConfig("L10", "DINT", (4,)),
    ),
    EnipConfig(identity("1766-L32BXB", 1), port=0, route_path=()),
)

TIMER = {"PRE": 5, "ACC": 1, "EN": True, "TT": False, "DN": False}


def run(work: "Coroutine[None, None, Result]") -> Result:
    return asyncio.run(work)


@asynccontextmanager
async def served(config: NodeConfig = MICROLOGIX) -> AsyncIterator[AsyncDataFiles]:
    """An open client of a controller that serves."""
    controller = Controller(config)
    await controller.start()
    try:
        async with AsyncDataFiles(HOST, controller.ports["enip"], kinds={"n20": UINT}) as client:
            yield client
    finally:
        await controller.stop()


async def written(path: str, values: object, *more: str) -> list[object]:
    """What `path` and `more` read after `values` were written to `path`."""
    async with served() as client:
        await client.write(path, values)  # type: ignore[arg-type]
        length = len(values) if isinstance(values, list) else 1
        held = [await client.read(path, length), *[await client.read(other) for other in more]]
    return [item for part in held for item in part]


@pytest.mark.parametrize(
    ("path", "values", "more", "held"),
    [
        ("N7[3]", -5, [], [-5]),
        ("N7", ["7", "0x10"], ["N7[2]"], [7, 16, 2]),
        ("N20", 65535, [], [65535]),
        ("F8[31]", 1.5, [], [1.5]),
        ("L10", [1, -(2**31)], [], [1, -(2**31)]),
        ("ST9", ["abc", "", "x" * 82], ["ST9[3]"], ["abc", "", "x" * 82, ""]),
        ("T4[2].ACC", "17", ["T4[2].PRE", "T4[1].ACC"], [17, 0, 0]),
        ("T4[2].DN", "true", ["T4[2].EN"], [True, False]),
        ("C5.UA", 1, [], [True]),
        ("R6[3].LEN", 9, ["R6[3].POS"], [9, 0]),
        ("S2[1]", 0, [], [0]),
        (
            "T4",
            {"PRE": 5, "ACC": 1, "EN": True, "TT": False, "DN": False},
            [],
            [{"PRE": 5, "ACC": 1, "EN": True, "TT": False, "DN": False}],
        ),
    ],
    ids=str,
)
def test_what_is_written_is_read(path: str, values: object, more: list[str], held: list[object]) -> None:
    assert run(written(path, values, *more)) == held


def test_more_than_a_command_takes_goes_in_several() -> None:
    async def work() -> tuple[list[object], list[object]]:
        async with served() as client:
            before = await client.read("N7", 300)
            await client.write("N7[10]", list(range(280)))
            after = await client.read("N7[10]", 290)
        return list(before), list(after)

    before, after = run(work())
    assert before == list(range(300))
    assert after == [*range(280), *range(290, 300)]


def test_bits_are_set_and_cleared_in_one_write() -> None:
    async def work() -> list[object]:
        async with served() as client:
            await client.write("L10", 0xFF)
            await client.modify("L10", 1 << 20, 0x0F, 4)
            await client.write("N7", 0xFF)
            await client.modify("N7", 1 << 8, 0, 2)
            await client.modify("N7", 0, 0xF0, 1)
            return [*await client.read("L10"), *await client.read("N7")]

    assert run(work()) == [0x1000F0, 0x10F]


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("Level", LocalProtocolError, "'Level' is no data file"),
        ("N7[1,2]", LocalProtocolError, "'N7[1,2]' is no place in a data file; wanted one like N7[3] or T4[2].ACC"),
        ("@1/1/7", LocalProtocolError, "is no place in a data file"),
        ("T4[1].CU", LocalProtocolError, "an element of T4 has no 'CU' of its own"),
        ("T4[1].CTL", LocalProtocolError, "an element of T4 has no 'CTL' of its own"),
        ("ST9.DATA", LocalProtocolError, "an element of ST9 has no 'DATA' of its own"),
        ("N7[1].ACC", LocalProtocolError, "an element of N7 has no 'ACC' of its own"),
        ("N7[300]", PcccError, "no such address (0x10)"),
        ("B99", PcccError, "no such address (0x10)"),
    ],
)
def test_what_is_not_there_is_said(path: str, error: type[Exception], message: str) -> None:
    async def work() -> None:
        async with served() as client:
            await client.read(path)

    with pytest.raises(error) as caught:
        run(work())
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("N21", 1, PcccError),
        ("N7", 70000, LocalProtocolError),
        ("T4.ACC", "soon", LocalProtocolError),
        ("T4.DN", "soon", LocalProtocolError),
        ("ST9", "x" * 83, LocalProtocolError),
    ],
)
def test_what_cannot_be_written_is_refused(path: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(written(path, value))


def test_a_controller_without_data_files_says_so() -> None:
    async def work() -> None:
        logix = NodeConfig("clx", "logix", "1756-L61", HOST, (), EnipConfig(identity("1756-L61", 1), port=0))
        async with served(logix) as client:
            await client.read("N7")

    with pytest.raises(CipError, match="path destination unknown"):
        run(work())


def test_nobody_answers() -> None:
    async def work() -> None:
        async with AsyncDataFiles(HOST, 1, timeout=1):
            pass

    with pytest.raises(NoAnswer):
        run(work())
