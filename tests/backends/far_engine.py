"""An engine on another machine and the ways to it: TLS, ssh and a registry on that machine, and a desk on one of its
own, which a cable joins to it, with the settings that a person there has of ssh and of Docker.
"""

import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.backends.swarm_cluster import Cluster, Host
from tests.backends.swarm_farm import SwarmFarm
from tests.certificates import make_certificates

DESK = 9
"""The desk's number among hosts."""
TLS_PORT, REGISTRY = 2376, "127.0.0.1:5000"
PATIENCE = 15.0
USER, PASSWORD = "works", "of the works"

SSH_CONFIG = """Host Far
  HostName {address}
Host *
  IdentityFile {folder}/id
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ControlMaster auto
  ControlPath {folder}/shared-%C
  ControlPersist yes
"""
"""Connections are shared, as Docker's own pages advise: a farm is not to be one of those who share."""

SSHD_CONFIG = """ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/id.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""

REGISTRY_CONFIG = """version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {folder}/kept}}}}
http: {{addr: {address}}}
auth: {{htpasswd: {{realm: works, path: {folder}/users}}}}
"""


def missing() -> str:
    """The packages without which not all ways are there, "" when none is missing."""
    programs = {"/usr/sbin/sshd": "openssh-server", "ssh": "openssh-client", "docker-registry": "docker-registry"}
    programs |= {"docker": "docker.io", "openssl": "openssl", "perl": "perl-base"}
    return ", ".join(package for program, package in programs.items() if shutil.which(program) is None)


class Service:
    """A program on the far machine, with /run of its own; ending it ends whatever it began."""

    def __init__(self, host: Host, log: Path, command: Sequence[str], run: str = "true") -> None:
        self.log = log
        self._host = host
        self._command = command
        self._run = run
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, address: str, port: int) -> None:
        """Returns when it listens there."""
        script = f'set -e; mount -t tmpfs tmpfs /run; {self._run}; exec "$@"'
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        command = ["nsenter", f"--net=/run/netns/{self._host.netns}", *apart, "sh", "-c", script, "sh", *self._command]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        give_up = time.monotonic() + PATIENCE
        while self._host.run(["bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"], capture_output=True).returncode:
            assert self._process.poll() is None and time.monotonic() < give_up, self.log.read_text()[-2000:]
            time.sleep(0.1)

    def kill(self) -> None:
        """At once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


class FarMachine:
    """All of it, with its files in the cluster's folder."""

    def __init__(self) -> None:
        self.cluster = Cluster(numbers=(1,))
        self.host = self.cluster.hosts[0]
        self.desk = Host(self.cluster.folder, self.cluster.mark, DESK)
        self.folder = self.cluster.folder / "ways"
        self.tls = self.folder / "tls"
        """What says that one may ask the engine."""
        self.docker = self.folder / "docker"
        """The settings of Docker's command line at the desk."""
        self.ssh = Service(
            self.host,
            self.folder / "sshd.log",
            ["/usr/sbin/sshd", "-D", "-e", "-f", f"{self.folder}/sshd_config"],
            f"mkdir -m 755 /run/sshd; ln -s {self.host.folder}/sock /run/docker.sock",
        )
        self.registry = Service(
            self.host, self.folder / "registry.log", ["docker-registry", "serve", f"{self.folder}/registry.yml"]
        )

    @property
    def address(self) -> str:
        return self.host.address

    def start(self) -> None:
        """Returns when all of it answers, and the engine is a Swarm by itself, with the node's image."""
        for each in (self.folder, self.tls, self.docker, self.folder / "kept"):
            each.mkdir(parents=True)
        self._certify()
        self._make_keys()
        self._make_users()
        self.cluster.start()
        self.desk.cable()
        self._serve()
        self.cluster.make_images()

    def remove(self) -> None:
        """Nothing is left of it, however far its start came."""
        for each in (self.ssh, self.registry):
            each.kill()
        subprocess.run(["ip", "netns", "delete", self.desk.netns], check=False, stderr=subprocess.DEVNULL)
        self.cluster.remove()

    def lose_power(self) -> None:
        """It ends at once, and its end of every connection without a word."""
        subprocess.run(["ip", "-n", self.cluster.switch, "link", "delete", self.host.port], check=True)
        for each in (self.ssh, self.registry):
            each.kill()
        self.host.kill()
        subprocess.run(["ip", "netns", "delete", self.host.netns], check=True)

    def power_up(self) -> None:
        """Returns when its engine answers."""
        self.host.cable()
        self.host.start()
        self._serve()
        self.host.wait()

    def context(self, name: str, *options: str) -> None:
        """Has Docker's own command line at the desk make a context."""
        command = ["docker", "context", "create", name, "--docker", ",".join(options)]
        subprocess.run(command, env={"DOCKER_CONFIG": str(self.docker), "PATH": "/usr/bin:/bin"}, check=True)

    def certificates(self, name: str, files: dict[str, Path]) -> Path:
        """A folder with these as ca.pem, cert.pem and key.pem."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for file, source in files.items():
            shutil.copyfile(source, folder / file)
        return folder

    def _serve(self) -> None:
        self.ssh.start(self.address, 22)
        address, _, port = REGISTRY.partition(":")
        self.registry.start(address, int(port))

    def _certify(self) -> None:
        made = make_certificates(self.folder, self.address)
        mine = {"ca.pem": "authority.pem", "cert.pem": "client.pem", "key.pem": "client.key"}
        self.certificates("tls", {file: self.folder / source for file, source in mine.items()})
        self.host.options = (
            *("--host", f"tcp://0.0.0.0:{TLS_PORT}", "--tlsverify"),
            *("--tlscacert", made.certificate("authority")),
            *("--tlscert", made.certificate("server"), "--tlskey", made.key("server")),
        )

    def _make_keys(self) -> None:
        for name in ("id", "host_key", "stranger_id"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.folder}/{name}"]
            subprocess.run(command, check=True)
        own = (self.folder / "host_key.pub").read_text()
        (self.folder / "known_hosts").write_text(f"{self.address} {own}")
        for name, text in (("ssh_config", SSH_CONFIG), ("sshd_config", SSHD_CONFIG)):
            (self.folder / name).write_text(text.format(folder=self.folder, address=self.address))

    def _make_users(self) -> None:
        program = "print crypt($ARGV[0], q($2b$05$abcdefghijklmnopqrstuu))"
        hashed = subprocess.run(["perl", "-e", program, PASSWORD], capture_output=True, text=True, check=True).stdout
        assert hashed.startswith("$2b$"), "this system's crypt(3) has no bcrypt, which a registry wants"
        (self.folder / "users").write_text(f"{USER}:{hashed}\n")
        config = REGISTRY_CONFIG.format(folder=self.folder, address=REGISTRY)
        (self.folder / "registry.yml").write_text(config)


@dataclass
class DeskFarm(SwarmFarm):
    """Farms whose commands are given at the desk."""

    machine: FarMachine | None = None

    def run(self, command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[str]":
        """Where ssh has the desk's settings in place of the machine's."""
        machine = self.machine
        assert machine is not None
        script = 'mount --bind "$1" /etc/ssh/ssh_config; shift; exec "$@"'
        config = str(machine.folder / "ssh_config")
        return machine.desk.run(["unshare", "--mount", "sh", "-ec", script, "sh", config, *command], **options)
