"""Every route of the API on a plant that runs: what is read is what is there, what is changed is changed."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pylogix import PLC

from farm.dashboard import snapshot
from tests.dashboard.served import NASTY, Served
from tests.waiting import until

pytestmark = pytest.mark.net

PLC_ADDRESS = "127.64.231.1"


@contextlib.contextmanager
def a_client() -> Iterator[PLC]:
    """pylogix, connected to the plc."""
    with PLC(PLC_ADDRESS) as plc:
        first = plc.conn.Socket
        try:
            yield plc
        finally:
            first.close()
            plc.conn.msg_socket.close()  # made by pylogix, and never closed by it


@pytest.fixture
def level(served: Served) -> Any:
    """Puts the tag back as it was."""
    yield
    served.change("PUT", "/api/v1/nodes/plc/tags/Level", {"mode": "release"})
    served.change("PUT", "/api/v1/nodes/plc/tags/Level", {"value": 0})


def all_up(served: Served) -> Any:
    """The farm's own line once all its nodes are up and it is of now."""
    found = served.get("/api/v1/farm")
    return found["conditions"]["up"] == 15 and 0 <= found["age_s"] < 3 and found


def test_the_farm(served: Served) -> None:
    farm = until(lambda: all_up(served))
    assert (farm["farm"], farm["backend"], farm["nodes"], farm["reach_kind"]) == ("served", "process", 15, "loopback")
    assert farm["can_write"] is False
    assert served.get("/api/v1/farm", Authorization=f"Bearer {served.reader}")["can_write"] is False
    assert served.get("/api/v1/farm", Authorization=f"Bearer {served.token}")["can_write"] is True


def test_nodes_all_or_some(served: Served) -> None:
    everything = served.get("/api/v1/nodes")
    assert [row["name"] for row in everything["nodes"][:3]] == ["plc", "sine", "rtu"]
    assert everything["total"] == len(everything["nodes"]) == 15
    some = served.get("/api/v1/nodes?filter=kind:logix%20-tank&fields=name,address&sort=-name&limit=1")
    assert some["nodes"] == [{"name": "sine", "address": "127.64.231.2"}]
    assert some["total"] == 2
    assert served.request("GET", "/api/v1/nodes?limit=-1").status == 400
    assert served.request("GET", "/api/v1/nodes?fields=password").status == 400
    assert served.request("GET", "/api/v1/nodes?filter=colour:red").json["hint"].startswith("keys are")


def test_a_node_in_full(served: Served) -> None:
    node = served.get("/api/v1/nodes/plc")
    assert node["row"]["address"] == PLC_ADDRESS
    assert node["identity"]
    config = served.get("/api/v1/nodes/plc/config")
    assert config["config"]["name"] == "plc"
    assert any(place.endswith(".yaml:5:8") or ".yaml:5:" in place for place in config["origins"].values())
    assert isinstance(served.get("/api/v1/nodes/plc/log")["log"], list)
    for path in ("", "/config", "/log", "/tags", "/tags/Level", "/trend", "/requests", "/connections"):
        answer = served.request("GET", f"/api/v1/nodes/nobody{path}")
        assert (answer.status, answer.json["error"]) == (404, "there is no node nobody")


def test_tags_are_read_written_forced_and_released(served: Served, level: None) -> None:
    names = [tag["name"] for tag in served.get("/api/v1/nodes/plc/tags")["tags"]]
    assert names == ["Level", "Count", "Text", "Grid"]
    with a_client() as plc:
        assert served.change("PUT", "/api/v1/nodes/plc/tags/Level", {"value": 2.5}).status == 200
        assert plc.Read("Level").Value == 2.5
        assert served.change("PUT", "/api/v1/nodes/plc/tags/Grid[1-2]", {"value": [5, 6]}).status == 200
        assert plc.Read("Grid", 4).Value == [0, 5, 6, 0]
        assert served.change("PUT", "/api/v1/nodes/plc/tags/Level", {"value": 9.5, "mode": "force"}).status == 200
        plc.Write("Level", 1.5)
        assert plc.Read("Level").Value == 9.5
        tag = served.get("/api/v1/nodes/plc/tags/Level")["value"]
        assert (tag["value"], tag["forced"]) == (9.5, True)
        assert served.change("PUT", "/api/v1/nodes/plc/tags/Level", {"mode": "release"}).status == 200
        plc.Write("Level", 3.5)
        assert plc.Read("Level").Value == 3.5
    events = served.get("/api/v1/events?kind=write&node=plc&limit=10")["events"]
    assert {"dashboard"} <= {event["actor"] for event in events}


