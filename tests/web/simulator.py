"""A simulator with a web interface, as a person starts it, and a client of HTTP that sends exactly what it is told."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.cli.lone import ROOT, ready
from tests.http_answers import Answer, ask

HOST = "127.64.12.1"
ENIP = ("-c", "from node.__main__ import enip_server; enip_server()")
MODBUS = ("-c", "from node.__main__ import modbus_sim; modbus_sim()")


@dataclass(frozen=True)
class Simulator:
    """A process that serves clients at `port` and its web interface at `web`."""

    process: "subprocess.Popen[str]"
    port: int
    web: int
    host: str = HOST

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Exactly that request, with a `Host` that is right unless `headers` have another."""
        return ask(self.host, self.web, method, path, body, headers, timeout=20)

    def get(self, path: str) -> Any:
        """The envelope that a GET gets, which must succeed."""
        answer = self.request("GET", f"/api{path}")
        assert answer.status == 200, answer.body
        return answer.json

    def say(self, path: str) -> str:
        """The message of a command that is done."""
        command = self.get(path)["command"]
        assert command["success"] is True
        return str(command["message"])


def started(*arguments: str, command: tuple[str, ...] = ENIP, host: str = HOST) -> Simulator:
    """One that serves; end it."""
    process = subprocess.Popen(
        [sys.executable, *command, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        line, where_web = ready(process), process.stdout.readline()
        where = re.search(rf"{re.escape(host)}:(\d+)", line)
        web = re.fullmatch(rf"Web interface on http://{re.escape(host)}:(\d+)/\n", where_web)
        assert where, line
        assert web, where_web
    except BaseException:
        end(process)
        raise
    return Simulator(process, int(where[1]), int(web[1]), host)


def end(process: "subprocess.Popen[str]") -> None:
    """Ends it, whatever it does."""
    process.kill()
    process.communicate()


@contextmanager
def simulator(*arguments: str, command: tuple[str, ...] = ENIP) -> Iterator[Simulator]:
    """One at ports that are free, ended in the end."""
    made = started("-a", f"{HOST}:0", "--web", ":0", *arguments, command=command)
    try:
        yield made
    finally:
        end(made.process)
