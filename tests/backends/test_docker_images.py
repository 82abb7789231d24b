"""Images: the same for the same code, from a checkout and a wheel alike, and what runs leave in a daemon."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from farm.backends import docker_images, docker_labels
from farm.backends.docker_engine import Engine
from farm.backends.docker_leftovers import find_leftovers, look_at_daemon, take_away
from farm.backends.docker_recipes import IMAGES
from farm.backends.docker_wheel import node_wheel
from farm.errors import BackendError
from farm.topology.wiring import NetworkSpec
from tests.backends.contract import DockerRun
from tests.backends.docker_daemon import Daemon, kept_rootfs
from tests.backends.docker_farm import OTHER
from tests.conftest import ROOT


def farm(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `farm ARGUMENTS` does."""
    command = [sys.executable, "-m", "farm", *arguments]
    environ = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120)


def test_the_wheel_is_the_same_each_time_and_holds_the_node_alone() -> None:
    name, content = node_wheel()
    assert node_wheel() == (name, content)
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert {each.partition("/")[0] for each in names} == {"node", name.removesuffix("-py3-none-any.whl") + ".dist-info"}
    wanted = {f"node/{path.relative_to(ROOT / 'node')}" for path in (ROOT / "node").rglob("*.py")}
    assert wanted <= set(names)


def test_pip_takes_the_wheel(tmp_path: Path) -> None:
    name, content = node_wheel()
    (tmp_path / name).write_bytes(content)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--target",
        str(tmp_path / "site"),
        name,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "bin" / "enip_server").exists()


def test_another_file_is_another_image() -> None:
    files = docker_images.context_files()
    assert docker_images.node_tag(files) == docker_images.node_tag(dict(reversed(files.items())))
    assert docker_images.node_tag({**files, "install.py": b""}) != docker_images.node_tag(files)


def test_the_context_can_be_had(tmp_path: Path) -> None:
    done = farm("image", "build", "--context", str(tmp_path / "context"), DOCKER_HOST="unix:///nowhere")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "context").iterdir()} == {"Dockerfile", "install.py", node_wheel()[0]}


@pytest.mark.parametrize("verb", [["build"], ["ls"], ["base", "--rootfs", "pyproject.toml"]])
def test_no_daemon_is_one_line(verb: list[str], tmp_path: Path) -> None:
    done = farm("image", *verb, DOCKER_HOST=f"unix://{tmp_path}/sock")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert f"no Docker daemon answers at unix://{tmp_path}/sock: start it" in done.stderr


def test_a_daemon_that_is_not_there_is_reported() -> None:
    report = look_at_daemon("unix:///nowhere")
    assert report.error.startswith("no Docker daemon answers at unix:///nowhere")
    assert not report.api_suffices


@pytest.mark.docker
@pytest.mark.root
class TestDaemon:
    """What needs a daemon."""

    def test_images_are_built_and_listed(self, docker_host: Daemon) -> None:
        built = farm("image", "build")
        assert built.returncode == 0, built.stderr
        tag = built.stdout.strip()
        assert tag == docker_images.node_tag(docker_images.context_files())
        listed = json.loads(farm("image", "ls", "--json").stdout)
        kinds = {row["kind"] for row in listed}  # of the others, what other tests of this session built
        assert {"node", "base"} <= kinds <= {*IMAGES, "base"}
        assert tag in {name for row in listed for name in row["tags"]}
        assert tag in farm("image", "ls").stdout
        again = farm("image", "base", "--rootfs", str(kept_rootfs()))
        assert (again.returncode, again.stdout) == (0, "plcfarm/base:latest\n")
        missing = farm("image", "build", "--base", "nobody/has:this")
        assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
        assert "the base nobody/has:this is not there" in missing.stderr

    def test_a_base_without_python_is_told(self, docker_host: Daemon, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        subprocess.run(["tar", "-cf", tmp_path / "empty.tar", "-C", tmp_path, "empty"], check=True)
        engine = Engine()
        engine.api.import_image_from_file(str(tmp_path / "empty.tar"), "bare", "latest")
        try:
            with pytest.raises(BackendError, match=r"image: build: .*python3"):
                docker_images.Images(engine).build("bare:latest")
        finally:
            engine.api.remove_image("bare:latest", force=True)
            engine.close()

    def test_the_daemon_is_reported(self, docker_host: Daemon) -> None:
        report = look_at_daemon()
        assert (report.error, report.url, report.image_there) == ("", docker_host.url, True)
        assert report.api_suffices
        assert report.base == "plcfarm/base:latest"

    def test_leftovers_of_any_run_are_found_by_label_and_taken_away(self, docker_run: DockerRun) -> None:
        backend, engine = docker_run.backend, Engine()
        backend.create_network(NetworkSpec("lab", f"{OTHER}.0/24", f"{OTHER}.254"))
        backend.create(docker_run.one("plc-1"))
        backend.start("plc-1")
        decoy = engine.api.create_container("plcfarm/node", ["id"], name="pf-decoy", labels={"plcfarm": "no"})
        try:
            (found,) = [each for each in find_leftovers() if each.run == docker_run.id]
            assert (found.farm, found.running) == (docker_run.folder.name, 1)
            assert found.containers == (docker_run.container("plc-1"),)
            assert found.networks == (docker_labels.network_name(docker_run.id, "lab"),)
            take_away(found)
            assert docker_run.left() == []
            assert docker_run.id not in [each.run for each in find_leftovers()]
            assert engine.api.inspect_container(decoy)["Name"] == "/pf-decoy"
            take_away(found)
        finally:
            engine.api.remove_container(decoy, force=True)
            engine.close()