@pytest.mark.parametrize(
    ("tag", "body", "status"),
    [
        ("Level", {"value": "much"}, 422),
        ("Nothing", {"value": 1}, 422),
        ("Count", {"value": 1 << 40}, 422),
        ("Level", {}, 400),
        ("Level", {"value": None}, 400),
        ("Level", {"value": 1, "mode": "break"}, 400),
    ],
)
def test_what_cannot_be_written(served: Served, tag: str, body: dict[str, Any], status: int) -> None:
    answer = served.change("PUT", f"/api/v1/nodes/plc/tags/{tag}", body)
    assert answer.status == status, answer.body
    assert answer.json["error"]


def test_no_look_at_a_tag_does_anything_to_it(served: Served, level: None) -> None:
    """What a node can be told of a tag stands behind its name, as in tags/Level/release."""
    assert served.change("PUT", "/api/v1/nodes/plc/tags/Level", {"value": 9.5, "mode": "force"}).status == 200
    for tag in ("Level/release", "release", "Level%2Frelease", "/release", "release/"):
        answer = served.request("GET", f"/api/v1/nodes/plc/tags/{tag}")
        assert answer.status == 404, tag
        assert served.get("/api/v1/nodes/plc/tags/Level")["value"]["forced"] is True, tag
    for tag in ("Level/force", "Level/error", "release"):
        assert served.change("PUT", f"/api/v1/nodes/plc/tags/{tag}", {"value": 8}).status == 404, tag
    release = {"writes": [{"node": "plc", "tag": "release", "value": 1}]}
    (result,) = served.change("POST", "/api/v1/tags:batch", release).json["results"]
    assert "no tag" in result["error"]
    assert served.get("/api/v1/nodes/plc/tags/Level")["value"]["value"] == 9.5


def test_a_batch_says_of_each_how_it_went(served: Served, level: None) -> None:
    writes = [
        {"node": "plc", "tag": "Level", "value": 4.5},
        {"node": "plc", "tag": "Nothing", "value": 1},
        {"node": "nobody", "tag": "Level", "value": 1},
        {"node": "rtu", "tag": "40001", "value": 8},
    ]
    results = served.change("POST", "/api/v1/tags:batch", {"writes": writes}).json["results"]
    assert results[0]["value"]["value"] == 4.5
    assert "no tag" in results[1]["error"]
    assert results[2]["error"] == "there is no node nobody"
    many = [{"node": f"tank-{number}", "tag": "Level", "value": 1.0} for number in range(1, 13)]
    answer = served.change("POST", "/api/v1/tags:batch", {"writes": many})
    assert (answer.status, answer.json["hint"]) == (409, 'send "confirm": 12 with it')
    assert served.change("POST", "/api/v1/tags:batch", {"writes": many, "confirm": 12}).status == 200
    for wrong in ({}, {"writes": []}, {"writes": [7]}, {"writes": [{"node": "plc"}]}, {"writes": "all"}):
        assert served.change("POST", "/api/v1/tags:batch", wrong).status == 400


def only(connections: list[Any]) -> Any:
    """The one that is there, None when those of an earlier client are not gone yet."""
    return connections[0] if len(connections) == 1 else None


