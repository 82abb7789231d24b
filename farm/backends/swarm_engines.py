"""An engine on another machine: asked in seconds or not at all, whatever became of that machine.

A socket to a machine that lost its power says nothing, and an engine that starts containers may be silent for a minute
as well. So before each request that an engine has not answered for a while it is asked for a sign of life, with a short
patience of its own; what came of that is kept for a moment, so that a hundred nodes of a lost machine cost one wait.
"""

import contextlib
import sys
import threading
import time
from pathlib import Path

from docker.api.client import APIClient
from docker.context import ContextAPI
from docker.errors import DockerException, TLSParameterError
from docker.tls import TLSConfig

from farm.backends.docker_engine import DEFAULT_URL, UNIX, Engine, one_line
from farm.backends.swarm_tunnel import SSH, Tunnel
from farm.errors import BackendError
from farm.topology.placement import HostSpec

PATIENCE = 3
"""Seconds for a sign of life."""
TIMEOUT = 60
"""Seconds for one answer: an engine that gave a sign of life may be gone when it is asked."""
TRUSTED, LOST = 2.0, 2.0
"""Seconds for which an answer, and its absence, are taken to last."""


class HostEngine(Engine):
    """That of the host `spec`; sockets of tunnels are made in `folder`. Not `local`, wherever it is: its processes are
    its own. `here` says whether it sees this machine's files and addresses."""

    local = False
    timeout = TIMEOUT

    def __init__(self, spec: HostSpec, folder: Path) -> None:
        super().__init__(spec.url)
        self.spec = spec
        self.where = spec.url or (f"context {spec.context}" if spec.context else self.url)
        self._folder = folder
        self._tunnel: Tunnel | None = None
        self._tls_folder = Path(spec.tls) if spec.tls else None
        self._context_tls: TLSConfig | None = None
        self._looked_up = False
        self._reaching = threading.Lock()
        self._sign: APIClient | None = None
        self._answered = self._missed = -LOST - TRUSTED
        self._why = ""

    @property
    def here(self) -> bool:
        """Whether what it runs sees this machine's files and addresses, as far as its address tells."""
        return sys.platform == "linux" and self.where.startswith(UNIX)

    @property
    def api(self) -> APIClient:
        """The client, connected, of an engine that lives. Raises `BackendError` within seconds."""
        self.reach()
        return super().api

    @property
    def lost(self) -> str:
        """Why it was not reached when it was asked last, "" where it was."""
        return self._why

    def reach(self, anew: bool = False) -> None:
        """Asks for a sign of life, unless there was one just now. Raises `BackendError`."""
        with self._reaching:
            now = time.monotonic()
            if not anew and now - self._answered < TRUSTED:
                return
            if not anew and now - self._missed < LOST:
                raise BackendError(self.spec.name, "reach", self._why)
            try:
                self._ask()
            except (DockerException, OSError, ValueError, BackendError) as exc:
                self._missed, self._answered = time.monotonic(), -TRUSTED
                self._why = exc.message if isinstance(exc, BackendError) else self.explain(exc)
                raise BackendError(self.spec.name, "reach", self._why) from exc
            self._answered, self._why = time.monotonic(), ""

    def explain(self, exc: Exception) -> str:
        """As an engine's, but for one that is silent: it is nobody's here to start."""
        text = super().explain(exc)
        unanswered = text.startswith("no Docker daemon answers")
        return f"no engine answers at {self.where}" if unanswered or _slow(text) else text

    def close(self) -> None:
        """Hangs up, and ends its tunnel."""
        super().close()
        with self._reaching:
            self._forget_sign()
            if self._tunnel is not None:
                self._tunnel.close()
                self._tunnel = None

    def _ask(self) -> None:
        """Raises whatever keeps it from answering."""
        self._find()
        try:
            if self._sign is None:
                self._knock()
                self._sign = self._connected(PATIENCE)
            self._sign.ping()
        except Exception:
            self._forget_sign()
            raise

    def _forget_sign(self) -> None:
        sign, self._sign = self._sign, None
        if sign is not None:
            with contextlib.suppress(Exception):
                sign.close()

    def _find(self) -> None:
        """Where it is: a context is looked up, a tunnel opened."""
        if self.spec.context and not self._looked_up:
            self.url, self._context_tls = _from_context(self.spec)
            self._looked_up = True
        if self.url.startswith(SSH) or (self._tunnel is not None and not self._tunnel.stands):
            self._tunnel = self._tunnel or Tunnel(self.spec.name, self.url, self._folder)
            self.url = self._tunnel.open()

    def _tls(self) -> TLSConfig | bool:
        folder = self._tls_folder
        if folder is None:
            return self._context_tls or super()._tls()
        missing = [name for name in ("ca.pem", "cert.pem", "key.pem") if not (folder / name).is_file()]
        if missing:
            raise BackendError(self.spec.name, "connect", f"{folder} has no {missing[0]}: ca.pem, cert.pem and key.pem")
        pair = str(folder / "cert.pem"), str(folder / "key.pem")
        return TLSConfig(client_cert=pair, ca_cert=str(folder / "ca.pem"), verify=True)


def _slow(text: str) -> bool:
    return "timed out" in text or "Connection aborted" in text


def _from_context(spec: HostSpec) -> tuple[str, TLSConfig | None]:
    """The address and the certificates of a context. Raises `BackendError`."""
    try:
        context = ContextAPI.get_context(spec.context)
    except (DockerException, TLSParameterError, OSError, ValueError) as exc:
        raise BackendError(spec.name, "connect", f"context {spec.context}: {one_line(str(exc))}") from exc
    if context is None:
        cure = "`docker context ls` lists those there are"
        raise BackendError(spec.name, "connect", f"there is no Docker context {spec.context}: {cure}")
    url = str(context.Host or DEFAULT_URL).replace("npipe", "unix")
    return url, context.TLSConfig
