"""The farm's end of a relay far away: shards come by its pipe, and its end is noticed."""

import contextlib
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from farm.backends.relay_link import RelayLink, _Records
from node.control.messages import HELLO, READY, TELEMETRY, encode
from node.relay.frames import OPEN, Frame
from tests.cli.lone import ROOT
from tests.control.farm_end import FarmEnd, farm_end
from tests.relay.relays import PATIENCE, free_port, relay

pytestmark = pytest.mark.net


class ProcessPipe:
    """`python -m node relay --attach`, as an engine runs it in a relay's container."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, "-m", "node", "relay", "--attach", f"127.0.0.1:{port}"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in: IO[bytes] = self.process.stdin
        self._out: IO[bytes] = self.process.stdout

    def read(self) -> bytes:
        return self._out.read(1 << 16)

    def write(self, data: bytes) -> None:
        self._in.write(data)

    def close(self) -> None:
        self.process.terminate()

    def end(self) -> None:
        """Leaves nothing of it."""
        self.process.terminate()
        self.process.wait()
        self._in.close()
        self._out.close()


@contextlib.contextmanager
def attached(control: Path, port: int) -> Iterator[RelayLink]:
    pipe = ProcessPipe(port)
    link = RelayLink(control, pipe)
    link.start()
    try:
        yield link
    finally:
        link.close()
        pipe.end()


def say(port: int, shard: str) -> socket.socket:
    """A shard's connection, with its first words said."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
    sock.settimeout(PATIENCE)
    hello = {"type": HELLO, "shard": shard, "token": "t", "pid": -1, "started": 1, "nodes": [shard]}
    sock.sendall(encode(hello) + encode({"type": READY, "node": shard, "ports": {"enip": 44818}}))
    return sock


def carried(farm: FarmEnd, port: int, shard: str) -> socket.socket:
    """A shard's connection that the farm has heard of: as a shard does, it dials again while there is none to take it
    to."""
    give_up = time.monotonic() + PATIENCE
    sock = say(port, shard)
    while shard not in farm.ready:
        assert time.monotonic() < give_up, f"nothing was heard of {shard}"
        if select.select([sock], [], [], 0.01)[0]:  # it was hung up on
            sock.close()
            sock = say(port, shard)
    return sock


def test_shards_come_by_the_pipe_and_a_farm_that_goes_is_followed_by_another(tmp_path: Path) -> None:
    control, link = free_port(), free_port()
    orders = {"control": f"127.0.0.1:{control}", "link": f"127.0.0.1:{link}"}
    with relay(tmp_path, **orders), farm_end(tmp_path / "sock") as farm:
        with socket.create_connection(("127.0.0.1", control), PATIENCE) as early:
            assert early.recv(1) == b""  # there is no farm to take it to
        with (
            attached(tmp_path / "sock", link) as first,
            carried(farm, control, "plc-1") as one,
            carried(farm, control, "plc-2") as two,
        ):
            big = {"type": TELEMETRY, "nodes": {"plc-1": {"requests": 7, "text": "x" * 1_000_000}}}
            one.sendall(encode(big))
            farm.wait_for(lambda: farm.telemetry.get("plc-1", {}).get("requests") == 7)
            two.sendall(encode({"type": TELEMETRY, "nodes": {"plc-2": {"requests": 1}}}))
            farm.wait_for(lambda: "plc-2" in farm.telemetry)
            with attached(tmp_path / "sock", link):
                assert first.closed.wait(PATIENCE)
                assert (one.recv(1), two.recv(1)) == (b"", b"")  # so that they come again
                carried(farm, control, "plc-3").close()


def test_last_words_are_heard_however_soon_a_shard_ends(tmp_path: Path) -> None:
    control, link = free_port(), free_port()
    orders = {"control": f"127.0.0.1:{control}", "link": f"127.0.0.1:{link}"}
    with relay(tmp_path, **orders), farm_end(tmp_path / "sock") as farm, attached(tmp_path / "sock", link):
        carried(farm, control, "plc-0").close()
        for number in range(1, 21):
            say(control, f"plc-{number}").close()
        farm.wait_for(lambda: len(farm.ready) == 21)


def test_a_relay_that_ends_is_noticed_and_a_farm_that_does_not_listen_hangs_up(tmp_path: Path) -> None:
    control, link = free_port(), free_port()
    orders = {"control": f"127.0.0.1:{control}", "link": f"127.0.0.1:{link}"}
    with relay(tmp_path, **orders) as running, attached(tmp_path / "nobody", link) as farm:
        with say(control, "plc-1") as sock, contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
        running.end()
        assert farm.closed.wait(PATIENCE)


def test_bytes_that_are_no_frames_end_the_link_and_nothing_else(tmp_path: Path) -> None:
    control, link = free_port(), free_port()
    orders = {"control": f"127.0.0.1:{control}", "link": f"127.0.0.1:{link}"}
    with relay(tmp_path, **orders) as running, farm_end(tmp_path / "sock") as farm:
        with socket.create_connection(("127.0.0.1", link), PATIENCE) as rude:
            rude.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert rude.recv(1) == b""
        assert "the link to the farm ends: a frame of kind 71" in running.wait_for("kind 71")
        with attached(tmp_path / "sock", link):
            carried(farm, control, "plc-1").close()


class DeafPipe:
    """One by which a farm is told `data`, and nothing more until it is closed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.closed = threading.Event()

    def read(self) -> bytes:
        data, self._data = self._data, b""
        if not data:
            self.closed.wait(PATIENCE)
        return data

    def write(self, data: bytes) -> None:
        """Takes it."""

    def close(self) -> None:
        self.closed.set()


def test_a_link_that_is_closed_ends_whatever_it_has_just_been_told(tmp_path: Path) -> None:
    began = time.monotonic()
    for number in range(20):
        pipe = DeafPipe(b"".join(Frame(OPEN, each).encode() for each in range(1, 200)))
        link = RelayLink(tmp_path / "nobody", pipe)
        link.start()
        time.sleep(0.001 * (number % 5))
        link.close()
        assert pipe.closed.is_set()
    assert time.monotonic() - began < PATIENCE
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("relay")] == []


@pytest.mark.parametrize("size", [1, 3, 8, 9, 100])
def test_output_and_errors_of_a_command_are_told_apart_however_they_come(size: int) -> None:
    stream = b"".join(
        bytes([which, 0, 0, 0]) + len(data).to_bytes(4, "big") + data
        for which, data in ((1, b"frames"), (2, b"a warning"), (1, b""), (1, b" and more"))
    )
    records, output, errors = _Records(), b"", b""
    for at in range(0, len(stream), size):
        some, other = records.decode(stream[at : at + size])
        output, errors = output + some, errors + other
    assert (output, errors) == (b"frames and more", b"a warning")
