"""The way to an engine by ssh: its socket, forwarded to one of this machine's by the system's own ssh, with the user's
keys, agent and settings. It asks for nothing, and ends with the process that opened it, however that ends: what runs at
the far end reads from us."""

import contextlib
import itertools
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

from farm.errors import BackendError

SSH = "ssh://"
SOCKET = "/var/run/docker.sock"
CONNECT_SECONDS = 5
PATIENCE = 8.0
LOOK_AGAIN = 0.05
OPTIONS = (
    *("BatchMode=yes", f"ConnectTimeout={CONNECT_SECONDS}", "ExitOnForwardFailure=yes", "StreamLocalBindUnlink=yes"),
    *("ServerAliveInterval=3", "ServerAliveCountMax=2"),
    # a connection that the user's settings share would outlive us, and our forward in it
    *("ControlMaster=no", "ControlPath=none", "RemoteCommand=none"),
)

_numbers = itertools.count(1)


class Tunnel:
    """To the engine of `host` at `url` (ssh://USER@HOST:PORT/SOCKET, the host's name alone at least); its near end is
    in `folder`. `said` is the last line that ssh complained of."""

    def __init__(self, host: str, url: str, folder: Path) -> None:
        self.said = ""
        self._host = host
        where, slash, path = url.removeprefix(SSH).partition("/")
        self._far = slash + path if path else SOCKET
        name, _, port = where.rpartition(":")
        where, self._port = (name, port) if port.isdecimal() else (where, "")
        self._where = where.replace("[", "").replace("]", "")  # around an address of IPv6
        self._near = folder / f"ssh-{os.getpid()}-{next(_numbers)}"  # no longer than what a run's folder is checked for
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None

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
            # in a session of its own: Ctrl-C is for the farm, which has use for the tunnel to end what it began
            process = self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            assert process.stderr is not None
            self.said = ""
            self._listener = threading.Thread(target=self._listen, args=(process.stderr,), name="ssh", daemon=True)
            self._listener.start()
            self._wait(process)
        return f"unix://{self._near}"

    def command(self) -> list[str]:
        """What is run."""
        options = [word for option in OPTIONS for word in ("-o", option)]
        port = ["-p", self._port] if self._port else []
        return ["ssh", "-T", *options, *port, "-L", f"{self._near}:{self._far}", "--", self._where, "cat"]

    def close(self) -> None:
        """Ends it."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._near.unlink(missing_ok=True)

    def _listen(self, errors: IO[bytes]) -> None:
        """Takes what ssh says, which would wait for that for ever, and its forwards with it."""
        with errors:
            for line in errors:
                self.said = line.decode(errors="replace").strip() or self.said

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        give_up = time.monotonic() + PATIENCE
        while not self._near.exists():
            if process.poll() is not None:
                if self._listener is not None:
                    self._listener.join(1.0)
                self.close()
                raise BackendError(self._host, "connect", self.said or f"ssh ended with {process.returncode}")
            if time.monotonic() >= give_up:
                self.close()
                raise BackendError(self._host, "connect", f"ssh does not get through to {self._where}")
            time.sleep(LOOK_AGAIN)
