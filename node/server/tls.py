"""Modbus over TLS ("mbaps"): the same frames inside TLS 1.2 or later. Both sides show certificates where an authority
for the clients' is given; else only the node does.

Modbus/TCP Security (2018).
"""

import ssl
from asyncio import base_events, selector_events, sslproto
from importlib import reload
from pathlib import Path

from node.config.model import TlsConfig
from node.errors import NodeError


def server_context(config: TlsConfig) -> ssl.SSLContext:
    """What a port speaks TLS with. Raises `NodeError` naming the file that cannot be used."""
    _tell_asyncio()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for file in (config.certificate, config.key, config.ca):
        if file:
            _readable(file)
    try:
        # A key with a password would have it asked for at the terminal.
        context.load_cert_chain(config.certificate, config.key, password="")
    except (OSError, ValueError) as exc:
        what = f"{config.certificate} with {config.key}"
        raise NodeError(f"{what}: no certificate and key that belong together: {_reason(exc)}") from exc
    if config.ca:
        try:
            context.load_verify_locations(config.ca)
        except OSError as exc:
            raise NodeError(f"{config.ca}: no certificates of an authority: {_reason(exc)}") from exc
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _tell_asyncio() -> None:
    """A node's asyncio was imported as if Python had no TLS (`node.__main__`)."""
    if sslproto.ssl is None:  # type: ignore[attr-defined]
        base_events.ssl = selector_events.ssl = ssl
        reload(sslproto)


def _readable(file: str) -> None:
    try:
        with Path(file).open("rb"):
            pass
    except OSError as exc:
        raise NodeError(f"{file}: {exc.strerror}") from exc


def _reason(exc: Exception) -> str:
    return getattr(exc, "reason", None) or str(exc)
