"""A small network of this machine's own: network namespaces, each with one interface on a bridge that they share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

INTERFACE = "eth0"
ROOT = Path(__file__).parents[2]


class Lan:
    """Namespaces by the name the test gives them, on one segment."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._made: list[str] = []
        self.switch = self._namespace("lan")
        self.inside("lan", "ip", "link", "add", "br0", "type", "bridge")
        self.inside("lan", "ip", "link", "set", "br0", "up")

    def host(self, name: str, *addresses: str) -> None:
        """A namespace whose interface has `addresses`, as 10.9.0.1/24; its broadcasts to everyone leave by it."""
        namespace = self._namespace(name)
        port = f"p-{name}"
        run("ip", "-n", self.switch, "link", "add", port, "type", "veth", "peer", INTERFACE, "netns", namespace)
        self.inside("lan", "ip", "link", "set", port, "master", "br0", "up")
        self.inside(name, "ip", "link", "set", "lo", "up")
        self.inside(name, "ip", "link", "set", INTERFACE, "up")
        for address in addresses:
            self.inside(name, "ip", "address", "add", address, "dev", INTERFACE)
        self.inside(name, "ip", "route", "add", "default", "dev", INTERFACE)

    def command(self, name: str, *arguments: str) -> list[str]:
        """The command line that runs `arguments` in a namespace."""
        return ["ip", "netns", "exec", f"{self._mark}{name}", *arguments]

    def inside(self, name: str, *arguments: str, timeout: float = 30) -> str:
        """Runs a command in a namespace; what it prints."""
        return run(*self.command(name, *arguments), timeout=timeout)

    def remove(self) -> None:
        """Takes all away, the processes in the namespaces first."""
        for namespace in reversed(self._made):
            for pid in run("ip", "netns", "pids", namespace).split():
                subprocess.run(["kill", "-9", pid], check=False)
            run("ip", "netns", "delete", namespace)

    def _namespace(self, name: str) -> str:
        namespace = f"{self._mark}{name}"
        run("ip", "netns", "add", namespace)
        self._made.append(namespace)
        return namespace


def run(*arguments: str, timeout: float = 30) -> str:
    """Standard output of a command, which must succeed."""
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{' '.join(arguments)}: exit {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def why_not() -> str:
    """Why no namespace can be made here, "" where one can."""
    if sys.platform != "linux" or shutil.which("ip") is None:
        return "network namespaces need Linux and iproute2"
    if os.geteuid() != 0:
        return "network namespaces need root"
    probe = f"pf{uuid.uuid4().hex[:8]}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode:
        return "no network namespaces may be made here"
    run("ip", "netns", "delete", probe)
    return ""


@contextmanager
def lan() -> Iterator[Lan]:
    """A network, gone afterwards whatever happens. Skips where there can be none."""
    if reason := why_not():
        pytest.skip(reason)
    made = Lan(f"pf{uuid.uuid4().hex[:6]}-")
    try:
        yield made
    finally:
        made.remove()
