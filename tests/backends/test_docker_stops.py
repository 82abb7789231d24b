"""The daemon stops in the middle of `farm up`: said clearly, and nothing stays once it is back."""

import threading
from pathlib import Path
from typing import Any

import pytest

from farm.errors import FarmError
from farm.supervisor.run_directory import run_directory
from tests.backends.docker_daemon import Daemon
from tests.backends.docker_farm import DockerFarm, another, files, things

pytestmark = [pytest.mark.docker, pytest.mark.root]


def test_a_daemon_that_stops_half_way(docker_root: Path, daemon: Daemon) -> None:
    farm = DockerFarm(run_directory("halfway", docker_root))
    before, before_files = things(), set(files(docker_root))
    stopping = threading.Thread(target=daemon.stop)

    def watch(event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event["phase"] == "start" and event["done"] >= 2 and not stopping.ident:
            stopping.start()

    try:
        with pytest.raises(FarmError, match=f"no Docker daemon answers at {daemon.url}: start it"):
            farm.up(another("halfway", 12), watch)
        stopping.join()
        with pytest.raises(FarmError, match="no Docker daemon answers"):
            farm.down()
    finally:
        daemon.start()
        farm.down()
    assert things() == before
    assert set(files(docker_root)) == before_files
