"""The way to an engine by ssh: its socket, forwarded to one of this machine's by the system's own ssh, with the user's
keys, agent and settings. It asks for nothing, and ends with the process that opened it, however that ends: what runs at
the far end reads from us."""

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from farm.errors import BackendError

SSH = "ssh://"
SOCKET = "/var/run/docker.sock"
CONNECT_SECONDS = 5
PATIENCE = 8.0
LOOK_AGAIN = 0.05
OPTIONS = (
    *("BatchMode=yes", f"ConnectTimeout={CONNECT_SECONDS}", "ExitOnForwardFailure=yes", "StreamLocalBindUnlink=yes"),
    *("ServerAliveInterval=3", "ServerAliveCountMax=2"),
)


class Tunnel:
    """To the engine of `host` at `url` (ssh://USER@HOST:PORT); its near end is in `folder`."""

    def __init__(self, host: str, url: str, folder: Path) -> None:
        self._host = host
        self._target = urlsplit(url)
        self._near = folder / f"ssh-{os.getpid()}-{host}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _destination(self) -> str:
        """USER@HOST as it is written: a name in ~/.ssh/config may have capitals, which `hostname` has not."""
        user, at, host = self._target.netloc.rpartition("@")
        if self._target.port is not None:
            host = host.rpartition(":")[0]
        return f"{user.partition(':')[0]}{at}{host.strip('[]')}"

    @property
    def stands(self) -> bool:
        """Whether it is open."""
        return self._process is not None and self._process.poll() is None

    def open(self) -> str:
        """Opens it unless it stands; where the engine is reached now. Raises `BackendError` with ssh's last words."""
        if not self.stands:
            self.close()
            if shutil.which("ssh") is None:
                raise BackendError(self._host, "connect", "there is no ssh here: apt-get install openssh-client")
            self._near.unlink(missing_ok=True)
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            self._wait()
        return f"unix://{self._near}"

    def command(self) -> list[str]:
        """What is run."""
        options = [word for option in OPTIONS for word in ("-o", option)]
        port = ["-p", str(self._target.port)] if self._target.port else []
        forward = ["-L", f"{self._near}:{SOCKET}"]
        return ["ssh", "-T", *options, *port, *forward, self._destination, "cat"]

    def close(self) -> None:
        """Ends it."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._near.unlink(missing_ok=True)

    def _wait(self) -> None:
        process = self._process
        assert process is not None
        give_up = time.monotonic() + PATIENCE
        while not self._near.exists():
            if process.poll() is not None:
                said = process.stderr.read().decode(errors="replace").strip() if process.stderr is not None else ""
                self.close()
                words = said.rpartition("\n")[2] or f"ssh ended with {process.returncode}"
                raise BackendError(self._host, "connect", words)
            if time.monotonic() >= give_up:
                self.close()
                raise BackendError(self._host, "connect", f"ssh does not get through to {self._target.hostname}")
            time.sleep(LOOK_AGAIN)
