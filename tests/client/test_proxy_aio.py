"""Names and polls on asyncio, on real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from node.client.drives import PowerFlex750
from node.client.failure import NoAnswer, TagError
from node.client.poll_aio import AsyncPoller, poll
from node.client.proxy_aio import AsyncProxy
from node.errors import LocalProtocolError, NodeError
from tests.client.nodes import Served
from tests.client.restarted import Restarted
from tests.waiting import eventually

pytestmark = pytest.mark.net


@pytest.fixture(scope="module")
def drive() -> Iterator[Restarted]:
    """A PowerFlex 755 that tests may stop, and start again."""
    with Restarted("node.examples.powerflex") as device:
        yield device


def test_it_reads_and_writes_by_name(controller: Served) -> None:
    async def main() -> None:
        via = AsyncProxy(controller.host, controller.port)
        assert str(via) == "None at None"
        async with via:
            assert str(via) == f"1756-L61/B LOGIX5561 at {controller.host}:{controller.port}"
            assert await via.write({"Tag[0-1]": [3, 4], "Volume": 2.5}, checking=True) == [True, True]
            read = await via.read(["Product Name", "Tag[0-1]", "Nope", "Volume"])
            assert read == [["1756-L61/B LOGIX5561"], [3, 4], None, [2.5]]
            assert await via.write("Nope", 1) == [None]
            with pytest.raises(TagError, match="Nope: path segment error"):
                await via.read("Nope", checking=True)
            with pytest.raises(NoAnswer, match="@1/1/1: 2 bytes that are no REAL"):
                await via.read([("@1/1/1", "REAL")])
            many = await asyncio.gather(*(via.read([f"Tag[{number % 2}]", "Volume"]) for number in range(40)))
            assert many == [[[3 + number % 2], [2.5]] for number in range(40)]
        assert str(via) == "1756-L61/B LOGIX5561 at None"

    asyncio.run(main())


def test_three_rates_over_one_connection_and_a_drive_that_goes_away(drive: Restarted) -> None:
    async def main() -> None:
        counts: dict[str, int] = {}
        failures: list[tuple[float, NodeError]] = []

        async def process(name: str, value: list[float] | None) -> None:
            counts[name] = counts.get(name, 0) + 1

        def failure(exc: NodeError) -> None:
            failures.append((time.monotonic(), exc))

        async with (
            AsyncProxy(drive.host, drive.port, 2.0, of=PowerFlex750) as via,
            AsyncPoller(via, process, failure) as poller,
        ):
            poller.poll("Output Frequency", cycle=0.1)
            poller.poll(["Motor Velocity", "Speed Units"], cycle=0.2)
            poller.poll("Elapsed kWh", cycle=0.5)
            await eventually(lambda: counts.get("Elapsed kWh", 0) >= 3, "three of the slowest")
            assert failures == []
            assert counts["Output Frequency"] > counts["Motor Velocity"] > counts["Elapsed kWh"]
            assert poller.values["Motor Velocity"] == [pytest.approx(789.01)]
            assert poller.values["Speed Units"] == [1]
            await asyncio.to_thread(drive.stop)
            try:
                await eventually(lambda: poller.values == {} and len(failures) >= 8, "failures")
            finally:
                await asyncio.to_thread(drive.start)
            assert all(isinstance(exc, NoAnswer) for _, exc in failures)
            await eventually(lambda: len(poller.values) == 4 and poller.problem is None, "all values again")
        before = dict(counts)
        await asyncio.sleep(0.3)
        assert counts == before, "it is over"

    asyncio.run(main())


def test_it_ends_when_it_is_done(drive: Restarted) -> None:
    async def main() -> None:
        seen = []

        def process(name: str, value: list[float] | None) -> None:
            seen.append((name, value))
            process.done = len(seen) == 3  # type: ignore[attr-defined]

        async with AsyncProxy(drive.host, drive.port, of=PowerFlex750, identity_default="Mine") as via:
            assert str(via).startswith("Mine at ")
            await asyncio.wait_for(poll(via, "Speed Units", 0.05, process), 10)
            assert seen == [("Speed Units", [1])] * 3
            with pytest.raises(LocalProtocolError, match="nothing to poll"):
                await poll(via, [])

    asyncio.run(main())
