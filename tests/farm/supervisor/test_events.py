"""Events are kept in memory, in a file that does not grow for ever, and told to who listens."""

import asyncio
import json
from pathlib import Path

import pytest

from farm.supervisor import events as module
from farm.supervisor.events import FAULT, RING, WRITE, EventLog
from tests.waiting import eventually


def written(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_last_ten_thousand_are_kept() -> None:
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
        await eventually(path.exists)
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


def test_ids_count_on_over_another_supervisor(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"

    async def happen() -> None:
        log = EventLog(path)
        for number in range(5):
            log.node("pump-1", "up", str(number))
        log.close()
        path.write_bytes(b"not an event\n" + path.read_bytes() + b'{"event":"of an older version"}\n{"half')
        later = EventLog(path)
        assert (later.last, [event["text"] for event in later.recent()]) == (5, ["0", "1", "2", "3", "4"])
        later.farm("another supervisor")
        assert later.last == 6

    asyncio.run(happen())


def test_what_came_after_an_id_can_be_asked_for() -> None:
    log = EventLog()
    for number in range(RING + 50):
        log.farm(str(number))
    assert [event["text"] for event in log.since(log.last - 2)] == [str(RING + 48), str(RING + 49)]
    assert [event["id"] for event in log.since(0, limit=3)] == [log.last - 2, log.last - 1, log.last]
    assert log.since(log.last) == log.since(log.last + 100) == log.since(0, limit=0) == []
    assert len(log.since(0)) == RING


def test_an_event_has_a_kind_and_who_did_it() -> None:
    log = EventLog()
    log.node("pump-1", "up", "Level = 3", kind=WRITE, actor="10.0.0.5:51234")
    log.farm("slow on 3 nodes", kind=FAULT, actor="dashboard")
    assert [(event["kind"], event["actor"]) for event in log.recent()] == [
        ("write", "10.0.0.5:51234"),
        ("fault", "dashboard"),
    ]
