"""A relay as a process of its own, for tests, and devices that say back what they are told."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cli.lone import ROOT

PATIENCE = 20.0


class RelayProcess:
    """`python -m node relay FILE` with a file in `folder`, from when it listens on."""

    def __init__(self, folder: Path, **orders: Any) -> None:
        self.file = folder / "relay.json"
        self.log = folder / "relay.log"
        self.write(**orders)
        command = [sys.executable, "-m", "node", "relay", str(self.file), "--log", str(self.log)]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
        self.wait_for("forwards: ")

    def write(self, **orders: Any) -> None:
        """Its file anew."""
        self.file.write_text(json.dumps(orders))

    def tell(self, **orders: Any) -> str:
        """Its file anew, which it reads; what it says of it."""
        before = len(self.log.read_text())
        self.write(**orders)
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for("forwards: ", before)

    def wait_for(self, text: str, start: int = 0) -> str:
        """What its log says from `start` on, once `text` is in it."""
        give_up = time.monotonic() + PATIENCE
        while True:
            said = self.log.read_text()[start:] if self.log.exists() else ""
            if text in said and said.endswith("\n"):
                return said
            assert self.process.poll() is None, self.process.communicate()[1].decode()
            assert time.monotonic() < give_up, f"no {text!r} in {said!r}"
            time.sleep(0.01)

    def end(self) -> int:
        """By SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


@contextlib.contextmanager
def relay(folder: Path, **orders: Any) -> Iterator[RelayProcess]:
    """One that is ended in the end, if it runs still."""
    found = RelayProcess(folder, **orders)
    try:
        yield found
    finally:
        if found.process.poll() is None:
            assert found.end() == 0
        assert "Traceback" not in found.log.read_text()


class Echo:
    """Says back whatever comes at `address`:`port`, TCP and UDP, with its `name` before it."""

    def __init__(self, name: str, address: str = "127.0.0.1") -> None:
        self.name = name.encode()
        self.tcp = socket.create_server((address, 0))
        self.address, self.port = self.tcp.getsockname()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, self.port))
        self._taken: list[socket.socket] = []
        for work in (self._accept, self._answer):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        """Is gone, with a reset for all."""
        for sock in (self.tcp, self.udp, *self._taken):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.tcp.accept()
                self._taken.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := sock.recv(1 << 16):
                sock.sendall(self.name + data)
            sock.sendall(b"bye")
            sock.shutdown(socket.SHUT_WR)

    def _answer(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = self.udp.recvfrom(1 << 16)
                if data:
                    self.udp.sendto(self.name + data, peer)


@contextlib.contextmanager
def echo(name: str) -> Iterator[Echo]:
    """One that is closed in the end."""
    found = Echo(name)
    try:
        yield found
    finally:
        found.close()


_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, nor was given before."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port: int = sock.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port
