"""The examples of code behind tags, each run as its first lines say and asked by a client that is not ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pylogix
import pytest

from tests.cli.lone import ready
from tests.client.nodes import ROOT

pytestmark = pytest.mark.net

HOST = "127.64.200.9"


@contextmanager
def example(name: str, *arguments: str) -> Iterator[pylogix.PLC]:
    """A client of a running example."""
    command = [sys.executable, "-m", f"node.examples.{name}", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        (port,) = re.findall(rf"(?:{HOST}:| port )(\d+)", ready(process))
        with pylogix.PLC(HOST, port=int(port), timeout=5.0) as client:
            yield client
        client.conn.msg_socket.close()  # made by pylogix, and never closed by it
    finally:
        process.terminate()
        process.communicate(timeout=10)


class Weather(BaseHTTPRequestHandler):
    """Knows London, takes its time for Lima, and does not answer as it should for Atlantis."""

    asked: list[str]

    def do_GET(self) -> None:
        (city,) = parse_qs(urlsplit(self.path).query)["q"]
        self.asked.append(city)
        if city == "Lima":
            time.sleep(0.5)
        body = {"cod": 200, "main": {"temp": {"London": 11.5, "Lima": 19.6}.get(city)}}
        self.send_response(200 if city != "Atlantis" else 404)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def weather_url() -> Iterator[str]:
    Weather.asked = []
    with ThreadingHTTPServer((HOST, 0), Weather) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{HOST}:{server.server_port}/weather"
        server.shutdown()
        thread.join()


def test_the_temperature_of_a_city(weather_url: str) -> None:
    tags = ("London=REAL", "Lima=INT[2]", "Atlantis=REAL")
    with example("weather", weather_url, "-a", f"{HOST}:0", *tags) as plc:
        assert plc.Read("London").Value == 11.5
        assert plc.Read("Lima[0]", 2).Value == [20, 20]
        assert plc.Read("Atlantis").Status != "Success"
        assert plc.Write("London", 30.0).Status != "Success"
        assert plc.Read("London").Value == 11.5
    assert Weather.asked.count("London") >= 2


def test_a_record_of_all_accesses(tmp_path: Path) -> None:
    path = tmp_path / "accesses.txt"
    with example("access_record", str(path), "-a", f"{HOST}:0", "SCADA=INT[1000]") as plc:
        assert plc.Write("SCADA[0]", [0, 1, 2, 3]).Status == "Success"
        assert plc.Read("SCADA[2]", 2).Value == [2, 3]
    lines = [line.split(" ", 1) for line in path.read_text().splitlines()]
    assert all(abs(time.time() - float(when)) < 60 for when, _ in lines)
    assert [what for _, what in lines][-2:] == [
        '["SCADA", [0, 3]] {"write": [0, 1, 2, 3]}',
        '["SCADA", [2, 3]] {"read": [2, 3]}',
    ]


def test_a_computed_tag() -> None:
    with example("computed", "-a", f"{HOST}:0") as plc:
        assert plc.Write("Level[0]", [1.0, 2.0, 3.0, 6.0]).Status == "Success"
        assert plc.Read("Mean").Value == 3.0
        assert plc.Write("Mean", 5.0).Status == "Success"
        assert plc.Read("Level[0]", 4).Value == [5.0] * 4


def test_a_device_in_twenty_lines() -> None:
    code = [line for line in (ROOT / "node/examples/tank.py").read_text().splitlines() if line]
    assert len(code) <= 20
    with example("tank", f"{HOST}:0") as plc:
        assert plc.Read("Level").Value == 0.0
        assert plc.Write("Pump", True).Status == "Success"
        until = time.monotonic() + 5
        while plc.Read("Level").Value < 4.0:
            assert time.monotonic() < until
            time.sleep(0.1)
