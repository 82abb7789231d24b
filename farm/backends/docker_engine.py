"""The Docker daemon as the rest of the backend sees it: one pooled client, and every refusal one clear line.

The SDK's low-level client speaks to the daemon without guessing; its version is negotiated once. It is made when it is
first needed, so that a command that only reads files never asks a daemon.
"""

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

from docker.api.client import APIClient
from docker.errors import APIError, DockerException, NotFound, TLSParameterError
from docker.tls import TLSConfig
from docker.utils import kwargs_from_env

from farm.errors import BackendError

UNIX = "unix://"
DEFAULT_URL = "unix:///var/run/docker.sock"
TIMEOUT = 120
"""Seconds for one answer: a daemon that starts hundreds of containers takes its time."""
CONNECTIONS = 32
LINE = 300
"""Characters of a daemon's words that are passed on."""


class Client(APIClient):
    """The SDK's, which knows a daemon by the certificates that it was given, also where the environment names others
    for everything (`REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`): requests would take those."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """As requests has it, but that what this session verifies by is not to be overruled."""
        own = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, own, cert)


class Engine:
    """A daemon at `url` ("" for `DOCKER_HOST`, else the machine's own)."""

    timeout = TIMEOUT

    def __init__(self, url: str = "") -> None:
        self.url = url or os.environ.get("DOCKER_HOST", "") or DEFAULT_URL
        self._lock = threading.Lock()
        self._api: APIClient | None = None

    @property
    def local(self) -> bool:
        """Whether its containers are processes of this very machine, as far as the address tells."""
        return sys.platform == "linux" and self.url.startswith(UNIX)

    @property
    def api(self) -> APIClient:
        """The client, connected. Raises `BackendError`."""
        with self._lock:
            if self._api is None:
                with self.told("docker", "connect"):
                    self._knock()
                    self._api = self._connected(self.timeout)
            return self._api

    def close(self) -> None:
        """Hangs up. The next call connects again."""
        with self._lock:
            if self._api is not None:
                self._api.close()
                self._api = None

    def _connected(self, timeout: int) -> APIClient:
        return Client(
            base_url=self.url,
            version="auto",
            timeout=timeout,
            max_pool_size=CONNECTIONS,
            tls=self._tls() if self.url.startswith("tcp://") else False,
        )

    def _tls(self) -> TLSConfig | bool:
        """What the environment says of TLS towards a daemon on the network."""
        try:
            return kwargs_from_env().get("tls") or False
        except TLSParameterError as exc:
            raise BackendError("docker", "connect", one_line(str(exc))) from exc

    def _knock(self) -> None:
        """Raises `OSError` where nobody listens; the SDK would leave a socket open for each time it finds that out."""
        if self.url.startswith(UNIX):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
                door.connect(self.url.removeprefix(UNIX))

    @contextlib.contextmanager
    def told(self, name: str, operation: str) -> Iterator[None]:
        """Turns what the daemon refuses inside into a `BackendError` about `name`."""
        try:
            yield
        except (DockerException, OSError) as exc:
            raise BackendError(name, operation, self.explain(exc)) from exc

    def explain(self, exc: Exception) -> str:
        """What went wrong, in a line, with what to do where that is known."""
        if isinstance(exc, APIError):
            return one_line(str(exc.explanation or exc))
        text = str(exc)
        if "Permission denied" in text or "PermissionError" in text:
            return f"this user may not ask the Docker daemon at {self.url}: join its group (`usermod -aG docker NAME`)"
        if isinstance(exc, OSError) or "Connection" in text or "FileNotFoundError" in text:
            return f"no Docker daemon answers at {self.url}: start it (`systemctl start docker`), or set DOCKER_HOST"
        return one_line(text)


def one_line(text: str) -> str:
    """`text` without line breaks, cut where it gets long."""
    line = " ".join(text.split())
    return line if len(line) <= LINE else f"{line[:LINE]} …"


def is_gone(exc: Exception) -> bool:
    """Whether the daemon says that what was asked for is not there."""
    return isinstance(exc, NotFound)


def is_conflict(exc: Exception) -> bool:
    """Whether the daemon says that something is in the way."""
    return isinstance(exc, APIError) and exc.response is not None and exc.response.status_code == 409
