"""Real plants for real clients: started by `farm up` as a user would, once for all tests of this folder, and ended
with the last of them: others may want every address of the machine."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.farm_command import ROOT, farm
from tests.peers import enip_tags, logix_plant
from tests.peers.capture import Capture, CaptureError


@dataclass(frozen=True, slots=True)
class Running:
    """A plant that is up: `nodes` as `farm ps --json` lists them, by name."""

    run_root: Path
    nodes: dict[str, dict[str, object]]

    def farm(self, *arguments: str) -> str:
        """What `farm ARGUMENTS` prints."""
        return farm(self.run_root, *arguments)

    def address(self, node: str) -> str:
        """Where a node answers."""
        return str(self.nodes[node]["address"])

    def port(self, node: str, protocol: str) -> int:
        """The port of a protocol."""
        ports = self.nodes[node]["ports"]
        assert isinstance(ports, dict)
        return int(ports[protocol])


def running(plant: Path) -> Iterator[Running]:
    """The plant up, and down again."""
    with tempfile.TemporaryDirectory(prefix="plcp") as folder:
        root = Path(folder)
        try:
            farm(root, "up", str(plant))
            rows = json.loads(farm(root, "ps", "--json"))
            yield Running(root, {row["name"]: row for row in rows})
        finally:
            farm(root, "down", "--all")


@pytest.fixture(scope="package", autouse=True)
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Capture | str]:
    """All that the clients of this folder and their nodes say to each other; the reason where it cannot be captured."""
    try:
        capture = Capture(tmp_path_factory.mktemp("wire") / "all.pcap", "net 127.64.0.0/10 and not udp port 9")
    except CaptureError as exc:
        yield str(exc)
        return
    yield capture
    capture.stop()


@pytest.fixture(scope="package")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One Logix controller, `controller`, with the tags of `enip_tags`."""
    plant = tmp_path_factory.mktemp("plant") / "plant.yaml"
    plant.write_text(enip_tags.PLANT)
    yield from running(plant)


@pytest.fixture(scope="package")
def water_works() -> Iterator[Running]:
    """The plant that `make up` starts."""
    yield from running(ROOT / "topologies/plant.yaml")


@pytest.fixture(scope="package")
def meters() -> Iterator[Running]:
    """One Modbus device of each profile, and two out of a register map."""
    yield from running(ROOT / "topologies/meters.yaml")


@pytest.fixture(scope="package")
def cpppo() -> Callable[..., list[str]]:
    """Runs cpppo's client or another of its modules, programs of their own environment, and gives the lines; skips
    where it is not installed."""
    python = Path(os.environ.get("CPPPO_PYTHON", ROOT / ".venv-cpppo/bin/python"))
    if not python.exists():
        pytest.skip("cpppo is not installed: make test puts it into .venv-cpppo")

    def client(*arguments: str, code: int = 0, module: str = "client") -> list[str]:
        done = subprocess.run(
            [str(python), "-m", f"cpppo.server.enip.{module}", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, (
            f"cpppo {module} {arguments}: exit {done.returncode}: {done.stdout}{done.stderr}"
        )
        return done.stdout.splitlines()

    return client


@pytest.fixture(scope="package")
def logix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One Logix controller a profile, with the tags of `logix_plant`."""
    plant = tmp_path_factory.mktemp("logix") / "plant.yaml"
    plant.write_text(logix_plant.PLANT)
    yield from running(plant)
