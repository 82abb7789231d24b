"""Over a link of 250 ms, twenty requests under way make up for it: at least fifteen times the rate of one by one,
however it is asked."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from node.client import AsyncConnector, Connector
from tests.cli.lone import run
from tests.client.nodes import Served, node

pytestmark = pytest.mark.net

DELAY = 0.25
DEPTH = 20
GAIN = 15
ALONE, TOGETHER = 3, 60
"""Operations one by one, and with twenty under way: three times the delay, both."""

CLIENT = ("-c", "from node.__main__ import enip_client; enip_client()")

Measure = Callable[[Served], tuple[float, float]]
"""Rates at a depth of 1 and of 20."""


def blocking(connected: bool, method: str) -> Measure:
    """A `Connector`'s."""

    def measure(link: Served) -> tuple[float, float]:
        with Connector(link.host, link.port, 5.0, connected=connected) as plc:
            assert bool(plc.connection_size) == connected
            rates = []
            for count, depth in ((ALONE, 1), (TOGETHER, DEPTH)):
                operations = [f"Tag[{number % 100}]" for number in range(count)]
                begun = time.perf_counter()
                values = [val for *_, val in getattr(plc, method)(operations, depth=depth)]
                rates.append(count / (time.perf_counter() - begun))
                assert values == [[0]] * count
        return rates[0], rates[1]

    return measure


def on_asyncio(connected: bool) -> Measure:
    """An `AsyncConnector`'s."""

    async def asked(link: Served) -> tuple[float, float]:
        async with AsyncConnector(link.host, link.port, 5.0, connected=connected) as plc:
            rates = []
            for count, depth in ((ALONE, 1), (TOGETHER, DEPTH)):
                operations = [f"Tag[{number % 100}]" for number in range(count)]
                begun = time.perf_counter()
                values = [outcome.value async for outcome in plc.outcomes(operations, depth=depth)]
                rates.append(count / (time.perf_counter() - begun))
                assert values == [[0]] * count
        return rates[0], rates[1]

    return lambda link: asyncio.run(asked(link))


def command_line(link: Served) -> tuple[float, float]:
    """`enip_client`'s, as it says itself."""
    rates = []
    for count, depth in ((ALONE, 1), (TOGETHER, DEPTH)):
        arguments = ("-a", f"{link.host}:{link.port}", "--depth", str(depth), "-r", str(count), "Tag[5]")
        code, out, err = run(*CLIENT, *arguments)
        assert (code, out.count("Tag[5] == [0]: 'OK'")) == (0, count)
        found = re.search(r"Average ([\d.]+) TPS", err)
        assert found is not None, err
        rates.append(float(found[1]))
    return rates[0], rates[1]


WAYS: dict[str, Measure] = {
    "pipeline, unconnected": blocking(False, "pipeline"),
    "pipeline, connected": blocking(True, "pipeline"),
    "operate, unconnected": blocking(False, "operate"),
    "operate, connected": blocking(True, "operate"),
    "asyncio, unconnected": on_asyncio(False),
    "asyncio, connected": on_asyncio(True),
    "enip_client --depth": command_line,
}


def test_twenty_under_way_are_fifteen_times_as_fast() -> None:
    """All ways at once, for each waits nearly all of its time."""
    with node("--delay", str(DELAY), "Tag=DINT[100]") as link, ThreadPoolExecutor(len(WAYS)) as threads:
        measured = dict(zip(WAYS, threads.map(lambda way: way(link), WAYS.values()), strict=True))
    for name, (alone, together) in measured.items():
        assert alone <= 1.02 / DELAY, f"{name}: the link was no such link"
        assert together >= GAIN * alone, f"{name}: {together:.1f}/s, one by one {alone:.1f}/s"
