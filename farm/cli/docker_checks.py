"""Checks of the Docker daemon, asked directly: the SDK is an extra, and takes longer to load than the answer."""

import importlib
import importlib.util
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from farm.cli.checks import BAD, GOOD, LIMITED, Check, Need

DOCKER_SOCKET = Path("/var/run/docker.sock")
UNIX = "unix://"
NEEDED = (1, 41)
"""The oldest API that backend docker is tried with (Docker 20.10)."""
PATIENCE = 3.0
LONGEST = 1 << 20


def docker(need: Need) -> Iterator[Check]:
    """A daemon that this user may ask, and its version."""
    bad = BAD if need.backend == "docker" else LIMITED
    path = docker_socket()
    if path is None:
        yield Check("docker", GOOD, f"{os.environ['DOCKER_HOST']}, by DOCKER_HOST; not asked here")
        return
    if not path.exists():
        yield Check("docker", bad, f"no daemon at {path}", "systemctl start docker")
        return
    if not os.access(path, os.W_OK):
        yield Check("docker", bad, f"{path} is not yours", 'usermod -aG docker "$USER", and log in anew')
        return
    version = ask_version(path)
    if version is None:
        yield Check("docker", bad, f"nobody answers at {path}", "systemctl restart docker")
        return
    yield Check("docker", GOOD, f"{version.get('Version', '?')} at {path}")
    yield api_version(str(version.get("ApiVersion", "")), bad)
    if importlib.util.find_spec("docker") is not None:
        yield node_image(bad)


def docker_socket() -> Path | None:
    """Where this machine's daemon listens, there or not; None when `DOCKER_HOST` names another machine's."""
    host = os.environ.get("DOCKER_HOST", "")
    if host and not host.startswith(UNIX):
        return None
    return Path(host.removeprefix(UNIX)) if host else DOCKER_SOCKET


def api_version(text: str, bad: str) -> Check:
    """Whether the daemon speaks what the backend needs."""
    numbers = tuple(int(part) for part in text.split(".") if part.isdecimal())
    needed = ".".join(map(str, NEEDED))
    if numbers >= NEEDED:
        return Check("docker API", GOOD, f"{text} ({needed} is needed)")
    return Check("docker API", bad, f"{text or 'unknown'}, {needed} is needed", "Docker 20.10 or newer")


def node_image(bad: str) -> Check:
    """Whether the image that nodes run in is there, or can be built."""
    leftovers: Any = importlib.import_module("farm.backends.docker_leftovers")
    report = leftovers.look_at_daemon()
    if report.error:
        return Check("docker image", bad, report.error)
    if report.image_there:
        return Check("docker image", GOOD, f"{report.image} is there")
    if report.base:
        return Check("docker image", GOOD, f"{report.image} will be built on {report.base}")
    found = f"{report.image} is not there, and nothing to build it on"
    return Check("docker image", bad, found, "farm image build")


def ask_version(path: Path) -> dict[str, Any] | None:
    """What the daemon at a socket says of itself; None when it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(str(path))
            sock.sendall(b"GET /version HTTP/1.0\r\nHost: docker\r\n\r\n")
            answer = b""
            while (part := sock.recv(65536)) and len(answer) < LONGEST:
                answer += part
        body = json.loads(answer.partition(b"\r\n\r\n")[2])
    except (OSError, ValueError):
        return None
    return body if isinstance(body, dict) else None
