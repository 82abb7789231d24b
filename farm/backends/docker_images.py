"""The images that nodes run in, and farms: named for what is in them, built without a network.

    plcfarm/node:VERSION-DIGEST   a base and the node's wheel; DIGEST is of all that went into it, so that no farm ever
                                  runs on yesterday's code; `plcfarm/node:latest` is the last one built. It is built
                                  when it is missing
    plcfarm/scada, modbus, farm   the same, of what `docker_recipes` says; built when they are asked for
    plcfarm/base                  a base for machines without a registry (`images/base`), made by this machine's apt

All carry a label, by which they are listed.
"""

import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm import __version__
from farm.backends import docker_labels as labels
from farm.backends.docker_engine import Engine, one_line
from farm.backends.docker_recipes import (
    FARM,
    NAMESPACE,
    NODE,
    RECIPES,
    Interpreter,
    context_files,
    default_wheels,
    farm_files,
    image_tag,
    node_tag,
    recipe_files,
)
from farm.errors import BackendError

NODE_IMAGE = "plcfarm/node"
BASE_IMAGE = "plcfarm/base"
BASES = ("python:3.12-slim", f"{BASE_IMAGE}:latest")
"""What is built on, the first of them that is there."""
BASE_TOOL = "mmdebstrap"
CURE = (
    "`docker pull python:3.12-slim`, or without a registry `farm image base` (as root, with mmdebstrap), "
    "then `farm image build`"
)