def test_connections_and_requests_of_a_client(served: Served) -> None:
    with a_client() as plc:
        assert plc.Read("Level").Status == "Success"
        assert plc.Read("Levle").Status != "Success"
        found = served.get("/api/v1/nodes/plc/requests")
        assert any("Level" in request["request"] and request["ok"] for request in found["requests"])
        assert any(not request["ok"] for request in found["requests"])
        assert [entry["name"] for entry in found["undefined"]] == ["Levle"]
        connection = until(lambda: only(served.get("/api/v1/nodes/plc/connections")["connections"]))
        clients = until(lambda: served.get("/api/v1/clients")["clients"])
        assert clients[0]["address"] == connection["peer"].rpartition(":")[0]
        assert until(lambda: served.get("/api/v1/map")["edges"])[0]["node"] == "plc"
        answer = served.change("DELETE", f"/api/v1/nodes/plc/connections/{connection['peer']}")
        assert answer.json == {"ended": 1}
        assert served.get("/api/v1/nodes/plc/connections")["connections"] == []
    assert served.change("DELETE", "/api/v1/nodes/plc/connections/127.0.0.1:1").status == 422


def test_a_fault_refuses_a_client_and_its_end_lets_it_in(served: Served) -> None:
    body = {"fault": {"kind": "status", "code": 8, "tag": "Level"}, "nodes": ["plc"], "for": 60}
    answer = served.change("POST", "/api/v1/faults", body)
    assert answer.status == 201, answer.body
    fault = answer.json["fault"]
    try:
        assert served.get("/api/v1/faults")["faults"][0]["id"] == fault["id"]
        with a_client() as plc:
            assert plc.Read("Level").Status != "Success"
        found = until(lambda: served.get("/api/v1/nodes?filter=fault:status%20condition:fault")["nodes"])
        assert [(row["name"], row["condition"]) for row in found] == [("plc", "fault")]
    finally:
        assert served.change("DELETE", f"/api/v1/faults/{fault['id']}").json == {"cleared": [fault["id"]]}
    with a_client() as plc:
        assert plc.Read("Level").Status == "Success"
    assert served.change("DELETE", f"/api/v1/faults/{fault['id']}").status == 404
    assert served.change("DELETE", "/api/v1/faults").json == {"cleared": []}


def test_faults_that_cannot_be(served: Served) -> None:
    slow = {"kind": "slow", "seconds": 0.01}
    for body, status in (
        ({"nodes": ["plc"]}, 400),
        ({"fault": slow}, 400),
        ({"fault": slow, "nodes": ["plc"], "filter": ""}, 400),
        ({"fault": slow, "nodes": ["plc"], "for": -1}, 400),
        ({"fault": slow, "nodes": ["nobody"]}, 404),
        ({"fault": {"kind": "explode"}, "nodes": ["plc"]}, 422),
        ({"fault": slow, "filter": "name:nobody"}, 422),
        ({"fault": slow, "filter": ""}, 409),
        ({"fault": slow, "filter": "", "confirm": 14}, 409),
    ):
        assert served.change("POST", "/api/v1/faults", body).status == status, body
    assert served.get("/api/v1/faults")["faults"] == []


def test_stopping_starting_restarting(served: Served) -> None:
    stopped = served.change("POST", "/api/v1/nodes/sine/stop")
    assert [row["condition"] for row in stopped.json["nodes"]] == ["stopped"]
    assert served.get("/api/v1/nodes/sine")["row"]["state"] == "stopped"
    started = served.change("POST", "/api/v1/nodes:start", {"filter": "state:stopped"})
    assert [row["name"] for row in started.json["nodes"]] == ["sine"]
    until(lambda: served.get("/api/v1/nodes?filter=name:sine%20condition:up")["nodes"])
    pid = served.get("/api/v1/nodes/rtu")["row"]["pid"]
    assert served.change("POST", "/api/v1/nodes:restart", {"nodes": ["rtu"]}).status == 200
    assert served.get("/api/v1/nodes/rtu")["row"]["pid"] != pid
    many = served.change("POST", "/api/v1/nodes:stop", {"filter": ""})
    assert (many.status, many.json["hint"]) == (409, 'send "confirm": 15 with it')
    assert served.change("POST", "/api/v1/nodes/nobody/stop").status == 404
    assert served.change("POST", "/api/v1/nodes:explode", {"filter": ""}).status == 404


