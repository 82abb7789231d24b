"""Three Docker engines on three machines that are none: each in network, mount, name and process namespaces of its own,
with its own data, joined by a bridge and, if wanted, in a Swarm.

An engine's processes are not to be seen from here, as on another machine; ending its first one ends all of it, as when
a machine loses its power. By hand, as root:

    python -m tests.backends.swarm_cluster up DIR      makes one, with the node's image on the first engine
    python -m tests.backends.swarm_cluster down DIR    takes it away
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from docker.errors import DockerException

from farm.backends.docker_engine import Engine
from farm.backends.docker_images import Images
from farm.errors import FarmError
from tests.backends.docker_daemon import kept_rootfs

NUMBERS = (1, 2, 3)
PATIENCE = 30.0
CGROUPS = Path("/sys/fs/cgroup")
SUBNET = "10.202.0"
POOL = "10.203.0.0/16"
"""Where Swarm takes subnets that nobody gives it."""


class Host:
    """One of the engines. `url` is for DOCKER_HOST, `netns` its network namespace, `port` its cable's end at the
    bridge; `options` are more of its engine's."""

    options: Sequence[str] = ()

    def __init__(self, folder: Path, mark: str, number: int) -> None:
        self.number = number
        self.name = f"h{number}"
        self.folder = folder / self.name
        self.url = f"unix://{self.folder}/sock"
        self.netns = f"{mark}-{self.name}"
        self.port = f"{mark}.{number}"
        self.address = f"{SUBNET}.1{number}"
        self.cgroup = f"/{mark}-{self.name}"
        self.log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begins to start it. Its first process ends with whatever it started."""
        self.folder.mkdir(exist_ok=True)
        engine = [
            *("dockerd", "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec"),
            *("--pidfile", f"{self.folder}/pid", "--host", self.url, "--cgroup-parent", self.cgroup),
            *("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false", *self.options),
            *("--containerd-namespace", self.netns, "--containerd-plugins-namespace", f"{self.netns}-plugins"),
        ]
        script = 'hostname "$1"; shift; mkdir -p /run/docker; mount -t tmpfs tmpfs /run/docker; exec "$@"'
        apart = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        command = ["nsenter", f"--net=/run/netns/{self.netns}", *apart, "sh", "-c", script, "sh", self.name, *engine]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
            )
        (self.folder / "first").write_text(str(self._process.pid))

    def wait(self) -> None:
        """Until it answers."""
        give_up = time.monotonic() + PATIENCE
        while not self.answers():
            alive = self._process is not None and self._process.poll() is None
            assert alive and time.monotonic() < give_up, self.log.read_text()[-2000:]
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

    def kill(self) -> None:
        """Ends all of it at once, with its containers."""
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.folder / "first").read_text()), signal.SIGKILL)
        process, self._process = self._process, None
        if process is not None:
            process.wait()
        give_up = time.monotonic() + PATIENCE
        while self._cgroup_processes() and time.monotonic() < give_up:
            time.sleep(0.05)
        for name in ("sock", "pid", "first"):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "exec", ignore_errors=True)  # what lies in /run does not outlive a machine

    def cut(self) -> None:
        """Pulls its cable."""
        _ip(f"-n {self._switch} link set {self.port} down")

    def mend(self) -> None:
        """Puts it back."""
        _ip(f"-n {self._switch} link set {self.port} up")

    @property
    def _switch(self) -> str:
        return self.netns.rpartition("-")[0] + "-sw"

    def cable(self) -> None:
        """Its network namespace, with an interface that leads to the bridge."""
        _ip(f"netns add {self.netns}")
        _ip(f"link add eth0 netns {self.netns} type veth peer name {self.port} netns {self._switch}")
        _ip(f"-n {self._switch} link set {self.port} master bridge up")
        _ip(f"-n {self.netns} address add {self.address}/24 dev eth0")
        _ip(f"-n {self.netns} link set eth0 up")
        _ip(f"-n {self.netns} link set lo up")

    def run(self, command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[str]":
        """Runs a command on that machine: with its network, and the files of this one."""
        return subprocess.run(["nsenter", f"--net=/run/netns/{self.netns}", *command], text=True, **options)

    def things(self) -> set[str]:
        """Every container, volume and network of its own."""
        engine = Engine(self.url)
        try:
            names = {f"container {each['Names'][0]}" for each in engine.api.containers(all=True)}
            names |= {f"volume {each['Name']}" for each in engine.api.volumes()["Volumes"] or ()}
            names |= {f"network {each['Name']}" for each in engine.api.networks()}
        finally:
            engine.close()
        return names

    def clear(self) -> None:
        """Takes its groups of processes away, which outlive it."""
        for controller in CGROUPS.iterdir():
            top = controller / self.cgroup.removeprefix("/")
            if top.is_dir():
                for folder in sorted(top.rglob("*"), key=lambda path: -len(path.parts)):
                    if folder.is_dir():
                        with contextlib.suppress(OSError):
                            folder.rmdir()
                with contextlib.suppress(OSError):
                    top.rmdir()

    def _cgroup_processes(self) -> bool:
        for controller in CGROUPS.iterdir():
            top = controller / self.cgroup.removeprefix("/")
            for path in top.rglob("cgroup.procs") if top.is_dir() else ():
                with contextlib.suppress(OSError):
                    if path.read_text().strip():
                        return True
        return False


class Cluster:
    """All of them, with everything in `folder`."""

    def __init__(self, folder: Path | None = None, mark: str = "", numbers: Sequence[int] = NUMBERS) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="pfs-", dir="/tmp"))
        self.mark = mark or f"pfs{secrets.token_hex(2)}"
        self.hosts = [Host(self.folder, self.mark, number) for number in numbers]
        self.switch = f"{self.mark}-sw"

    def start(self, swarm: bool = True) -> None:
        """Returns when all answer, and are in one Swarm whose manager is the first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "mark").write_text(self.mark)
        _ip(f"netns add {self.switch}")
        _ip(f"-n {self.switch} link add bridge type bridge")
        _ip(f"-n {self.switch} link set bridge up")
        for host in self.hosts:
            host.cable()
            host.start()
        for host in self.hosts:
            host.wait()
        if swarm:
            self.join()

    def join(self) -> None:
        """Makes the Swarm."""
        first, *rest = self.hosts
        with self.engine(first) as engine:
            engine.api.init_swarm(
                advertise_addr=first.address, listen_addr=f"{first.address}:2377", default_addr_pool=[POOL]
            )
            token = engine.api.inspect_swarm()["JoinTokens"]["Worker"]

        def join(host: Host) -> None:
            with self.engine(host) as engine:
                engine.api.join_swarm(
                    [f"{first.address}:2377"], token, listen_addr=f"{host.address}:2377", advertise_addr=host.address
                )

        with ThreadPoolExecutor(len(self.hosts)) as crew:
            list(crew.map(join, rest))

    @contextlib.contextmanager
    def engine(self, host: Host) -> Iterator[Engine]:
        """An engine, to be asked."""
        engine = Engine(host.url)
        try:
            yield engine
        finally:
            engine.close()

    def make_images(self) -> str:
        """The base and the node's image, on the first one only; the node's tag."""
        with self.engine(self.hosts[0]) as engine:
            images = Images(engine)
            images.import_base(kept_rootfs())
            return images.ready()

    def remove(self) -> None:
        """Nothing is left of it, however far its start came."""
        for host in self.hosts:
            host.kill()
            host.clear()
        for name in (*(host.netns for host in self.hosts), self.switch):
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not self.folder.exists(), f"{self.folder} cannot be removed"


def missing() -> str:
    """Why there can be no cluster here; "" when there can."""
    if os.geteuid() != 0:
        return "no Docker engines: need root to start them"
    programs = ("dockerd", "containerd", "mmdebstrap", "nsenter", "unshare", "ip")
    lacking = [program for program in programs if shutil.which(program) is None]
    return f"no Docker engines: {', '.join(lacking)} not installed" if lacking else ""


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


def main(arguments: Sequence[str]) -> int:
    """By hand."""
    if len(arguments) != 2 or arguments[0] not in ("up", "down"):
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[1]).absolute()
    if arguments[0] == "down":
        Cluster(folder, (folder / "mark").read_text()).remove()
        return 0
    cluster = Cluster(folder)
    began = time.monotonic()
    try:
        cluster.start()
        ready = time.monotonic() - began
        cluster.make_images()
    except BaseException:
        cluster.remove()
        raise
    print(json.dumps({"seconds": round(ready, 1), "hosts": {each.name: each.url for each in cluster.hosts}}))
    for each in cluster.hosts:
        print(f"{each.name}: nsenter --net=/run/netns/{each.netns} env DOCKER_HOST={each.url} docker ps")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
