"""What is known while the supervisor is asked, away, or told to change something."""

from pathlib import Path
from typing import Any

import pytest

from farm.dashboard.desk import Body, Desk
from farm.dashboard.refusal import Refusal
from farm.dashboard.snapshot import Rows, Snapshot


class Supervisor(Desk):
    """A desk at which `nodes` are there, or nobody is (None). `meanwhile` happens before it has answered."""

    def __init__(self, *nodes: str) -> None:
        super().__init__(Path("nowhere"))
        self.nodes: list[str] | None = list(nodes)
        self.meanwhile: Any = lambda: None
        self.asked = 0
        self.said: list[Any] = []
        self.generation = 1

    def ask(self, op: str, seconds: float = 5.0, **fields: Any) -> Body:
        if self.nodes is None:
            raise Refusal(503, "the supervisor is not there")
        self.asked += 1
        edition = " ".join(self.nodes)
        fixed = None if fields["edition"] == edition else [{"name": name} for name in self.nodes]
        self.said.append(fixed)
        moving = [[self.asked] for _ in self.nodes]
        found = {"generation": self.generation, "edition": edition, "fixed": fixed, "fields": ["t"], "moving": moving}
        self.meanwhile()
        return found


def test_the_last_rows_stand_while_nobody_is_there_whatever_is_asked_for() -> None:
    desk = Supervisor("plc")
    rows = Rows(desk, Snapshot())
    assert list(rows.listing().rows) == ["plc"]
    desk.nodes = None
    rows.forget()
    with pytest.raises(Refusal) as refused:
        rows.row("nobody")
    assert refused.value.status == 404
    assert rows.row("plc") == {"name": "plc", "t": 1}


def test_rows_that_were_asked_for_before_a_change_are_not_taken_for_those_after_it() -> None:
    desk = Supervisor("plc")
    rows = Rows(desk, Snapshot())
    desk.meanwhile = rows.forget
    rows.listing()
    desk.nodes, desk.meanwhile = ["plc", "drive"], lambda: None
    assert list(rows.listing().rows) == ["plc", "drive"]


def test_a_node_is_looked_for_among_the_rows_of_before_while_frames_tell_of_the_same_nodes() -> None:
    desk, snapshot = Supervisor("plc"), Snapshot()
    rows = Rows(desk, snapshot)
    rows.check("plc")
    for sequence in range(3):
        snapshot.take({"full": True, "nodes": [], "generation": 1, "seq": sequence})
        rows.check("plc")
    assert desk.asked == 1
    desk.nodes, desk.generation = ["drive"], 2
    snapshot.take({"full": True, "nodes": [], "generation": 2, "seq": 3})
    with pytest.raises(Refusal) as refused:
        rows.check("plc")
    assert refused.value.status == 404
    rows.check("drive")


def test_all_rows_are_serialised_when_they_are_wanted() -> None:
    listing = Rows(Supervisor("plc"), Snapshot()).listing()
    assert listing.body == b'{"generation":1,"total":1,"nodes":[{"name":"plc","t":1}]}'


def test_what_does_not_move_is_asked_for_once() -> None:
    desk, snapshot = Supervisor("plc", "drive"), Snapshot()
    rows = Rows(desk, snapshot)
    for sequence in range(3):
        snapshot.take({"full": True, "nodes": [], "generation": 1, "seq": sequence})
        assert rows.listing().rows == {name: {"name": name, "t": sequence + 1} for name in ("plc", "drive")}
    desk.nodes = ["drive", "pump"]
    rows.forget()
    assert [*rows.listing().rows] == ["drive", "pump"]
    assert desk.said == [[{"name": "plc"}, {"name": "drive"}], None, None, [{"name": "drive"}, {"name": "pump"}]]


def test_of_nodes_that_report_every_few_seconds_rows_are_asked_for_as_often_and_at_news() -> None:
    now = [100.0]
    desk, snapshot = Supervisor("plc", "drive"), Snapshot(lambda: now[0])
    rows = Rows(desk, snapshot, lambda: now[0])

    def second(*nodes: list[Any], generation: int = 1) -> int:
        now[0] += 1.0
        frame = {"full": False, "nodes": list(nodes), "generation": generation, "farm": {"report_every_s": 4}}
        snapshot.take(frame)
        rows.listing()
        return desk.asked

    assert [second([0, "up", 7.0]) for _ in range(5)] == [1, 1, 1, 1, 1]
    assert second([0, "up", 8.0]) == 2
    assert [second([0, "down", 0.0]), second([0, "down", 0.0])] == [3, 3]
    assert second(generation=2) == 4
    rows.forget()
    assert second(generation=2) == 5
