"""Every request of 2.1.8 of the 2016 manual, to a simulator that a client asks meanwhile: what is answered, and what
the client sees of it."""

import json
import time
from collections.abc import Iterator

import pytest

from node.client.connector import Connector
from node.client.modbus import ModbusClient
from node.errors import NodeError
from tests.waiting import until
from tests.web.simulator import HOST, MODBUS, Simulator, simulator

pytestmark = pytest.mark.net


@pytest.fixture(scope="module")
def served() -> Iterator[Simulator]:
    with simulator("SCADA=INT[1000]", "Level=REAL", "Name=STRING") as made:
        yield made


@pytest.fixture
def client(served: Simulator) -> Iterator[Connector]:
    with Connector(HOST, served.port, timeout=5.0) as made:
        yield made


def seconds_of_a_read(client: Connector) -> float:
    began = time.monotonic()
    client.read_tag("SCADA[0]")
    return time.monotonic() - began


def test_everything_is_in_the_manual_s_shape_and_order(served: Simulator) -> None:
    answer = served.request("GET", "/api")
    assert answer.headers["content-type"] == "application/json"
    shown = answer.body.decode()
    assert shown.startswith('{\n    "alarm": [],\n    "command": {},\n    "data": {\n        "options": {\n')
    assert shown.endswith("}\n")
    found = answer.json
    assert list(found) == ["alarm", "command", "data", "since", "until"]
    assert abs(found["until"] - time.time()) < 60
    assert list(found["data"]) == ["options", "server", "tags"]
    assert found["data"]["tags"]["SCADA"] == {
        "attribute": "SCADA          INT[1000] == [0, 0, 0, 0, 0, 0, ...]",
        "error": 0,
    }
    for same in ("/", "/*", "/*/*"):
        assert served.get(same)["data"] == found["data"]


@pytest.mark.parametrize("path", ["/options/delay/value/0.15", "/options/delay/value=0.15", "/options/delay/value/.15"])
def test_a_delay_is_seen_in_the_client_s_response_time(served: Simulator, client: Connector, path: str) -> None:
    client.read_tag("SCADA[0]")
    answer = served.get(path)
    word = path.replace("=", "/").rpartition("/")[2]
    assert answer["command"] == {"message": f"options.delay.value='{word}' (0.15)", "success": True}
    assert answer["data"] == {"options": {"delay": {"value": 0.15}}}
    assert seconds_of_a_read(client) >= 0.15
    served.say("/options/delay/value=0")
    assert min(seconds_of_a_read(client) for _ in range(3)) < 0.15


def test_a_delay_may_be_a_range(served: Simulator, client: Connector) -> None:
    assert served.say("/options/delay/range=0.1-0.2") == "options.delay.range='0.1-0.2' (0.1-0.2)"
    assert served.get("/options")["data"] == {"options": {"delay": {"range": "0.1-0.2"}}}
    assert seconds_of_a_read(client) >= 0.1
    served.say("/options/delay/value/0")


def test_a_delay_beyond_a_client_s_patience_fails_it(served: Simulator) -> None:
    served.say("/options/delay/value=10.0")
    try:
        with pytest.raises((NodeError, OSError)), Connector(HOST, served.port, timeout=0.3) as impatient:
            impatient.read_tag("SCADA[0]")
    finally:
        served.say("/options/delay/value=0")
    served.say("/connections/*/eof/true")


def test_a_tag_errs_and_recovers(served: Simulator, client: Connector) -> None:
    assert served.say("/tags/SCADA/error=8") == "tags.SCADA.error='8' (8)"
    assert served.get("/tags/SC*")["data"]["tags"]["SCADA"]["error"] == 8
    with pytest.raises(NodeError, match="0x08"):
        client.read_tag("SCADA[0]")
    assert client.read_tag("Level") == 0.0
    assert served.say("/tags/SCADA/error/0") == "tags.SCADA.error='0' (0)"
    assert client.read_tag("SCADA[0]") == 0


def test_elements_and_slices_are_set_and_read(served: Simulator, client: Connector) -> None:
    answer = served.get("/tags/SCADA/attribute[3]=4")
    assert answer["command"]["message"] == "tags.SCADA.attribute[3]='4' (4)"
    assert answer["data"]["tags"]["SCADA"]["attribute"] == "SCADA          INT[1000] == [0, 0, 0, 4, 0, 0, ...]"
    assert client.read_tag("SCADA[3]") == 4
    assert served.say("/tags/SCADA/attribute[3]") == "tags.SCADA.attribute[3]: 4"
    assert served.say("/tags/SCADA/attribute[2-4]") == "tags.SCADA.attribute[2-4]: [0, 4, 0]"
    assert served.say("/tags/SCADA/attribute[2:5]") == "tags.SCADA.attribute[2:5]: [0, 4, 0]"
    assert served.say("/tags/SCADA/attribute[7:9]=[1,-2]") == "tags.SCADA.attribute[7:9]='[1,-2]' ([1, -2])"
    assert client.read_tag("SCADA[7]", 2) == [1, -2]
    assert served.say("/tags/Level/attribute=1.5") == "tags.Level.attribute='1.5' (1.5)"
    assert served.say("/tags/Name/attribute/a%2Fb=c//d") == "tags.Name.attribute='a/b=c//d' (a/b=c//d)"
    assert client.read_tag("Name") == "a/b=c//d"
    served.say("/tags/SCADA/attribute[3]/0")


