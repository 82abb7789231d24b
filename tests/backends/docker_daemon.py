"""A Docker daemon of the tests' own, beside whatever daemon the machine has: its own data, socket, containerd
namespace, no bridge and no rule of the machine's touched. It needs root and Debian's docker.io and mmdebstrap.

The base image's root filesystem is made once and kept in the user's cache; the images are built from it in seconds.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from docker.errors import DockerException

from farm.backends.docker_engine import Engine
from farm.backends.docker_images import RECIPES, Images, make_rootfs
from farm.errors import FarmError
from tests.side_by_side import on_the_machine

PATIENCE = 30.0
SWITCHED_OFF = ("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
"""What a daemon does to a machine's network unless it is told not to. Published ports go through its proxy then."""


def missing() -> str:
    """Why there can be no daemon here; "" when there can."""
    if os.geteuid() != 0:
        return "no Docker daemon: need root to start one"
    lacking = [program for program in ("dockerd", "containerd", "mmdebstrap") if shutil.which(program) is None]
    return f"no Docker daemon: {', '.join(lacking)} not installed" if lacking else ""


class Daemon:
    """A daemon with all that it has in one new folder. `url` is for DOCKER_HOST. `prefix` goes before its command, as
    `env` may, and `options` behind it."""

    def __init__(self, prefix: Sequence[str] = (), options: Sequence[str] = ()) -> None:
        self._prefix, self._options = prefix, options
        self.folder = Path(tempfile.mkdtemp(prefix="pfd-", dir="/tmp"))
        self.url = f"unix://{self.folder}/sock"
        self.log = self.folder / "log"
        self.namespace = f"pfd-{secrets.token_hex(4)}"  # containerd takes no two underscores, as a folder may have
        self._links = links()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        name = self.namespace
        command = [
            *self._prefix,
            "dockerd",
            *self._options,
            "--data-root",
            f"{self.folder}/data",
            "--exec-root",
            f"{self.folder}/exec",
        ]
        command += ["--pidfile", f"{self.folder}/pid", "--host", self.url, *SWITCHED_OFF]
        command += ["--containerd-namespace", name, "--containerd-plugins-namespace", f"{name}-plugins"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        give_up = time.monotonic() + PATIENCE
        while not self.answers():
            assert self._process.poll() is None and time.monotonic() < give_up, self.log.read_text()[-2000:]
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it takes requests."""
        if not (self.folder / "sock").exists():
            return False
        engine = Engine(self.url)
        try:
            return engine.api.ping()
        except (FarmError, DockerException, OSError):
            return False
        finally:
            engine.close()

    def stop(self) -> None:
        """As `systemctl stop docker` does: its containers end too."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def make_images(self) -> str:
        """The base and the node's image; the node's tag."""
        engine = Engine(self.url)
        try:
            images = Images(engine)
            images.import_base(kept_rootfs())
            return images.ready()
        finally:
            engine.close()

    def clear(self) -> None:
        """Takes away every container and network that it has."""
        engine = Engine(self.url)
        for container in engine.api.containers(all=True):
            engine.api.remove_container(container["Id"], force=True)
        for network in engine.api.networks():
            if network["Name"] not in ("none", "host", "bridge"):
                with contextlib.suppress(DockerException):
                    engine.api.remove_network(network["Id"])
        engine.close()

    def remove(self) -> None:
        """Ends it and takes its folder away; fails when it left a link on the machine."""
        if self.answers():
            self.clear()
        self.stop()
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            if line.split()[1].startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", line.split()[1]], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        left = links() - self._links
        for link in left:
            subprocess.run(["ip", "link", "delete", link], check=False)
        assert not left, f"links left by the daemon: {left}"


def links() -> set[str]:
    """Bridges of Docker's and outer ends of its containers' interfaces on this machine."""
    return {path.name for path in Path("/sys/class/net").iterdir() if path.name.startswith(("br-", "veth", "docker"))}


def kept_rootfs() -> Path:
    """The base image's root filesystem, made now unless the recipe is as it was when it was made."""
    recipe = hashlib.blake2b((RECIPES / "base" / "make-rootfs").read_bytes(), digest_size=6).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "plcfarm"
    kept = cache / f"rootfs-{recipe}.tar"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        made = kept.with_name(f".{kept.name}.{os.getpid()}")
        on_the_machine(lambda: make_rootfs(made))
        made.replace(kept)
    return kept
