"""A node as a process of its own, and what is said to it over sockets."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from node.config.load import dump
from node.config.model import NodeConfig
from tests.malformed import enip_cases
from tests.malformed.case import CLOSED, SILENT, Case
from tests.malformed.nodes import HOST

ROOT = Path(__file__).parents[2]
REGISTER = bytes.fromhex("65000400" + "00" * 20 + "01000000")


def serving(config: NodeConfig, file: Path) -> Iterator[None]:
    """A lone node, a process of its own, that must end with exit code 0."""
    file.write_text(json.dumps(dump(config)))
    command = [sys.executable, "-m", "node", "run", str(file)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline()
        yield
        assert process.poll() is None
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in output


def receive(link: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes, or those that came before the end."""
    data = b""
    while len(data) < count:
        more = link.recv(count - len(data))
        if not more:
            break
        data += more
    return data


def receive_frame(link: socket.socket, head: int, length_at: int, order: str, extra: int) -> bytes:
    """One frame by the length in its header: `extra` bytes more than it says."""
    data = receive(link, head)
    size = int.from_bytes(data[length_at : length_at + 2], order) + extra  # type: ignore[arg-type]
    return data + receive(link, size)


def enip_frame(link: socket.socket) -> bytes:
    return receive_frame(link, 24, 2, "little", 0)


def modbus_frame(link: socket.socket) -> bytes:
    return receive_frame(link, 6, 4, "big", 0)


def connect(port: int, host: str = HOST) -> socket.socket:
    """A connection on which nothing takes longer than ten seconds."""
    return socket.create_connection((host, port), 10)


def register(link: socket.socket) -> bytes:
    """A session; its handle as it stands on the wire."""
    link.sendall(REGISTER)
    reply = enip_frame(link)
    assert len(reply) == 28
    assert reply[8:12] == b"\0\0\0\0"
    return reply[4:8]


def hold(link: socket.socket, case: Case, good: Case, read: Callable[[socket.socket], bytes], session: bytes) -> None:
    """Send a case and look at what comes; then the good request, on the same connection unless it is to be closed."""

    def dressed(data: bytes) -> bytes:
        return data.replace(enip_cases.SESSION, session)

    link.sendall(dressed(case.send))
    if case.expect is CLOSED:
        link.settimeout(1)
        with contextlib.suppress(ConnectionResetError):
            assert link.recv(1) == b""
        return
    if case.expect is not SILENT:
        assert isinstance(case.expect, bytes)
        assert read(link).hex() == dressed(case.expect).hex()
    link.sendall(dressed(good.send))
    assert isinstance(good.expect, bytes)
    assert read(link).hex() == dressed(good.expect).hex()