PART = 1 << 20

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image of ours: its tags, kind (`node`, `scada`, `modbus`, `farm`, `base`), id, bytes and when it was made, in
    seconds since 1970."""

    tags: tuple[str, ...]
    kind: str
    id: str
    size: int
    created: int


class Images:
    """The images of one daemon, the one that `DOCKER_HOST` names by default."""

    def __init__(self, engine: Engine | None = None) -> None:
        self._engine = engine or Engine()
        self._lock = threading.Lock()
        self._ready = ""

    def ready(self) -> str:
        """The tag of the image for this very code, built now if it is missing and a base is there.

        Raises `BackendError` that says what to do. Asked by many threads at once, it builds once.
        """
        with self._lock:
            if not self._ready:
                files = context_files()
                tag = node_tag(files)
                self._ready = tag if self.has(tag) else self._build(NODE, files, self._base(tag), lambda line: None)
            return self._ready

    def forget(self) -> None:
        """Look again when it is needed next: it may have been removed meanwhile."""
        self._ready = ""

    def build(self, base: str = "", say: Say = lambda line: None, name: str = NODE, wheels: Path | None = None) -> str:
        """Builds image `name`, whether it is there or not; its tag. `say` gets the daemon's lines. Those that derive
        from the node's get the one of this very code, which is built on `base` where it is missing. `wheels` is where
        the farm's image finds what it stands on."""
        if name == NODE:
            files = context_files()
            return self._build(NODE, files, base or self._base(node_tag(files)), say)
        if name == FARM:
            base = base or self._base(f"{NAMESPACE}/{FARM}")
            return self._build(FARM, farm_files(wheels or default_wheels(), self.interpreter(base)), base, say)
        node = self.build(base, say) if base else self.ready()
        return self._build(name, recipe_files(name), node, say)

    def interpreter(self, base: str = "") -> Interpreter:
        """The Python of a base, the one that is built on when none is named, asked in a container without a network."""
        base = base or self._base(f"{NAMESPACE}/{FARM}")
        self._need(base)
        command = ["python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        with self._engine.told("image", "build"):
            machine = str(self._engine.api.inspect_image(base)["Architecture"])  # type: ignore[no-untyped-call]
            made = self._engine.api.create_container(base, command, network_disabled=True)
            try:
                self._engine.api.start(made["Id"])
                code = int(self._engine.api.wait(made["Id"])["StatusCode"])
                said = self._engine.api.logs(made["Id"]).decode(errors="replace").strip()
            finally:
                self._engine.api.remove_container(made["Id"], force=True)
        if code:
            raise BackendError("image", "build", f"the base {base} has no Python that runs: {one_line(said)}")
        return Interpreter(said, machine)

    def import_base(self, rootfs: Path) -> str:
        """Makes the base image of a root filesystem's tar file; its tag."""
        changes = [f"LABEL {labels.IMAGE}=base", 'CMD ["python3"]']
        with self._engine.told("image", "base"), rootfs.open("rb") as stream:
            parts = iter(lambda: stream.read(PART), b"")  # a file itself the SDK would announce as parts and send whole
            self._engine.api.import_image_from_stream(parts, BASE_IMAGE, "latest", changes=changes)
        return f"{BASE_IMAGE}:latest"

    def rows(self) -> list[ImageRow]:
        """Every image with our label, the newest first."""
        with self._engine.told("image", "ls"):
            found: list[dict[str, Any]] = self._engine.api.images(filters={"label": [labels.IMAGE]})
        rows = [
            ImageRow(
                tuple(sorted(tag for tag in image["RepoTags"] or () if tag != "<none>:<none>")),
                str((image.get("Labels") or {}).get(labels.IMAGE, "")),
                str(image["Id"]).removeprefix("sha256:")[:12],
                int(image["Size"]),
                int(image["Created"]),
            )
            for image in found
        ]
        return sorted(rows, key=lambda row: (-row.created, row.id))

    def has(self, tag: str) -> bool:
        """Whether the daemon has an image of that name."""
        with self._engine.told(tag, "look for"):
            return bool(self._engine.api.images(tag))

    def _base(self, tag: str) -> str:
        for base in BASES:
            if self.has(base):
                return base
        raise BackendError("image", "build", f"there is no {tag} and no base to build it on: {CURE}")

    def _need(self, base: str) -> None:
        if not self.has(base):
            raise BackendError("image", "build", f"the base {base} is not there: `docker pull {base}`")

    def _build(self, name: str, files: dict[str, bytes], base: str, say: Say) -> str:
        tag = node_tag(files) if name == NODE else image_tag(name, files, base)
        self._need(base)
        with self._engine.told("image", "build"):
            lines = self._engine.api.build(
                fileobj=io.BytesIO(_packed(files)),
                custom_context=True,
                tag=tag,
                buildargs={"BASE": base, "VERSION": __version__},
                labels={labels.IMAGE: name},
                network_mode="none",
                rm=True,
                forcerm=True,
                decode=True,
            )
            _follow(lines, say)
            self._engine.api.tag(tag, f"{NAMESPACE}/{name}", "latest")
        return tag


def _follow(lines: Iterable[Any], say: Say) -> None:
    """Hands on what a build says. Raises `BackendError` with its last words when it failed."""
    last = ""
    for line in lines:
        if "error" in line:
            raise BackendError("image", "build", one_line(f"{line['error']} ({last})" if last else str(line["error"])))
        text = str(line.get("stream", "")).strip()
        if text:
            last = text
            say(text)


def _packed(files: dict[str, bytes]) -> bytes:
    """A tar file of them, the same for the same files."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as packed:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o644
            packed.addfile(entry, io.BytesIO(files[name]))
    return target.getvalue()


def write_context(
    folder: Path, name: str = NODE, wheels: Path | None = None, interpreter: Interpreter | None = None
) -> list[str]:
    """Writes what an image is built from into `folder`, for `docker build` or compose; the names of the files. Wheels
    of the farm's are for the Python that runs this, on this kind of machine, unless told another. Raises
    `BackendError`."""
    if name == NODE:
        files = context_files()
    elif name == FARM:
        files = farm_files(wheels or default_wheels(), interpreter or _own_interpreter())
    else:
        files = recipe_files(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
    except OSError as exc:
        raise BackendError("image", "build", f"cannot write {exc.filename}: {exc.strerror}") from exc
    return sorted(files)


def _own_interpreter() -> Interpreter:
    return Interpreter(f"{sys.version_info[0]}.{sys.version_info[1]}", platform.machine())


def make_rootfs(target: Path) -> None:
    """Makes the root filesystem of a base image, a tar file, by the recipe in images/base: a quarter of a minute and
    60 MB. Raises `BackendError`."""
    if os.geteuid() != 0:
        raise BackendError("image", "base", "a root filesystem is made by root: run it with sudo")
    if shutil.which(BASE_TOOL) is None:
        raise BackendError("image", "base", f"{BASE_TOOL} is missing: `apt-get install {BASE_TOOL}`")
    with tempfile.TemporaryDirectory(prefix="plcfarm-base-") as folder:
        made = Path(folder) / "rootfs.tar"
        done = subprocess.run(
            ["sh", RECIPES / "base" / "make-rootfs", made], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not made.exists():
            raise BackendError("image", "base", one_line(done.stderr[-200:] or f"exit code {done.returncode}"))
        shutil.move(made, target)
