"""Images of lone simulators and of the farm: a `docker run` each, without rights, read by real clients from outside."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pylogix import PLC
from pymodbus.client import ModbusTcpClient

from farm.backends.docker_engine import Engine
from farm.backends.docker_images import Images, write_context
from farm.backends.docker_recipes import FARM, IMAGES, default_wheels, image_tag, recipe_files, third_party
from farm.cli import image
from farm.errors import BackendError
from tests.backends.docker_daemon import Daemon
from tests.conftest import ROOT
from tests.side_by_side import on_the_machine

SUBNET = "10.77.9"
NO_RIGHTS = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
SLIGHT = 90 << 20
"""Bytes that a node may add to its base."""


def test_the_command_line_knows_the_images_that_there_are() -> None:
    assert image.IMAGES == IMAGES
    assert {name for name in IMAGES if recipe_files(name)} == {path.name for path in (ROOT / "images").iterdir()} - {
        "base"
    }


def test_a_simulators_image_is_another_when_the_nodes_is() -> None:
    files = recipe_files("scada")
    assert image_tag("scada", files, "plcfarm/node:1-a") == image_tag("scada", files, "plcfarm/node:1-a")
    assert image_tag("scada", files, "plcfarm/node:1-a") != image_tag("scada", files, "plcfarm/node:1-b")


def test_the_docs_derive_scada_as_the_recipe_does() -> None:
    """In six lines; what the recipe has beside them are arguments and labels."""
    page = (ROOT / "docs" / "images.md").read_text()
    (shown,) = re.findall(r"^```dockerfile\n(.*?)^```$", page, re.M | re.S)
    assert len(shown.splitlines()) == 6
    recipe = (ROOT / "images" / "scada" / "Dockerfile").read_text()
    first, *others = whole_lines(shown)
    assert first == "FROM plcfarm/node"
    assert [line for line in others if line not in whole_lines(recipe)] == []


def whole_lines(text: str) -> list[str]:
    """Of a Dockerfile: continued ones as one."""
    return re.sub(r"\\\n\s*", "", text).splitlines()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "scala"], "scala: there is no such image; wanted one of node, scada, modbus, farm"),
        (
            ["build", "scada", "modbus", "--context", "x"],
            "--context takes the files of one image, not of scada",
        ),
    ],
)
def test_what_cannot_be_built_is_one_line(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "farm", "image", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def docker(daemon: Daemon, *arguments: str, code: int = 0) -> str:
    """What `docker ARGUMENTS` prints."""
    done = subprocess.run(["docker", "--host", daemon.url, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def lone(daemon: Daemon) -> Iterator[Daemon]:
    """The daemon, with both simulators' images and a network that this machine is on."""
    engine = Engine(daemon.url)
    images = Images(engine)
    try:
        for name in ("scada", "modbus"):
            images.build(name=name)
    finally:
        engine.close()
    docker(daemon, "network", "create", "--subnet", f"{SUBNET}.0/24", "lone")
    yield daemon
    daemon.clear()


def run(
    daemon: Daemon, number: int, image_name: str, *arguments: str, options: tuple[str, ...] = ()
) -> tuple[str, str]:
    """Its name and its address."""
    name, address = f"lone-{number}", f"{SUBNET}.{number}"
    place = ("--name", name, "--network", "lone", "--ip", address, "--health-interval", "1s")
    docker(daemon, "run", "-d", *place, *NO_RIGHTS, *options, image_name, *arguments)
    return name, address


def await_health(daemon: Daemon, name: str) -> None:
    """Returns when Docker's own check of it went well."""
    give_up = time.monotonic() + 30
    while (state := docker(daemon, "inspect", "-f", "{{.State.Health.Status}}", name)) != "healthy":
        assert time.monotonic() < give_up, docker(daemon, "inspect", "-f", "{{json .State}}", name)
        assert state == "starting", state
        time.sleep(0.5)


