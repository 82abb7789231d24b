"""The fragments of code of the 2016 manual, sections 2.1.6 and 2.1.7, in our names, with what they show."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from typing import ClassVar

import pytest

from node import client
from node.client import PowerFlex750, Proxy, ProxySimple
from node.client.poll import poll
from tests.client.nodes import Served, node
from tests.client.restarted import Restarted
from tests.waiting import until

pytestmark = pytest.mark.net


class SomeSensor(ProxySimple):
    """A simple (non-routing) CIP device with one parameter with a shortcut name: 'A Sensor Parameter'."""

    PARAMETERS: ClassVar = dict(
        ProxySimple.PARAMETERS, a_sensor_parameter=ProxySimple.parameter("@0x93/1/10", "REAL", "Hz")
    )


@pytest.fixture(scope="module")
def device() -> Iterator[Served]:
    """A simple one."""
    with node("-S", "Gauge@0x93/1/10=REAL") as served, SomeSensor(served.host, served.port) as via:
        assert via.write("A Sensor Parameter", 1.25) == [True]
        via.close()
        yield served


def test_a_parameter_and_what_to_do_upon_an_error(device: Served) -> None:
    """2.1.6, `proxy.read` within try, and with `checking`."""
    via = SomeSensor(host=device.host, port=device.port)
    try:
        (value,) = via.read("A Sensor Parameter")
        assert value == [1.25]
        (value,) = via.read("A Sensor Parameter", checking=True)
        assert value == [1.25]
    except Exception as exc:
        logging.warning("Access to remote CIP device failed: %s", exc)
        via.close_gateway(exc=exc)
        raise
    other = SomeSensor(device.host, device.port)
    (result,) = other.read("A Sensor Parameter")
    assert result == [1.25]
    other.close()
    with pytest.raises(client.TagError):
        list(via.read("@0x93/1/11", checking=True))
    via.close_gateway()


def test_with_a_proxy(device: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """2.1.6, the context manager, around a read that was asked for before."""
    via = SomeSensor(host=device.host, port=device.port)
    with via:
        (value,) = via.read("A Sensor Parameter")
    assert value == [1.25], "value may be something like [1.23]"
    reader = via.read("A Sensor Parameter")
    with via:
        for value in reader:
            print(f"Got: {value!r}")
    assert capsys.readouterr().out == "Got: [1.25]\n"
    via.close()


def test_who_it_is(device: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """2.1.6, the Identity, asked for and not."""
    for keywords in ({}, {"identity_default": "Something"}):
        via = SomeSensor(host=device.host, port=device.port, **keywords)
        print(f"Not yet connected: {via}")
        reader = via.read("Product Name")
        print(f"Connected! {via}")
        assert list(reader) == [["1756-L61/B LOGIX5561"]]
        via.close()
    lines = capsys.readouterr().out.splitlines()
    where = re.escape(f"at {device.host}:{device.port}")
    assert lines[0] == "Not yet connected: None at None"
    assert re.fullmatch(rf"Connected! 1756-L61/B LOGIX5561 {where}\[\d+\]", lines[1])
    assert lines[2] == "Not yet connected: Something at None"
    assert re.fullmatch(rf"Connected! Something {where}\[\d+\]", lines[3])


def test_a_controller_s_product_name(controller: Served) -> None:
    """2.1.6, "just use the plain proxy"."""
    via = Proxy(controller.host, controller.port)
    with via:
        (value,) = via.read("Product Name")
    assert value == ["1756-L61/B LOGIX5561"]
    via.close()


def test_poll() -> None:
    """2.1.7, `poll_example.py`: its thread, its keywords, its two callbacks."""
    values: dict[str, tuple[float, object]] = {}
    failed: list[tuple[float, str]] = []

    def failure(exc: Exception) -> None:
        failed.append((time.monotonic(), str(exc)))

    def process(p: str, v: object) -> None:
        values[p] = (time.monotonic(), v)

    process.done = False  # type: ignore[attr-defined]
    with Restarted("node.examples.powerflex") as drive:
        poller = threading.Thread(
            target=poll,
            args=(PowerFlex750,),
            kwargs={
                "address": (drive.host, drive.port),
                "cycle": 0.2,
                "timeout": 0.5,
                "process": process,
                "failure": failure,
                "params": ["Motor Velocity", "Output Current"],
            },
        )
        poller.daemon = True
        poller.start()
        until(lambda: len(values) == 2)
        assert {name: value for name, (_, value) in values.items()} == {
            "Motor Velocity": [789.010009765625],
            "Output Current": [123.44999694824219],
        }
        assert failed == []
        drive.stop()
        until(lambda: len(failed) >= 2)
        assert "connection refused" in failed[-1][1]
        drive.start()
        values.clear()
        until(lambda: len(values) == 2)
    process.done = True  # type: ignore[attr-defined]
    poller.join(5)
    assert not poller.is_alive()
