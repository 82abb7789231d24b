"""A plant that is up with its dashboard served, as `farm up` and `farm dashboard` do it for a person."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.control.messages import process_stat
from tests.farm_command import ROOT, farm
from tests.waiting import until

WATERWORKS = ROOT / "topologies/plant.yaml"
PATIENCE = 30.0
"""Seconds that anything may take which ought to happen at once: a machine may have much else to do."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where a plant's dashboard is (`url` without a slash at its end), and what changes it."""

    run_root: Path
    name: str
    url: str
    token: str
    read_token: str

    def farm(self, *arguments: str) -> str:
        """What `farm ARGUMENTS` prints; it must succeed."""
        return farm(self.run_root, *arguments)

    def rows(self) -> dict[str, dict[str, Any]]:
        """The nodes as the API lists them, by name."""
        return {row["name"]: row for row in self.ask("nodes")["nodes"]}

    def link(self, *options: str) -> str:
        """An address that lets a browser in, once."""
        return link_in(self.farm("dashboard", *options))

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """The API's answer to `path` below /api/v1/, with the token that may change things. Raises `HTTPError`."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return json.load(reply)

    def condition(self, node: str) -> str:
        """What the API says of a node."""
        return str(self.ask(f"nodes/{node}")["row"]["condition"])

    def supervisor(self) -> int:
        """The process that supervises now, which need not be the one that began."""
        return int(self.ask("farm")["supervisor"]["pid"])


def link_in(output: str) -> str:
    """The link that a command printed."""
    found = re.search(r"http://\S+", output)
    assert found, output
    return found[0]


@contextmanager
def served(plant: Path, *options: str) -> Iterator[Served]:
    """The plant up and served meanwhile, in a run directory of its own; `options` are those of `farm up`."""
    with tempfile.TemporaryDirectory(prefix="plcd", dir="/tmp") as folder:
        root = Path(folder)
        root.chmod(0o711)  # the dashboard is a user of its own
        try:
            farm(root, "up", str(plant), *options)
            yield served_in(root)
        finally:
            farm(root, "down", "--all")


def served_in(root: Path) -> Served:
    """The one plant that is up in a run directory, served."""
    link = link_in(farm(root, "dashboard"))
    tokens = dict(line.rsplit(" ", 1) for line in farm(root, "dashboard", "--print-token").splitlines())
    (run,) = (path.parent for path in root.glob("*/run.json"))
    return Served(root, run.name, link.partition("/?")[0], tokens["token"], tokens["read-only"])


@contextmanager
def without_a_plant(root: Path | None = None) -> Iterator[str]:
    """Where `farm dashboard` serves meanwhile, with no plant in the run directory `root`, or in one of its own."""
    with tempfile.TemporaryDirectory(prefix="plcd", dir="/tmp") as folder:
        command = [sys.executable, "-m", "farm", "dashboard"]
        environ = {**os.environ, "PLCFARM_RUN": str(root or folder)}
        with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                assert "no farm is running" in line, line
                yield link_in(line).rstrip("/")
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(20)


def killed(pid: int) -> None:
    """Kills a process that is not this one's child, and waits until it is gone."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: (process_stat(pid) or "Z")[0] == "Z", f"process {pid} is gone")


def refused(ask: Callable[[], object]) -> int:
    """The status with which the API refuses; 0 when it does not."""
    try:
        ask()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code
    return 0
