"""Every way to the Modbus node for foreign clients: TCP, lines and their frames in TCP, datagrams, TLS."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.config.model import SerialConfig, TlsConfig
from tests.certificates import make_certificates
from tests.peers.capture import MODBUS_PORT, RTU_PORT
from tests.peers.line_node import HOST, line_node

WAYS: dict[str, dict[str, Any]] = {
    "tcp": {"port": MODBUS_PORT},
    "rtu": {"tcp": False, "serial": SerialConfig(format="8N2", pty=True)},
    "ascii": {"tcp": False, "serial": SerialConfig(format="8N2", framing="ascii", pty=True)},
    "rtu over tcp": {"port": RTU_PORT, "framing": "rtu"},
    "ascii over tcp": {"port": 1702, "framing": "ascii"},
    "udp": {"port": MODBUS_PORT, "tcp": False, "udp": True},
    "tls": {"port": 1802},
}
"""What a node's Modbus face is then."""


@dataclass(frozen=True)
class Reached:
    """Where it is: `port` at `HOST`, or `path` of a line at 19200 baud, 8N2; `context` is a client's for TLS."""

    port: int
    path: str
    context: ssl.SSLContext | None = None


@contextmanager
def reached(way: str, folder: Path, delay: tuple[float, float] = (0.0, 0.0)) -> Iterator[Reached]:
    """The node runs, from files in `folder`; each reply waits for `delay` seconds."""
    carried, context = dict(WAYS[way]), None
    if way == "tls":
        files = make_certificates(folder, HOST)
        carried["tls"] = TlsConfig(files.certificate("server"), files.key("server"), files.certificate("authority"))
        context = ssl.create_default_context(cafile=files.certificate("authority"))
        context.load_cert_chain(files.certificate("client"), files.key("client"))
    with line_node(folder, delay=delay, **carried) as node:
        yield Reached(int(node["port"] or 0), node["path"] or "", context)