def connected(served: Simulator) -> dict[str, dict[str, object]]:
    """Who is."""
    rows: dict[str, dict[str, object]] = served.get("/connections")["data"].get("connections", {})
    return rows


def test_connections_are_listed_by_peer_and_ended_one_by_one(served: Simulator, client: Connector) -> None:
    client.read_tag("Level")
    before = connected(served)
    with Connector(HOST, served.port, timeout=5.0) as other:
        other.read_tag("Level")
        rows = connected(served)
        (theirs,) = set(rows) - set(before)
        assert rows[theirs]["interface"] == "127.0.0.1"
        assert theirs == f"127_0_0_1_{rows[theirs]['port']}"
        assert rows[theirs]["eof"] is False
        assert min(rows[theirs]["requests"], rows[theirs]["received"]) > 1  # type: ignore[type-var]
        served.say(f"/connections/{theirs}/eof/true")
        until(lambda: theirs not in connected(served))
        with pytest.raises((NodeError, OSError)):
            other.read_tag("Level")
    assert client.read_tag("Level") is not None
    assert served.request("GET", f"/api/connections/{theirs}").status == 404


@pytest.mark.parametrize("path", ["/connections/*/eof/true", "/connections/eof/true", "/connections/127*/eof=true"])
def test_all_connections_are_ended(served: Simulator, path: str) -> None:
    with Connector(HOST, served.port, timeout=5.0) as dropped:
        dropped.read_tag("Level")
        assert "eof='true' (True)" in served.say(path)
        until(lambda: not connected(served))
        with pytest.raises((NodeError, OSError)):
            dropped.read_tag("Level")
    with Connector(HOST, served.port, timeout=5.0) as again:
        assert again.read_tag("Level") is not None


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_value_may_stand_in_the_body(served: Simulator, client: Connector, method: str) -> None:
    body = json.dumps({"value": [5, 6]}).encode()
    kind = {"Content-Type": "application/json"}
    answer = served.request(method, "/api/tags/SCADA/attribute[20-21]", body, kind)
    assert answer.json["command"] == {"message": "tags.SCADA.attribute[20-21]=[5, 6] ([5, 6])", "success": True}
    assert client.read_tag("SCADA[20]", 2) == [5, 6]
    assert served.request(method, "/api/tags/SCADA/attribute[20]=7").status == 200
    assert client.read_tag("SCADA[20]") == 7


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/tags/nope", 404, "nothing matches tags/nope"),
        ("/tags/nope*", 200, None),
        ("/nope", 404, "nothing matches nope/*"),
        ("/tags/SCADA/nope=1", 404, "nothing matches tags/SCADA that has 'nope'"),
        ("/connections", 200, None),
        ("/tags/SCADA/attribute[1000]=1", 400, "elements are 0 to 999"),
        ("/tags/SCADA/attribute[3:3]", 400, "no element is in there"),
        ("/tags/SCADA/attribute[0]=40000", 400, "does not fit INT"),
        ("/tags/SCADA/error=x", 400, "is no status"),
        ("/options/delay/value=soon", 400, "is no delay"),
        ("/server/control/latency=61", 400, "wanted seconds, 0 to 60"),
        ("/server/control/disable=perhaps", 400, "wanted true or false"),
    ],
)
def test_what_cannot_be_done_has_a_status_and_a_reason(served: Simulator, path: str, status: int, said: str) -> None:
    answer = served.request("GET", f"/api{path}")
    assert answer.status == status
    command = answer.json["command"]
    assert command == {} if said is None else (command["success"] is False and said in command["message"])


def test_registers_are_tags_of_a_modbus_simulator() -> None:
    with simulator("40001-40010=99", command=MODBUS) as served, ModbusClient.tcp(HOST, served.port) as client:
        (name,) = served.get("/tags")["data"]["tags"]
        served.say(f"/tags/{name}/attribute[2]=7")
        assert client.read(40001, count=4) == [99, 99, 7, 99]
        served.say(f"/tags/{name}/error=8")
        with pytest.raises(NodeError, match="function"):
            client.read(40001)
        served.say(f"/tags/{name}/error=0")
        assert client.read(40003) == [7]
