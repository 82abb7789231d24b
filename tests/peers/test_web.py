"""The scene of the 2016 manual's 2.1.8: somebody at curl has a simulator go wrong in every way that the web interface
has, while pylogix polls it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pylogix import PLC

from tests.waiting import until
from tests.web.simulator import HOST, Simulator, end, started

pytestmark = pytest.mark.net


@pytest.fixture
def served() -> Iterator[Simulator]:
    """At the port that pylogix asks."""
    made = started("-a", f"{HOST}:44818", "--web", ":12345", "SCADA=INT[1000]")
    try:
        yield made
    finally:
        end(made.process)


def curl(path: str) -> Any:
    """What curl prints."""
    command = ["curl", "-sS", "-g", f"http://{HOST}:12345/api/{path}"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=20).stdout)


def read(plc: PLC) -> tuple[str, Any, float]:
    """Status, value, seconds."""
    began = time.monotonic()
    answer = plc.Read("SCADA[3]")
    return answer.Status, answer.Value, time.monotonic() - began


def test_pylogix_sees_what_curl_does(served: Simulator) -> None:
    with PLC(HOST, timeout=2.0) as plc:
        plc.conn.msg_socket.close()  # made by pylogix, and never closed by it
        read(plc)
        assert curl("tags/SCADA/attribute[3]=4")["command"]["success"] is True
        assert read(plc)[:2] == ("Success", 4)

        curl("options/delay/value=0.5")
        status, _, seconds = read(plc)
        assert (status, seconds >= 0.5) == ("Success", True)
        curl("options/delay/value=0")
        assert min(read(plc)[2] for _ in range(3)) < 0.5

        assert curl("tags/SCADA/error=8")["data"]["tags"]["SCADA"]["error"] == 8
        assert read(plc)[0] == "Service not supported"
        curl("tags/SCADA/error/0")
        assert read(plc)[:2] == ("Success", 4)

        (row,) = curl("connections")["data"]["connections"].values()
        assert row["requests"] > 5
        curl("connections/*/eof/true")
        until(lambda: curl("connections")["data"] == {})
        until(lambda: read(plc)[:2] == ("Success", 4))

        curl("server/control/disable/true")
        until(lambda: curl("connections")["data"] == {})
        assert read(plc)[0] != "Success"
        curl("server/control/disable/false")
        until(lambda: read(plc)[:2] == ("Success", 4))

        assert curl("server/control/done/true")["command"]["success"] is True
        assert served.process.wait(10) == 0
        assert read(plc)[0] != "Success"
