"""A device by the names of what it has, on real sockets: the manual's 2.1.6 with our names, and what goes wrong."""

from __future__ import annotations

import itertools
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from node.client.dotted import dotdict
from node.client.failure import BadAnswer, ConnectionLost, NoAnswer, Refused, TagError, TimedOut
from node.client.parameters import Parameter
from node.client.proxy import Proxy, ProxySimple
from node.errors import LocalProtocolError
from tests.client.hostile import HOST, Hostile, Say, honest, hostile, hung_up, silent, trickled
from tests.client.nodes import Served
from tests.client.restarted import Restarted

pytestmark = pytest.mark.net


class SomeSensor(ProxySimple):
    """A simple device with one parameter, 'A Sensor Parameter'."""

    PARAMETERS: ClassVar = dict(
        ProxySimple.PARAMETERS, a_sensor_parameter=ProxySimple.parameter("@0x93/1/10", "REAL", "Hz")
    )


@pytest.fixture(scope="module")
def sensor() -> Iterator[Restarted]:
    """A simple device with a REAL at @0x93/1/10, that tests may stop and start."""
    with Restarted("node", "enip", "-S", "Gauge@0x93/1/10=REAL", "T=DINT") as device:
        yield device


@pytest.fixture
def via(controller: Served) -> Iterator[Proxy]:
    """A proxy of the controller that only is read and written."""
    proxy = Proxy(controller.host, controller.port)
    yield proxy
    proxy.close()


def test_a_parameter_by_its_name(sensor: Restarted) -> None:
    via = SomeSensor(sensor.host, sensor.port)
    with via:
        assert via.write("A Sensor Parameter", 1.25) == [True]
        (value,) = via.read("A Sensor Parameter")
        assert value == [1.25]
        assert list(via.read(["a sensor  parameter", ("@0x93/1/10", "REAL"), "@0x93/1/10"])) == [
            [1.25],
            [1.25],
            [0, 0, 0xA0, 0x3F],
        ]
    via.close()


def test_it_says_who_it_is_and_is_asked_late(controller: Served) -> None:
    via = Proxy(controller.host, controller.port)
    assert str(via) == "None at None"
    reader = via.read("Product Name")
    assert re.fullmatch(rf"1756-L61/B LOGIX5561 at {controller.host}:{controller.port}\[\d+\]", str(via))
    assert via.instance is not None
    assert (via.instance.product_name, via.instance.device_type) == ("1756-L61/B LOGIX5561", 14)
    assert list(reader) == [["1756-L61/B LOGIX5561"]]
    via.close()
    assert str(via) == "1756-L61/B LOGIX5561 at None"


@pytest.mark.parametrize("default", ["Something", dotdict({"product_name": "Something"})])
def test_a_default_spares_the_question(controller: Served, default: str) -> None:
    via = Proxy(controller.host, controller.port, identity_default=default)
    assert str(via) == "Something at None"
    list(via.read("Product Name"))
    assert re.fullmatch(rf"Something at {controller.host}:{controller.port}\[\d+\]", str(via))
    via.close()


def test_what_every_device_has_is_decoded(via: Proxy) -> None:
    identity, tcpip = via.read(["Identity", "TCPIP"])
    assert identity is not None and tcpip is not None
    assert identity[:4] == [1, 14, 54, 2836]
    assert identity[6] == "1756-L61/B LOGIX5561"
    assert tcpip[:4] == [2, 48, 0, [{"class": 246}, {"instance": 1}]]
    assert (tcpip[4], len(tcpip)) == (via.host, 11)


def test_a_fault_is_none_unless_one_checks(via: Proxy) -> None:
    via.write({"Tag[0-2]": [1, 2, 3]}, checking=True)
    assert list(via.read(["Tag[0-2]", "Nope", "Tag[2]"])) == [[1, 2, 3], None, [3]]
    assert via.write({"Nope": 1, "Tag[0]": 9}) == [None, True]
    reader = via.read(["Tag[0]", "Nope"], checking=True)
    assert next(reader) == [9]
    with pytest.raises(TagError, match=rf"^{via.host}:{via.port}: Nope: path segment error"):
        next(reader)
    assert str(via).endswith(" at None")
    with pytest.raises(TagError, match="Nope"):
        via.write("Nope=1", checking=True)


def test_names_may_come_without_end(via: Proxy) -> None:
    via.write("Tag[0-1]=(DINT)5,6")
    asked: list[str] = []

    def names() -> Iterator[str]:
        for number in itertools.count():
            asked.append(f"Tag[{number % 2}]")
            yield asked[-1]

    assert list(itertools.islice(via.read(names()), 150)) == [[5], [6]] * 75
    assert len(asked) == 200


