"""Server-sent events: queues that are bounded, and streams of a plant that runs."""

import json
import threading
import time
from typing import Any

import pytest

from farm.dashboard.snapshot import Snapshot
from farm.dashboard.stream import ENTRIES, EVENTS, FLEET, FRAMES, MOST, Hub, Subscriber, message
from tests.dashboard.served import Served
from tests.waiting import until

FARM = {"farm": "x"}


def frame(number: int, *entries: list[Any], full: bool = False) -> dict[str, Any]:
    """A frame as the supervisor makes it."""
    return {"t": float(number), "seq": number, "generation": 1, "full": full, "farm": FARM, "nodes": list(entries)}


def node(number: int, condition: str = "up") -> list[Any]:
    """A node's entry in a frame."""
    return [number, condition, 0.0, None, None, 0, 0, 0, 0.1, 0]


def events(data: bytes) -> list[tuple[str, Any]]:
    """The events in what a subscriber takes."""
    found = []
    for block in data.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def test_a_stream_begins_with_a_full_frame_and_goes_on_with_what_changed() -> None:
    hub = Hub(Snapshot())
    hub.frame(frame(1, node(0), node(1), full=True))
    hub.frame(frame(2, node(1, "down")))
    subscriber = hub.subscribe([FLEET])
    ((event, first),) = events(subscriber.take(0))
    assert (event, first["full"], first["seq"]) == ("fleet", True, 2)
    assert [entry[:2] for entry in first["nodes"]] == [[0, "up"], [1, "down"]]
    hub.frame(frame(3, node(0, "stale")))
    ((_, second),) = events(subscriber.take(0))
    assert (second["full"], second["nodes"]) == (False, [node(0, "stale")])
    assert subscriber.take(0) == b""


def test_who_does_not_read_gets_a_full_frame_in_place_of_those_it_lost() -> None:
    hub = Hub(Snapshot())
    hub.frame(frame(1, node(0), node(1), full=True))
    subscriber = hub.subscribe([FLEET])
    for number in range(2, 2 + FRAMES):
        hub.frame(frame(number, node(0, f"c{number}")))
    found = [data for _, data in events(subscriber.take(0))]
    assert found[0]["full"] is True
    assert len(found) <= FRAMES
    assert found[-1]["seq"] == 1 + FRAMES
    assert next(entry for entry in found[0]["nodes"] if entry[0] == 0)[1] == f"c{found[0]['seq']}"


def test_a_stream_that_begins_while_a_frame_comes_loses_nothing_of_it() -> None:
    class Slow(Snapshot):
        """Between the full frame that it gives and its being taken, another one comes."""

        hub: Hub

        def full(self) -> bytes:
            found = super().full()
            if found and not coming.is_alive():
                coming.start()
                coming.join(0.5)  # it may have to wait for who is here
            return found

    snapshot = Slow()
    hub = Hub(snapshot)
    coming = threading.Thread(target=hub.frame, args=[frame(2, node(0, "down"))])
    hub.frame(frame(1, node(0), full=True))
    subscriber = hub.subscribe([FLEET])
    coming.join(10)
    assert [data["nodes"] for _, data in events(subscriber.take(0))][-1] == [node(0, "down")]


def test_frames_are_serialised_once_for_all() -> None:
    hub = Hub(Snapshot())
    subscribers = [hub.subscribe([FLEET]) for _ in range(3)]
    hub.frame(frame(1, node(0), full=True))
    taken = [subscriber._frames[0] for subscriber in subscribers]
    assert taken[0] is taken[1] is taken[2]


def test_events_come_once_and_in_order_after_a_break() -> None:
    subscriber = Subscriber([EVENTS], lambda: b"", 3)
    for number in (3, 6, 7):
        subscriber.entry(number, message("log", b"%d" % number, number))
    subscriber.resume((number, message("log", b"%d" % number, number)) for number in (4, 5, 6))
    subscriber.entry(7, b"")
    subscriber.entry(8, message("log", b"8", 8))
    assert [data for _, data in events(subscriber.take(0))] == [4, 5, 6, 7, 8]


def test_events_and_nodes_of_who_does_not_read_are_bounded() -> None:
    subscriber = Subscriber([EVENTS], lambda: b"")
    for number in range(1, ENTRIES + 100):
        subscriber.entry(number, message("log", b"1", number))
        subscriber.node("plc", message("node", b"%d" % number))
    found = events(subscriber.take(0))
    assert len(found) == ENTRIES + 1
    assert found[-1] == ("node", ENTRIES + 99)


