"""What each image is built from, by file name: its Dockerfile of `images/`, and the wheels that go into it.

node            a base and the node's wheel
scada, modbus   the node's image, and a command as entry point
farm            a base, the farm's wheel, and those of all that it stands on, fetched before the build
"""

import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from farm import __version__
from farm.backends.docker_wheel import farm_wheel, node_wheel
from farm.errors import BackendError

RECIPES = Path(__file__).resolve().parents[1] / "images"
"""images/ in a checkout."""
NAMESPACE = "plcfarm"
NODE, FARM = "node", "farm"
IMAGES = (NODE, "scada", "modbus", FARM)
EXTRAS = ("farm", "docker", "web")
"""Of plcfarm, in the farm's image."""
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Docker's names of processors, and those of wheels."""
GLIBC = ("2_17", "2_28")
"""Of which systems wheels are taken: those of the bases that images are built on, and older ones."""
REQUIREMENT = re.compile(r"""(?P<what>[^;]+?)\s*;\s*extra == ['"](?P<extra>[\w-]+)['"]""")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What a base runs wheels with: a Python's version (`3.12`), and the processor as Docker says it (`amd64`)."""

    version: str
    machine: str


def recipe_files(name: str) -> dict[str, bytes]:
    """What stands in the recipe's folder, and `install.py` for those who have wheels. Raises `BackendError` where the
    installation has no recipes."""
    files = [RECIPES / name / "Dockerfile"]
    files += [RECIPES / NODE / "install.py"] if name in (NODE, FARM) else []
    files += [RECIPES / name / "health.py"] if name == "modbus" else []
    try:
        return {path.name: path.read_bytes() for path in files}
    except OSError as exc:
        raise BackendError("image", "build", f"{exc.filename} is missing: install plcfarm anew") from exc


def context_files() -> dict[str, bytes]:
    """What a node's image is built from: the Dockerfile, its installer and the wheel. Raises `BackendError`."""
    wheel, content = node_wheel()
    return {**recipe_files(NODE), wheel: content}


def farm_files(wheels: Path, interpreter: Interpreter) -> dict[str, bytes]:
    """What the farm's image is built from. What it stands on is taken from the folder `wheels`, and put there where
    it is not in there yet. Raises `BackendError`."""
    wheel, content = farm_wheel()
    return {**recipe_files(FARM), wheel: content, **third_party(wheels, interpreter)}


def image_tag(name: str, files: dict[str, bytes], base: str = "") -> str:
    """`plcfarm/node:0.1.0-0123456789ab` for what is built from `files`, on another image of ours for some."""
    digest = hashlib.blake2b(base.encode(), digest_size=6)
    for file in sorted(files):
        digest.update(f"{file}\0{len(files[file])}\0".encode() + files[file])
    return f"{NAMESPACE}/{name}:{__version__}-{digest.hexdigest()}"


def node_tag(files: dict[str, bytes]) -> str:
    """That of the node's image."""
    return image_tag(NODE, files)


def default_wheels() -> Path:
    """The folder in which fetched wheels are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "plcfarm" / "wheels"


def requirements() -> list[str]:
    """What the farm's image stands on, as pip takes it. Raises `BackendError`."""
    try:
        texts = importlib.metadata.requires("plcfarm") or []
    except importlib.metadata.PackageNotFoundError as exc:
        raise BackendError("image", "build", "plcfarm is not installed here: `pip install --editable .`") from exc
    found = (REQUIREMENT.fullmatch(text) for text in texts)
    wanted = [each["what"] for each in found if each and each["extra"] in EXTRAS]
    return sorted({text for text in wanted if not text.startswith("plcfarm[")})


def third_party(wheels: Path, interpreter: Interpreter) -> dict[str, bytes]:
    """The wheels of what the farm stands on, for that interpreter. Only where some are not in the folder yet is a
    package index asked, and they are put there. Raises `BackendError`."""
    with tempfile.TemporaryDirectory(prefix="plcfarm-wheels-") as folder:
        picked = Path(folder)
        said = _pip(picked, interpreter, ["--no-index", "--find-links", str(wheels)]) if wheels.is_dir() else "none yet"
        if said:
            _clear(picked.iterdir())
            if said := _pip(picked, interpreter, []):
                raise BackendError("image", "build", f"wheels for {wheels} cannot be had: {said}")
            _keep(picked.iterdir(), wheels)
        return {path.name: path.read_bytes() for path in sorted(picked.iterdir())}


def _pip(folder: Path, interpreter: Interpreter, options: Iterable[str]) -> str:
    """Has pip pick wheels into `folder`; "" or the last line of what it says when it cannot."""
    machine = MACHINES.get(interpreter.machine, interpreter.machine)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--dest", str(folder)]
    command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", interpreter.version]
    for each in GLIBC:
        command += ["--platform", f"manylinux_{each}_{machine}"]
    command += ["--platform", f"manylinux2014_{machine}", *options, *requirements()]
    environment = {name: value for name, value in os.environ.items() if name != "PIP_FIND_LINKS" or not options}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    words = [line for line in done.stderr.splitlines() if line.strip()]
    return "" if done.returncode == 0 else (words[-1] if words else f"pip ends with {done.returncode}")


def _clear(files: Iterable[Path]) -> None:
    for file in list(files):
        file.unlink()


def _keep(files: Iterable[Path], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, folder)
    except OSError as exc:
        raise BackendError("image", "build", f"cannot write {exc.filename}: {exc.strerror}") from exc
