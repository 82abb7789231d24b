"""Runs that are surely ended: whatever a test left is found by its mark and killed."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends import pids
from farm.backends.process import ProcessBackend
from tests.backends import docker_daemon, swarm_cluster
from tests.backends.contract import DockerRun, MakeBackend, Run


def need_root() -> None:
    """Skips the test where namespaces cannot be made."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("need root, on Linux")


@pytest.fixture
def run() -> Iterator[Run]:
    """A run in a short folder of its own; fails when `end_all` leaves a process."""
    with a_run(ProcessBackend) as run:
        yield run


@pytest.fixture
def netns_run() -> Iterator[Run]:
    """The same on network namespaces; fails too when `end_all` leaves one, or a link of the machine's."""
    need_root()
    from farm.backends.netns import NetnsBackend
    from farm.backends.netns_leftovers import find_leftovers
    from farm.backends.netns_spaces import run_mark

    with a_run(NetnsBackend) as run:
        yield run
    assert run_mark(run.id) not in [left.mark for left in find_leftovers()]


@contextlib.contextmanager
def a_run(make: MakeBackend) -> Iterator[Run]:
    """Ends whatever is left in the end."""
    folder = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))
    run = Run(folder, make)
    try:
        yield run
    finally:
        run.backend.end_all(grace=2.0)
        left = pids.marked(run.id)
        for backend in run.made:
            backend.close()
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


@pytest.fixture(scope="session", name="swarm_cluster")
def three_engines() -> Iterator[swarm_cluster.Cluster]:
    """Three Docker engines in a Swarm; the first has the images of this code."""
    reason = swarm_cluster.missing()
    if reason:
        pytest.skip(reason)
    cluster = swarm_cluster.Cluster()
    try:
        cluster.start()
        cluster.make_images()
        yield cluster
    finally:
        cluster.remove()
