"""Faults in a plant of real processes: seen by clients, known to the supervisor, back after every kind of death."""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.errors import FarmError
from farm.supervisor.clean import take_down
from farm.supervisor.link import Link
from farm.supervisor.run_directory import RunDirectory, run_directory
from farm.supervisor.state import Identity, RunState
from farm.supervisor.wire import encode_plant, pack
from node.client.aio import AsyncConnector
from tests.conftest import marked_processes
from tests.farm.plan.plants import node, plant
from tests.farm.supervisor.test_daemon import answers, end, make_backend, rows, supervisor_of, wait_for

pytestmark = pytest.mark.net

# Addresses of this very test session: another one may run beside it.
NETWORK = f"127.{72 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
NODES = [node(f"pump-{number}", f"{NETWORK}.{100 + number}") for number in range(1, 4)]
WORKS = replace(plant(*NODES), backend="process")
ADDRESS = {each.name: each.address for each in NODES}


@pytest.fixture
def run(run_root: Path) -> Iterator[RunDirectory]:
    """The plant, up."""
    run = run_directory("works", run_root)
    Link.open(run, "process").ask("apply", plant=encode_plant(WORKS))
    yield run
    if marked_processes(run_root) or run.exists():
        take_down(run, make_backend)


def put_on(run: RunDirectory, spec: dict[str, Any], *nodes: str, **more: Any) -> dict[str, Any]:
    done = Link.open(run).ask("fault_add", fault=spec, nodes=list(nodes), actor="test", **more)
    found: dict[str, Any] = done["fault"]
    return found


def faults(run: RunDirectory) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Link.open(run).ask("faults")["faults"]
    return found


def seconds_of_a_read(name: str) -> float:
    """The quickest of three: a busy machine makes some slower."""

    async def read() -> float:
        taken = []
        async with AsyncConnector(ADDRESS[name], 44818, 10.0) as plc:
            for _ in range(3):
                began = time.monotonic()
                await plc.read("Level", 1)
                taken.append(time.monotonic() - began)
        return min(taken)

    return asyncio.run(read())


def condition(run: RunDirectory, name: str) -> Callable[[], str]:
    return lambda: str(rows(run)[name]["condition"])


def test_a_slow_node_is_slow_after_its_death_and_its_supervisors_until_it_is_cleared(run: RunDirectory) -> None:
    shown = put_on(run, {"kind": "slow", "seconds": 0.3}, "pump-1")
    assert "slow" in shown["text"]
    assert seconds_of_a_read("pump-1") >= 0.3
    assert seconds_of_a_read("pump-2") < 0.3
    assert rows(run)["pump-1"]["condition"] == "fault"

    end(rows(run)["pump-1"]["pid"])
    wait_for(lambda: rows(run)["pump-1"]["restarts"] == 1 and rows(run)["pump-1"]["state"] == "up")
    wait_for(lambda: seconds_of_a_read("pump-1") >= 0.3)

    identity = Identity.read(run)
    assert identity is not None
    wait_for(lambda: len(RunState.read(run, identity).faults) == 1)
    end(supervisor_of(run))
    assert seconds_of_a_read("pump-1") >= 0.3, "nobody is there, and it is as slow as before"
    assert [(each["id"], each["nodes"]) for each in faults(run)] == [(1, ["pump-1"])]
    end(rows(run)["pump-1"]["pid"])
    wait_for(lambda: rows(run)["pump-1"]["restarts"] == 2 and rows(run)["pump-1"]["state"] == "up")
    wait_for(lambda: seconds_of_a_read("pump-1") >= 0.3)

    assert Link.open(run).ask("fault_clear", id=1, actor="test")["cleared"] == [1]
    assert seconds_of_a_read("pump-1") < 0.3
    wait_for(lambda: rows(run)["pump-1"]["condition"] == "up")


def test_a_node_that_is_offline_on_purpose_is_neither_down_nor_started_again(run: RunDirectory) -> None:
    before = rows(run)["pump-2"]["pid"]
    put_on(run, {"kind": "offline"}, "pump-2")
    wait_for(lambda: not answers(ADDRESS["pump-2"]))
    put_on(run, {"kind": "refuse"}, "pump-3")
    end(supervisor_of(run))  # the next one asks every node whether it is up
    wait_for(lambda: [rows(run)[name]["state"] for name in ("pump-2", "pump-3")] == ["up", "up"])
    assert [rows(run)[name]["condition"] for name in ("pump-1", "pump-2", "pump-3")] == ["up", "fault", "fault"]
    assert not answers(ADDRESS["pump-2"])
    assert (rows(run)["pump-2"]["pid"], rows(run)["pump-2"]["restarts"]) == (before, 0)
    assert Link.open(run).ask("apply", plant=encode_plant(WORKS))["changes"] == 0, "an up that waits for it ends"
    Link.open(run).ask("fault_clear", id=None)
    wait_for(lambda: answers(ADDRESS["pump-2"]) and answers(ADDRESS["pump-3"]))


