"""`disable`, `done` and `eof`, and what `latency` and `timeout` change of them, as clients and processes see it."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from node.client.connector import Connector
from node.errors import NodeError
from tests.waiting import until
from tests.web.simulator import HOST, Simulator, simulator

pytestmark = pytest.mark.net


@pytest.fixture(scope="module")
def served() -> Iterator[Simulator]:
    with simulator("SCADA=INT[1000]") as made:
        yield made


@pytest.fixture(autouse=True)
def as_before(served: Simulator) -> Iterator[None]:
    yield
    for path in ("control/disable/false", "control/latency=0.1", "control/timeout=0.2"):
        served.say(f"/server/{path}")
    served.say("/options/delay/value=0")
    until(lambda: listens(served))


def listens(served: Simulator) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, served.port)) == 0


def raw(served: Simulator) -> socket.socket:
    """A connection that a client keeps open."""
    return socket.create_connection((HOST, served.port), timeout=10)


def seconds_until_gone(sock: socket.socket, began: float) -> float:
    assert sock.recv(1) == b""
    return time.monotonic() - began


def test_disable_closes_the_port_and_connections_and_the_web_interface_stays(served: Simulator) -> None:
    with raw(served) as client:
        answer = served.get("/server/control/disable/true")
        assert answer["data"]["server"]["control"]["disable"] is True
        assert seconds_until_gone(client, time.monotonic()) < 5
    until(lambda: not listens(served))
    assert served.get("/connections")["data"] == {}
    assert served.say("/tags/SCADA/attribute[0]=9") == "tags.SCADA.attribute[0]='9' (9)"
    served.say("/server/control/disable/false")
    until(lambda: listens(served))
    with Connector(HOST, served.port, timeout=5.0) as back:
        assert back.read_tag("SCADA[0]") == 9


def test_disabling_and_enabling_at_once_drops_connections_all_the_same(served: Simulator) -> None:
    with raw(served) as client:
        served.say("/server/control/disable/true")
        served.say("/server/control/disable/false")
        assert seconds_until_gone(client, time.monotonic()) < 5
    until(lambda: listens(served))


@pytest.mark.parametrize("path", ["/connections/*/eof/true", "/server/control/disable/true"])
def test_latency_is_how_soon_it_takes_effect(served: Simulator, path: str) -> None:
    took = {}
    for latency in (0.0, 1.2):
        served.say(f"/server/control/latency={latency}")
        with raw(served) as client:
            until(lambda: served.get("/connections")["data"])
            began = time.monotonic()
            served.say(path)
            took[latency] = seconds_until_gone(client, began)
        served.say("/server/control/disable/false")
        until(lambda: listens(served))
    assert took[0.0] < 1.2 <= took[1.2]


def test_until_then_all_goes_on(served: Simulator) -> None:
    served.say("/server/control/latency=1")
    with Connector(HOST, served.port, timeout=5.0) as client:
        client.write_tag("SCADA[0]", 7)
        served.say("/connections/*/eof/true")
        assert client.read_tag("SCADA[0]") == 7


def test_the_timeout_is_twice_the_latency_until_it_is_set() -> None:
    with simulator("SCADA=INT") as fresh:
        fresh.say("/server/control/latency=1.5")
        assert fresh.get("/server")["data"]["server"]["control"]["timeout"] == 3.0
        fresh.say("/server/control/timeout=2")
        fresh.say("/server/control/latency=0.1")
        assert fresh.get("/server")["data"]["server"]["control"]["timeout"] == 2.0


@pytest.mark.parametrize("path", ["/connections/*/eof/true", "/server/control/disable/true"])
@pytest.mark.parametrize(("timeout", "answered"), [(0.1, False), (5.0, True)])
def test_timeout_is_how_long_what_was_asked_may_take(
    served: Simulator, path: str, timeout: float, answered: bool
) -> None:
    with Connector(HOST, served.port, timeout=5.0) as client:
        client.read_tag("SCADA[0]")
        served.say("/options/delay/value=1.2")
        served.say(f"/server/control/timeout={timeout}")
        got: list[object] = []
        asking = threading.Thread(target=lambda: got.append(read(client)))
        before = requests(served)
        asking.start()
        until(lambda: requests(served) > before)
        began = time.monotonic()
        served.say(path)
        asking.join(10)
        assert (got != [None]) is answered, got
        assert answered or time.monotonic() - began < 1.1
        until(lambda: not served.get("/connections")["data"])


def requests(served: Simulator) -> int:
    return sum(row["requests"] for row in served.get("/connections")["data"].get("connections", {}).values())


def read(client: Connector) -> object:
    """A value, None where the connection ended before it came."""
    try:
        return client.read_tag("SCADA[0]")
    except (NodeError, OSError):
        return None


def test_done_is_answered_and_then_ends_the_process() -> None:
    with simulator("SCADA=INT") as served:
        with raw(served) as client:
            answer = served.get("/server/control/done/true")
            assert answer["data"]["server"]["control"]["done"] is True
            assert client.recv(1) == b""
        output, _ = served.process.communicate(timeout=20)
        assert (served.process.returncode, output) == (0, "")


def test_done_is_answered_however_soon_it_ends() -> None:
    with simulator("SCADA=INT") as served:
        served.say("/server/control/latency=0")
        served.say("/server/control/timeout=0")
        assert served.say("/server/control/done=true").startswith("server.control.done=")
        output, _ = served.process.communicate(timeout=20)
        assert (served.process.returncode, output) == (0, "")


def test_ctrl_c_waits_for_no_latency_and_no_slow_browser() -> None:
    with simulator("SCADA=INT") as served:
        served.say("/server/control/latency=60")
        served.say("/server/control/disable=true")
        with socket.create_connection((HOST, served.web), timeout=10) as half:
            half.sendall(b"GET /api HTTP/1.1\r\nHos")
            began = time.monotonic()
            served.process.terminate()
            assert served.process.wait(30) == 0
            assert time.monotonic() - began < 5
