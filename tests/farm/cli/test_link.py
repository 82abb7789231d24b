"""Links that are made worse and well again while their nodes serve, seen by a client's clock."""

import asyncio
import json
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from farm.cli.link import parse_changes
from farm.cli.usage import UsageError
from node.client.aio import AsyncConnector

FILE = """
farm: 1
name: links
groups:
  drv: {count: 3, name: "drv-${i}", kind: logix, address: "127.64.202.${i}", tags: {Level: REAL}}
nodes:
  rtu: {kind: modbus, address: 127.64.202.9, holding: {"40001-40010": 7}}
"""

Run = Callable[..., SimpleNamespace]


def seconds_of_a_read(number: int) -> float:
    """The quickest of three: a busy machine makes some slower."""

    async def read() -> float:
        taken = []
        async with AsyncConnector(f"127.64.202.{number}", 44818, 5.0) as plc:
            for _ in range(3):
                began = time.monotonic()
                assert await plc.read("Level", 1) == [0.0]
                taken.append(time.monotonic() - began)
        return min(taken)

    return asyncio.run(read())


def test_what_people_write() -> None:
    assert parse_changes("200ms", None, "2%", "64kbit") == {"delay": 0.2, "loss": 2.0, "rate": 64000}
    assert parse_changes("40ms+-10ms", None, None, None) == {"delay": 0.04, "jitter": 0.01}
    for wrong in (("fast", None, None, None), (None, None, "200%", None), (None, None, None, "9600")):
        with pytest.raises(UsageError, match="wanted"):
            parse_changes(*wrong)


@pytest.mark.quiet
@pytest.mark.net
@pytest.mark.slow
def test_a_delay_is_seen_by_clients_and_gone_with_reset(running: Run) -> None:
    changed = running("link", "drv-[12]", "--delay", "200ms")
    assert changed.rc == 0, changed.err
    assert [line.split() for line in changed.out.splitlines()] == [
        ["NAME", "STATE", "LINK"],
        ["drv-1", "up", "delay", "200", "ms", "(by", "the", "node)"],
        ["drv-2", "up", "delay", "200", "ms", "(by", "the", "node)"],
    ]
    assert seconds_of_a_read(1) >= 0.2
    assert seconds_of_a_read(3) < 0.15
    assert "LINK" in running("ps").out.splitlines()[0]
    assert json.loads(running("link", "--json").out) == [
        {"name": name, "link": "delay 200 ms (by the node)"} for name in ("drv-1", "drv-2")
    ]
    restarted = running("restart", "drv-1")
    assert restarted.rc == 0, restarted.err
    assert seconds_of_a_read(1) >= 0.2, "a node that was started anew plays its link again"
    good = running("link", "*", "--reset")
    assert good.rc == 0, good.err
    assert [line.split()[-1] for line in good.out.splitlines()[1:]] == ["good"] * 4
    assert seconds_of_a_read(1) < 0.15
    assert "LINK" not in running("ps").out.splitlines()[0]
    listed = running("link")
    assert (listed.rc, listed.out, listed.err) == (0, "", "every link is good\n")


@pytest.mark.net
@pytest.mark.slow
def test_what_cannot_be_is_one_line_and_changes_nothing(running: Run) -> None:
    for arguments, code, said in (
        (["drv-1", "--loss", "2%"], 1, "only a delay can be had, the rest on backend netns"),
        (["drv-1", "--up", "--down"], 2, "a link is one or the other"),
        (["--delay", "1s"], 2, "the links of which nodes?"),
        (["nobody", "--delay", "1s"], 1, "there is no node 'nobody' in links"),
    ):
        outcome = running("link", *arguments)
        assert (outcome.rc, outcome.out, outcome.err.count("\n")) == (code, "", 1), outcome.err
        assert said in outcome.err
    assert running("link").err == "every link is good\n"


@pytest.mark.net
@pytest.mark.slow
def test_restart_of_some(running: Run) -> None:
    def pids() -> dict[str, int]:
        return {row["name"]: row["pid"] for row in json.loads(running("ps", "--json").out)}

    before = pids()
    restarted = running("restart", "--where", "kind=logix,name=drv-[23]")
    assert restarted.rc == 0, restarted.err
    assert [line.split()[0] for line in restarted.out.splitlines()[1:]] == ["drv-2", "drv-3"]
    after = pids()
    assert [name for name in before if before[name] != after[name]] == ["drv-2", "drv-3"]
    nothing = running("restart", "--where", "state=down")
    assert (nothing.rc, nothing.out) == (1, "")
    assert nothing.err == "error: no node of links is so: state=down; `farm ps` shows how they are\n"
    assert running("restart").rc == 2
    assert running("restart", "--where", "colour=red").rc == 2
