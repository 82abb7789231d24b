"""A plant on backend process with its dashboard, as a person starts it; and a client that sends what it is told."""

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, marked_processes
from tests.http_answers import Answer, ask
from tests.waiting import until

NASTY = "<img src=x onerror=alert(1)>"
"""A tag's text and a device's name that must do nothing."""

PLANT = f"""
farm: 1
name: served
nodes:
  plc: {{kind: logix, address: 127.64.231.1, tags: {{Level: REAL, Count: DINT, Text: {{type: STRING, init: "{NASTY}"}}, Grid: "INT[4]"}}}}
  sine: {{kind: logix, address: 127.64.231.2, tags: {{Wave: {{type: REAL, signal: {{sine: {{min: 1, max: 9, period: 2s}}}}}}}}}}
  rtu: {{kind: modbus, address: 127.64.231.3, holding: {{"40001-40010": 7}}}}
groups:
  tank: {{count: 12, kind: logix, tags: {{Level: REAL}}}}
"""  # noqa: E501

OTHER_PLANT = PLANT.partition("groups:")[0].replace("127.64.231", "127.64.232")
"""Three nodes, which may run beside those."""


@dataclass
class Served:
    """A farm that runs under `root`, and where its dashboard listens."""

    root: Path
    name: str = "served"
    host: str = "127.0.0.1"

    def farm(self, *arguments: str, check: bool = True, timeout: float = 60) -> "subprocess.CompletedProcess[str]":
        """`farm ARGUMENTS…`."""
        done = subprocess.run(
            [sys.executable, "-m", "farm", *arguments],
            cwd=ROOT,
            env={**os.environ, "PLCFARM_RUN": str(self.root), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    @property
    def folder(self) -> Path:
        """That of the run's dashboard."""
        return self.root / self.name / "dashboard"

    @property
    def record(self) -> dict[str, Any]:
        """What is written down of the dashboard."""
        found: dict[str, Any] = json.loads((self.folder / "web.json").read_text())
        return found

    @property
    def pid(self) -> int:
        """The dashboard's process."""
        return int(self.record["pid"])

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.record["addresses"][0][1])

    @property
    def token(self) -> str:
        """The one that may change something."""
        return (self.folder / "token").read_text().strip()

    @property
    def reader(self) -> str:
        """The one that may look."""
        return (self.folder / "token.readonly").read_text().strip()

    @property
    def log(self) -> str:
        """What the dashboard has printed."""
        return (self.folder / "web.log").read_text()

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Exactly that request."""
        return ask(self.host, self.port, method, path, body, headers, timeout=30)

    def get(self, path: str, **headers: str) -> Any:
        """What is answered to a GET that must succeed."""
        answer = self.request("GET", path, headers=headers)
        assert answer.status == 200, answer.body
        return answer.json

    def change(self, method: str, path: str, body: Any = None) -> Answer:
        """A request with the token and a JSON body."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self.request(method, path, json.dumps({} if body is None else body).encode(), headers)

    def stream(self, query: str, **headers: str) -> "Stream":
        """A stream that was begun; close it."""
        return Stream(self, query, headers)


class Stream:
    """Server-sent events, one after the other."""

    def __init__(self, served: Served, query: str, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection(served.host, served.port, timeout=30)
        self._connection.request("GET", f"/api/v1/stream?{query}", headers=dict(headers))
        self._response = self._connection.getresponse()
        self.status = self._response.status
        self.headers = self._response.headers

    def __iter__(self) -> Iterator[tuple[str, Any, str]]:
        """(event, data, id) of each, comments as ("", text, "")."""
        event, data, number = "", "", ""
        while line := self._response.readline():
            text = line.decode().rstrip("\n")
            if not text:
                if event:
                    yield event, json.loads(data), number
                event, data, number = "", "", ""
            elif text.startswith(":"):
                yield "", text, ""
            else:
                key, _, value = text.partition(": ")
                if key == "event":
                    event = value
                elif key == "data":
                    data = value
                elif key == "id":
                    number = value

    def next(self, event: str, fits: Callable[[Any], bool] = lambda data: True) -> Any:
        """The data of the next `event` that fits."""
        for found, data, _ in self:
            if found == event and fits(data):
                return data
        raise AssertionError(f"the stream ended before {event}")

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()
        self._response.close()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@contextlib.contextmanager
def a_root() -> Iterator[Path]:
    """A run directory root, emptied in the end; fails when a process stays."""
    root = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))
    try:
        yield root
    finally:
        Served(root).farm("down", "--all", check=False)
        left = marked_processes(root)
        for pid in left:
            os.kill(pid, 9)
        shutil.rmtree(root, ignore_errors=True)
        assert left == []


@contextlib.contextmanager
def a_served_plant(text: str = PLANT, *arguments: str) -> Iterator[Served]:
    """A plant that is up, with a dashboard that has heard of it."""
    with a_root() as root:
        served = Served(root)
        file = root / "plant.yaml"
        file.write_text(text)
        served.farm("up", str(file), *arguments)
        served.farm("dashboard")
        until(lambda: served.get("/api/v1/farm")["t"])
        yield served
