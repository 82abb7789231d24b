"""The plants that are killed, one for each backend, and what an unlucky administrator has on the same machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

from tests.backends import docker_daemon

NODES = """\
nodes:
  a: {kind: logix, address: BASE.1, tags: {X: DINT}}
  b: {kind: logix, address: BASE.2, tags: {X: DINT}}
  c: {kind: modbus, address: BASE.3, holding: {"40001-40010": 7}}
  d: {kind: gateway, address: BASE.4, tags: {X: DINT}, holding: {"40001-40010": 7}}
groups:
  g: {count: 2, kind: logix, name: "g-${i}", address: "BASE.${i + 10}", tags: {X: DINT}}
"""

PROCESS = "farm: 1\nname: kills\n" + NODES.replace("BASE", "127.64.230")

NETNS = (
    """\
farm: 1
name: kills
networks:
  cell: {subnet: 10.230.1.0/24, purdue: 1}
  office: {subnet: 10.230.2.0/24, internal: true}
gateways:
  fw: {between: [cell, office], allow: ["office -> cell tcp 44818,502"]}
defaults: {network: cell}
"""
    + NODES.replace("BASE", "10.230.1")
    + "links:\n  b: {rate: 1mbit, delay: 5ms}\n"
)

DOCKER = """\
farm: 1
name: kills
networks:
  cell: {subnet: 10.230.1.0/24}
defaults: {network: cell}
""" + NODES.replace("BASE", "10.230.1")

PLANTS = {"process": PROCESS, "netns": NETNS, "docker": DOCKER}
"""Backend to plant file."""


def runs_here(backend: str) -> str:
    """Why a backend cannot be tried here, "" when it can."""
    if backend != "process" and os.geteuid() != 0:
        return "need root"
    return docker_daemon.missing() if backend == "docker" else ""


@contextlib.contextmanager
def platform(backend: str) -> Iterator[None]:
    """What a backend stands on, and decoys beside it: for docker a daemon of its own, named in the environment."""
    with decoys(), _daemon() if backend == "docker" else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def _daemon() -> Iterator[None]:
    daemon = docker_daemon.Daemon()
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = daemon.url
    try:
        daemon.start()
        daemon.make_images()
        yield
    finally:
        daemon.remove()
        del os.environ["DOCKER_HOST"]
        if before is not None:
            os.environ["DOCKER_HOST"] = before


@contextlib.contextmanager
def decoys() -> Iterator[None]:
    """A namespace and a bridge whose names look like a farm's, and are not."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        yield
        return
    made = [("netns", "add", "pf-decoy"), ("netns", "add", "pf-0000000g.node.a"), ("link", "add", "pf-decoy0")]
    for kind, verb, name in made:
        subprocess.run(["ip", kind, verb, name, *(["type", "bridge"] if kind == "link" else [])], check=True)
    try:
        yield
    finally:
        for kind, _, name in made:
            subprocess.run(["ip", kind, "del", name], check=True)