def test_a_restart_of_a_node_that_is_offline_on_purpose_ends(run: RunDirectory) -> None:
    put_on(run, {"kind": "offline"}, "pump-2")
    row = Link.open(run).ask("restart", nodes=["pump-2"], actor="test")["rows"][0]
    assert row["state"] == "up"
    wait_for(lambda: not answers(ADDRESS["pump-2"]))


def test_it_ends_on_time_and_goes_with_the_farm(run: RunDirectory) -> None:
    put_on(run, {"kind": "slow", "seconds": 0.3}, "pump-1", **{"for": 1.5})
    assert seconds_of_a_read("pump-1") >= 0.3
    wait_for(lambda: faults(run) == [])
    assert seconds_of_a_read("pump-1") < 0.3
    events = Link.open(run).ask("events")["events"]
    told = [(event["text"].partition(":")[0], event["actor"]) for event in events if event["kind"] == "fault"]
    assert ("over", "") in told
    put_on(run, {"kind": "offline"})
    Link.open(run).ask("down")
    Link.open(run, "process").ask("apply", plant=encode_plant(WORKS))
    assert faults(run) == []
    assert answers(ADDRESS["pump-1"])


def test_what_a_node_will_not_take_is_said(run: RunDirectory) -> None:
    with pytest.raises(FarmError, match="no tag 'Levle'") as caught:
        put_on(run, {"kind": "freeze", "tag": "Levle"}, "pump-1")
    assert caught.value.hint == "did you mean 'Level'?"
    assert faults(run) == []


def test_the_pages_see_a_client_and_its_values(run: RunDirectory) -> None:
    def ask(**request: Any) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(run.dashboard_socket))
            sock.sendall(pack(request))
            found: dict[str, Any] = json.loads(sock.makefile("rb").readline())["done"]
            return found

    async def read_on() -> None:
        async with AsyncConnector(ADDRESS["pump-1"], 44818, 10.0) as plc:
            give_up = time.monotonic() + 20
            while time.monotonic() < give_up:
                await plc.read("Level", 1)
                await asyncio.sleep(0.02)
                found = ask(op="watch", node="pump-1", tags=["Level"])
                edges = ask(op="clients")["edges"]
                if found["row"]["p99_ms"] is not None and found["tags"] and edges:
                    assert found["tags"] == {"Level": 0.0}
                    assert found["row"]["requests_per_s"] > 0
                    assert [(edge["node"], edge["connections"]) for edge in edges] == [("pump-1", 1)]
                    return
        raise AssertionError("nobody was seen")

    asyncio.run(read_on())
    asked = [each["request"] for each in ask(op="requests", node="pump-1")["requests"]]
    assert "Read Tag Level" in asked
    ask(op="command", node="pump-1", path="tags/Level", value=4.5, actor="dashboard")
    written = [event for event in ask(op="events")["events"] if event["kind"] == "write"]
    assert [(event["text"], event["actor"]) for event in written] == [("Level = 4.5", "dashboard")]
    wait_for(lambda: ask(op="trend", node="pump-1", tags=["Level"])["tags"]["Level"][-1][1] == 4.5)
    trend = ask(op="trend", node="pump-1")
    assert max(rate for rate in trend["requests"] if rate is not None) > 0


def test_nodes_are_stopped_and_started(run: RunDirectory) -> None:
    link = Link.open(run)
    done = link.ask("stop", nodes=["pump-1", "pump-2"], actor="test")["rows"]
    assert [(row["state"], row["condition"]) for row in done] == [("stopped", "stopped")] * 2
    assert not answers(ADDRESS["pump-1"])
    assert [row["state"] for row in link.ask("start", nodes=["pump-1", "pump-2"], actor="test")["rows"]] == ["up"] * 2
    assert answers(ADDRESS["pump-1"])
    acts = [(event["node"], event["text"], event["actor"]) for event in link.ask("events")["events"]]
    assert ("pump-1", "told to stop serving", "test") in acts