@pytest.mark.docker
@pytest.mark.root
class TestLoneSimulators:
    """What is served without a word on the command line, and with one."""

    def test_scada_by_itself(self, lone: Daemon) -> None:
        name, address = run(lone, 10, "plcfarm/scada")
        await_health(lone, name)
        with PLC(address) as plc:
            assert plc.Read("SCADA[999]").Value == 0
            assert [tag.TagName for tag in plc.GetTagList().Value] == ["SCADA"]
        command = [sys.executable, "-m", "node", "enip-client", "-a", address, "-r", "10", "SCADA[1]", "SCADA[0-10]"]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert said.returncode == 0, said.stderr
        lines = said.stdout.splitlines()
        assert sum(re.search(r"SCADA\[1\]\s+== \[0\]", line) is not None for line in lines) == 10
        assert sum(re.search(r"SCADA\[0-10\]\s+== \[(0, ){10}0\]", line) is not None for line in lines) == 10

    def test_scada_with_tags(self, lone: Daemon) -> None:
        name, address = run(lone, 11, "plcfarm/scada", "Level=REAL[3]", "TEXT=SSTRING[10]")
        await_health(lone, name)
        with PLC(address) as plc:
            assert plc.Write("Level[1]", 2.5).Status == "Success"
            assert plc.Read("Level", 3).Value == [0.0, 2.5, 0.0]
            assert plc.Read("SCADA").Status != "Success"

    def test_modbus_by_itself_at_its_own_port(self, lone: Daemon) -> None:
        name, address = run(lone, 12, "plcfarm/modbus")
        await_health(lone, name)
        with ModbusTcpClient(address, port=502) as client:
            assert client.read_holding_registers(999, count=1).registers == [0]
            assert client.read_holding_registers(1000, count=1).isError()
        docker(lone, "exec", name, "python3", "/opt/plcfarm/health.py")

    def test_modbus_with_registers(self, lone: Daemon) -> None:
        name, address = run(lone, 13, "plcfarm/modbus", "40001-40010=99")
        await_health(lone, name)
        with ModbusTcpClient(address, port=502) as client:
            assert client.read_holding_registers(9, count=1).registers == [99]

    def test_health_is_asked_for_and_not_taken_for_granted(self, lone: Daemon) -> None:
        """Both checks find that nobody answers."""
        for number, image_name, check in (
            (14, "scada", ["python3", "-m", "node", "list-services", "--timeout", "1"]),
            (15, "modbus", ["python3", "/opt/plcfarm/health.py"]),
        ):
            name, _ = run(lone, number, f"plcfarm/{image_name}", "600", options=("--entrypoint", "sleep"))
            docker(lone, "exec", name, *check, code=1)

    def test_nobody_has_rights_and_labels_say_what_it_is(self, lone: Daemon) -> None:
        for name in ("node", "scada", "modbus"):
            found = json.loads(docker(lone, "inspect", f"plcfarm/{name}"))[0]
            assert found["Config"]["User"] == "65534:65534"
            labels = found["Config"]["Labels"]
            assert labels["org.opencontainers.image.title"] == f"plcfarm {name}"
            assert labels["org.opencontainers.image.version"]
            assert labels["org.opencontainers.image.base.name"].startswith("plcfarm/")
        base, node = (int(docker(lone, "inspect", "-f", "{{.Size}}", f"plcfarm/{name}")) for name in ("base", "node"))
        assert node - base < SLIGHT


@pytest.fixture(scope="module")
def wheels(daemon: Daemon) -> Path:
    """The folder in which what the farm stands on is, for the Python of the base; fetched now, where a network is."""
    engine = Engine(daemon.url)
    try:
        interpreter = Images(engine).interpreter()
    finally:
        engine.close()
    try:
        on_the_machine(lambda: third_party(default_wheels(), interpreter))
    except BackendError as exc:
        pytest.skip(f"no package index can be reached: {exc}")
    return default_wheels()


@pytest.mark.docker
@pytest.mark.root
@pytest.mark.timeout(240)
def test_the_farm_in_a_container(daemon: Daemon, wheels: Path, tmp_path: Path) -> None:
    engine = Engine(daemon.url)
    try:
        Images(engine).build(name=FARM, wheels=wheels)  # without a network: this machine has none
    finally:
        engine.close()
    assert docker(daemon, "inspect", "-f", "{{.Config.User}}", "plcfarm/farm") == "65534:65534"
    name = "lone-farm"
    options = ("--name", name, "--network", "none", "--tmpfs", "/tmp", *NO_RIGHTS)
    docker(daemon, "run", "-d", *options, "plcfarm/farm", "demo", "--attach")
    give_up = time.monotonic() + 60
    while "12 nodes up" not in logs(daemon, name):
        assert time.monotonic() < give_up, logs(daemon, name)
        time.sleep(0.5)
    rows = json.loads(docker(daemon, "exec", name, "farm", "ps", "--json"))
    assert {row["state"] for row in rows} == {"up"}
    assert float(docker(daemon, "exec", name, "farm", "read", "intake", "LIT101_Level")) > 2
    docker(daemon, "stop", name)
    assert "12 nodes down" in logs(daemon, name)
    assert docker(daemon, "inspect", "-f", "{{.State.ExitCode}}", name) == "0"
    docker(daemon, "rm", name)


def logs(daemon: Daemon, name: str) -> str:
    """What it said, on either output."""
    done = subprocess.run(
        ["docker", "--host", daemon.url, "logs", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.stdout


def test_a_context_of_each_can_be_had(tmp_path: Path) -> None:
    assert write_context(tmp_path / "scada", "scada") == ["Dockerfile"]
    assert write_context(tmp_path / "modbus", "modbus") == ["Dockerfile", "health.py"]
    assert (tmp_path / "modbus" / "health.py").read_bytes() == (ROOT / "images/modbus/health.py").read_bytes()
