"""Runs that are surely ended: whatever a test left is found by its mark and killed."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends import pids
from tests.backends import docker_daemon
from tests.backends.contract import DockerRun, Run


@pytest.fixture
def run() -> Iterator[Run]:
    """A run in a short folder of its own; fails when `end_all` leaves a process."""
    folder = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))
    run = Run(folder)
    try:
        yield run
    finally:
        run.backend.end_all(grace=2.0)
        left = pids.marked(run.id)
        run.farm.close()
        shutil.rmtree(folder)
        assert left == []


@pytest.fixture(scope="session")
def daemon() -> Iterator[docker_daemon.Daemon]:
    """A Docker daemon with the images of this code."""
    reason = docker_daemon.missing()
    if reason:
        pytest.skip(reason)
    daemon = docker_daemon.Daemon()
    try:
        daemon.start()
        daemon.make_images()
        yield daemon
    finally:
        daemon.remove()


@pytest.fixture
def docker_host(daemon: docker_daemon.Daemon, monkeypatch: pytest.MonkeyPatch) -> docker_daemon.Daemon:
    """The same, named in the environment."""
    monkeypatch.setenv("DOCKER_HOST", daemon.url)
    return daemon


@pytest.fixture
def docker_run(docker_host: docker_daemon.Daemon) -> Iterator[DockerRun]:
    """A run of containers in a short folder of its own; nothing of it is left in the daemon."""
    folder = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))
    run = DockerRun(folder)
    try:
        yield run
    finally:
        run.backend.end_all(grace=2.0)
        run.close()
        shutil.rmtree(folder)
        left = run.left()
    assert left == []


@pytest.fixture(scope="module")
def docker_root(daemon: docker_daemon.Daemon) -> Iterator[Path]:
    """A run root for this module, with the daemon in the environment."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="pf-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        patch.setenv("PLCFARM_RUN", folder)
        patch.setenv("DOCKER_HOST", daemon.url)
        yield Path(folder)
