"""Events are kept in memory, in a file that does not grow for ever, and told to who listens."""

import asyncio
import json
from pathlib import Path

import pytest

from farm.supervisor import events as module
from farm.supervisor.events import RING, EventLog


def written(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_last_thousand_are_kept() -> None:
    log = EventLog(wall=lambda: 0.0)
    for number in range(RING + 5):
        log.node("pump-1", "up", str(number))
    assert len(log.recent()) == RING
    assert log.recent()[0]["text"] == "5"


def test_an_event_says_when_where_and_what(tmp_path: Path) -> None:
    async def happen() -> None:
        log = EventLog(tmp_path / "events.jsonl", wall=lambda: 1_000_000_000.0)
        log.node("pump-1", "restarting", "its process (12) ended")
        log.farm("applied 3 operations")
        log.close()

    asyncio.run(happen())
    node, farm = written(tmp_path / "events.jsonl")
    assert str(node.pop("time")).startswith("2001-09-0")
    assert node == {
        "id": 1,
        "event": "node",
        "kind": "state",
        "node": "pump-1",
        "state": "restarting",
        "text": "its process (12) ended",
        "actor": "",
    }
    assert farm["text"] == "applied 3 operations"


def test_a_burst_is_one_write(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"

    async def happen() -> None:
        log = EventLog(path)
        for number in range(500):
            log.node(f"pump-{number}", "up", "up")
        assert not path.exists()
        await asyncio.sleep(0.1)
        assert len(written(path)) == 500

    asyncio.run(happen())


def test_the_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILE_LIMIT", 1000)
    path = tmp_path / "events.jsonl"

    async def happen() -> None:
        log = EventLog(path)
        for _ in range(200):
            log.farm("something happened")
            log.flush()

    asyncio.run(happen())
    assert {entry.name for entry in tmp_path.iterdir()} <= {"events.jsonl", "events.jsonl.1"}
    assert sum(entry.stat().st_size for entry in tmp_path.iterdir()) < 2500


def test_a_file_that_cannot_be_written_to_is_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def happen() -> None:
        log = EventLog(tmp_path / "missing" / "events.jsonl")
        for _ in range(3):
            log.farm("something happened")
            log.flush()
        assert len(log.recent()) == 3

    asyncio.run(happen())
    assert caplog.text.count("no longer written") == 1


def test_a_listener_hears_what_comes_and_no_more() -> None:
    log, heard = EventLog(), []
    log.farm("before")
    with log.heard_by(heard.append):
        log.farm("while")
    log.farm("after")
    assert [event["text"] for event in heard] == ["while"]