def test_a_wait_ends_with_the_news() -> None:
    subscriber = Subscriber([FLEET], lambda: b"")
    began = time.monotonic()
    threading.Timer(0.05, subscriber.frame, [b"news"]).start()
    assert subscriber.take(10) == b"news"
    assert time.monotonic() - began < 5


@pytest.mark.net
def test_a_browser_hears_frames_events_and_nodes(served: Served) -> None:
    with served.stream("topics=fleet,events,node:plc,node:sine&tags=Level,Wave") as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream"
        first = stream.next("fleet")
        assert first["full"] is True
        assert len(first["nodes"]) == 15
        second = stream.next("fleet")
        assert second["seq"] > first["seq"]
        assert stream.next("node", lambda data: data["node"] == "plc")["row"]["name"] == "plc"
        assert "Wave" in stream.next("node", lambda data: data["node"] == "sine" and data["tags"])["tags"]
        served.change("PUT", "/api/v1/nodes/plc/tags/Count", {"value": 3})
        entry = stream.next("log", lambda entry: entry["kind"] == "write")
        assert (entry["node"], entry["actor"]) == ("plc", "dashboard")
        assert stream.next("node", lambda data: data["tags"].get("Level") is not None)


@pytest.mark.net
def test_a_browser_that_comes_back_hears_what_it_missed(served: Served) -> None:
    last = served.get("/api/v1/events")["last"]
    for number in range(3):
        served.change("PUT", "/api/v1/nodes/plc/tags/Count", {"value": number})
    for query, headers in (
        ("topics=events", {"Last-Event-ID": str(last)}),
        (f"topics=events&last_event_id={last}", {}),
    ):
        with served.stream(query, **headers) as stream:
            heard = [stream.next("log") for _ in range(3)]
        missed = served.get(f"/api/v1/events?since={last}")["events"]
        assert [entry["id"] for entry in heard] == [entry["id"] for entry in missed[:3]]
        assert heard[0]["id"] == last + 1


@pytest.mark.net
def test_a_browser_that_was_at_another_farm_before_hears_this_one(served: Served) -> None:
    """Ids of events begin anew with a farm; what the browser had last was of one that is gone."""
    with served.stream("topics=events", **{"Last-Event-ID": str(10**9)}) as stream:
        served.change("PUT", "/api/v1/nodes/plc/tags/Count", {"value": 5})
        assert stream.next("log", lambda entry: entry["kind"] == "write")["node"] == "plc"


@pytest.mark.net
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("topics=weather", 400),
        ("topics=node:nobody", 404),
        ("topics=" + ",".join(f"node:tank-{number}" for number in range(1, 20)), 400),
        ("topics=fleet&tags=" + ",".join(map(str, range(65))), 400),
        ("last_event_id=-1", 400),
        ("last_event_id=all", 400),
    ],
)
def test_streams_that_cannot_be(served: Served, query: str, status: int) -> None:
    answer = served.request("GET", f"/api/v1/stream?{query}")
    assert answer.status == status, answer.body


@pytest.mark.net
def test_streams_beyond_the_cap_are_refused_cleanly_and_the_rest_is_served(served: Served) -> None:
    until(lambda: "\nfarm_dashboard_streams 0\n" in served.request("GET", "/metrics").body.decode())
    streams = [served.stream("topics=fleet") for _ in range(MOST)]
    try:
        assert [stream.status for stream in streams] == [200] * MOST
        for _ in range(3):
            answer = served.request("GET", "/api/v1/stream?topics=fleet")
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
            assert "every five seconds" in answer.json["hint"]
        for _ in range(20):
            assert served.get("/api/v1/farm")["nodes"] == 15
        assert all(stream.next("fleet")["farm"]["nodes"] == 15 for stream in streams)
        metrics = served.request("GET", "/metrics").body.decode()
        assert f"\nfarm_dashboard_streams {MOST}\n" in metrics
    finally:
        for stream in streams:
            stream.close()

    def is_free() -> bool:
        with served.stream("topics=fleet") as stream:
            return stream.status == 200

    until(is_free)
    assert served.request("HEAD", "/api/v1/stream").status == 200
