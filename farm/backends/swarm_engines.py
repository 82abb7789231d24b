"""An engine on another machine: asked in seconds or not at all, whatever became of that machine.

A socket to a machine that lost its power says nothing, and an engine that starts containers may be silent for a minute
as well. So before each request that an engine has not answered for a while it is asked for a sign of life, with a short
patience of its own; what came of that is kept for a moment, so that a hundred nodes of a lost machine cost one wait.
"""

import contextlib
import os
import ssl
import sys
import threading
import time
from pathlib import Path

from docker.api.client import APIClient
from docker.errors import DockerException
from docker.tls import TLSConfig

from farm.backends.docker_engine import UNIX, Engine, one_line
from farm.backends.swarm_contexts import DEFAULT, look_up
from farm.backends.swarm_tunnel import SSH, Tunnel
from farm.errors import BackendError, FarmError
from farm.topology.placement import HostSpec

PATIENCE = 3
"""Seconds for a sign of life."""
TIMEOUT = 60
"""Seconds for one answer: an engine that gave a sign of life may be gone when it is asked."""
TRUSTED, LOST = 2.0, 2.0
"""Seconds for which an answer, and its absence, are taken to last."""
PEMS = ("ca.pem", "cert.pem", "key.pem")
HUNG_UP = ("Connection aborted", "Connection reset", "EOF occurred", "Broken pipe")
"""By which, and without a word, an engine ends TLS with somebody it does not know."""
TLS_REFUSALS = (ssl.SSLError, ssl.SSLCertVerificationError)
"""Of the errors of TLS those that are not about the connection."""


class HostEngine(Engine):
    """That of the host `spec`; sockets of tunnels are made in `folder`. Not `local`, wherever it is: its processes are
    its own. `here` says whether it sees this machine's files and addresses."""

    local = False
    timeout = TIMEOUT

    def __init__(self, spec: HostSpec, folder: Path) -> None:
        super().__init__(spec.url)
        self.spec = spec
        self.where = f"context {spec.context}" if spec.context else self.url
        self._address = "" if spec.context else self.url
        self._folder = folder
        self._tunnel: Tunnel | None = None
        self._tls_folder = Path(spec.tls) if spec.tls else None
        self._context_tls: TLSConfig | None = None
        self._reaching = threading.Lock()
        self._finding = threading.Lock()
        self._sign: APIClient | None = None
        self._answered = self._missed = -LOST - TRUSTED
        self._why = ""

    @property
    def here(self) -> bool:
        """Whether what it runs sees this machine's files and addresses, as far as its address tells."""
        with contextlib.suppress(BackendError):
            return sys.platform == "linux" and self._found().startswith(UNIX)
        return False

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
        refused = _tls_refusal(exc)
        if refused:
            return f"no TLS with {self.where}: {refused}"
        text = super().explain(exc)
        if "HTTPS server" in text:
            how = (
                "create it with ca=, cert= and key="
                if self.spec.context
                else f"say `tls: FOLDER` with {', '.join(PEMS)}"
            )
            return f"{self.where} wants TLS: {how}"
        if not text.startswith("no Docker daemon answers") and not _slow(text):
            return text
        if (self._tls_folder or self._context_tls) and any(words in str(exc) for words in HUNG_UP):
            return f"{self.where} hangs up: is it there, and does it take the certificate of who asks?"
        tunnel = self._tunnel
        complaint = tunnel.said if tunnel is not None else ""
        return f"no engine answers at {self.where}" + (f"; ssh: {one_line(complaint)}" if complaint else "")

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
        """The way to it; by ssh a tunnel is opened unless it stands."""
        url = self._found()
        if url.startswith(SSH):
            self._tunnel = self._tunnel or Tunnel(self.spec.name, url, self._folder)
            url = self._tunnel.open()
            self._tunnel.said = ""
        self.url = url

    def _found(self) -> str:
        """Its address, as the plant or its context has it. Raises `BackendError`."""
        with self._finding:
            if not self._address:
                try:
                    context = look_up(self.spec.context)
                except FarmError as exc:
                    raise BackendError(self.spec.name, "connect", str(exc)) from exc
                self._context_tls = context.tls
                self._address = context.url
                self.where += f" ({context.url})"
            return self._address

    def _tls(self) -> TLSConfig | bool:
        folder = self._tls_folder
        if folder is None:
            named = self.spec.context not in ("", DEFAULT)
            return self._context_tls or False if named else super()._tls()
        missing = [name for name in PEMS if not os.access(folder / name, os.R_OK)]
        if missing:
            raise BackendError(self.spec.name, "connect", f"{folder} has no {missing[0]}: ca.pem, cert.pem and key.pem")
        pair = str(folder / "cert.pem"), str(folder / "key.pem")
        return TLSConfig(client_cert=pair, ca_cert=str(folder / "ca.pem"), verify=True)


def _slow(text: str) -> bool:
    return "timed out" in text or "Connection aborted" in text


def _tls_refusal(exc: BaseException) -> str:
    """Why either side would not have the other's certificates, "" when it is about something else: the SDK has it
    several errors deep."""
    seen: list[BaseException] = []
    left = [exc]
    while left:
        each = left.pop(0)
        if isinstance(each, ssl.SSLError) and type(each) in TLS_REFUSALS:
            words = getattr(each, "verify_message", "") or each.reason or str(each)
            return one_line(words.replace("_", " ").lower() if words.isupper() else words)
        seen.append(each)
        below = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        left += [found for found in below if isinstance(found, BaseException) and found not in seen]
    return ""