def test_what_is_wrong_is_said_before_anything_is_sent() -> None:
    via = Proxy("127.64.33.99", 1)
    with pytest.raises(LocalProtocolError):
        via.read(["Product Name", "SCADA["])


def test_a_wrong_type_is_an_answer_that_cannot_be_used(via: Proxy) -> None:
    reader = via.read(["Product Name", Parameter("@1/1/1", "REAL")])
    assert next(reader) == ["1756-L61/B LOGIX5561"]
    with pytest.raises(NoAnswer, match="@1/1/1: 2 bytes that are no REAL"):
        next(reader)


def test_the_gateway_opens_again_after_the_device_was_away(sensor: Restarted, caplog: pytest.LogCaptureFixture) -> None:
    via = SomeSensor(sensor.host, sensor.port, 2.0)
    assert list(via.read("Product Name")) == [["1756-L61/B LOGIX5561"]]
    reader = via.read("Product Name")
    sensor.stop()
    try:
        with pytest.raises((Refused, ConnectionLost)), via:
            list(reader)
        assert str(via) == "1756-L61/B LOGIX5561 at None"
        with pytest.raises(Refused):
            via.read("Product Name")
    finally:
        sensor.start()
    with via:
        assert list(via.read("Product Name")) == [["1756-L61/B LOGIX5561"]]
    session = str(via)
    with caplog.at_level(logging.WARNING), pytest.raises(ZeroDivisionError), via:
        assert 1 // 0
    assert caplog.messages == [
        f"closed EtherNet/IP CIP gateway {session.partition(' at ')[2]} due to: integer division or modulo by zero"
    ]
    via.close()


def test_an_error_closes_for_itself_alone(sensor: Restarted) -> None:
    """Of threads that share a proxy, the slower one must not close what the quicker one has opened again."""
    via = SomeSensor(sensor.host, sensor.port)
    with pytest.raises(TagError) as caught:
        list(via.read("@0x93/9/9", checking=True))
    list(via.read("Product Name"))
    opened = str(via)
    via.close_gateway(caught.value)
    assert str(via) == opened
    via.close_gateway(ValueError("another"))
    assert str(via).endswith(" at None")


def test_threads_share_one_connection(sensor: Restarted) -> None:
    via = SomeSensor(sensor.host, sensor.port)
    via.write("A Sensor Parameter", 7.5)
    sessions: set[str] = set()
    wrong: list[object] = []

    def work(name: str, wanted: list[object]) -> None:
        for _ in range(50):
            got = list(via.read([name, "Product Name"]))
            sessions.add(str(via))
            if got != [wanted, ["1756-L61/B LOGIX5561"]]:
                wrong.append(got)

    kinds: list[tuple[str, list[object]]] = [("A Sensor Parameter", [7.5]), ("@1/1/1", [1, 0]), ("T", [0])]
    threads = [threading.Thread(target=work, args=kinds[number % 3]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert wrong == []
    assert len(sessions) == 1
    via.close()


@pytest.mark.parametrize(("answering", "error"), [(silent, TimedOut), (trickled, TimedOut), (hung_up, ConnectionLost)])
def test_a_device_that_goes_wrong_is_an_error_in_time_and_then_asked_anew(
    answering: Callable[..., None], error: type[NoAnswer]
) -> None:
    with hostile(answering) as server:
        via = ProxySimple(HOST, server.port, 0.25, identity_default="Odd")
        begun = time.monotonic()
        with pytest.raises(error, match=f"^{HOST}:{server.port}: "), via:
            list(via.read("T[1]"))
        assert time.monotonic() - begun < 1.5
        assert str(via) == "Odd at None"
        server.answering = honest
        assert list(via.read(["T[1]", "T[2-3]"])) == [[1], [2, 3]]
        via.close()


def test_the_values_before_an_error_are_there() -> None:
    def three(server: Hostile, answers: list[bytes], say: Say) -> None:
        for answer in answers:
            if len(server.requests) > 3:
                raise OSError
            say(answer)

    with hostile(three) as server:
        via = Proxy(HOST, server.port, 2.0, identity_default="Odd", depth=1, multiple=0, connected=False)
        got = []
        with pytest.raises(ConnectionLost), via:
            for value in via.read([f"T[{number}]" for number in range(10)]):
                got.append(value)
        assert got == [[0], [1], [2]]


def test_a_device_without_an_identity_says_what_to_do() -> None:
    hint = "with an identity_default it is not asked for one"
    with hostile(silent) as server:
        via = Proxy(HOST, server.port, 0.25)
        with pytest.raises(TimedOut, match=f"no answer to ListIdentity within 0.25 s; {hint}"):
            via.read("T[1]")
        server.answering = honest
        with pytest.raises(BadAnswer):
            via.read("T[1]")