def test_a_trend_of_what_is_watched(served: Served) -> None:
    with served.stream("topics=node:sine&tags=Wave") as stream:
        stream.next("node", lambda data: "Wave" in data["tags"])
    trend = until(lambda: (found := served.get("/api/v1/nodes/sine/trend?tags=Wave"))["tags"]["Wave"] and found)
    assert len(trend["times"]) == len(trend["requests"]) == len(trend["p99"])
    assert all(value is None or 1 <= value <= 9 for _, value in trend["tags"]["Wave"])
    assert served.get(f"/api/v1/nodes/sine/trend?since={trend['times'][-1] + 1000}")["times"] == []
    assert served.request("GET", "/api/v1/nodes/sine/trend?since=now").status == 400
    assert served.request("GET", "/api/v1/nodes/sine/trend?tags=" + ",".join(map(str, range(17)))).status == 400


def nothing_new(served: Served) -> bool:
    """Whether nothing is told of since the last event: another may have come in between."""
    last = served.get("/api/v1/events?limit=1")["last"]
    return served.get(f"/api/v1/events?since={last}")["events"] == []


def test_events(served: Served) -> None:
    found = served.get("/api/v1/events?limit=5")
    assert [event["id"] for event in found["events"]] == list(range(found["last"] - 4, found["last"] + 1))
    until(lambda: nothing_new(served))
    assert served.get("/api/v1/events?limit=0")["events"] == []
    kinds = {event["kind"] for event in served.get("/api/v1/events?kind=state,config&limit=1000")["events"]}
    assert kinds == {"state", "config"}
    assert {event["node"] for event in served.get("/api/v1/events?node=tank-1?")["events"]} == {
        "tank-10", "tank-11", "tank-12"
    }  # fmt: skip


def test_a_nodes_own_tree(served: Served, level: None) -> None:
    tree = served.get("/node/plc/api")
    assert set(tree) == {"alarm", "command", "data", "since", "until"}
    assert tree["data"]["tags"]["Level"]["error"] == 0
    bearer = {"Authorization": f"Bearer {served.token}"}
    answer = served.request("GET", "/node/plc/api/tags/Level/attribute=6.5", headers=bearer)
    assert answer.json["command"]["success"] is True
    assert served.get("/api/v1/nodes/plc/tags/Level")["value"]["value"] == 6.5
    put = {**bearer, "Content-Type": "application/json"}
    answer = served.request("POST", "/node/plc/api/tags/Level/attribute", b'{"value": 7.5}', put)
    assert answer.json["command"]["success"] is True, answer.body
    assert served.get("/node/plc/api/tags/Lev*")["data"]["tags"].keys() == {"Level"}
    assert served.request("GET", "/node/nobody/api").status == 404


def test_what_came_from_a_wire_is_never_markup(served: Served) -> None:
    page = served.request("GET", "/node/plc/api/tags", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert NASTY.encode() not in page.body
    assert b"&lt;img src=x onerror=alert(1)&gt;" in page.body
    page = served.request("GET", "/node/plc/api/%3Cscript%3E", headers={"Accept": "text/html"})
    assert b"<script>" not in page.body
    for path in ("/api/v1/nodes/plc/tags", "/api/v1/%3Cscript%3E", "/api/v1/nodes/%3Cscript%3E", "/%3Cscript%3E"):
        answer = served.request("GET", path, headers={"Accept": "text/html"})
        assert answer.headers["content-type"] == "application/json"
        json.loads(answer.body)


def test_the_pages_files(served: Served) -> None:
    index = served.request("GET", "/")
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    again = served.request("GET", "/", headers={"If-None-Match": index.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert served.request("GET", "/static/index.html").body == index.body
    assert served.request("POST", "/", b"").status == 405
    assert "GET" in served.request("POST", "/", b"").headers["allow"]


def test_numbers_that_json_has_not_go_out_as_text() -> None:
    packed = snapshot.serialise({"a": [float("nan"), float("inf"), -float("inf"), 1.5], "b": {"c": 1}})
    assert json.loads(packed) == {"a": ["NaN", "Infinity", "-Infinity", 1.5], "b": {"c": 1}}
