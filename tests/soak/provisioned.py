"""A bare Debian that becomes a machine for plants: by Packer's docker builder, with the script that Vagrant runs.

debootstrap makes the Debian, a Docker daemon of its own takes it in, and `make docker-debian64` has Packer run the
scripts in a container of it, which has this machine's network, for packages come from outside. In what came of it the
script runs once more, and must find all as it is; a plant is started, and pylogix reads it from this machine. Then
Vagrant is installed in there too, and validates both machines, with the settings of libvirt. Needs root on Debian.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from pylogix import PLC

from tests.backends.docker_daemon import Daemon, missing
from tests.soak.netem_vm import mirror

ROOT = Path(__file__).parents[2]
TOOLS = {"debootstrap": "debootstrap", "packer": "packer"}
SUITE = "bookworm"
BASE, MACHINE = "plcfarm/debian:bare", "plcfarm/machine:soak"
CONTAINER = "plcfarm-soak"
CA = "/run/soak-ca.crt"
PASSED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "http_proxy", "https_proxy", "no_proxy")
"""Of this machine's environment: how packages are come by."""
VALIDATE = """set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends vagrant vagrant-libvirt >/dev/null 2>&1
cp -R /src/plcfarm/vagrant /tmp
for system in debian ubuntu; do
    cd /tmp/vagrant/$system
    vagrant validate --ignore-provider
    VAGRANT_DEFAULT_PROVIDER=libvirt vagrant validate
done
sed -i 's/memory = memory/memori = memory/' ../machine.rb
if VAGRANT_DEFAULT_PROVIDER=libvirt vagrant validate >/dev/null 2>&1; then echo 'nothing is validated'; exit 1; fi
"""


def why_not() -> str:
    """Why there can be no such machine here, "" where there can."""
    if reason := missing():
        return f"machine: {reason}"
    return "" if shutil.which("apt-get") else "machine: need Debian, to install packer and debootstrap"


def run() -> list[str]:
    """What was not as it should be; prints each step. Raises `RuntimeError` with a line where a step fails."""
    lacking = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if lacking:
        _do(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *lacking])
    daemon = Daemon()
    daemon.start()
    try:
        with tempfile.TemporaryDirectory(prefix="plcs") as folder:
            _take_in(daemon, Path(folder))
        _build(daemon)
        return [*_again(daemon), *_plant(daemon), *_vagrant(daemon)]
    finally:
        daemon.remove()


def _take_in(daemon: Daemon, folder: Path) -> None:
    """A bare Debian as an image."""
    root, packed = folder / "root", folder / "root.tar"
    with Step("a bare Debian by debootstrap"):
        _do(["debootstrap", "--variant=minbase", SUITE, str(root), mirror()])
        _do(["tar", "-cf", str(packed), "-C", str(root), "."])
        _do(["docker", "--host", daemon.url, "import", str(packed), BASE])


def _build(daemon: Daemon) -> None:
    """Packer's image, by the target that a person uses."""
    volumes = {str(ROOT): "/src/plcfarm:ro"}
    environment = [f"{name}={os.environ[name]}" for name in PASSED_ON if name in os.environ]
    if certificate := os.environ.get("PIP_CERT"):
        volumes[certificate] = f"{CA}:ro"
        environment.append(f"PIP_CERT={CA}")
    with tempfile.NamedTemporaryFile("w", suffix=".pkrvars.json") as file, Step("Packer runs the scripts in it"):
        json.dump({"docker_base": BASE, "docker_volumes": volumes, "environment": environment}, file)
        file.flush()
        command = ["make", "-C", str(ROOT / "packer"), "docker-debian64", "BOX_VERSION=soak"]
        said = _do([*command, f"ARGS=-color=false -var-file={file.name}"], {"DOCKER_HOST": daemon.url})
    for line in said.splitlines():
        if "provision:" in line:
            print(f"packer: {line.strip()}", flush=True)


def _again(daemon: Daemon) -> list[str]:
    """The script once more, in what came of it: it must find nothing to do."""
    with Step("the script once more"):
        said = _in(daemon, "/src/plcfarm/vagrant/provision.sh")
    print("".join(f"again: {line}\n" for line in said.splitlines()), end="", flush=True)
    wanted = ("packages: all there", "as in /src/plcfarm")
    return [f"the second run does not say {words!r}" for words in wanted if words not in said]


def _plant(daemon: Daemon) -> list[str]:
    """A plant of the machine's, read from here: they share the network."""
    with Step("a plant in it, read by pylogix"):
        _in(daemon, "farm up --attach /src/plcfarm/topologies/plant.yaml", detached=True)
        give_up = time.monotonic() + 120
        while not _serves("127.64.1.1") and time.monotonic() < give_up:
            time.sleep(1)
        with PLC("127.64.1.1") as plc:
            read = plc.Read("LIT101_Level")
        _do(["docker", "--host", daemon.url, "rm", "--force", CONTAINER])
    print(f"read: {read}", flush=True)
    return [] if read.Status == "Success" and 2 < read.Value < 4 else [f"pylogix reads {read}"]


def _vagrant(daemon: Daemon) -> list[str]:
    """Both machines, looked at by Vagrant."""
    with Step("vagrant validate"):
        said = _in(daemon, VALIDATE)
    good = said.count("Vagrantfile validated successfully")
    return [] if good == 4 else [f"vagrant validates {good} times, not 4: {said}"]


def _serves(address: str) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((address, 44818), 1).close()
    except OSError:
        return False
    return True


def _in(daemon: Daemon, script: str, detached: bool = False) -> str:
    """What a script says in a container of the machine's image, which it leaves as it is."""
    options = ["-d", "--name", CONTAINER] if detached else ["--rm"]
    shared = ["--network", "host", "-v", f"{ROOT}:/src/plcfarm:ro"]
    return _do(["docker", "--host", daemon.url, "run", *options, *shared, MACHINE, "sh", "-c", script])


class Step:
    """Says how long something took."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        self._begun = time.monotonic()

    def __exit__(self, *error: object) -> None:
        print(f"{self._what}: {time.monotonic() - self._begun:.0f} s", flush=True)


def _do(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What a command prints. Raises `RuntimeError` with its last words when it fails."""
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, text=True)
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-4:]
        raise RuntimeError(f"machine: {' '.join(command[:4])} failed: {' '.join(last)}")
    return done.stdout
